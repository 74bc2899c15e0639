//! Temme's expansion of the incomplete gamma functions for large a, uniform in x around a.
//!
//! Source: Temme, *On the computation of the incomplete gamma functions for large values of the
//! parameters*, in: Algorithms for Approximation, Clarendon Press, 1987; the derivative is our own.

use std::f64::consts::{PI, SQRT_2};

use super::{LARGE, excess_over_log1p};
use crate::functions::error_function::inverse_mills;
use crate::functions::gamma_function::{digamma_correction, stirling_correction};

/// The series' coefficients of η / μ in powers of η from the first on, where η² / 2 = μ − ln(1 + μ).
const RATIO: [f64; 30] = [
    -0.3333333333333333,
    0.08333333333333333,
    -0.014814814814814815,
    0.0011574074074074073,
    0.0003527336860670194,
    -0.0001787551440329218,
    3.919263178522438e-05,
    -2.185448510679992e-06,
    -1.85406221071516e-06,
    8.296711340953087e-07,
    -1.7665952736826078e-07,
    6.707853543401498e-09,
    1.0261809784240309e-08,
    -4.382036018453353e-09,
    9.14769958223679e-10,
    -2.5514193994946248e-11,
    -5.830772132550426e-11,
    2.4361948020667415e-11,
    -5.0276692801141755e-12,
    1.1004392031956135e-13,
    3.371763262400985e-13,
    -1.392388722418162e-13,
    2.8534893807047445e-14,
    -5.139111834242572e-16,
    -1.9752288294349442e-15,
    8.099521156704561e-16,
    -1.6522531216398162e-16,
    2.5305430097478883e-18,
    1.1686939738559576e-17,
    -4.770037049820485e-18,
];

/// A pair (a, x) near enough to each other, and large enough, for the expansion.
pub(super) struct Uniform {
    a: f64,
    /// (x − a) / a.
    mu: f64,
    /// √(2 (μ − ln(1 + μ))) with the sign of μ.
    eta: f64,
    /// μ / η, which is 1 at 0.
    mu_by_eta: f64,
}

impl Uniform {
    /// `None` where the expansion is not exact to the last digits.
    pub(super) fn at(a: f64, x: f64) -> Option<Self> {
        if a < LARGE || x < 0.31 * a || x > 2.35 * a {
            return None;
        }
        let mu = (x - a) / a;
        let eta = (2.0 * excess_over_log1p(mu)).sqrt().copysign(mu);
        Some(Uniform { a, mu, eta, mu_by_eta: if eta == 0.0 { 1.0 } else { mu / eta } })
    }

    /// P and Q.
    pub(super) fn probabilities(&self) -> [f64; 2] {
        let y = self.eta * (0.5 * self.a).sqrt();
        let [sum, ..] = self.expansion();
        let density = (-y * y).exp() / (2.0 * PI * self.a).sqrt();
        let rest = density * sum / stirling_correction(self.a).exp();
        [0.5 * libm::erfc(-y) - rest, 0.5 * libm::erfc(y) + rest]
    }

    /// The logarithm of the smaller of P and Q, of which the exponential e^(−y²) is taken out.
    pub(super) fn ln_smaller(&self) -> f64 {
        let y = self.eta.abs() * (0.5 * self.a).sqrt();
        let [sum, ..] = self.expansion();
        let rest = sum / (2.0 * PI * self.a).sqrt() / stirling_correction(self.a).exp();
        // ½ erfc(y) e^(y²).
        let half_erfc = 1.0 / ((2.0 * PI).sqrt() * inverse_mills(-SQRT_2 * y));
        (half_erfc + if self.mu < 0.0 { -rest } else { rest }).ln() - y * y
    }

    /// d ln x / da at a fixed P: from the derivative of [`Uniform::probabilities`] in a, over the
    /// density, in which the exponentials cancel.
    pub(super) fn relative_pathwise(&self) -> f64 {
        let [sum, by_eta, by_a] = self.expansion();
        let a = self.a;
        let of_erfc = stirling_correction(a).exp() * (self.mu_by_eta - 0.5 * self.eta);
        let of_exponential = sum * (self.mu.ln_1p() + digamma_correction(a) - 1.0 / a);
        (of_erfc + of_exponential + by_a - by_eta * self.mu_by_eta / a) / a
    }

    /// The expansion's sum Σ βₙ(a) ηⁿ with βₙ = dₙ₊₁ + (n + 2) βₙ₊₂ / a, and its derivatives in η and a.
    fn expansion(&self) -> [f64; 3] {
        let (eta, r) = (self.eta, 1.0 / self.a);
        let (mut sum, mut by_eta, mut by_a) = (0.0, 0.0, 0.0);
        // βₙ₊₂ and βₙ₊₁ with their derivatives in a.
        let (mut far, mut near) = ([0.0; 2], [0.0; 2]);
        for (n, ratio) in RATIO.iter().enumerate().rev() {
            let k = (n + 2) as f64 * r;
            let beta = [ratio + k * far[0], k * (far[1] - far[0] * r)];
            (far, near) = (near, beta);
            by_eta = by_eta * eta + sum;
            sum = sum * eta + beta[0];
            by_a = by_a * eta + beta[1];
        }
        [sum, by_eta, by_a]
    }
}
