//! dfdx's CUDA device, on the composed defaults. It is type-checked only and has never been run.

use std::cell::OnceCell;

use dfdx::tensor::Cuda;

use super::{Backend, Device};

thread_local! {
    /// One handle a thread, since making one opens the device anew.
    static CUDA: OnceCell<Cuda> = const { OnceCell::new() };
}

impl Device for Cuda {
    fn current() -> Self {
        CUDA.with(|cuda| cuda.get_or_init(Cuda::default).clone())
    }

    fn seeded(seed: u64) -> Self {
        Cuda::seed_from_u64(seed)
    }
}

impl Backend<f32> for Cuda {}
impl Backend<f64> for Cuda {}
