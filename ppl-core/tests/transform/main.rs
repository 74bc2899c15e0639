//! Transforms against references, numerical Jacobians, finite differences and hostile numbers.

// Every transform, with its arguments.
mod table;
// Values, Jacobians and inverses of mpmath, torch and NumPyro.
mod reference;
// ln |det J| against the determinant of a numerical Jacobian.
mod jacobian;
// Gradients against finite differences.
mod gradients;
// Tails, batches and numbers that are none.
mod extremes;
// One after another, backwards, permuted.
mod composition;
// Sets, and their maps from unconstrained numbers.
mod constraint;
mod event_constraints;

/// Runs each generic check in both dtypes, in a module of that name.
macro_rules! both_dtypes {
    ($($check:ident;)+) => {
        $crate::both_dtypes! { $($check = $check;)+ }
    };
    ($($name:ident = $check:ident;)+) => {
        $(mod $name {
            #[test]
            fn single() {
                super::$check::<f32, ppl_core::Cpu>();
            }
            #[test]
            fn double() {
                super::$check::<f64, ppl_core::Cpu>();
            }
        })+
    };
}
pub(crate) use both_dtypes;
