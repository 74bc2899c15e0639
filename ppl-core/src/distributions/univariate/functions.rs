//! A family's quantities as element functions, which kernels thread, fuse and record.
//!
//! The log-density is compiled for each family; the others go through function pointers, so that
//! their kernels are compiled once for all families.

use std::marker::PhantomData;

use crate::dtype::Dtype;
use crate::functions::Function;

use super::{Curve, Dual, Moment, Slopes, Univariate};

/// A value and the parameters beside it. `N` is `K + 1`, which the types cannot say.
#[inline(always)]
fn split<E: Dtype, const K: usize, const N: usize>(args: [E; N]) -> (f64, [f64; K]) {
    const { assert!(N == K + 1) };
    (args[0].wide(), std::array::from_fn(|k| args[k + 1].wide()))
}

/// The derivatives along a value and along the parameters, as one array.
#[inline(always)]
fn joined<E: Dtype, const K: usize, const N: usize>((along_x, along): (f64, [f64; K])) -> [E; N] {
    const { assert!(N == K + 1) };
    std::array::from_fn(|i| E::of(if i == 0 { along_x } else { along[i - 1] }))
}

/// Zeros in the place of slopes that do not count.
#[inline(always)]
fn unless<E: Dtype, const N: usize>(outside: bool, slopes: [E; N]) -> [E; N] {
    slopes.map(|slope| if outside { E::of(0.0) } else { slope })
}

/// The log-density with the same parameters everywhere, whose normaliser is found once.
#[derive(Clone, Copy)]
pub(super) struct LogProb<F, const K: usize> {
    normalizer: f64,
    /// Its slopes.
    slopes: [f64; K],
    family: PhantomData<fn() -> F>,
}

impl<F: Univariate<K>, const K: usize> LogProb<F, K> {
    /// At these parameters; `slopes` says whether their gradients are asked for.
    pub(super) fn with(parameters: [f64; K], slopes: bool) -> Self {
        let normalizer = F::log_normalizer(parameters);
        let slopes = if slopes { F::log_normalizer_slopes(parameters) } else { [0.0; K] };
        LogProb { normalizer, slopes, family: PhantomData }
    }
}

impl<E: Dtype, F: Univariate<K>, const K: usize, const N: usize> Function<E, N> for LogProb<F, K> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    #[inline(always)]
    fn value(&self, args: [E; N]) -> E {
        let (x, parameters) = split(args);
        let kernel = F::log_kernel(x, parameters);
        E::of(if kernel == f64::NEG_INFINITY { kernel } else { kernel - self.normalizer })
    }

    #[inline(always)]
    fn partials(&self, args: [E; N], value: E) -> [E; N] {
        let outside = value == E::neg_infinity();
        if outside && !F::SLOPES_ANYWHERE {
            return [E::of(0.0); N];
        }
        let (x, parameters) = split(args);
        let (along_x, along) = F::log_kernel_slopes(x, parameters);
        unless(outside, joined::<E, K, N>((along_x, std::array::from_fn(|k| along[k] - self.slopes[k]))))
    }
}

/// The log-density with parameters that differ from element to element.
#[derive(Clone, Copy)]
pub(super) struct LogProbVarying<F, const K: usize> {
    family: PhantomData<fn() -> F>,
}

impl<F: Univariate<K>, const K: usize> LogProbVarying<F, K> {
    pub(super) fn new() -> Self {
        LogProbVarying { family: PhantomData }
    }
}

impl<E: Dtype, F: Univariate<K>, const K: usize, const N: usize> Function<E, N> for LogProbVarying<F, K> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    #[inline(always)]
    fn value(&self, args: [E; N]) -> E {
        let (x, parameters) = split(args);
        E::of(log_density::<F, K>(x, parameters))
    }

    #[inline(always)]
    fn partials(&self, args: [E; N], value: E) -> [E; N] {
        let outside = value == E::neg_infinity();
        if outside && !F::SLOPES_ANYWHERE {
            return [E::of(0.0); N];
        }
        let (x, parameters) = split(args);
        let (along_x, along) = F::log_kernel_slopes(x, parameters);
        let normalizer = F::log_normalizer_slopes(parameters);
        unless(outside, joined::<E, K, N>((along_x, std::array::from_fn(|k| along[k] - normalizer[k]))))
    }
}

