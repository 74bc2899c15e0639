//! Student's t distribution.

use std::f64::consts::LN_2;
use std::sync::Arc;

use num_traits::clamp;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real, Support};
use crate::dtype::Dtype;
use crate::functions::gamma_function::{
    HALF_LN_TWO_PI, digamma_difference, ln_beta, ln_gamma_1p, ln_gamma_ratio, trigamma,
};
use crate::functions::incomplete_beta::{beta_inc_both, beta_pathwise_logit, beta_quantile_both, ln_beta_inc_both};
use crate::functions::incomplete_gamma::excess_over_log1p;
use crate::rng::Rng;
use crate::tensor::Flat;

use super::standard_gamma::log_standard_gamma;
use super::univariate::{Curve, Dual, Moment, Sampler, Univariate, univariate};

// How a draw moves with many degrees of freedom.
mod large_df;

univariate! {
    /// Student's t distribution with `df` degrees of freedom, moved by `loc` and stretched by `scale`
    /// (which is not the standard deviation).
    ///
    /// Density, with z = (x − loc) / scale: Γ((df + 1)/2) / (Γ(df/2) √(π df) scale) ·
    /// (1 + z²/df)^(−(df + 1)/2) on the real line.
    ///
    /// The mean exists (is not NaN) for `df` above 1; the variance is finite for `df` above 2, infinite
    /// above 1 and NaN else. Draws carry gradients to all parameters, to `df` by implicit
    /// reparameterisation; those that the dtype cannot hold become its largest number, as most do for `df`
    /// below 10⁻³.
    ///
    /// Shapes: each parameter has the batch's shape, or is one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::StudentT};
    /// let robust = StudentT::new(4.0, Tensor::<_, f64>::from([0.0, 1.0]), 1.0);
    /// assert_eq!(robust.variance().unwrap().to_vec(), [2.0, 2.0]);
    /// // With one degree of freedom it is Cauchy's.
    /// let cauchy = StudentT::new(Tensor::<(), f64>::scalar(1.0), 0.0, 1.0);
    /// let at_one = cauchy.log_prob(&Tensor::scalar(1.0)).item();
    /// assert!((at_one + std::f64::consts::TAU.ln()).abs() < 1e-14);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* II, ch. 28;
    /// gradients of draws: Figurnov, Mohamed, Mnih, *Implicit reparameterization gradients*, 2018.
    StudentT, 3, 4;
    /// The degrees of freedom.
    df,
    /// The centre.
    loc,
    /// The scale.
    scale,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

/// z = (x − loc) / scale, with what the logarithm of its size is made of where it overflows.
#[derive(Clone, Copy)]
struct Standard {
    z: f64,
    from: [f64; 3],
}

impl Standard {
    #[inline]
    fn new(x: f64, [loc, scale]: [f64; 2]) -> Self {
        Standard { z: (x - loc) / scale, from: [x, loc, scale] }
    }

    /// ln |z|.
    fn log_size(&self) -> f64 {
        let [x, loc, scale] = self.from;
        if self.z.is_infinite() { (0.5 * x - 0.5 * loc).abs().ln() + LN_2 - scale.ln() } else { self.z.abs().ln() }
    }

    #[cfg(test)]
    fn of(z: f64) -> Self {
        Self::new(z, [0.0, 1.0])
    }

    /// ln(1 + z²/df), also where z²/df overflows, and its share of one, z²/(df + z²).
    #[inline]
    fn log_tail(&self, df: f64) -> (f64, f64) {
        let w = self.z / df * self.z;
        if w < 1e300 && w > 1e-300 {
            return (w.ln_1p(), w / (1.0 + w));
        }
        let log = 2.0 * self.log_size() - df.ln();
        if log > 0.0 { (log, 1.0) } else { (log.exp(), log.exp()) }
    }

    /// ln(df/z²), which is the logit of the first share where that is small.
    fn log_far_share(&self, df: f64) -> f64 {
        df.ln() - 2.0 * self.log_size()
    }
}

/// ½ df, not so small that it is 0.
#[inline]
fn half(df: f64) -> f64 {
    0.5 * if df < 1e-300 { df.max(1e-300) } else { df }
}

/// ½ (ψ(½ df + ½) − ψ(½ df)) − ½ / df, which cancels for large df.
fn normalizer_slope(df: f64) -> f64 {
    if df < 60.0 {
        return 0.5 * digamma_difference(half(df), 0.5) - 0.5 / df;
    }
    let r = 1.0 / df;
    let q = r * r;
    q * (1.0 / 4.0 - q * (1.0 / 8.0 - q * (1.0 / 4.0 - q * (17.0 / 16.0 - q * (31.0 / 4.0)))))
}

impl Univariate<3> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 3] {
        [&Positive, &Real, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 3]) -> Support<E, D> {
        Arc::new(Real)
    }

    fn log_kernel(x: f64, [df, loc, scale]: [f64; 3]) -> f64 {
        -(0.5 * df + 0.5) * Standard::new(x, [loc, scale]).log_tail(df).0
    }

    fn log_kernel_slopes(x: f64, [df, loc, scale]: [f64; 3]) -> (f64, [f64; 3]) {
        let standard = Standard::new(x, [loc, scale]);
        let (z, (log, share)) = (standard.z, standard.log_tail(df));
        // (df + 1) z / (df + z²), without its overflows.
        let pull = (df + 1.0) / (df / z + z);
        // ½ (share − log), which cancels for small ones: −ln(1 − share) is the logarithm.
        let excess = if share < 0.5 { -excess_over_log1p(-share) } else { share - log };
        let along_df = 0.5 * (excess + share / df);
        (-pull / scale, [along_df, pull / scale, (df + 1.0) * share / scale])
    }

    fn log_normalizer([df, _, scale]: [f64; 3]) -> f64 {
        HALF_LN_TWO_PI + scale.ln() - (ln_gamma_ratio(half(df), 0.5) - 0.5 * half(df).ln())
    }

    fn log_normalizer_slopes([df, _, scale]: [f64; 3]) -> [f64; 3] {
        [-normalizer_slope(df), 0.0, scale.recip()]
    }

    fn rounded<E: Dtype>(x: E) -> E {
        clamp(x, E::min_value(), E::max_value())
    }

    const LOC_SCALE: bool = true;
    const SAMPLER: Sampler<3> = Sampler::Direct(draw);
    const PATHWISE: Option<fn(f64, [f64; 3]) -> [f64; 3]> = Some(|x, [df, loc, scale]| {
        let standard = Standard::new(x, [loc, scale]);
        [(x - loc) * relative_slope(standard, df), 1.0, standard.z.clamp(f64::MIN, f64::MAX)]
    });
    const CDF: Option<Curve<3>> = Some(|x, [df, loc, scale]| cdf(Standard::new(x, [loc, scale]), df));
    const SURVIVAL: Option<Curve<3>> = Some(|x, [df, loc, scale]| cdf(Standard::new(-x, [-loc, scale]), df));
    const LOG_CDF: Option<Curve<3>> = Some(|x, [df, loc, scale]| log_cdf(Standard::new(x, [loc, scale]), df));
    const LOG_SURVIVAL: Option<Curve<3>> = Some(|x, [df, loc, scale]| log_cdf(Standard::new(-x, [-loc, scale]), df));
    const ICDF: Option<Curve<3>> = Some(|q, [df, loc, scale]| loc + quantile(q, df, scale));
    const MEAN: Option<Moment<3>> = Some(|[df, loc, _]| if df.value > 1.0 { loc } else { Dual::constant(f64::NAN) });
    const VARIANCE: Option<Moment<3>> = Some(variance);
    const ENTROPY: Option<Moment<3>> = Some(entropy);
}

