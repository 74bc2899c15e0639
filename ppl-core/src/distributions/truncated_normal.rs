//! The normal distribution between two bounds.

use std::sync::Arc;

use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{Bounds, Constraint, Positive, Real, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

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
    /// Shapes: all parameters have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::TruncatedNormal};
    /// let far = TruncatedNormal::new(Tensor::<_, f64>::from([0.0]), 1.0, 40.0, 50.0);
    /// // Out there it is an exponential distribution with rate 40.
    /// assert!((far.mean().unwrap().to_vec()[0] - 40.025).abs() < 1e-4);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 13.10; the
    /// parameters are NumPyro's.
    TruncatedNormal, 4, 5;
    /// The mean of the normal distribution that is truncated.
    loc,
    /// Its standard deviation.
    scale,
    /// The lower bound.
    low,
    /// The upper bound.
    high,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<4> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 4] {
        [&Real, &Positive, &Real, &Real]
    }

    fn conflict([_, _, low, high]: [f64; 4]) -> Option<(usize, String)> {
        (low >= high).then(|| (3, format!("greater than low = {low}")))
    }

    fn support<E: Dtype, D: Backend<E>>([_, _, low, high]: [Flat<E, D>; 4]) -> Support<E, D> {
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

    const SAMPLER: Sampler<4> = Sampler::Direct(|parameters, rng| {
        let q: f64 = rng.sample(Open01);
        Slice::new(parameters).quantile(q)
    });
    const PATHWISE: Option<fn(f64, [f64; 4]) -> [f64; 4]> = Some(|x, p| Slice::new(p).draw_slopes(x));
    const CDF: Option<Curve<4>> = Some(|x, p| Slice::new(p).cdf(x));
    const SURVIVAL: Option<Curve<4>> = Some(|x, p| Slice::new(p).mirrored().cdf(-x));
    const ICDF: Option<Curve<4>> =
        Some(|q, p| if (0.0..=1.0).contains(&q) { Slice::new(p).quantile(q) } else { f64::NAN });
    const MEAN: Option<Moment<4>> = Some(|p| moments::moments(p)[0]);
    const VARIANCE: Option<Moment<4>> = Some(|p| moments::moments(p)[1]);
    const ENTROPY: Option<Moment<4>> = Some(|p| moments::moments(p)[2]);
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn bounds_in_the_wrong_order_are_named() {
        let error = TruncatedNormal::<(), f64, Cpu>::new(0.0, 1.0, 2.0, 2.0).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.value), ("high", 2.0));
        assert_eq!(error.constraint, "greater than low = 2");
    }
}
