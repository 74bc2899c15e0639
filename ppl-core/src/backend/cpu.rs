//! The CPU's kernels: fused, threaded over fixed chunks so that any number of threads gives the
//! same result, with sums accumulated in `f64`.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use dfdx::shapes::Shape;
use dfdx::tensor::{Cpu, HasErr};
use pulp::Arch;

use super::{Activation, Backend, BlockFunction, Blocks, Device, Layers, Product, Recurrence, Reduction};
use crate::autodiff::{DfdxGradients, GradientStore};
use crate::dtype::Dtype;
use crate::functions::{Function, RowFunction};
use crate::tensor::{Flat, Inner, Tensor};

// Vector registers.
mod registers;
// Functions of single elements, forward and backward.
mod elementwise;
// Sums of functions of single elements.
mod summed;
// Functions of rows, forward and backward.
mod rows;
// Sums, log-sums and maxima over an axis.
mod reduce;
// Picking and joining elements.
mod movement;
// Matrices and their product.
mod matrix;
// Matrices in order for products with few rows.
mod panels;
// Weights that several operations multiply by.
mod shared_weight;
// Rows of a matrix beside a vector.
mod row_kernels;
// A matrix times a vector.
mod matrix_vector;
// Matrix products and fused linear maps, with their gradients.
mod matmul;
// Recurrent maps.
mod recurrent;
// Functions of whole blocks.
mod blocks;

thread_local! {
    /// dfdx's handle holds two reference counts; one handle a thread keeps them off other cores.
    /// It has no state that we use: randomness and caching of dfdx stay off.
    static CPU: OnceCell<Cpu> = const { OnceCell::new() };
}

impl Device for Cpu {
    const ON_HOST: bool = true;

    fn current() -> Self {
        CPU.with(|cpu| cpu.get_or_init(Cpu::default).clone())
    }

    fn with_current<R>(f: impl FnOnce(&Self) -> R) -> R {
        CPU.with(|cpu| f(cpu.get_or_init(Cpu::default)))
    }

    fn seeded(seed: u64) -> Self {
        Cpu::seed_from_u64(seed)
    }
}

/// How many elements one thread takes at a time. Fixed, so that sums do not depend on threads.
const CHUNK: usize = 16 * 1024;

/// An element type as the CPU stores it.
trait Element: Dtype
where
    Cpu: Backend<Self>,
{
    /// The values in `f64`: themselves where they are.
    fn widen(values: &[Self]) -> Cow<'_, [f64]>;

    /// The nearest values of this type: themselves where it is `f64`.
    fn narrow(values: Vec<f64>) -> Vec<Self>;

    /// How many columns a panel of a matrix has.
    fn panel_width() -> usize;

    /// `product = x · panel`, where rows of `x` have `len` elements.
    fn panel_product(panel: &[Self], x: &[Self], len: usize, product: &mut [Self]);

    /// The inner product of each row of `a`, which is as long as `x`, with `x`.
    fn dots(a: &[Self], x: &[Self], out: &mut [Self]);

    /// `out += aᵀ · weights` for rows as long as `out`.
    fn add_rows(a: &[Self], weights: &[Self], out: &mut [Self]);
}

