//! The chi-squared distribution.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Constraint, NonNegative, Positive, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::gamma::{Law as Gamma, standard_entropy};
use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The sum of squares of `df` standard normal numbers: a gamma distribution with concentration
    /// df / 2 and rate 1/2. `df` need not be whole.
    ///
    /// Density: x^(df/2 − 1) · exp(−x/2) / (2^(df/2) Γ(df/2)) for x ≥ 0. For `df` below 2 it is
    /// infinite at 0.
    ///
    /// Draws carry gradients to `df`; those that the dtype cannot hold become its smallest normal
    /// number, as those of [`Gamma`](super::Gamma).
    ///
    /// Shapes: `df` has the batch's shape.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Chi2};
    /// let squares = Chi2::new(Tensor::<_, f64>::from([1.0, 2.0]));
    /// assert_eq!(squares.variance().unwrap().to_vec(), [2.0, 4.0]);
    /// // With two degrees of freedom it is exponential.
    /// let density = squares.log_prob(&Tensor::from([1.0, 3.0])).to_vec()[1];
    /// assert!((density - (0.5_f64.ln() - 1.5)).abs() < 1e-14);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 18.
    Chi2, 1, 2;
    /// The degrees of freedom.
    df,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

/// Concentration, not so small that it is 0, and rate.
#[inline(always)]
fn gamma([df]: [f64; 1]) -> [f64; 2] {
    [0.5 * if df < 1e-300 { df.max(1e-300) } else { df }, 0.5]
}

impl Univariate<1> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 1] {
        [&Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 1]) -> Support<E, D> {
        Arc::new(NonNegative)
    }

    fn log_kernel(x: f64, parameters: [f64; 1]) -> f64 {
        Gamma::log_kernel(x, gamma(parameters))
    }

    fn log_kernel_slopes(x: f64, parameters: [f64; 1]) -> (f64, [f64; 1]) {
        let (along_x, [along_concentration, _]) = Gamma::log_kernel_slopes(x, gamma(parameters));
        (along_x, [0.5 * along_concentration])
    }

    fn log_normalizer(parameters: [f64; 1]) -> f64 {
        Gamma::log_normalizer(gamma(parameters))
    }

    fn log_normalizer_slopes(parameters: [f64; 1]) -> [f64; 1] {
        [0.5 * Gamma::log_normalizer_slopes(gamma(parameters))[0]]
    }

    fn rounded<E: Dtype>(x: E) -> E {
        Gamma::rounded(x)
    }

    const SAMPLER: Sampler<1> = Sampler::Direct(|parameters, rng| super::gamma::draw(gamma(parameters), rng));
    const PATHWISE: Option<fn(f64, [f64; 1]) -> [f64; 1]> =
        Some(|x, parameters| [0.5 * super::gamma::pathwise(x, gamma(parameters))[0]]);
    const CDF: Option<Curve<1>> = Some(|x, parameters| super::gamma::probabilities(x, gamma(parameters))[0]);
    const SURVIVAL: Option<Curve<1>> = Some(|x, parameters| super::gamma::probabilities(x, gamma(parameters))[1]);
    const LOG_CDF: Option<Curve<1>> = Some(|x, parameters| super::gamma::log_probabilities(x, gamma(parameters))[0]);
    const LOG_SURVIVAL: Option<Curve<1>> =
        Some(|x, parameters| super::gamma::log_probabilities(x, gamma(parameters))[1]);
    const ICDF: Option<Curve<1>> = Some(|q, parameters| super::gamma::icdf(q, gamma(parameters)));
    const MEAN: Option<Moment<1>> = Some(|[df]| df);
    const VARIANCE: Option<Moment<1>> = Some(|[df]| 2.0 * df);
    const ENTROPY: Option<Moment<1>> = Some(|[df]| standard_entropy(0.5 * df) + std::f64::consts::LN_2);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn one_degree_of_freedom_is_a_square() {
        let one = Chi2::<(), f64, Cpu>::new(1.0);
        let within = one.cdf(&Tensor::scalar(1.96_f64 * 1.96)).unwrap().item();
        assert!((within - libm::erf(1.96 / std::f64::consts::SQRT_2)).abs() < 1e-14);
        let beyond = one.survival(&Tensor::scalar(100.0)).unwrap().item();
        assert!((beyond / 1.523_970_604_832_105e-23 - 1.0).abs() < 1e-13, "{beyond:e}");
        assert_eq!(one.log_prob(&Tensor::scalar(0.0)).item(), f64::INFINITY);
    }
}
