//! Maps of single numbers, given by their value, inverse and derivatives in `f64`.

use std::fmt::Debug;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::{Function, apply};

use super::inside::strictly_inside;
use super::{Flat, Transform};

/// A map of a part of the real line, without parameters. Whatever the dtype, its numbers
/// are computed in `f64`. Every `ElementMap` is a [`Transform`].
pub trait ElementMap: Copy + Debug + Send + Sync + 'static {
    /// Its name in errors.
    const NAME: &'static str;

    /// Whether it is one to one.
    const BIJECTIVE: bool = true;

    /// The open interval of its values.
    const IMAGE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

    /// The open interval of its arguments.
    const DOMAIN: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

    /// The image of `x`.
    fn value(x: f64) -> f64;

    /// The derivative at `x`.
    fn slope(x: f64) -> f64;

    /// What has the image `y`.
    fn inverse(y: f64) -> f64;

    /// The derivative of the inverse at `y`.
    fn inverse_slope(y: f64) -> f64;

    /// ln |derivative| at `x`, also where the derivative itself overflows or vanishes.
    fn log_slope(x: f64) -> f64;

    /// The derivative of [`ElementMap::log_slope`].
    fn log_slope_slope(x: f64) -> f64;
}

/// The image of a finite number is held inside `interval`; those of infinite ones may be its ends.
fn held<E: Dtype>(x: E, y: f64, interval: (f64, f64)) -> E {
    if x.is_finite() { strictly_inside(y, E::of(interval.0), E::of(interval.1)) } else { E::of(y) }
}

/// A derivative in the dtype; 0 where it overflows, so that it makes no NaN further down.
fn slope<E: Dtype>(x: f64) -> E {
    let slope = E::of(x);
    if slope.is_infinite() { E::of(0.0) } else { slope }
}

#[derive(Clone, Copy, Debug)]
struct Forward<M>(M);

#[derive(Clone, Copy, Debug)]
struct Backward<M>(M);

#[derive(Clone, Copy, Debug)]
struct LogSlope<M>(M);

impl<E: Dtype, M: ElementMap> Function<E, 1> for Forward<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn value(&self, [x]: [E; 1]) -> E {
        held(x, M::value(x.wide()), M::IMAGE)
    }

    fn partials(&self, [x]: [E; 1], _: E) -> [E; 1] {
        [slope(M::slope(x.wide()))]
    }
}

impl<E: Dtype, M: ElementMap> Function<E, 1> for Backward<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn value(&self, [y]: [E; 1]) -> E {
        let inside = y.wide() > M::IMAGE.0 && y.wide() < M::IMAGE.1;
        let x = M::inverse(y.wide());
        // The ends of the image go to the ends of the domain.
        if inside { held(y, x, M::DOMAIN) } else { E::of(x) }
    }

    fn partials(&self, [y]: [E; 1], _: E) -> [E; 1] {
        [slope(M::inverse_slope(y.wide()))]
    }
}

impl<E: Dtype, M: ElementMap> Function<E, 1> for LogSlope<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn value(&self, [x]: [E; 1]) -> E {
        E::of(M::log_slope(x.wide()))
    }

    fn partials(&self, [x]: [E; 1], _: E) -> [E; 1] {
        [slope(M::log_slope_slope(x.wide()))]
    }
}

impl<E: Dtype, D: Backend<E>, M: ElementMap> Transform<E, D> for M {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn is_bijective(&self) -> bool {
        M::BIJECTIVE
    }

    fn increases(&self, count: usize) -> Vec<bool> {
        vec![M::value(0.25) < M::value(0.5); count]
    }

    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        let shape = x.shape();
        apply(Forward(*self), [x], shape)
    }

    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        let shape = y.shape();
        apply(Backward(*self), [y], shape)
    }

    fn log_abs_det(&self, x: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        apply(LogSlope(*self), [x.clone()], x.shape())
    }
}
