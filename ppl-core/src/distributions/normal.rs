//! The normal distribution.

use std::sync::Arc;

use dfdx::shapes::{ConstShape, Shape};
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real, Support};
use crate::dtype::Dtype;
use crate::functions::error_function::{inverse_mills, log_normal_cdf, normal_cdf, normal_quantile};
use crate::tensor::Flat;

use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The normal distribution with mean `loc` and standard deviation `scale`.
    ///
    /// Density: exp(−(x − loc)² / (2 scale²)) / (scale √(2π)) on the real line.
    ///
    /// Shapes: `loc` and `scale` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Normal};
    /// let normal = Normal::new(Tensor::<_, f64>::from([0.0, 1.0]), 2.0);
    /// let at_mean = normal.log_prob(&Tensor::from([0.0, 1.0])).to_vec();
    /// assert!((at_mean[0] + 0.5 * (8.0 * std::f64::consts::PI).ln()).abs() < 1e-12);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 13.
    Normal, 2, 3;
    /// The mean.
    loc,
    /// The standard deviation.
    scale,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Normal<S, E, D> {
    /// Mean 0 and standard deviation 1, in the shape given.
    pub fn standard_like(shape: S) -> Self {
        Self::filled(shape, 0.0, 1.0)
    }
}

impl<S: ConstShape, E: Dtype, D: Backend<E>> Normal<S, E, D> {
    /// Mean 0 and standard deviation 1, in a shape known at compile time.
    pub fn standard() -> Self {
        Self::standard_like(S::default())
    }
}

/// ln √(2π).
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Real, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(Real)
    }

    #[inline(always)]
    fn log_kernel(x: f64, [loc, scale]: [f64; 2]) -> f64 {
        let z = (x - loc) / scale;
        -0.5 * z * z
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [loc, scale]: [f64; 2]) -> (f64, [f64; 2]) {
        let z = (x - loc) / scale;
        let d = z / scale;
        (-d, [d, d * z])
    }

    #[inline(always)]
    fn log_normalizer([_, scale]: [f64; 2]) -> f64 {
        scale.quick_ln() + HALF_LN_TWO_PI
    }

    #[inline(always)]
    fn log_normalizer_slopes([_, scale]: [f64; 2]) -> [f64; 2] {
        [0.0, scale.recip()]
    }

    const SLOPES_ANYWHERE: bool = true;
    const LOC_SCALE: bool = true;
    const SAMPLER: Sampler<2> = Sampler::LocScale(|rng| rng.sample(StandardNormal));
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [loc, scale]| [1.0, (x - loc) / scale]);
    const CDF: Option<Curve<2>> = Some(|x, [loc, scale]| normal_cdf((x - loc) / scale));
    const SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| normal_cdf((loc - x) / scale));
    const LOG_CDF: Option<Curve<2>> = Some(|x, [loc, scale]| log_normal_cdf((x - loc) / scale));
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| log_normal_cdf((loc - x) / scale));
    const HAZARDS: Option<fn(f64, [f64; 2]) -> [f64; 2]> =
        Some(|x, [loc, scale]| [x - loc, loc - x].map(|d| inverse_mills(d / scale) / scale));
    const ICDF: Option<Curve<2>> = Some(|q, [loc, scale]| loc + scale * normal_quantile(q));
    const MEAN: Option<Moment<2>> = Some(|[loc, _]| loc);
    const VARIANCE: Option<Moment<2>> = Some(|[_, scale]| scale.square());
    const ENTROPY: Option<Moment<2>> = Some(|[_, scale]| scale.ln() + (0.5 + HALF_LN_TWO_PI));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distribution::Distribution;
    use crate::rng::Rng;
    use crate::{Cpu, Rank2, Tensor};

    #[test]
    fn standard_has_the_shape_of_its_type() {
        let normal = Normal::<Rank2<2, 3>, f64, Cpu>::standard();
        assert_eq!(normal.draw(&mut Rng::seed(0)).dims(), [2, 3]);
        assert_eq!(normal.mean().unwrap(), Tensor::zeros());
        assert_eq!(normal.variance().unwrap(), Tensor::ones());
    }

    /// With one scale for all locations the normaliser is found once; with a scale for each, once each.
    #[test]
    fn one_scale_is_as_good_as_many() {
        let n = 50;
        let numbers = |f: fn(f64) -> f64| Flat::vector((0..n).map(|i| f(f64::from(i))).collect()).tracked();
        let (x, loc): (Flat<f64, Cpu>, Flat<f64, Cpu>) = (numbers(f64::sin), numbers(|i| 0.1 * i));
        let one = Tensor::scalar(1.7).tracked();
        let many = Flat::vector(vec![1.7; 50]).tracked();
        let (sum, grads) = grad(|| Normal::new(&loc, &one).log_prob_sum(&x));
        let (other, others) = grad(|| Normal::new(&loc, &many).log_prob_sum(&x));
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a}, not {b}");
        near(sum.item(), other.item());
        for of in [&x, &loc] {
            let (found, expected) = (grads.get(of).unwrap().to_vec(), others.get(of).unwrap().to_vec());
            found.into_iter().zip(expected).for_each(|(a, b)| near(a, b));
        }
        near(grads.get(&one).unwrap().item(), others.get(&many).unwrap().to_vec().iter().sum());
        let none: Flat<f64, Cpu> = Flat::vector(Vec::new());
        assert_eq!(Normal::new(&none, &one).log_prob_sum(&none).item(), 0.0);
    }

    #[test]
    fn an_infinite_value_has_no_density_and_no_slope() {
        let normal = Normal::<(), f64, Cpu>::new(0.5, 2.0);
        let x = Tensor::scalar(f64::INFINITY).tracked();
        let (value, grads) = grad(|| normal.log_prob(&x));
        assert_eq!((value.item(), grads.get(&x).unwrap().item()), (f64::NEG_INFINITY, 0.0));
        assert_eq!(normal.cdf(&x).unwrap().item(), 1.0);
    }
}
