//! The normal distribution between two bounds.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{Bounds, Constraint, LowerEnd, Positive, Real, Support, UpperEnd};
use crate::dtype::Dtype;
use crate::tensor::{Flat, IntoTensor};

use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

// A slice of the normal density: areas, probabilities, quantiles.
mod slice;
// Its mean, variance and entropy.
mod moments;

use slice::Slice;

univariate! {
    /// A normal value given that it lies between `low` and `high`. Exact for bounds that are both far out
    /// in one tail, or very near one another.
    ///
    /// Density: φ(z) / (scale (Φ(b) − Φ(a))) for low ≤ x ≤ high, with z, a, b the distances of x, low and
    /// high from `loc` in units of `scale`.
    ///
    /// An infinite bound is none: `low` may be −∞ and `high` ∞, and the gradient along such a bound is
    /// 0. [`TruncatedNormal::above`] and [`TruncatedNormal::below`] truncate on one side.
    ///
    /// Shapes: all parameters have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::TruncatedNormal};
    /// let far = TruncatedNormal::new(Tensor::<_, f64>::from([0.0]), 1.0, 40.0, 50.0);
    /// // Out there it is an exponential distribution with rate 40.
    /// assert!((far.mean().unwrap().to_vec()[0] - 40.025).abs() < 1e-4);
    /// // One side only.
    /// let positive = TruncatedNormal::above(Tensor::<_, f64>::from([0.0, 1.0]), 1.0, 0.0);
    /// assert_eq!(positive.high().to_vec(), [f64::INFINITY; 2]);
    /// assert!((positive.mean().unwrap().to_vec()[0] - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-14);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 13.10; the
    /// parameters are NumPyro's.
    TruncatedNormal, 4, 5;
    /// The mean of the normal distribution that is truncated.
    loc,
    /// Its standard deviation.
    scale,
    /// The lower bound, −∞ for none.
    low,
    /// The upper bound, ∞ for none.
    high,
}

impl<S: Shape, E: Dtype, D: Backend<E>> TruncatedNormal<S, E, D> {
    /// Truncated below only: values are at least `low`.
    ///
    /// # Panics
    /// As [`TruncatedNormal::new`].
    #[track_caller]
    pub fn above(
        loc: impl IntoTensor<S, E, D>,
        scale: impl IntoTensor<S, E, D>,
        low: impl IntoTensor<S, E, D>,
    ) -> Self {
        Self::new(loc, scale, low, f64::INFINITY)
    }