fn variance([df, _, scale]: [Dual<3>; 3]) -> Dual<3> {
    if df.value > 2.0 {
        scale.square() * (df / (df - 2.0))
    } else {
        Dual::constant(if df.value > 1.0 { f64::INFINITY } else { f64::NAN })
    }
}

/// ½ (df + 1) (ψ(½ df + ½) − ψ(½ df)) + ½ ln df + ln B(½ df, ½) + ln scale.
fn entropy([df, _, scale]: [Dual<3>; 3]) -> Dual<3> {
    let half = half(df.value);
    let rise = digamma_difference(half, 0.5);
    let value = (half + 0.5) * rise + 0.5 * df.value.ln() + ln_beta(half, 0.5);
    df.map(value, entropy_slope(df.value)) + scale.ln()
}

/// The entropy's derivative with respect to df, where what the digammas of ln B add cancels with those of
/// the product; for a large df by that of the expansion of [`normalizer_slope`].
fn entropy_slope(df: f64) -> f64 {
    if df < 60.0 {
        let half = half(df);
        return 0.5 * (half + 0.5) * (trigamma(half + 0.5) - trigamma(half)) + 0.25 / half;
    }
    let r = 1.0 / df;
    let q = r * r;
    let rest = q * (0.5 - q * (0.5 - q * (1.5 - q * (8.5 - q * 77.5))));
    -0.5 * q - (1.0 + r) * rest
}

