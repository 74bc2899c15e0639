//! The Kumaraswamy distribution.

use std::sync::Arc;

use rand::Rng as _;
use rand_distr::Exp1;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Support, UNIT_INTERVAL};
use crate::dtype::Dtype;
use crate::functions::gamma_function::{digamma_difference, trigamma};
use crate::tensor::Flat;

use super::power::{ln_one_minus_exp, ln_one_minus_exp_of_exp, log_moment_of_beta, log_spread_of_beta};
use super::univariate::{Curve, Dual, Moment, Sampler, Univariate, between_zero_and_one, univariate};

univariate! {
    /// The Kumaraswamy distribution: y^(1/a) with y from the beta distribution of 1 and b. It resembles
    /// the beta distribution of a and b and has a closed cdf.
    ///
    /// Density: a b xᵃ⁻¹ (1 − xᵃ)ᵇ⁻¹ on [0, 1], with a and b the concentrations; at 0 it is infinite for
    /// a < 1, at 1 for b < 1.
    ///
    /// Shapes: both concentrations have the batch's shape, or one number for all of it. Draws that round
    /// to 0 or 1 are the nearest number of the dtype between them.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Kumaraswamy};
    /// let share = Kumaraswamy::new(2.0, Tensor::<_, f64>::from([1.0, 3.0]));
    /// let below = share.cdf(&Tensor::from([0.5, 0.5])).unwrap().to_vec();
    /// assert!((below[1] - (1.0 - 0.75_f64.powi(3))).abs() < 1e-15);
    /// ```
    ///
    /// Reference: Jones, *Kumaraswamy's distribution*, Statistical Methodology 6, 2009.
    Kumaraswamy, 2, 3;
    /// The exponent a, which rules the density near 0.
    concentration1,
    /// The exponent b, which rules the density near 1.
    concentration0,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

/// ln(1 − xᵃ) from ln x.
#[inline(always)]
fn ln_one_minus_power(a: f64, log: f64) -> f64 {
    let s = a * log;
    if s > -1e-300 { a.ln() + (-log).ln() } else { ln_one_minus_exp(s) }
}

/// Below this logarithm of xᵃ, ln(1 − xᵃ) is −xᵃ to the last digit.
const NEGLIGIBLE: f64 = -40.0;

/// factor · of, but 0 where the factor is 0 and the other infinite.
#[inline(always)]
fn times(factor: f64, of: f64) -> f64 {
    if factor == 0.0 { 0.0 } else { factor * of }
}

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Positive, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(UNIT_INTERVAL)
    }

    #[inline(always)]
    fn log_kernel(x: f64, [a, b]: [f64; 2]) -> f64 {
        if !(0.0..=1.0).contains(&x) {
            return if x.is_nan() { x } else { f64::NEG_INFINITY };
        }
        let log = x.ln();
        times(a - 1.0, log) + times(b - 1.0, ln_one_minus_power(a, log))
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [a, b]: [f64; 2]) -> (f64, [f64; 2]) {
        let log = x.ln();
        // xᵃ / (1 − xᵃ), and that times ln x, which is 0 at 0 and −1/a at 1.
        let odds = (-a * log).exp_m1().recip();
        let growth = if x == 0.0 {
            0.0
        } else if x == 1.0 {
            -a.recip()
        } else {
            log * odds
        };
        let along_x = if x == 0.0 && a == 1.0 { 1.0 - b } else { ((a - 1.0) - times((b - 1.0) * a, odds)) / x };
        (along_x, [log - times(b - 1.0, growth), ln_one_minus_power(a, log)])
    }

    #[inline(always)]
    fn log_normalizer([a, b]: [f64; 2]) -> f64 {
        -a.ln() - b.ln()
    }

    #[inline(always)]
    fn log_normalizer_slopes([a, b]: [f64; 2]) -> [f64; 2] {
        [-a.recip(), -b.recip()]
    }

    // With y exponential, 1 − xᵃ is e^(−y / b).
    const SAMPLER: Sampler<2> = Sampler::Noise(
        |rng| rng.sample(Exp1),
        |noise, [a, b]| {
            let log = -noise / b;
            (log.map(ln_one_minus_exp(log.value), -(-log.value).exp_m1().recip()) / a).exp()
        },
    );
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [a, b]| {
        let log = x.ln();
        let power = (a * log).exp();
        let above = ln_one_minus_power(a, log);
        let ratio = if power == 0.0 { -1.0 } else { above / power };
        [-x * log / a, x * times(1.0 - power, ratio) / a / b]
    });
    const CDF: Option<Curve<2>> = Some(|x, [a, b]| {
        if x <= 0.0 {
            0.0
        } else if x >= 1.0 {
            1.0
        } else {
            -(b * ln_one_minus_power(a, x.ln())).exp_m1()
        }
    });
    const SURVIVAL: Option<Curve<2>> = Some(|x, [a, b]| {
        if x <= 0.0 {
            1.0
        } else if x >= 1.0 {
            0.0
        } else {
            (b * ln_one_minus_power(a, x.ln())).exp()
        }
    });
    const LOG_CDF: Option<Curve<2>> = Some(|x, [a, b]| {
        if x <= 0.0 {
            f64::NEG_INFINITY
        } else if x >= 1.0 {
            0.0
        } else {
            let power = a * x.ln();
            if power < NEGLIGIBLE {
                ln_one_minus_exp_of_exp(b.ln() + power)
            } else {
                ln_one_minus_exp(b * ln_one_minus_power(a, x.ln()))
            }
        }
    });
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, [a, b]| {
        if x <= 0.0 {
            0.0
        } else if x >= 1.0 {
            f64::NEG_INFINITY
        } else {
            let power = a * x.ln();
            if power < NEGLIGIBLE { -(b.ln() + power).exp() } else { b * ln_one_minus_power(a, x.ln()) }
        }
    });
    const ICDF: Option<Curve<2>> =
        Some(
            |q, [a, b]| {
                if (0.0..=1.0).contains(&q) { (ln_one_minus_exp((-q).ln_1p() / b) / a).exp() } else { f64::NAN }
            },
        );
    const MEAN: Option<Moment<2>> = Some(|[a, b]| log_moment_of_beta(a.recip(), b).exp());
    const VARIANCE: Option<Moment<2>> = Some(|[a, b]| {
        let h = a.recip();
        (2.0 * log_moment_of_beta(h, b)).exp() * log_spread_of_beta(h, b).exp_m1()
    });
    const ENTROPY: Option<Moment<2>> = Some(|[a, b]| {
        let harmonic: Dual<2> = b.map(digamma_difference(1.0, b.value), trigamma(1.0 + b.value));
        (1.0 - b.recip()) + (1.0 - a.recip()) * harmonic - a.ln() - b.ln()
    });

    fn rounded<E: Dtype>(x: E) -> E {
        between_zero_and_one(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn the_density_at_the_ends_depends_on_the_concentrations() {
        let at = |x: f64, a: f64, b: f64| Kumaraswamy::<(), f64, Cpu>::new(a, b).log_prob(&Tensor::scalar(x)).item();
        assert_eq!([at(0.0, 0.5, 2.0), at(0.0, 2.0, 0.5)], [f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!([at(1.0, 2.0, 0.5), at(1.0, 0.5, 2.0)], [f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!([at(0.0, 1.0, 1.0), at(1.0, 1.0, 1.0)], [0.0, 0.0]);
    }

    // Most mass is nearer to 1 than floats are. Reference values: mpmath with 50 digits.
    #[test]
    fn tiny_concentrations_at_one_are_exact() {
        let cases = [
            (50.0, 0.10000000149011612, 0.870955765247345, -5.159702416755951),
            (1e4, 0.0010000000474974513, 0.9997648000717163, 0.05043315711689819),
            (3.0, 9.999999747378752e-5, 0.8582309484481812, -7.417542353770631),
        ];
        let moments = [
            [0.9969769804269427, 8.00077788900311e-5, -10.459046266229938],
            [0.9999998356386999, 2.4002222972459136e-11, -1001.3008940742466],
            [0.999955485549905, 1.3135830532122067e-5, -9990.88841485843],
        ];
        for ((a, b, x, log_prob), moments) in cases.into_iter().zip(moments) {
            let one = Kumaraswamy::<(), f64, Cpu>::new(a, b);
            let found = one.log_prob(&Tensor::scalar(x)).item();
            assert!((found - log_prob).abs() < 1e-9 * f64::max(1.0, f64::abs(log_prob)), "{a} {b}: {found}");
            let found = [one.mean(), one.variance(), one.entropy()].map(|t| t.unwrap().item());
            let close = found.iter().zip(moments).all(|(f, e)| (f - e).abs() < 1e-9 * e.abs());
            assert!(close, "{a} {b}: {found:?}");
        }
    }

    #[test]
    fn slopes_at_the_ends_are_numbers() {
        for x in [0.0, 1.0] {
            for [a, b] in [[1.0, 1.0], [1.0, 0.5], [0.5, 1.0], [0.5, 0.5]] {
                let (along_x, along) = Law::log_kernel_slopes(x, [a, b]);
                assert!(!along_x.is_nan() && along.iter().all(|d| !d.is_nan()), "{x} {a} {b}: {along_x} {along:?}");
            }
        }
    }

    #[test]
    fn draws_stay_between_the_ends() {
        for (a, b) in [(1e-3, 1.0), (1.0, 1e-3), (1e-3, 1e-3)] {
            let draws = Kumaraswamy::<(usize,), f32, Cpu>::filled((1000,), a, b).draw(&mut crate::rng::Rng::seed(3));
            assert!(draws.to_vec().iter().all(|&v| v > 0.0 && v < 1.0));
        }
    }
}
