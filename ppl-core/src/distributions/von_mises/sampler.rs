//! Best and Fisher's sampler of the von Mises distribution, arranged so that no digits are lost for
//! tiny and huge concentrations.

use std::f64::consts::PI;

use rand::Rng as _;
use rand::distributions::Open01;
use rand_distr::StandardNormal;

use crate::rng::Rng;

use super::arc::wrapped;

/// Each proposal is accepted with probability 0.65 or more.
const PROPOSALS: usize = 1000;

/// One draw: NaN for parameters that are none.
///
/// Source: Best, Fisher, *Efficient simulation of the von Mises distribution*, Applied Statistics 28,
/// 1979. There the cosine of an angle is drawn; here it is 1 − cosine, and r − 1 for r.
pub(super) fn draw([loc, concentration]: [f64; 2], rng: &mut Rng) -> f64 {
    let angle = distance(concentration, rng);
    wrapped(if rng.r#gen() { loc + angle } else { loc - angle })
}

/// The angle from the mode, in [0, π].
fn distance(k: f64, rng: &mut Rng) -> f64 {
    if k < 1e-10 {
        // The density is the uniform one to a part in 1e10.
        return PI * rng.sample::<f64, _>(Open01);
    }
    if k > 1e30 {
        // The density is the normal one to the last digit, and no product below overflows.
        return rng.sample::<f64, _>(StandardNormal).abs() / k.sqrt();
    }
    let root = f64::hypot(1.0, 2.0 * k);
    let tau = 1.0 + root;
    let rho = 2.0 * k / (tau + (2.0 * tau).sqrt());
    // 1 − rho, in which 2k and its root cancel for a large k.
    let rest = if k < 1.0 { 1.0 - rho } else { ((2.0 * tau).sqrt() - 1.0 - (2.0 * k + root).recip()) / (2.0 * k) };
    let r_minus_1 = rest * (rest / (2.0 * rho));
    for _ in 0..PROPOSALS {
        let (u, v): (f64, f64) = (rng.sample(Open01), rng.sample(Open01));
        let (sine, cosine) = (0.5 * PI * u).sin_cos();
        // 1 − (1 + r c) / (r + c) with c = cos πu.
        let lack = (2.0 * r_minus_1 * sine * sine) / (r_minus_1 + 2.0 * cosine * cosine);
        let y = k * (r_minus_1 + lack);
        if y * (2.0 - y) > v || (y / v).ln() + 1.0 - y >= 0.0 {
            return 2.0 * (0.5 * lack).sqrt().min(1.0).asin();
        }
    }
    f64::NAN
}
