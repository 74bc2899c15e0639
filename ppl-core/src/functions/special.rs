//! Special functions as element functions: a value and its partial derivatives, in `f64`.

use super::Function;
use super::bessel::{bessel_ratio, bessel_ratio_slope, i0e, i0e_slope, i1e, i1e_slope, log_i0e, log_i0e_slope};
use super::gamma_function::{digamma, digamma_difference, ln_beta, ln_gamma, tetragamma, trigamma};
use super::incomplete_beta::{beta_density, beta_inc, beta_inc_slopes, beta_inc_upper};
use super::incomplete_gamma::{gamma_density, gamma_inc, gamma_inc_slope, gamma_inc_upper};
use super::logarithms::{
    log_probability, log1mexp, logaddexp, logaddexp_share, logsubexp, logsubexp_slopes, xlog1py, xlog1py_slopes, xlogy,
    xlogy_slopes,
};
use crate::dtype::Dtype;

macro_rules! special {
    ($Name:ident, $name:literal, $doc:literal, [$($x:ident),+; $y:ident] $value:expr, $partials:expr) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $Name;

        impl<E: Dtype> Function<E, { [$(stringify!($x)),+].len() }> for $Name {
            fn name(&self) -> &'static str {
                $name
            }

            #[inline]
            fn value(&self, args: [E; { [$(stringify!($x)),+].len() }]) -> E {
                let [$($x),+] = args.map(E::wide);
                E::of($value)
            }

            #[inline]
            #[allow(unused_variables)]
            fn partials(
                &self,
                args: [E; { [$(stringify!($x)),+].len() }],
                value: E,
            ) -> [E; { [$(stringify!($x)),+].len() }] {
                let ([$($x),+], $y) = (args.map(E::wide), value.wide());
                $partials.map(E::of)
            }
        }
    };
}

special!(Lgamma, "lgamma", "ln |Γ(x)|.", [x; y] ln_gamma(x), [digamma(x)]);
special!(Digamma, "digamma", "The derivative of ln |Γ(x)|.", [x; y] digamma(x), [trigamma(x)]);
special!(Trigamma, "trigamma", "The second derivative of ln |Γ(x)|.", [x; y] trigamma(x), [tetragamma(x)]);
special!(
    Betaln,
    "betaln",
    "ln B(a, b).",
    [a, b; y] ln_beta(a, b),
    [-digamma_difference(a, b), -digamma_difference(b, a)]
);
special!(
    Gammainc,
    "gammainc",
    "The regularised lower incomplete gamma function P(a, x).",
    [a, x; y] gamma_inc(a, x),
    [gamma_inc_slope(a, x), gamma_density(a, x)]
);
special!(
    Gammaincc,
    "gammaincc",
    "The regularised upper incomplete gamma function Q(a, x).",
    [a, x; y] gamma_inc_upper(a, x),
    [-gamma_inc_slope(a, x), -gamma_density(a, x)]
);
special!(
    Betainc,
    "betainc",
    "The regularised incomplete beta function I(x; a, b).",
    [a, b, x; y] beta_inc(a, b, x),
    betainc_slopes(a, b, x)
);
special!(
    Betaincc,
    "betaincc",
    "1 − I(x; a, b).",
    [a, b, x; y] beta_inc_upper(a, b, x),
    betainc_slopes(a, b, x).map(|slope| -slope)
);
special!(I0e, "i0e", "e^−|x| I₀(x).", [x; y] i0e(x), [i0e_slope(x)]);
special!(I1e, "i1e", "e^−|x| I₁(x).", [x; y] i1e(x), [i1e_slope(x)]);
special!(LogI0e, "log_i0e", "ln (e^−|x| I₀(x)).", [x; y] log_i0e(x), [log_i0e_slope(x)]);
special!(BesselRatio, "bessel_ratio", "I₁(x) / I₀(x).", [x; y] bessel_ratio(x), [bessel_ratio_slope(x)]);
special!(Log1mexp, "log1mexp", "ln(1 − e⁻ˣ).", [x; y] log1mexp(x), [x.exp_m1().recip()]);
special!(Xlogy, "xlogy", "x ln y, 0 at x = 0.", [x, z; y] xlogy(x, z), xlogy_slopes(x, z));
special!(Xlog1py, "xlog1py", "x ln(1 + y), 0 at x = 0.", [x, z; y] xlog1py(x, z), xlog1py_slopes(x, z));
special!(
    Logaddexp,
    "logaddexp",
    "ln(eᵃ + eᵇ).",
    [a, b; y] logaddexp(a, b),
    [logaddexp_share(a, b), logaddexp_share(b, a)]
);

special!(
    Logsubexp,
    "logsubexp",
    "ln(eᵃ − eᵇ), −∞ without a slope where b ≥ a.",
    [a, b; y] logsubexp(a, b),
    logsubexp_slopes(a, b)
);
special!(
    LogProbability,
    "log of a probability",
    "ln p, −∞ without a slope where p is 0, or below by rounding.",
    [p; y] log_probability(p),
    [if p <= 0.0 { 0.0 } else { p.recip() }]
);

/// The derivatives of I(x; a, b) in a, b and x; the last is the beta density, at its ends too.
fn betainc_slopes(a: f64, b: f64, x: f64) -> [f64; 3] {
    let [of_a, of_b] = beta_inc_slopes(a, b, x);
    let density = match x {
        0.0 if of_a == 0.0 => end_density(a, b),
        1.0 if of_a == 0.0 => end_density(b, a),
        _ => beta_density(a, b, [x, 1.0 - x]),
    };
    [of_a, of_b, density]
}

/// The density of Beta(a, b) at 0.
fn end_density(a: f64, b: f64) -> f64 {
    if a < 1.0 {
        f64::INFINITY
    } else if a == 1.0 {
        b
    } else {
        0.0
    }
}
