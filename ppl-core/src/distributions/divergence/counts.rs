//! Divergences from Bernoulli, Binomial, Geometric and Poisson.
//!
//! They are sums of x ln(x / m) + m − x, each at least 0, so that close distributions keep their
//! digits; a probability comes in the form that it was given in.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::distribution::{Distribution, Family};
use crate::distributions::counting::{Logits, Odds, Probs};
use crate::distributions::relative_entropy::relative_entropy;
use crate::distributions::univariate::{Dual, Moment};
use crate::distributions::weights::Form;
use crate::distributions::{Bernoulli, Binomial, Geometric, Poisson};
use crate::dtype::Dtype;
use crate::functions::gamma_function::ln_choose;
use crate::tensor::{Flat, Tensor};

use super::cross_entropy::infinite;
use super::{KlDivergence, between, divergences, erased, infinite_divergences};

/// A formula of the forms of one probability, or of two.
macro_rules! in_form {
    ($form:expr, $formula:ident) => {
        match $form {
            Form::Probs => $formula::<Probs>,
            Form::Logits => $formula::<Logits>,
        }
    };
    ($p:expr, $q:expr, $formula:ident) => {
        match ($p, $q) {
            (Form::Probs, Form::Probs) => $formula::<Probs, Probs>,
            (Form::Probs, Form::Logits) => $formula::<Probs, Logits>,
            (Form::Logits, Form::Probs) => $formula::<Logits, Probs>,
            (Form::Logits, Form::Logits) => $formula::<Logits, Logits>,
        }
    };
}

pub(super) use in_form;

/// Pairs of families with a probability, from their parameters: `P, |given| (form, parameters)`.
macro_rules! with_probabilities {
    ($($Family:ident, |$family:ident| $given:expr, $n:literal: $formula:ident;)+) => {$(
        impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<$Family<S, E, D>, E, D> for $Family<S, E, D> {
            #[track_caller]
            fn kl_divergence(&self, other: &$Family<S, E, D>) -> Tensor<S, E, D> {
                let name = concat!("KL(", stringify!($Family), " ‖ ", stringify!($Family), ")");
                let given = |$family: &$Family<S, E, D>| $given;
                let ((form, p), (other_form, q)) = (given(self), given(other));
                let formula: Moment<$n> = in_form!(form, other_form, $formula);
                between(name, [self.batch_shape(), other.batch_shape()], p, q, formula)
            }
        }
    )+};
}

with_probabilities! {
    Bernoulli, |family| family.given(), 2: between_bernoullis;
    Binomial, |family| family.front.given(), 4: between_binomials;
    Geometric, |family| family.front.given(), 2: between_geometrics;
}

impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<Poisson<S, E, D>, E, D> for Bernoulli<S, E, D> {
    #[track_caller]
    fn kl_divergence(&self, other: &Poisson<S, E, D>) -> Tensor<S, E, D> {
        let (form, p) = self.given();
        let formula: Moment<2> = in_form!(form, bernoulli_from_poisson);
        between("KL(Bernoulli ‖ Poisson)", [self.batch_shape(), other.batch_shape()], p, other.front.flats(), formula)
    }
}

/// Between two Bernoulli families without their types, of any forms.
pub(super) fn registered_bernoulli<E: Dtype, D: Backend<E>>(p: &Family<E, D>, q: &Family<E, D>) -> Option<Flat<E, D>> {
    let form = |family: &Family<E, D>| match family.name {
        "Bernoulli" => Some(Form::Probs),
        "Bernoulli of logits" => Some(Form::Logits),
        _ => None,
    };
    let formula: Moment<2> = in_form!(form(p)?, form(q)?, between_bernoullis);
    erased("KL(Bernoulli ‖ Bernoulli)", p, q, formula)
}