/// The log-density at given parameters, which are the same everywhere and have no gradient.
#[derive(Clone, Copy)]
pub(super) struct LogProbGiven<F, const K: usize> {
    parameters: [f64; K],
    normalizer: f64,
    family: PhantomData<fn() -> F>,
}

impl<F: Univariate<K>, const K: usize> LogProbGiven<F, K> {
    pub(super) fn new(parameters: [f64; K]) -> Self {
        LogProbGiven { parameters, normalizer: F::log_normalizer(parameters), family: PhantomData }
    }
}

impl<E: Dtype, F: Univariate<K>, const K: usize> Function<E, 1> for LogProbGiven<F, K> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    #[inline(always)]
    fn value(&self, [x]: [E; 1]) -> E {
        let kernel = F::log_kernel(x.wide(), self.parameters);
        E::of(if kernel == f64::NEG_INFINITY { kernel } else { kernel - self.normalizer })
    }

    #[inline(always)]
    fn partials(&self, [x]: [E; 1], value: E) -> [E; 1] {
        let outside = value == E::neg_infinity();
        if outside && !F::SLOPES_ANYWHERE {
            return [E::of(0.0)];
        }
        unless(outside, [E::of(F::log_kernel_slopes(x.wide(), self.parameters).0)])
    }
}

/// The log-density at a point.
#[inline(always)]
pub(super) fn log_density<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> f64 {
    let kernel = F::log_kernel(x, parameters);
    if kernel == f64::NEG_INFINITY { kernel } else { kernel - F::log_normalizer(parameters) }
}

/// The density at a point.
fn density<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> f64 {
    log_density::<F, K>(x, parameters).exp()
}

/// 0 · ∞ at a singular point is no slope.
pub(super) fn sound(slope: f64) -> f64 {
    if slope.is_nan() { 0.0 } else { slope }
}

/// The slopes of the cdf: the density, and −density · dx/dθ.
fn cdf_slopes<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> (f64, [f64; K]) {
    if let Some(slopes) = F::CDF_SLOPES {
        return slopes(x, parameters, 0.0);
    }
    let density = density::<F, K>(x, parameters);
    let pathwise = F::PATHWISE.expect("checked where the family is declared");
    if density == 0.0 {
        return (0.0, [0.0; K]);
    }
    (density, pathwise(x, parameters).map(|d| sound(-density * d)))
}

/// The probability of a value at most x.
pub(super) fn cdf<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> f64 {
    F::CDF.expect("asked for where there is one")(x, parameters)
}

/// That of a value above x.
pub(super) fn survival<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> f64 {
    F::SURVIVAL.map_or_else(|| 1.0 - cdf::<F, K>(x, parameters), |survival| survival(x, parameters))
}

fn survival_slopes<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> (f64, [f64; K]) {
    let (along_x, along) = cdf_slopes::<F, K>(x, parameters);
    (-along_x, along.map(|d| -d))
}

/// The slopes of the quantile at its value: 1 / density, and dx/dθ. A step has none.
fn icdf_slopes<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> (f64, [f64; K]) {
    match (F::PATHWISE, F::CDF_SLOPES) {
        (Some(_), Some(slopes)) => {
            let (density, slopes) = slopes(x, parameters, 0.0);
            (density.recip(), slopes.map(|s| sound(-s / density)))
        }
        (Some(pathwise), None) => (density::<F, K>(x, parameters).recip(), pathwise(x, parameters).map(sound)),
        (None, _) => (0.0, [0.0; K]),
    }
}

/// The slopes of a draw.
fn draw_slopes<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> (f64, [f64; K]) {
    (0.0, F::PATHWISE.map_or([0.0; K], |pathwise| pathwise(x, parameters).map(sound)))
}

/// A function of a value (or probability) and parameters.
#[derive(Clone, Copy)]
pub(super) struct Curved<const K: usize> {
    name: &'static str,
    value: Curve<K>,
    /// The slopes, at the argument or at the value.
    slopes: Slopes<K>,
    at_value: bool,
}

