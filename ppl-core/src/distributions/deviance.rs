//! The deviance that densities of the gamma and beta kind are made of, without cancellation.
//!
//! Source: Loader, *Fast and accurate computation of binomial probabilities*, 2000, whose `bd0` it is.

use crate::functions::incomplete_gamma::excess_over_log1p;

/// a · (r − 1 − ln r) ≥ 0 and ln r for r = y / a, given y − a to its last digits. Away from 1 the
/// logarithm is what `far` says.
///
/// Near its zero, y = a, it is kept to twice the digits of y, which large a need.
#[inline]
pub(super) fn deviance(a: f64, ratio: f64, difference: f64, far: impl FnOnce() -> f64) -> (f64, f64) {
    if ratio > 0.7 && ratio < 1.4 {
        let u = difference / a;
        return (a * excess_over_log1p(u), u.ln_1p());
    }
    let log = far();
    (if difference == f64::INFINITY { difference } else { difference - a * log }, log)
}

/// [`deviance`] for y = rate · x, with rate, x and a positive.
#[inline]
pub(super) fn deviance_of_product(x: f64, rate: f64, a: f64) -> (f64, f64) {
    let ratio = rate * x / a;
    deviance(a, ratio, rate.mul_add(x, -a), || log_or(ratio, || x.ln() + rate.ln() - a.ln()))
}

/// ln `ratio`, or what `apart` says where the ratio is too large or small to have all digits.
#[inline]
pub(super) fn log_or(ratio: f64, apart: impl FnOnce() -> f64) -> f64 {
    if (1e-300..1e300).contains(&ratio) { ratio.ln() } else { apart() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of mpmath with 40 digits.
    #[test]
    fn it_keeps_its_digits_near_zero() {
        for (x, a, expected) in [
            (1e10 + 1.0, 1e10, 4.999_999_999_666_667e-11),
            (1e10 + 3e5, 1e10, 4.499_910_002_024_951),
            (0.75, 0.5, 0.047_267_445_945_917_8),
            (2.0, 0.5, 0.806_852_819_440_054_7),
        ] {
            let found = deviance_of_product(x, 1.0, a).0;
            assert!((found / expected - 1.0).abs() < 1e-14, "{x}, {a}: {found:e}");
        }
        assert_eq!(deviance_of_product(3e10, 1.0, 3e10), (0.0, 0.0));
    }

    #[test]
    fn nothing_overflows_unseen() {
        assert_eq!(deviance_of_product(1e300, 1e300, 1e-300).0, f64::INFINITY);
        let (value, log) = deviance_of_product(1e-300, 1e-300, 2.0);
        assert!((log + 600.0 * std::f64::consts::LN_10 + 2.0_f64.ln()).abs() < 1e-12);
        assert!((value + 2.0 + 2.0 * log).abs() < 1e-12);
    }
}
