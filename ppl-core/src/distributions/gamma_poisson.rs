//! The gamma-Poisson distribution.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Constraint, NonNegativeInteger, Positive, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::counting::polya::{self, Polya};
use super::counting::{Odds, Rate, finite};
use super::univariate::{Curve, Moment, Sampler, ScaledSlopes, Univariate, univariate};

univariate! {
    /// A Poisson count whose rate is drawn from a gamma distribution with this `concentration` and
    /// `rate`: the negative binomial distribution with `total_count` = concentration and
    /// p = 1 / (1 + rate).
    ///
    /// Probability: Γ(x + concentration) / (x! Γ(concentration)) rateᶜ / (1 + rate)ˣ⁺ᶜ for
    /// x = 0, 1, 2, …, with c the concentration.
    ///
    /// Shapes: `concentration` and `rate` have the batch's shape, or one number for all of it. Values
    /// are floats; those that are not whole score −∞. The entropy is that of the negative binomial law.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::GammaPoisson};
    /// let counts = GammaPoisson::new(2.0, Tensor::<_, f64>::from([0.5, 4.0]));
    /// assert_eq!(counts.mean().unwrap().to_vec(), [4.0, 0.5]);
    /// ```
    ///
    /// Reference: Gelman et al., *Bayesian Data Analysis*, 3rd edition, sec. 2.6.
    GammaPoisson, 2, 3;
    /// The concentration of the rates.
    concentration,
    /// The rate of their gamma distribution, the inverse of its scale.
    rate,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Positive, Rate::domain()]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(NonNegativeInteger)
    }

    #[inline]
    fn log_kernel(x: f64, parameters: [f64; 2]) -> f64 {
        Polya::<Rate>::log_mass(x, parameters)
    }

    #[inline]
    fn log_kernel_slopes(x: f64, parameters: [f64; 2]) -> (f64, [f64; 2]) {
        (0.0, Polya::<Rate>::log_mass_slopes(x, parameters))
    }

    fn rounded<E: Dtype>(x: E) -> E {
        finite(x)
    }

    const SAMPLER: Sampler<2> = Sampler::Direct(polya::draw::<Rate>);
    const CDF: Option<Curve<2>> = Some(Polya::<Rate>::cdf);
    const CDF_SLOPES: Option<ScaledSlopes<2>> = Some(Polya::<Rate>::cdf_slopes);
    const SURVIVAL: Option<Curve<2>> = Some(Polya::<Rate>::survival);
    const LOG_CDF: Option<Curve<2>> = Some(Polya::<Rate>::log_cdf);
    const LOG_SURVIVAL: Option<Curve<2>> = Some(Polya::<Rate>::log_survival);
    const ICDF: Option<Curve<2>> = Some(Polya::<Rate>::icdf);
    const MEAN: Option<Moment<2>> = Some(|[concentration, rate]| concentration / rate);
    const VARIANCE: Option<Moment<2>> = Some(|[concentration, rate]| concentration / rate * (1.0 + rate.recip()));
    const ENTROPY: Option<Moment<2>> = Some(Polya::<Rate>::entropy);
}

#[cfg(test)]
mod tests {
    use super::super::NegativeBinomial;
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn it_is_negative_binomial() {
        let (concentration, rate) = (2.5, 0.75);
        let one = GammaPoisson::<(), f64, Cpu>::new(concentration, rate);
        let other = NegativeBinomial::<(), f64, Cpu>::from_logits(concentration, -f64::ln(rate));
        for x in [0.0, 2.0, 40.0] {
            let x = Tensor::scalar(x);
            assert!((one.log_prob(&x).item() - other.log_prob(&x).item()).abs() < 1e-13);
        }
    }
}
