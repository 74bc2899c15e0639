//! What threads may share: `Send + Sync`, but for dfdx's CUDA device, which is neither.

/// `Send + Sync`, as values, modules and devices are.
///
/// dfdx's `Cuda` holds a raw stream and is neither, so with the feature `cuda` this asks for
/// nothing: models, stores and inference then stay on the thread that made them.
#[cfg(not(feature = "cuda"))]
pub trait Shared: Send + Sync {}

#[cfg(not(feature = "cuda"))]
impl<T: Send + Sync + ?Sized> Shared for T {}

/// Nothing: with the feature `cuda`, models, stores and inference stay on the thread that made them,
/// since dfdx's `Cuda` is neither `Send` nor `Sync`.
#[cfg(feature = "cuda")]
pub trait Shared {}

#[cfg(feature = "cuda")]
impl<T: ?Sized> Shared for T {}

/// What `f` makes of the items, on the threads of the pool, in the items' order.
#[cfg(not(feature = "cuda"))]
pub fn spread<T: Send, R: Send>(items: Vec<T>, f: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    use rayon::prelude::*;
    items.into_par_iter().map(f).collect()
}

/// What `f` makes of the items, in turn: with the feature `cuda`, runs stay on their thread.
#[cfg(feature = "cuda")]
pub fn spread<T, R>(items: Vec<T>, f: impl Fn(T) -> R) -> Vec<R> {
    items.into_iter().map(f).collect()
}
