//! A family that is given by probabilities or by their log-odds, each form exact in its own tails.

use std::fmt;

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{Family, ParameterError};
use crate::distributions::weights::Form;
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::{Flat, Tensor};

use super::{Front, Univariate};

/// The family `P` of `probs`, or the family `L` of `logits`, of as many parameters; `N` is `K + 1`.
/// `forward_to_front!` takes it for a [`Front`].
#[derive(Clone)]
pub(in crate::distributions) enum TwoForms<
    P,
    L,
    S: Shape,
    E: Dtype,
    D: Backend<E>,
    const K: usize = 1,
    const N: usize = 2,
> {
    /// Given by probabilities.
    Probs(Front<P, S, E, D, K, N>),
    /// Given by log-odds.
    Logits(Front<L, S, E, D, K, N>),
}

impl<P, L, S, E, D, const K: usize, const N: usize> fmt::Debug for TwoForms<P, L, S, E, D, K, N>
where
    P: Univariate<K>,
    L: Univariate<K>,
    S: Shape,
    E: Dtype,
    D: Backend<E>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TwoForms::Probs(front) => front.fmt(f),
            TwoForms::Logits(front) => front.fmt(f),
        }
    }
}

/// Methods that ask the form at hand.
macro_rules! either {
    ($($name:ident($($arg:ident: $Arg:ty),*) -> $Out:ty;)+) => {$(
        pub(in crate::distributions) fn $name(&self, $($arg: $Arg),*) -> $Out {
            match self {
                TwoForms::Probs(front) => front.$name($($arg),*),
                TwoForms::Logits(front) => front.$name($($arg),*),
            }
        }
    )+};
}

impl<P, L, S, E, D, const K: usize, const N: usize> TwoForms<P, L, S, E, D, K, N>
where
    P: Univariate<K>,
    L: Univariate<K>,
    S: Shape,
    E: Dtype,
    D: Backend<E>,
{
    either! {
        shape() -> S;
        parameter(name: &str) -> Tensor<S, E, D>;
        draw(rng: &mut Rng) -> Tensor<S, E, D>;
        has_rsample() -> bool;
        log_prob(value: &Tensor<S, E, D>) -> Tensor<S, E, D>;
        log_prob_sum(value: &Tensor<S, E, D>) -> Tensor<(), E, D>;
        support() -> Support<E, D>;
        mean() -> Option<Tensor<S, E, D>>;
        variance() -> Option<Tensor<S, E, D>>;
        entropy() -> Option<Tensor<S, E, D>>;
        cdf(value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>>;
        survival(value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>>;
        log_cdf(value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>>;
        log_survival(value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>>;
        icdf(probability: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>>;
        enumerate_support() -> Option<Vec<Tensor<S, E, D>>>;
        check_parameters() -> Result<(), ParameterError>;
        family() -> Family<E, D>;
        parameters_at(element: usize) -> Vec<(&'static str, f64)>;
    }

    /// The form, and all parameters, the probability last.
    pub(in crate::distributions) fn given(&self) -> (Form, [Flat<E, D>; K]) {
        match self {
            TwoForms::Probs(front) => (Form::Probs, front.flats()),
            TwoForms::Logits(front) => (Form::Logits, front.flats()),
        }
    }

    #[track_caller]
    pub(in crate::distributions) fn expand<R: Shape>(&self, shape: R) -> TwoForms<P, L, R, E, D, K, N> {
        match self {
            TwoForms::Probs(front) => TwoForms::Probs(front.expand(shape)),
            TwoForms::Logits(front) => TwoForms::Logits(front.expand(shape)),
        }
    }
}
