//! Maps of rows, given by their value, inverse, Jacobian and what flows back, in `f64`.

use std::fmt::Debug;
use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::{RowFunction, apply_rows};

use super::Flat;

/// The positive numbers of a dtype.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    /// The smallest normal one.
    pub(crate) tiny: f64,
    /// The largest one.
    pub(crate) max: f64,
    /// The gap above 1.
    pub(crate) epsilon: f64,
}

impl Range {
    /// That of `E`.
    fn of<E: Dtype>() -> Self {
        Range { tiny: E::min_positive_value().wide(), max: E::max_value().wide(), epsilon: E::epsilon().wide() }
    }

    /// eˣ, positive and finite for every finite x.
    pub(crate) fn exp(&self, x: f64) -> f64 {
        let y = x.exp();
        if x.is_infinite() { y } else { self.hold(y) }
    }

    /// The nearest positive number; NaN stays.
    pub(crate) fn hold(&self, y: f64) -> f64 {
        if y < self.tiny {
            self.tiny
        } else if y > self.max {
            self.max
        } else {
            y
        }
    }
}

/// A map of rows. Whatever the dtype, its numbers are computed in `f64`. Outputs hold zeros at first.
pub(crate) trait RowMap: Debug + Send + Sync + 'static {
    /// The lengths of a row before and after.
    fn lens(&self) -> (usize, usize);

    /// The image of `x`.
    fn forward(&self, x: &[f64], y: &mut [f64], range: Range);

    /// Adds to `gradient`, that of `x`, what flows back from `upstream`, that of the image `y`.
    fn forward_pullback(&self, x: &[f64], y: &[f64], upstream: &[f64], gradient: &mut [f64]);

    /// What has the image `y`.
    fn inverse(&self, y: &[f64], x: &mut [f64]);

    /// Adds to `gradient`, that of `y`, what flows back from `upstream`, that of its origin `x`.
    fn inverse_pullback(&self, y: &[f64], x: &[f64], upstream: &[f64], gradient: &mut [f64]);

    /// ln |det J| at `x`.
    fn log_abs_det(&self, x: &[f64]) -> f64;

    /// Its gradient, added to `gradient`.
    fn log_abs_det_gradient(&self, x: &[f64], gradient: &mut [f64]);
}

#[derive(Debug)]
struct Forward<M>(M);

#[derive(Debug)]
struct Backward<M>(M);

#[derive(Debug)]
struct LogAbsDet<M>(M);

fn wide<E: Dtype>(row: &[E]) -> Vec<f64> {
    row.iter().map(|v| v.wide()).collect()
}

/// Adds in the dtype; what overflows there counts as 0, so that it makes no NaN further down.
fn add<E: Dtype>(to: &mut [E], from: &[f64]) {
    for (t, &f) in to.iter_mut().zip(from) {
        let f = E::of(f);
        *t += if f.is_infinite() { E::of(0.0) } else { f };
    }
}

/// Runs `f` on a row of zeros in `f64`.
fn filled(len: usize, f: impl FnOnce(&mut [f64])) -> Vec<f64> {
    let mut row = vec![0.0; len];
    f(&mut row);
    row
}

/// Rounds a row to the dtype.
fn round<E: Dtype>(from: &[f64], to: &mut [E]) {
    to.iter_mut().zip(from).for_each(|(t, &f)| *t = E::of(f));
}

impl<E: Dtype> RowFunction<E> for Forward<Arc<dyn RowMap>> {
    fn lens(&self) -> (usize, usize) {
        self.0.lens()
    }
    fn value(&self, _: usize, x: &[E], y: &mut [E]) {
        round(&filled(y.len(), |y| self.0.forward(&wide(x), y, Range::of::<E>())), y);
    }
    fn pullback(&self, _: usize, x: &[E], y: &[E], upstream: &[E], gradient: &mut [E]) {
        let back = |g: &mut [f64]| self.0.forward_pullback(&wide(x), &wide(y), &wide(upstream), g);
        add(gradient, &filled(gradient.len(), back));
    }
}

