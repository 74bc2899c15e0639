//! The continuous Bernoulli distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{Constraint, Real, Support, UNIT_INTERVAL};
use crate::distribution::{Distribution, Expand};
use crate::dtype::Dtype;
use crate::tensor::{Flat, IntoTensor, Tensor};

use super::logistic::logit;
use super::univariate::{Curve, Front, Moment, Named, Sampler, TwoForms, Univariate, forward_to_front};

// The family by its log-odds, which make it an exponential on [0, 1].
pub(super) mod tilt;

use tilt::{
    cdf, draw_slope, log_mass, log_weight, logs, mean, mean_slope, quantile, survival, variance, variance_slope,
};

/// Values in [0, 1] with density proportional to pˣ (1 − p)¹⁻ˣ; given by `probs` p or by their
/// log-odds `logits`: the likelihood of grey pixels.
///
/// Density: C(p) pˣ (1 − p)¹⁻ˣ on [0, 1] with C = 2 artanh(1 − 2p) / (1 − 2p), which is 2 at p = ½. For
/// p = 0 or 1 all mass is at that end.
///
/// Shapes: `probs` or `logits` have the batch's shape.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::ContinuousBernoulli};
/// let pixels = ContinuousBernoulli::new(Tensor::<_, f64>::from([0.5, 0.9]));
/// assert_eq!(pixels.log_prob(&Tensor::from([0.25, 0.0])).to_vec()[0], 0.0);
/// ```
///
/// Reference: Loaiza-Ganem, Cunningham, *The continuous Bernoulli: fixing a pervasive error in
/// variational autoencoders*, NeurIPS 2019.
#[derive(Clone, Debug)]
pub struct ContinuousBernoulli<S: Shape, E: Dtype, D: Backend<E>> {
    pub(super) front: TwoForms<Law, OfLogits, S, E, D>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> ContinuousBernoulli<S, E, D> {
    /// From the probabilities of the Bernoulli distribution that it continues: a tensor of the batch's
    /// shape, or a number where the batch is a single one.
    ///
    /// # Panics
    /// If the batch has axes and `probs` is a number.
    #[track_caller]
    pub fn new(probs: impl IntoTensor<S, E, D>) -> Self {
        ContinuousBernoulli { front: TwoForms::Probs(Front::new([probs.into_operand()])) }
    }

    /// From the log-odds ln(p / (1 − p)).
    ///
    /// # Panics
    /// If the batch has axes and `logits` is a number.
    #[track_caller]
    pub fn from_logits(logits: impl IntoTensor<S, E, D>) -> Self {
        ContinuousBernoulli { front: TwoForms::Logits(Front::new([logits.into_operand()])) }
    }

    /// With the same probability everywhere, in the shape given.
    pub fn filled(shape: S, probs: f64) -> Self {
        ContinuousBernoulli { front: TwoForms::Probs(Front::filled(shape, [probs])) }
    }

    /// The probabilities of the Bernoulli distribution that it continues (not its means).
    pub fn probs(&self) -> Tensor<S, E, D> {
        match &self.front {
            TwoForms::Probs(front) => front.parameter("probs"),
            TwoForms::Logits(front) => front.parameter("logits").sigmoid(),
        }
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for ContinuousBernoulli<S, E, D> {
    type Expanded = ContinuousBernoulli<R, E, D>;
    type ExpandedBatch = R;

    #[track_caller]
    fn expand(&self, shape: R) -> ContinuousBernoulli<R, E, D> {
        ContinuousBernoulli { front: self.front.expand(shape) }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for ContinuousBernoulli<S, E, D> {
    forward_to_front!();
}

/// The family, by probabilities.
#[derive(Clone, Copy)]
pub(super) struct Law;

/// The family, by log-odds.
#[derive(Clone, Copy)]
pub(super) struct OfLogits;

/// dlogits / dprobs.
fn slope_of_logit(p: f64) -> f64 {
    (p * (1.0 - p)).recip()
}

macro_rules! form {
    ($Law:ident, $parameter:literal, $domain:expr, |$p:ident| $logit:expr, $slope:expr) => {
        impl Named<1> for $Law {
            const NAME: &'static str = "ContinuousBernoulli";
            const PARAMETERS: [&'static str; 1] = [$parameter];
        }

        impl Univariate<1> for $Law {
            fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 1] {
                [&$domain]
            }

            fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 1]) -> Support<E, D> {
                Arc::new(UNIT_INTERVAL)
            }

            #[inline(always)]
            fn log_kernel(x: f64, [$p]: [f64; 1]) -> f64 {
                log_weight(x, $logit)
            }

            #[inline(always)]
            fn log_kernel_slopes(x: f64, [$p]: [f64; 1]) -> (f64, [f64; 1]) {
                let t: f64 = $logit;
                (t, [if t > 0.0 { x - 1.0 } else { x } * $slope])
            }

            #[inline(always)]
            fn log_normalizer([$p]: [f64; 1]) -> f64 {
                log_mass($logit)
            }

            #[inline(always)]
            fn log_normalizer_slopes([$p]: [f64; 1]) -> [f64; 1] {
                let t: f64 = $logit;
                // The mean, less what the kernel is counted from.
                [if t > 0.0 { -mean(-t) } else { mean(t) } * $slope]
            }

            const SAMPLER: Sampler<1> = Sampler::Direct(|[$p], rng| quantile(rng.sample(Open01), $logit));
            const PATHWISE: Option<fn(f64, [f64; 1]) -> [f64; 1]> = Some(|x, [$p]| [draw_slope(x, $logit) * $slope]);
            const CDF: Option<Curve<1>> = Some(|x, [$p]| cdf(x, $logit));
            const SURVIVAL: Option<Curve<1>> = Some(|x, [$p]| survival(x, $logit));
            const LOG_CDF: Option<Curve<1>> = Some(|x, [$p]| logs(x, $logit)[0]);
            const LOG_SURVIVAL: Option<Curve<1>> = Some(|x, [$p]| logs(x, $logit)[1]);
            const ICDF: Option<Curve<1>> = Some(|q, [$p]| quantile(q, $logit));
            const MEAN: Option<Moment<1>> = Some(|[dual]| {
                let $p = dual.value;
                dual.map(mean($logit), mean_slope($logit) * $slope)
            });
            const VARIANCE: Option<Moment<1>> = Some(|[dual]| {
                let $p = dual.value;
                dual.map(variance($logit), variance_slope($logit) * $slope)
            });
            const ENTROPY: Option<Moment<1>> = Some(|[dual]| {
                let $p = dual.value;
                let t = -f64::abs($logit);
                dual.map(log_mass(t) - t * mean(t), -$logit * variance(t) * $slope)
            });
        }
    };
}

form!(Law, "probs", UNIT_INTERVAL, |p| logit(p), slope_of_logit(p));
form!(OfLogits, "logits", Real, |t| t, 1.0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn near_one_half_it_is_uniform() {
        for logits in [0.0, 1e-300, -1e-20, 1e-9] {
            let one = ContinuousBernoulli::<(), f64, Cpu>::from_logits(logits);
            assert!(one.log_prob(&Tensor::scalar(0.2)).item().abs() < 1e-8);
            assert!((one.cdf(&Tensor::scalar(0.2)).unwrap().item() - 0.2).abs() < 1e-9);
            assert!((one.variance().unwrap().item() - 1.0 / 12.0).abs() < 1e-12);
        }
    }

    #[test]
    fn certain_probabilities_put_all_mass_at_an_end() {
        let one = ContinuousBernoulli::<(), f64, Cpu>::new(1.0);
        assert_eq!(one.log_prob(&Tensor::scalar(1.0)).item(), f64::INFINITY);
        assert_eq!(one.log_prob(&Tensor::scalar(0.5)).item(), f64::NEG_INFINITY);
        assert_eq!((one.mean().unwrap().item(), one.variance().unwrap().item()), (1.0, 0.0));
        assert_eq!(one.draw(&mut crate::rng::Rng::seed(0)).item(), 1.0);
    }
}