macro_rules! cpu_backend {
    ($E:ident, [$Kernel:ident, $Dots:ident, $AddRows:ident], $panel_width:expr, $widen:expr, $narrow:expr) => {
        impl Element for $E {
            fn widen(values: &[Self]) -> Cow<'_, [f64]> {
                $widen(values)
            }

            fn narrow(values: Vec<f64>) -> Vec<Self> {
                $narrow(values)
            }

            fn panel_width() -> usize {
                $panel_width
            }

            fn panel_product(panel: &[Self], x: &[Self], len: usize, product: &mut [Self]) {
                Arch::new().dispatch(panels::$Kernel { panel, x, len, product });
            }

            fn dots(a: &[Self], x: &[Self], out: &mut [Self]) {
                Arch::new().dispatch(row_kernels::$Dots { a, x, out });
            }

            fn add_rows(a: &[Self], weights: &[Self], out: &mut [Self]) {
                Arch::new().dispatch(row_kernels::$AddRows { a, weights, out });
            }
        }

        impl Backend<$E> for Cpu {
            fn add_to_dfdx<S: Shape>(
                grads: &mut DfdxGradients<$E, Self>,
                tensor: &Inner<S, $E, Self>,
                gains: Vec<$E>,
            ) -> Result<(), <Self as HasErr>::Err> {
                let gradient = grads.get_or_alloc_mut(tensor)?;
                gradient.iter_mut().zip(gains).for_each(|(g, gain)| *g += gain);
                Ok(())
            }

            fn elementwise<F: Function<$E, N>, const N: usize>(
                f: F,
                args: [Flat<$E, Self>; N],
                numel: usize,
            ) -> Flat<$E, Self> {
                elementwise::map(f, args, numel)
            }

            fn elementwise_sum<F: Function<$E, N>, const N: usize>(
                f: F,
                args: [Flat<$E, Self>; N],
                numel: usize,
            ) -> Tensor<(), $E, Self> {
                summed::sum(f, args, numel)
            }

            fn rows(f: Arc<dyn RowFunction<$E>>, x: Flat<$E, Self>, rows: usize) -> Flat<$E, Self> {
                rows::rows(f, x, rows)
            }

            fn reduce(x: Flat<$E, Self>, layers: Layers, reduction: Reduction) -> Flat<$E, Self> {
                reduce::reduce(x, layers, reduction)
            }

            fn take(x: Flat<$E, Self>, positions: Arc<[usize]>) -> Flat<$E, Self> {
                movement::take(x, positions)
            }

            fn window(x: Flat<$E, Self>, start: usize, len: usize) -> Flat<$E, Self> {
                movement::window(x, start, len)
            }

            fn add_up(terms: Vec<Flat<$E, Self>>) -> Flat<$E, Self> {
                summed::add_up(terms)
            }

            fn join(parts: Vec<Flat<$E, Self>>) -> Flat<$E, Self> {
                movement::join(parts)
            }

            fn matmul(a: Flat<$E, Self>, b: Flat<$E, Self>, sizes: Product) -> Flat<$E, Self> {
                matmul::matmul(a, b, sizes)
            }

            fn linear(
                x: Flat<$E, Self>,
                w: Flat<$E, Self>,
                b: Flat<$E, Self>,
                sizes: Product,
                activation: Activation,
            ) -> Flat<$E, Self> {
                matmul::linear(x, w, b, sizes, activation)
            }

            fn recurrent(args: [Flat<$E, Self>; 4], map: Recurrence) -> Flat<$E, Self> {
                recurrent::recurrent(args, map)
            }

            fn blocks<F: BlockFunction<N>, const N: usize>(
                f: F,
                args: [Flat<$E, Self>; N],
                sizes: Blocks<N>,
            ) -> Flat<$E, Self> {
                blocks::blocks(f, args, sizes)
            }
        }
    };
}

cpu_backend!(
    f32,
    [PanelsOfF32, DotsOfF32, AddRowsOfF32],
    panels::width_of_f32(),
    |values: &[f32]| Cow::Owned(values.iter().map(|&v| f64::from(v)).collect()),
    |values: Vec<f64>| { values.into_iter().map(|v| v as f32).collect() }
);
cpu_backend!(
    f64,
    [PanelsOfF64, DotsOfF64, AddRowsOfF64],
    panels::width_of_f64(),
    Cow::Borrowed,
    std::convert::identity
);

/// The elements of a tensor.
fn slice<S: Shape, E: Dtype>(tensor: &Tensor<S, E, Cpu>) -> &[E] {
    tensor.on_host().expect("`Device::ON_HOST` says that the CPU's are")
}

/// Records the backward pass of `out` where it is tracked and a recorder is open: `backward` gets
/// the gradients and, taken out of them, that of `out`. It is left out where nothing has come to `out`.
fn record_from<E: Element>(out: &Flat<E, Cpu>, backward: impl FnOnce(&mut GradientStore<E, Cpu>, Vec<E>) + 'static)
where
    Cpu: Backend<E>,
{
    record_with(out, |grads, upstream| {
        if let Some(upstream) = upstream {
            backward(grads, upstream);
        }
    });
}

/// [`record_from`] of a backward pass that runs in any case.
fn record_with<E: Element>(
    out: &Flat<E, Cpu>,
    backward: impl FnOnce(&mut GradientStore<E, Cpu>, Option<Vec<E>>) + 'static,
) where
    Cpu: Backend<E>,
{
    if out.tracked && crate::autodiff::is_recording() {
        let id = out.id;
        crate::autodiff::record::<E, Cpu>(move |grads| {
            let upstream = grads.take(id);
            backward(grads, upstream);
            Ok(())
        });
    }
}

/// A new flat tensor of one number.
fn number<E: Dtype>(value: E, tracked: bool) -> Flat<E, Cpu> {
    Tensor::of_number(value, (1,), tracked)
}

/// A new flat tensor from a kernel's output.
fn output<E: Dtype>(values: Vec<E>, tracked: bool) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let n = values.len();
    Tensor::of_host(values, (n,), tracked)
}
