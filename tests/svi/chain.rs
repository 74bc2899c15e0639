//! The smallest model, z ~ N(0, 1), x ~ N(z, 1), with a normal guide and its closed forms.

use ppl::prelude64::*;

pub(crate) type Scalar = Tensor<()>;

#[model]
pub(crate) fn chain(x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    sample!("x", Normal::new(z, 1.0), obs = x);
}

/// N(loc, scale) with loc 0.5 and scale 0.8 at first.
#[guide(chain)]
pub(crate) fn chain_guide(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.8), constraint = Positive);
    sample!("z", Normal::new(loc, scale));
}

/// −ELBO of N(m, s), and its derivatives with respect to m and ln s.
pub(crate) fn closed_form(x: f64, m: f64, s: f64) -> [f64; 3] {
    let ln_two_pi = (2.0 * std::f64::consts::PI).ln();
    let loss = 0.5 * (m * m + s * s) + 0.5 * ((x - m).powi(2) + s * s) + 0.5 * (ln_two_pi - 1.0) - s.ln();
    [loss, 2.0 * m - x, 2.0 * s * s - 1.0]
}