impl<E: Dtype> RowFunction<E> for Backward<Arc<dyn RowMap>> {
    fn lens(&self) -> (usize, usize) {
        let (from, to) = self.0.lens();
        (to, from)
    }
    fn value(&self, _: usize, y: &[E], x: &mut [E]) {
        round(&filled(x.len(), |x| self.0.inverse(&wide(y), x)), x);
    }
    fn pullback(&self, _: usize, y: &[E], x: &[E], upstream: &[E], gradient: &mut [E]) {
        let back = |g: &mut [f64]| self.0.inverse_pullback(&wide(y), &wide(x), &wide(upstream), g);
        add(gradient, &filled(gradient.len(), back));
    }
}

impl<E: Dtype> RowFunction<E> for LogAbsDet<Arc<dyn RowMap>> {
    fn lens(&self) -> (usize, usize) {
        (self.0.lens().0, 1)
    }
    fn value(&self, _: usize, x: &[E], y: &mut [E]) {
        y[0] = E::of(self.0.log_abs_det(&wide(x)));
    }
    fn pullback(&self, _: usize, x: &[E], _: &[E], upstream: &[E], gradient: &mut [E]) {
        let mut own = filled(gradient.len(), |g| self.0.log_abs_det_gradient(&wide(x), g));
        own.iter_mut().for_each(|g| *g *= upstream[0].wide());
        add(gradient, &own);
    }
}

/// How many rows of `len` numbers there are, rounded down.
fn rows(numel: usize, len: usize) -> usize {
    numel.checked_div(len).unwrap_or(0)
}

/// The image of each row.
#[track_caller]
pub(super) fn forward<E: Dtype, D: Backend<E>>(map: Arc<dyn RowMap>, x: Flat<E, D>) -> Flat<E, D> {
    let rows = rows(x.numel(), map.lens().0);
    apply_rows(Arc::new(Forward(map)), x, rows)
}

/// What has these images.
#[track_caller]
pub(super) fn inverse<E: Dtype, D: Backend<E>>(map: Arc<dyn RowMap>, y: Flat<E, D>) -> Flat<E, D> {
    let rows = rows(y.numel(), map.lens().1);
    apply_rows(Arc::new(Backward(map)), y, rows)
}

/// ln |det J| of each row.
#[track_caller]
pub(super) fn log_abs_det<E: Dtype, D: Backend<E>>(map: Arc<dyn RowMap>, x: &Flat<E, D>) -> Flat<E, D> {
    let rows = rows(x.numel(), map.lens().0);
    apply_rows(Arc::new(LogAbsDet(map)), x.clone(), rows)
}

/// Makes a [`RowMap`] a [`Transform`](super::Transform).
macro_rules! transform_of_rows {
    ($Name:ident, bijective = $bijective:literal) => {
        impl<E: $crate::dtype::Dtype, D: $crate::backend::Backend<E>> $crate::transform::Transform<E, D> for $Name {
            fn name(&self) -> &'static str {
                stringify!($Name)
            }
            fn event_lens(&self) -> (usize, usize) {
                $crate::transform::row::RowMap::lens(self)
            }
            fn is_bijective(&self) -> bool {
                $bijective
            }
            fn forward(&self, x: $crate::transform::Flat<E, D>) -> $crate::transform::Flat<E, D> {
                $crate::transform::row::forward(std::sync::Arc::new(*self), x)
            }
            fn inverse(&self, y: $crate::transform::Flat<E, D>) -> $crate::transform::Flat<E, D> {
                $crate::transform::row::inverse(std::sync::Arc::new(*self), y)
            }
            fn log_abs_det(
                &self,
                x: &$crate::transform::Flat<E, D>,
                _: &$crate::transform::Flat<E, D>,
            ) -> $crate::transform::Flat<E, D> {
                $crate::transform::row::log_abs_det(std::sync::Arc::new(*self), x)
            }
        }
    };
}
pub(super) use transform_of_rows;
