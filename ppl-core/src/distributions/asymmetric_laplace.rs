//! The asymmetric Laplace distribution.

use std::f64::consts::LN_2;
use std::sync::Arc;

use rand::Rng as _;
use rand_distr::Exp1;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real, Support};
use crate::dtype::Dtype;
use crate::functions::unary::softplus;
use crate::rng::Rng;
use crate::tensor::Flat;

use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

univariate! {
    /// Exponentials to both sides of `loc`: with mean `scale` · `asymmetry` to the left and
    /// `scale` / `asymmetry` to the right.
    ///
    /// Density: exp(−|z| κˢ) / (scale (κ + 1/κ)) with z = (x − loc) / scale, κ the asymmetry and s the
    /// sign of z, on the real line. With κ = 1 it is the Laplace distribution; κ² is the ratio of the
    /// probabilities below and above `loc`. At the kink the slope is 0.
    ///
    /// Shapes: `loc`, `scale` and `asymmetry` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::AsymmetricLaplace};
    /// let skewed = AsymmetricLaplace::new(Tensor::<_, f64>::from([0.0]), 1.0, 2.0);
    /// assert!((skewed.cdf(&Tensor::from([0.0])).unwrap().to_vec()[0] - 0.8).abs() < 1e-15);
    /// ```
    ///
    /// Reference: Kotz, Kozubowski, Podgórski, *The Laplace Distribution and Generalizations*, 2001,
    /// ch. 3; the parameters are those of Pyro's `AsymmetricLaplace`.
    AsymmetricLaplace, 3, 4;
    /// The mode.
    loc,
    /// The geometric mean of the means to both sides.
    scale,
    /// The root of the ratio of the means to the left and to the right.
    asymmetry,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

/// |z| κ to the right of 0 and |z| / κ to the left.
#[inline(always)]
fn distance(z: f64, asymmetry: f64) -> f64 {
    if z < 0.0 { -z / asymmetry } else { z * asymmetry }
}

/// The probability below the mode, and that above it.
#[inline(always)]
fn sides(asymmetry: f64) -> (f64, f64) {
    let square = asymmetry * asymmetry;
    ((1.0 + square.recip()).recip(), (1.0 + square).recip())
}

impl Univariate<3> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 3] {
        [&Real, &Positive, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 3]) -> Support<E, D> {
        Arc::new(Real)
    }

    #[inline(always)]
    fn log_kernel(x: f64, [loc, scale, asymmetry]: [f64; 3]) -> f64 {
        -distance((x - loc) / scale, asymmetry)
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [loc, scale, asymmetry]: [f64; 3]) -> (f64, [f64; 3]) {
        let z = (x - loc) / scale;
        let far = distance(z, asymmetry);
        let (slope, along) = if z < 0.0 { (-asymmetry.recip(), far / asymmetry) } else { (asymmetry, -z) };
        let d = if z == 0.0 { 0.0 } else { slope / scale };
        (-d, [d, far / scale, along])
    }

    #[inline(always)]
    fn log_normalizer([_, scale, asymmetry]: [f64; 3]) -> f64 {
        scale.ln() + (asymmetry + asymmetry.recip()).ln()
    }

    #[inline(always)]
    fn log_normalizer_slopes([_, scale, asymmetry]: [f64; 3]) -> [f64; 3] {
        let (below, above) = sides(asymmetry);
        [0.0, scale.recip(), (below - above) / asymmetry]
    }

    const LOC_SCALE: bool = true;
    const SAMPLER: Sampler<3> = Sampler::Direct(draw);
    const PATHWISE: Option<fn(f64, [f64; 3]) -> [f64; 3]> = Some(|x, [loc, scale, asymmetry]| {
        let z = (x - loc) / scale;
        let (_, above) = sides(asymmetry);
        [1.0, z, -scale * (2.0 * above + z.abs() / asymmetry)]
    });
    const CDF: Option<Curve<3>> = Some(|x, [loc, scale, asymmetry]| standard_cdf((x - loc) / scale, asymmetry));
    const SURVIVAL: Option<Curve<3>> =
        Some(|x, [loc, scale, asymmetry]| standard_cdf((loc - x) / scale, asymmetry.recip()));
    const LOG_CDF: Option<Curve<3>> = Some(|x, [loc, scale, asymmetry]| logs((x - loc) / scale, asymmetry)[0]);
    const LOG_SURVIVAL: Option<Curve<3>> = Some(|x, [loc, scale, asymmetry]| logs((x - loc) / scale, asymmetry)[1]);
    const HAZARDS: Option<fn(f64, [f64; 3]) -> [f64; 2]> = Some(|x, [loc, scale, asymmetry]| {
        let z = (x - loc) / scale;
        let [below, above] = logs(z, asymmetry);
        if z < 0.0 {
            [1.0, (below - above).exp()].map(|share| share / asymmetry / scale)
        } else {
            [(above - below).exp(), 1.0].map(|share| share * asymmetry / scale)
        }
    });
    const ICDF: Option<Curve<3>> = Some(|q, [loc, scale, asymmetry]| {
        let (below, above) = sides(asymmetry);
        if q < below {
            loc + scale * asymmetry * (q / below).ln()
        } else {
            // From the nearer end.
            let log = if q < 0.5 { ((below - q) / above).ln_1p() } else { ((1.0 - q) / above).ln() };
            loc - scale / asymmetry * log
        }
    });
    const MEAN: Option<Moment<3>> = Some(|[loc, scale, asymmetry]| loc + scale * (asymmetry.recip() - asymmetry));
    const VARIANCE: Option<Moment<3>> =
        Some(|[_, scale, asymmetry]| (scale / asymmetry).square() + (scale * asymmetry).square());
    const ENTROPY: Option<Moment<3>> =
        Some(|[_, scale, asymmetry]| scale.ln() + (asymmetry + asymmetry.recip()).ln() + 1.0);
}