/// A normal number over the root of χ²/df, which is taken in logarithms since it may underflow.
fn draw([df, loc, scale]: [f64; 3], rng: &mut Rng) -> f64 {
    let normal: f64 = rng.sample(StandardNormal);
    let log_stretch = 0.5 * (half(df).ln() - log_standard_gamma(half(df), rng));
    let (step, stretch) = (scale * normal, log_stretch.exp());
    if stretch < f64::INFINITY && step.abs() >= f64::MIN_POSITIVE {
        return loc + step * stretch;
    }
    // The product may be an ordinary number where a factor is none.
    loc + (scale.ln() + normal.abs().ln() + log_stretch).exp().copysign(normal)
}

/// df/(df + z²) and z²/(df + z²).
fn shares(z: f64, df: f64) -> [f64; 2] {
    let root = z.abs() / df.sqrt();
    if root > 1.0 {
        let inverse = (1.0 / root) * (1.0 / root);
        [inverse / (1.0 + inverse), 1.0 / (1.0 + inverse)]
    } else {
        let square = root * root;
        [1.0 / (1.0 + square), square / (1.0 + square)]
    }
}

/// Below this df/(df + z²) the tail is its first term, x^a / (a B(a, ½)) with a = ½ df, in logarithms.
const FAR: f64 = 1e-250;

/// ln(½ df · B(½ df, ½)), which vanishes with df.
fn log_tail_constant(df: f64) -> f64 {
    let half = half(df);
    if half < 1.0 { ln_gamma_1p(half) - ln_gamma_ratio(0.5, half) } else { half.ln() + ln_beta(half, 0.5) }
}

/// The standard cdf: half of I(df/(df + z²); ½ df, ½) on the left.
fn cdf(standard: Standard, df: f64) -> f64 {
    let z = standard.z;
    if z.is_nan() {
        return z;
    }
    let [x, y] = shares(z, df);
    let tail = if x < FAR {
        (half(df) * standard.log_far_share(df) - log_tail_constant(df)).exp()
    } else {
        beta_inc_both(half(df), 0.5, [x, y])[0]
    };
    if z < 0.0 { 0.5 * tail } else { 1.0 - 0.5 * tail }
}

/// ln of [`cdf`].
fn log_cdf(standard: Standard, df: f64) -> f64 {
    let z = standard.z;
    if z.is_nan() {
        return z;
    }
    let [x, y] = shares(z, df);
    let log_tail = if x < FAR {
        half(df) * standard.log_far_share(df) - log_tail_constant(df)
    } else {
        ln_beta_inc_both(half(df), 0.5, [x, y])[0]
    };
    if z < 0.0 { log_tail - LN_2 } else { (-0.5 * log_tail.exp()).ln_1p() }
}

/// The inverse of [`cdf`], times the scale.
fn quantile(q: f64, df: f64, scale: f64) -> f64 {
    if !(0.0..=1.0).contains(&q) {
        return f64::NAN;
    }
    // Twice the tail, and what it lacks from 1, exact near ½.
    let tail = 2.0 * q.min(1.0 - q);
    let log_share = 2.0 / df * (tail.ln() + log_tail_constant(df));
    let size = if log_share < FAR.ln() {
        (0.5 * (df.ln() - log_share) + scale.ln()).exp()
    } else {
        let [x, y] = beta_quantile_both(half(df), 0.5, [tail, (1.0 - 2.0 * q).abs()]);
        scale * ((y / x).sqrt() * df.sqrt())
    };
    if q < 0.5 { -size } else { size }
}

