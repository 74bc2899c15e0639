//! Divergences from and to ContinuousBernoulli, the densities proportional to e^(t x) on [0, 1].

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::distribution::Distribution;
use crate::distributions::continuous_bernoulli::tilt::{log_mass, mean, variance};
use crate::distributions::continuous_bernoulli::{Law, OfLogits};
use crate::distributions::counting::{Logits, Odds, Probs};
use crate::distributions::univariate::{Dual, Moment, Univariate};
use crate::distributions::weights::Form;
use crate::distributions::{Beta, ContinuousBernoulli, Exponential, Normal, Pareto, Uniform, beta, uniform};
use crate::dtype::Dtype;
use crate::tensor::Tensor;

use super::counts::in_form;
use super::cross_entropy::{Under, from_exponential, from_normal, infinite};
use super::{KlDivergence, between, infinite_divergences};

infinite_divergences! {
    ContinuousBernoulli: Pareto;
}

/// Pairs with one continuous Bernoulli distribution.
macro_rules! from_tilted {
    ($($Q:ident, $n:literal: |$Law:ident| $formula:expr;)+) => {$(
        impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<$Q<S, E, D>, E, D> for ContinuousBernoulli<S, E, D> {
            #[track_caller]
            fn kl_divergence(&self, other: &$Q<S, E, D>) -> Tensor<S, E, D> {
                fn formula<$Law: Univariate<1>>(parameters: [Dual<$n>; $n]) -> Dual<$n> {
                    $formula(parameters)
                }
                let (form, p) = self.front.given();
                let formula: Moment<$n> = match form {
                    Form::Probs => formula::<Law>,
                    Form::Logits => formula::<OfLogits>,
                };
                let name = concat!("KL(ContinuousBernoulli ‖ ", stringify!($Q), ")");
                between(name, [self.batch_shape(), other.batch_shape()], p, other.front.flats(), formula)
            }
        }
    )+};
}

from_tilted! {
    Exponential, 2: |P| from_exponential::<P, 1, 2>;
    Normal, 3: |P| from_normal::<P, 1, 3>;
    Uniform, 3: |P| |p: [Dual<3>; 3]| {
        let [_, low, high] = p;
        let inside = low.value <= 0.0 && high.value >= 1.0;
        if inside { Under::of::<P, 1>(p).negentropy + (high - low).ln() } else { infinite() }
    };
}

macro_rules! to_tilted {
    ($($P:ident, $n:literal: $formula:ident;)+) => {$(
        impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<ContinuousBernoulli<S, E, D>, E, D> for $P<S, E, D> {
            #[track_caller]
            fn kl_divergence(&self, other: &ContinuousBernoulli<S, E, D>) -> Tensor<S, E, D> {
                let (form, q) = other.front.given();
                let formula: Moment<$n> = in_form!(form, $formula);
                let name = concat!("KL(", stringify!($P), " ‖ ContinuousBernoulli)");
                between(name, [self.batch_shape(), other.batch_shape()], self.front.flats(), q, formula)
            }
        }
    )+};
}

to_tilted! {
    Beta, 3: from_beta;
    Uniform, 3: from_uniform;
}

impl<S, E, D> KlDivergence<ContinuousBernoulli<S, E, D>, E, D> for ContinuousBernoulli<S, E, D>
where
    S: Shape,
    E: Dtype,
    D: Backend<E>,
{
    #[track_caller]
    fn kl_divergence(&self, other: &ContinuousBernoulli<S, E, D>) -> Tensor<S, E, D> {
        let ((form, p), (other_form, q)) = (self.front.given(), other.front.given());
        let formula: Moment<2> = in_form!(form, other_form, between_tilts);
        let shapes = [self.batch_shape(), other.batch_shape()];
        between("KL(ContinuousBernoulli ‖ ContinuousBernoulli)", shapes, p, q, formula)
    }
}

/// The log-odds.
fn log_odds<O: Odds, const N: usize>(t: Dual<N>) -> Dual<N> {
    let [up, down] = O::slopes(t.value);
    t.map(O::ln_p(t.value) - O::ln_q(t.value), up + down)
}

/// ln ∫ e^(t x) dx over [0, 1].
fn log_integral<const N: usize>(t: Dual<N>) -> Dual<N> {
    t.map(log_mass(t.value) + t.value.max(0.0), mean(t.value))
}

fn between_tilts<A: Odds, B: Odds>([p, q]: [Dual<2>; 2]) -> Dual<2> {
    let (t, u) = (log_odds::<A, 2>(p), log_odds::<B, 2>(q));
    log_integral(u) - log_integral(t) + t.map(mean(t.value), variance(t.value)) * (t - u)
}

fn from_beta<O: Odds>(p: [Dual<3>; 3]) -> Dual<3> {
    let (t, under) = (log_odds::<O, 3>(p[2]), Under::of::<beta::Law, 2>(p));
    under.negentropy + log_integral(t) - t * under.mean
}

fn from_uniform<O: Odds>(p: [Dual<3>; 3]) -> Dual<3> {
    if p[0].value < 0.0 || p[1].value > 1.0 {
        return infinite();
    }
    let (t, under) = (log_odds::<O, 3>(p[2]), Under::of::<uniform::Law, 2>(p));
    under.negentropy + log_integral(t) - t * under.mean
}
