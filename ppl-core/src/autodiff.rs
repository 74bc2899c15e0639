//! Reverse-mode differentiation: a `Copy` flag on each tensor and a recorder on this thread.
//!
//! A tensor says only *whether* it takes part ([`GradTape`]); the operations go to the innermost
//! recorder that [`grad`] or [`try_grad`] has opened. So constants record nothing, a tensor stays
//! `Send + Sync`, and no tape is threaded through user code.
//!
//! ```
//! use ppl_core::{Tensor, autodiff::grad};
//! let x = Tensor::<(), f64>::scalar(3.0).tracked();
//! let (value, grads) = grad(|| &x * &x);
//! assert_eq!(value.item(), 9.0);
//! assert_eq!(grads.get(&x).unwrap().item(), 6.0);
//! ```

// What tells tensors from one another.
mod identity;
// The gradients of a backward pass.
mod store;
// The tape flag and the stack of recorders.
mod recorder;
// Values made once for each recorder.
mod per_recorder;
// What a backward pass leaves behind.
mod gradients;

pub use gradients::Gradients;
pub(crate) use gradients::take_from_dfdx;
pub(crate) use identity::Identity;
pub(crate) use per_recorder::{PerRecorder, same};
pub use recorder::{GradTape, is_recording, no_grad};
pub(crate) use recorder::{Recorder, record, recording, shared};
pub(crate) use store::{DfdxGradients, GradientStore};

use crate::{Dtype, Tensor, backend::Backend, error::Error};

/// Runs `f` under a recorder and returns its value and the gradients of that value with respect
/// to every tracked tensor that took part.
///
/// Nested calls are independent: the inner one sees what the inner closure computes, the outer
/// one does not, so there are no second derivatives. A panic in `f` closes its recorder.
///
/// # Panics
/// If the device fails (out of memory); [`try_grad`] returns an error instead.
pub fn grad<E: Dtype, D: Backend<E>>(f: impl FnOnce() -> Tensor<(), E, D>) -> (Tensor<(), E, D>, Gradients<E, D>) {
    let run = try_grad(|| Ok::<_, Error>((f(), ())));
    let (value, (), grads) = run.unwrap_or_else(|error| panic!("{error}"));
    (value, grads)
}

/// Like [`grad`] for a closure that can fail and that returns something beside its loss.
#[expect(clippy::type_complexity, reason = "what the closure returns, and its gradients")]
pub fn try_grad<E: Dtype, D: Backend<E>, R, X: From<Error>>(
    f: impl FnOnce() -> Result<(Tensor<(), E, D>, R), X>,
) -> Result<(Tensor<(), E, D>, R, Gradients<E, D>), X> {
    let recorder = Recorder::<E, D>::open();
    let (loss, rest) = f()?;
    let operations = recorder.close();
    let grads = Gradients::backward(&loss, operations)?;
    Ok((loss, rest, grads))
}
