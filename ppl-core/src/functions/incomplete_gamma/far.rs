//! Logarithms of the incomplete gamma functions, also where these are too small for numbers.

use super::uniform::Uniform;
use super::{HALF_LN_TWO_PI, LARGE, fraction, gamma_inc_both, large_exponent, series};
use crate::functions::gamma_function::{ln_gamma, ln_gamma_1p};
use crate::functions::logarithms::log_of_pair;

/// From here on a probability is a number with all its digits.
const SMALLEST: f64 = 1e-290;

/// ln P(a, x) and ln Q(a, x).
pub(crate) fn ln_gamma_inc_both(a: f64, x: f64) -> [f64; 2] {
    let [p, q] = gamma_inc_both(a, x);
    if x == 0.0 || x.is_infinite() || !(p < SMALLEST || q < SMALLEST) {
        return log_of_pair([p, q]);
    }
    let log = ln_smaller(a, x, p < q);
    if p < q { [log, -log.exp()] } else { [-log.exp(), log] }
}

/// The logarithm of P where it is the smaller, or else of Q.
fn ln_smaller(a: f64, x: f64, lower: bool) -> f64 {
    if let Some(uniform) = Uniform::at(a, x) {
        uniform.ln_smaller()
    } else if lower {
        ln_gamma_kernel(a, x) + series(a, x)[0].ln()
    } else {
        ln_gamma_kernel(a, x) + a.ln() + fraction(a, x)[0].ln()
    }
}

/// ln of xᵃ e⁻ˣ / Γ(a + 1).
fn ln_gamma_kernel(a: f64, x: f64) -> f64 {
    if a >= LARGE {
        return -large_exponent(a, x) - HALF_LN_TWO_PI - 0.5 * a.ln();
    }
    a * x.ln() - x - if a < 1.0 { ln_gamma_1p(a) } else { ln_gamma(a + 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Reference values: mpmath with 50 digits.
    #[test]
    fn far_tails_are_exact() {
        let cases = [
            (3.0, 2000.0, 1, -1985.4903422616423),
            (3.0, 1e-150, 0, -1037.9550513165486),
            (1.0, 1e-300, 0, -690.7755278982137),
            (0.5, 1000.0, 1, -1004.0267419589519),
            (30.0, 1e-12, 0, -903.5888698266875),
            (40.0, 2000.0, 1, -1810.1768818362415),
            (1e4, 4000.0, 0, -3167.9207212320776),
            (1e4, 20000.0, 1, -3074.052511373138),
            (1e6, 1.2e6, 1, -17684.66049202636),
            (1e6, 8e5, 0, -23149.768590191742),
            (1e6, 1e5, 0, -1402592.814327549),
        ];
        for (a, x, which, expected) in cases {
            let found = ln_gamma_inc_both(a, x)[which];
            assert!((found / expected - 1.0).abs() < 1e-13, "{a} {x}: {found}, {expected}");
        }
    }
}
