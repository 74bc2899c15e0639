//! Special functions as element functions: a value and its partial derivatives, in `f64`.

use super::Function;
use super::gamma_function::{digamma, ln_beta, ln_gamma, tetragamma, trigamma};
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
    [digamma_step(a, b), digamma_step(b, a)]
);

/// ψ(a) − ψ(a + b), the derivative of ln B(a, b) with respect to a.
fn digamma_step(a: f64, b: f64) -> f64 {
    -super::gamma_function::digamma_difference(a, b)
}