impl<const K: usize> Curved<K> {
    /// The family's cdf.
    pub(super) fn cdf<F: Univariate<K>>() -> Option<Self> {
        const { assert!(F::CDF.is_none() || F::PATHWISE.is_some() || F::CDF_SLOPES.is_some()) };
        Some(Curved { name: F::NAME, value: F::CDF?, slopes: cdf_slopes::<F, K>, at_value: false })
    }

    /// The probability of a larger value.
    pub(super) fn survival<F: Univariate<K>>() -> Option<Self> {
        let cdf = Self::cdf::<F>()?;
        Some(Curved { value: survival::<F, K>, slopes: survival_slopes::<F, K>, ..cdf })
    }

    /// Something else of the same family at the same point.
    pub(super) fn with(self, value: Curve<K>, slopes: Slopes<K>) -> Self {
        Curved { value, slopes, ..self }
    }

    /// The family's quantile function.
    pub(super) fn icdf<F: Univariate<K>>() -> Option<Self> {
        Some(Curved { name: F::NAME, value: F::ICDF?, slopes: icdf_slopes::<F, K>, at_value: true })
    }

    /// Draws as functions of the parameters: the value is the draw.
    pub(super) fn pathwise<F: Univariate<K>>() -> Option<Self> {
        F::PATHWISE?;
        Some(Curved { name: F::NAME, value: |x, _| x, slopes: draw_slopes::<F, K>, at_value: true })
    }
}

impl<E: Dtype, const K: usize, const N: usize> Function<E, N> for Curved<K> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn value(&self, args: [E; N]) -> E {
        let (x, parameters) = split(args);
        E::of((self.value)(x, parameters))
    }

    fn partials(&self, args: [E; N], value: E) -> [E; N] {
        let (x, parameters) = split(args);
        let at = if self.at_value { value.wide() } else { x };
        joined((self.slopes)(at, parameters))
    }
}

/// A function of the parameters alone.
#[derive(Clone, Copy)]
pub(in crate::distributions) struct Momentary<const K: usize>(
    pub(in crate::distributions) &'static str,
    pub(in crate::distributions) Moment<K>,
);

impl<E: Dtype, const K: usize> Function<E, K> for Momentary<K> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn value(&self, args: [E; K]) -> E {
        E::of((self.1)(Dual::variables(args.map(E::wide))).value)
    }

    fn partials(&self, args: [E; K], _: E) -> [E; K] {
        (self.1)(Dual::variables(args.map(E::wide))).slopes.map(E::of)
    }
}

/// loc + scale · noise.
#[derive(Clone, Copy)]
pub(super) struct LocScale;

impl<E: Dtype, const N: usize> Function<E, N> for LocScale {
    fn name(&self) -> &'static str {
        "loc + scale · noise"
    }

    #[inline(always)]
    fn value(&self, args: [E; N]) -> E {
        args[1] + args[2] * args[0]
    }

    #[inline(always)]
    fn partials(&self, args: [E; N], _: E) -> [E; N] {
        std::array::from_fn(|i| match i {
            0 => args[2],
            1 => E::of(1.0),
            _ => args[0],
        })
    }
}

/// A draw as a formula of noise and parameters.
#[derive(Clone, Copy)]
pub(super) struct Moved<E, const K: usize> {
    name: &'static str,
    formula: fn(f64, [Dual<K>; K]) -> Dual<K>,
    rounded: fn(E) -> E,
}

impl<E: Dtype, const K: usize> Moved<E, K> {
    pub(super) fn new(name: &'static str, formula: fn(f64, [Dual<K>; K]) -> Dual<K>, rounded: fn(E) -> E) -> Self {
        Moved { name, formula, rounded }
    }
}

impl<E: Dtype, const K: usize, const N: usize> Function<E, N> for Moved<E, K> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn value(&self, args: [E; N]) -> E {
        let (noise, parameters) = split(args);
        (self.rounded)(E::of((self.formula)(noise, parameters.map(Dual::constant)).value))
    }

    fn partials(&self, args: [E; N], _: E) -> [E; N] {
        let (noise, parameters) = split(args);
        joined((0.0, (self.formula)(noise, Dual::variables(parameters)).slopes.map(sound)))
    }
}