/// (dz/d df) / z at a fixed cdf. With L for the logit of df/(df + z²), 2 ln |z| is ln df − L, whose two
/// derivatives cancel for large df, which have an expansion of their own.
fn relative_slope(standard: Standard, df: f64) -> f64 {
    let [x, y] = shares(standard.z, df);
    if y == 0.0 {
        return 0.0;
    }
    if df >= large_df::FROM {
        let log = standard.log_tail(df).0;
        if log <= large_df::UP_TO {
            return large_df::relative_slope(log, df);
        }
    }
    let half = half(df);
    let logit_slope = if x < FAR {
        // a ln x − ln(a B(a, ½)) stays.
        (1.0 / half - digamma_difference(half, 0.5) - standard.log_far_share(df)) / half
    } else {
        beta_pathwise_logit(half, 0.5, [x, y])[0]
    };
    0.5 * (1.0 / df - 0.5 * logit_slope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    use super::super::standard_gamma::tests::rows;

    #[test]
    fn draws_move_as_mpmath_says() {
        for row in rows("student_t") {
            let [t, df, expected] = [row[0], row[1], row[2]];
            for sign in [1.0, -1.0] {
                let found = t * relative_slope(Standard::of(sign * t), df);
                assert!((found / expected - 1.0).abs() < 2e-11, "{row:?}: {found}, {:e}", found / expected - 1.0);
            }
        }
    }

    #[test]
    fn quantiles_invert_far_tails() {
        for (df, furthest) in [(0.01, 1e300), (0.3, 1e200), (3.0, 1e90)] {
            for z in [-furthest, -1e30 * f64::sqrt(furthest), -1e3] {
                let q = cdf(Standard::of(z), df);
                let found = quantile(q, df, 1.0);
                assert!(q > 0.0 && (found / z - 1.0).abs() < 1e-9, "{df}, {z}: {q}, {found}");
            }
        }
    }

    /// Values of mpmath.
    #[test]
    fn the_upper_tail_and_the_entropys_slope() {
        let beyond = StudentT::<(), f64, Cpu>::new(3.0, 0.0, 1.0).survival(&Tensor::scalar(1e20)).unwrap().item();
        assert!((beyond / 1.102_657_790_843_584_1e-60 - 1.0).abs() < 1e-13, "{beyond:e}");
        for (df, expected) in
            [(3.0, -0.123_201_467_029_786_2), (70.0, -2.055_182_493_661_005_3e-4), (1e6, -1.000_000_499_999_5e-12)]
        {
            assert!((entropy_slope(df) / expected - 1.0).abs() < 1e-13, "{df}: {:e}", entropy_slope(df));
        }
    }

    #[test]
    fn without_a_mean_there_is_none() {
        let t = |df: f64| StudentT::<(), f64, Cpu>::new(df, 3.0, 2.0);
        assert!(t(1.0).mean().unwrap().item().is_nan() && t(0.5).variance().unwrap().item().is_nan());
        assert_eq!([t(1.5).mean().unwrap().item(), t(1.5).variance().unwrap().item()], [3.0, f64::INFINITY]);
    }

    #[test]
    fn few_degrees_of_freedom_draw_finite_numbers() {
        let t = StudentT::<_, f64, Cpu>::filled((1000,), 1e-3, 0.0, 1.0);
        let draws = t.draw(&mut Rng::seed(2));
        assert!(draws.to_vec().contains(&f64::MAX));
        assert!(t.log_prob(&draws).to_vec().iter().all(|l| l.is_finite()));
    }

    #[test]
    fn tiny_scales_draw_numbers_whose_density_is_finite() {
        for (df, scale) in [(1e-4, 1e-300), (1e-3, 5e-324), (5e-324, 1e-300), (1e-5, 1e-100), (3.0, 5e-324)] {
            let t = StudentT::<_, f64, Cpu>::filled((1000,), df, 0.0, scale);
            let draws = t.draw(&mut Rng::seed(3));
            assert!(draws.to_vec().iter().all(|x| x.is_finite()), "{df}, {scale}");
            let scores = t.log_prob(&draws).to_vec();
            // At the centre itself the density of a tiny scale is large, and finite.
            assert!(scores.iter().all(|l| l.is_finite()), "{df}, {scale}: {scores:?}");
            let cdf = t.cdf(&draws).unwrap().to_vec();
            assert!(cdf.iter().all(|p| (0.0..=1.0).contains(p)), "{df}, {scale}");
        }
    }

    /// Where (x − loc) / scale overflows: values of mpmath.
    #[test]
    fn values_of_infinite_size_keep_density_cdf_and_quantile() {
        let t = StudentT::<(), f64, Cpu>::new(1e-4, 0.0, 1e-300);
        let at = Tensor::scalar(1e300);
        let close = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 1e-11, "{found:e}, {expected:e}");
        };
        close(t.log_prob(&at).item(), -700.817_700_383_954);
        close(t.survival(&at).unwrap().item(), 0.435_251_125_805_887_64);
        close(t.icdf(&Tensor::scalar(0.5 + 0.0625)).unwrap().item(), 4.153_915_325_754_486_6e277);
    }
}