/// The cdf with mode 0 and scale 1.
fn standard_cdf(z: f64, asymmetry: f64) -> f64 {
    let (below, above) = sides(asymmetry);
    let far = distance(z, asymmetry);
    if z < 0.0 { below * (-far).exp() } else { (below - above * (-far).exp_m1()).min(1.0) }
}

/// The logarithms of the probabilities of a value at most and above z, with mode 0 and scale 1.
fn logs(z: f64, asymmetry: f64) -> [f64; 2] {
    let (twice, far) = (2.0 * asymmetry.ln(), distance(z, asymmetry));
    // Of the side that z is on, beyond it.
    let beyond = -softplus(if z < 0.0 { -twice } else { twice }) - far;
    let (below, above) = sides(asymmetry);
    let (own, other) = if z < 0.0 { (below, above) } else { (above, below) };
    let rest = if beyond < -LN_2 { (-beyond.exp()).ln_1p() } else { (other - own * (-far).exp_m1()).min(1.0).ln() };
    if z < 0.0 { [beyond, rest] } else { [rest, beyond] }
}

/// An exponential to one of the sides.
fn draw([loc, scale, asymmetry]: [f64; 3], rng: &mut Rng) -> f64 {
    let below = rng.r#gen::<f64>() < sides(asymmetry).0;
    let far: f64 = rng.sample(Exp1);
    if below { loc - scale * asymmetry * far } else { loc + scale / asymmetry * far }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn without_asymmetry_it_is_laplace() {
        let one = AsymmetricLaplace::<(), f64, Cpu>::new(0.5, 2.0, 1.0);
        let laplace = super::super::Laplace::<(), f64, Cpu>::new(0.5, 2.0);
        for x in [-30.0, 0.5, 0.75, 9.0] {
            let x = Tensor::scalar(x);
            assert!((one.log_prob(&x).item() - laplace.log_prob(&x).item()).abs() < 1e-14);
            assert!((one.cdf(&x).unwrap().item() - laplace.cdf(&x).unwrap().item()).abs() < 1e-15);
        }
    }

    #[test]
    fn a_small_side_keeps_its_digits() {
        let one = AsymmetricLaplace::<(), f64, Cpu>::new(0.0, 1.0, 1e-8);
        let reached = one.cdf(&Tensor::scalar(0.0)).unwrap().item();
        assert!((reached / 1e-16 - 1.0).abs() < 1e-12);
        let mirrored = AsymmetricLaplace::<(), f64, Cpu>::new(0.0, 1.0, 1e8);
        let beyond = mirrored.survival(&Tensor::scalar(0.0)).unwrap().item();
        assert!((beyond / 1e-16 - 1.0).abs() < 1e-12);
    }
}