    /// Truncated above only: values are at most `high`.
    ///
    /// # Panics
    /// As [`TruncatedNormal::new`].
    #[track_caller]
    pub fn below(
        loc: impl IntoTensor<S, E, D>,
        scale: impl IntoTensor<S, E, D>,
        high: impl IntoTensor<S, E, D>,
    ) -> Self {
        Self::new(loc, scale, f64::NEG_INFINITY, high)
    }
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<4> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 4] {
        [&Real, &Positive, &LowerEnd, &UpperEnd]
    }

    fn conflict([_, _, low, high]: [f64; 4]) -> Option<(usize, String)> {
        (low >= high).then(|| (3, format!("greater than low = {low}")))
    }

    fn support<E: Dtype, D: Backend<E>>(parameters: impl FnOnce() -> [Flat<E, D>; 4]) -> Support<E, D> {
        let [_, _, low, high] = parameters();
        Arc::new(Bounds::new(low, high))
    }

    fn log_kernel(x: f64, parameters: [f64; 4]) -> f64 {
        let [_, _, low, high] = parameters;
        if x < low || x > high { f64::NEG_INFINITY } else { Slice::new(parameters).log_weight(x) }
    }

    fn log_kernel_slopes(x: f64, parameters: [f64; 4]) -> (f64, [f64; 4]) {
        Slice::new(parameters).log_weight_slopes(x)
    }

    fn log_normalizer(parameters: [f64; 4]) -> f64 {
        Slice::new(parameters).area().ln() + parameters[1].ln()
    }

    fn log_normalizer_slopes(parameters: [f64; 4]) -> [f64; 4] {
        Slice::new(parameters).log_area_slopes()
    }

    fn rounded<E: Dtype>(x: E) -> E {
        if x.is_infinite() { x.signum() * E::max_value() } else { x }
    }

    const SAMPLER: Sampler<4> = Sampler::Direct(|parameters, rng| {
        let q: f64 = rng.sample(Open01);
        Slice::new(parameters).quantile(q)
    });
    const PATHWISE: Option<fn(f64, [f64; 4]) -> [f64; 4]> = Some(|x, p| Slice::new(p).draw_slopes(x));
    const CDF: Option<Curve<4>> = Some(|x, p| Slice::new(p).cdf(x));
    const SURVIVAL: Option<Curve<4>> = Some(|x, p| Slice::new(p).mirrored().cdf(-x));
    const LOG_CDF: Option<Curve<4>> = Some(|x, p| Slice::new(p).log_cdf(x));
    const LOG_SURVIVAL: Option<Curve<4>> = Some(|x, p| Slice::new(p).mirrored().log_cdf(-x));
    const ICDF: Option<Curve<4>> =
        Some(|q, p| if (0.0..=1.0).contains(&q) { Slice::new(p).quantile(q) } else { f64::NAN });
    const MEAN: Option<Moment<4>> = Some(|p| moments::moments(p)[0]);
    const VARIANCE: Option<Moment<4>> = Some(|p| moments::moments(p)[1]);
    const ENTROPY: Option<Moment<4>> = Some(|p| moments::moments(p)[2]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distribution::Distribution;
    use crate::rng::Rng;
    use crate::{Cpu, Tensor};

    #[test]
    fn bounds_far_from_all_mass_are_no_trouble() {
        // Out there the density is that of an exponential with rate 10⁵.
        let one = TruncatedNormal::<(), f64, Cpu>::new(0.0, 1.0, 1e5, 2e5);
        let at = |x: f64| one.log_prob(&Tensor::scalar(x)).item();
        assert!((at(1e5) - 1e5_f64.ln()).abs() < 1e-9);
        assert!((at(1e5) - at(1e5 + 1e-5) - 1.0).abs() < 1e-4);
        let draws = TruncatedNormal::<(usize,), f32, Cpu>::filled((1000,), 0.0, 1.0, -60.0, -50.0);
        assert!(draws.draw(&mut Rng::seed(1)).to_vec().iter().all(|v| (-60.0..=-50.0).contains(v)));
    }

    #[test]
    fn one_sided_truncation_is_that_by_an_infinite_bound() {
        let far = TruncatedNormal::<(), f64, Cpu>::new(1.0, 2.0, 3.0, 400.0);
        let above = TruncatedNormal::<(), f64, Cpu>::above(1.0, 2.0, 3.0);
        let below = TruncatedNormal::<(), f64, Cpu>::below(-1.0, 2.0, -3.0);
        for x in [3.0, 5.0, 40.0] {
            let expected = far.log_prob(&Tensor::scalar(x)).item();
            assert!((above.log_prob(&Tensor::scalar(x)).item() - expected).abs() < 1e-13 * expected.abs().max(1.0));
            assert!((below.log_prob(&Tensor::scalar(-x)).item() - expected).abs() < 1e-13 * expected.abs().max(1.0));
        }
        let violation = |x: f64| above.support().violation(&[x], &[]);
        assert_eq!([3.0, 1e300, 2.9, f64::INFINITY].map(violation), [None, None, Some(0), Some(0)]);
        let survival = above.survival(&Tensor::scalar(21.0)).unwrap().item();
        // mpmath: erfc(10 / √2) / erfc(1 / √2).
        assert!((survival / 4.802773835307395e-23 - 1.0).abs() < 1e-11, "{survival:e}");
        assert_eq!(above.survival(&Tensor::scalar(f64::INFINITY)).unwrap().item(), 0.0);
    }

    #[test]
    fn a_bound_may_be_infinite_on_its_own_side() {
        let check = |low: f64, high: f64| {
            let error = TruncatedNormal::<(), f64, Cpu>::new(0.0, 1.0, low, high).check_parameters().err();
            error.map(|e| (e.parameter, e.constraint))
        };
        let inf = f64::INFINITY;
        assert_eq!([check(-inf, inf), check(-inf, 0.0), check(0.0, inf)], [None, None, None]);
        assert_eq!(check(inf, inf), Some(("low", "a number below infinity".into())));
        assert_eq!(check(-inf, -inf), Some(("high", "a number above -infinity".into())));
        assert_eq!(check(0.0, f64::NAN), Some(("high", "a number above -infinity".into())));
    }

    #[test]
    fn no_gradient_follows_an_infinite_bound() {
        let at = |v: f64| Tensor::<(), f64, Cpu>::scalar(v).tracked();
        for (low, high) in [(2.0, f64::INFINITY), (f64::NEG_INFINITY, -2.0), (f64::NEG_INFINITY, f64::INFINITY)] {
            let leaves = [at(0.5), at(1.5), at(low), at(high)];
            let of = |leaves: &[Tensor<(), f64, Cpu>; 4]| {
                let [loc, scale, low, high] = leaves;
                TruncatedNormal::new(loc, scale, low, high)
            };
            let x = Tensor::scalar(if low.is_finite() { 3.0 } else { -3.0 });
            let quantities: [&dyn Fn() -> Tensor<(), f64, Cpu>; 8] = [
                &|| of(&leaves).log_prob(&x),
                &|| of(&leaves).cdf(&x).unwrap(),
                &|| of(&leaves).survival(&x).unwrap(),
                &|| of(&leaves).icdf(&Tensor::scalar(0.3)).unwrap(),
                &|| of(&leaves).draw(&mut Rng::seed(3)),
                &|| of(&leaves).mean().unwrap(),
                &|| of(&leaves).variance().unwrap(),
                &|| of(&leaves).entropy().unwrap(),
            ];
            for (i, quantity) in quantities.into_iter().enumerate() {
                let (_, grads) = grad(quantity);
                let found = leaves.each_ref().map(|leaf| grads.get(leaf).unwrap().item());
                assert!(found.iter().all(|g| g.is_finite()), "quantity {i} at {low}, {high}: {found:?}");
                assert!(low.is_finite() || found[2] == 0.0, "quantity {i}: {found:?}");
                assert!(high.is_finite() || found[3] == 0.0, "quantity {i}: {found:?}");
            }
        }
    }

    #[test]
    fn bounds_in_the_wrong_order_are_named() {
        let error = TruncatedNormal::<(), f64, Cpu>::new(0.0, 1.0, 2.0, 2.0).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.value), ("high", 2.0));
        assert_eq!(error.constraint, "greater than low = 2");
    }
}