divergences! {
    Poisson, Poisson, 2: |[rate, other]| {
        let log_ratio = rate.value.ln() - other.value.ln();
        let value = relative_entropy(rate.value, other.value, log_ratio);
        if value == f64::INFINITY {
            return infinite();
        }
        rate.map(value, log_ratio) + other.map(0.0, 1.0 - rate.value / other.value)
    };
}

infinite_divergences! {
    Poisson: Bernoulli, Binomial;
}

/// 0 where the weight is, whatever the other.
fn weighted(weight: f64, of: f64) -> f64 {
    if weight == 0.0 { 0.0 } else { weight * of }
}

/// Of a probability of form `A` from one of form `B`: p ln(p / p′) + q ln(q / q′).
fn of_probabilities<A: Odds, B: Odds, const N: usize>(t: Dual<N>, u: Dual<N>) -> Dual<N> {
    let (a, b) = (t.value, u.value);
    let ratios = [A::ln_p(a) - B::ln_p(b), A::ln_q(a) - B::ln_q(b)];
    let value = relative_entropy(A::p(a), B::p(b), ratios[0]) + relative_entropy(A::q(a), B::q(b), ratios[1]);
    if value == f64::INFINITY {
        return infinite();
    }
    let [up, down] = B::slopes(b);
    t.map(value, weighted(A::slope(a), ratios[0] - ratios[1]))
        + u.map(0.0, weighted(A::q(a), down) - weighted(A::p(a), up))
}

fn between_bernoullis<A: Odds, B: Odds>([t, u]: [Dual<2>; 2]) -> Dual<2> {
    of_probabilities::<A, B, 2>(t, u)
}

/// The failures before a success: as many independent trials as there are on average.
fn between_geometrics<A: Odds, B: Odds>([t, u]: [Dual<2>; 2]) -> Dual<2> {
    let [p, _] = A::dual(t);
    of_probabilities::<A, B, 2>(t, u) / p
}

/// With fewer trials than the other family it is a sum over all counts, with more it is infinite.
fn between_binomials<A: Odds, B: Odds>([n, t, m, u]: [Dual<4>; 4]) -> Dual<4> {
    let (trials, other) = (n.value, m.value);
    if trials == 0.0 && other == 0.0 {
        return Dual::constant(0.0);
    }
    if trials > other && A::p(t.value) > 0.0 {
        return infinite();
    }
    let of_trials = trials * of_probabilities::<A, B, 4>(t, u);
    if trials == other || of_trials.value.is_infinite() {
        return of_trials;
    }
    // −(m − n) ln q′, and the mean of ln C(n, x) − ln C(m, x).
    let more = other - trials;
    let [_, down] = B::slopes(u.value);
    let failures = u.map(-more * B::ln_q(u.value), more * down);
    let (mut mean, mut slope) = (0.0, 0.0);
    let [up, down] = A::slopes(t.value);
    for x in (0..=trials as u64).map(|x| x as f64) {
        let log_mass = weighted(x, A::ln_p(t.value)) + weighted(trials - x, A::ln_q(t.value)) + ln_choose(trials, x);
        let term = weighted(log_mass.exp(), ln_choose(trials, x) - ln_choose(other, x));
        mean += term;
        slope += weighted(term, weighted(x, up) - weighted(trials - x, down));
    }
    of_trials + failures + t.map(mean, slope)
}

fn bernoulli_from_poisson<A: Odds>([t, rate]: [Dual<2>; 2]) -> Dual<2> {
    let (a, rate_value) = (t.value, rate.value);
    let (p, q) = (A::p(a), A::q(a));
    let log_ratio = A::ln_p(a) - rate_value.ln();
    // p ln(p / rate) + rate − p, and q ln q + p.
    let value = relative_entropy(p, rate_value, log_ratio) + relative_entropy(q, 1.0, A::ln_q(a));
    if value == f64::INFINITY {
        return infinite();
    }
    t.map(value, weighted(A::slope(a), log_ratio - A::ln_q(a))) + rate.map(0.0, 1.0 - p / rate_value)
}
