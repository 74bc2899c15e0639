//! Special functions as element functions: a value and its partial derivatives, in `f64`.

use super::Function;
use super::gamma_function::{digamma, digamma_difference, ln_beta, ln_gamma, tetragamma, trigamma};
use super::incomplete_gamma::{gamma_density, gamma_inc, gamma_inc_slope, gamma_inc_upper};
use crate::dtype::Dtype;

macro_rules! special {
    ($Name:ident, $name:literal, $doc:literal, [$($x:ident),+; $y:ident] $value:expr, [$($dx:expr),+]) => {
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
                [$($dx),+].map(E::of)
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
