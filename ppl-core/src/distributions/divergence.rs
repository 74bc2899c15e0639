//! The Kullback–Leibler divergence between two distributions, in closed form.
//!
//! A pair of families over numbers is one line: a formula on [`Dual`] numbers of the parameters of
//! both, from which value and gradients come in one fused operation.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::distribution::{Distribution, Family};
use crate::dtype::Dtype;
use crate::functions::apply;
use crate::tensor::{Flat, Tensor};

use super::shapes::check_value_shape;
use super::univariate::{Moment, Momentary};

// What a family has on average under another.
mod cross_entropy;
// From families over the real line.
mod real;
// From families over positive numbers.
mod positive;
// From families over an interval.
mod interval;
// From families over counts, and Bernoulli.
mod counts;
// From and to the continuous Bernoulli family.
mod tilted;
// From families over categories and over proportions.
mod proportions;
// The divergence of normal distributions by their covariances.
mod covariances;
// Between normal distributions over vectors.
mod vectors;
// Between the same wrapper of two distributions.
mod wrappers;

/// A distribution whose divergence from `Q` has a closed form.
///
/// KL(p ‖ q) = ∫ p(x) ln (p(x) / q(x)) dx, in nats: what is lost when q stands for p. It is ∞ where p
/// has mass that q has not, with gradient 0.
///
/// Pairs: those that torch registers, in both directions where it does: each of Bernoulli, Beta,
/// Binomial, Categorical, Cauchy, ContinuousBernoulli, Dirichlet, Exponential, Gamma, Geometric, Gumbel,
/// HalfNormal, Laplace, LowRankMultivariateNormal, MultivariateNormal, Normal, OneHotCategorical, Pareto,
/// Poisson and Uniform with itself, the common mixed ones, `to_event` of both, and the same transform of
/// both.
///
/// ```
/// use ppl_core::{Tensor, distributions::{KlDivergence, Normal}};
/// let p = Normal::new(Tensor::<_, f64>::from([0.0, 1.0]), 1.0);
/// let q = Normal::new(Tensor::from([0.0, 0.0]), 1.0);
/// assert_eq!(p.kl_divergence(&q).to_vec(), [0.0, 0.5]);
/// ```
///
/// Reference: Kullback, Leibler, *On information and sufficiency*, Annals of Mathematical Statistics
/// 22, 1951; the tests hold each pair against `torch.distributions`.
#[diagnostic::on_unimplemented(
    message = "KL(`{Self}` ‖ `{Q}`) has no closed form here",
    note = "estimate it from draws: the mean of `p.log_prob(x) - q.log_prob(x)` over draws x of p"
)]
pub trait KlDivergence<Q, E: Dtype, D: Backend<E>>: Distribution<E, D> {
    /// KL(self ‖ other) of each independent element, differentiable in the parameters of both.
    ///
    /// # Panics
    /// If the shapes differ, with both.
    #[track_caller]
    fn kl_divergence(&self, other: &Q) -> Tensor<Self::Batch, E, D>;
}

/// KL(p ‖ q) of each element of two families without their types, 0 where a mask is false; `None` where the pair
/// has no closed form (of those over numbers; Categorical, OneHotCategorical, Dirichlet, and normal distributions
/// over vectors), or the two have other counts of elements or of numbers in one.
pub fn closed_kl<E: Dtype, D: Backend<E>>(p: &Family<E, D>, q: &Family<E, D>) -> Option<Flat<E, D>> {
    if p.len != q.len || p.event != q.event {
        return None;
    }
    let registered = [
        real::registered,
        positive::registered,
        interval::registered,
        counts::registered,
        counts::registered_bernoulli,
        proportions::registered,
        vectors::registered,
    ];
    let kl = registered.into_iter().find_map(|of| of(p, q))?;
    let kl = [&p.mask, &q.mask].into_iter().flatten().fold(kl, |kl, mask| kl.select(mask, 0.0));
    Some(kl)
}

/// A formula of the parameters of two families without their types.
fn erased<E: Dtype, D: Backend<E>, const N: usize>(
    name: &'static str,
    p: &Family<E, D>,
    q: &Family<E, D>,
    formula: Moment<N>,
) -> Option<Flat<E, D>> {
    let parameters: Vec<_> = p.parameters.iter().chain(&q.parameters).cloned().collect();
    Some(apply(Momentary(name, formula), <[_; N]>::try_from(parameters).ok()?, (p.len,)))
}

/// A formula of the parameters of two distributions over numbers; `N` is `K + L`.
#[track_caller]
fn between<S: Shape, E: Dtype, D: Backend<E>, const K: usize, const L: usize, const N: usize>(
    name: &'static str,
    [shape, other]: [S; 2],
    p: [Flat<E, D>; K],
    q: [Flat<E, D>; L],
    formula: Moment<N>,
) -> Tensor<S, E, D> {
    const { assert!(N == K + L) };
    check_value_shape(name, other, shape);
    let parameters = std::array::from_fn(|i| if i < K { p[i].clone() } else { q[i - K].clone() });
    apply(Momentary(name, formula), parameters, shape)
}

/// Pairs of families on the front of numbers, `P, Q, number of parameters: formula;`: their implementations, and
/// `registered`, which finds them by name.
macro_rules! divergences {
    ($($P:ident, $Q:ident, $n:literal: $formula:expr;)+) => {
$(
        impl<S, E, D> super::KlDivergence<$Q<S, E, D>, E, D> for $P<S, E, D>
        where
            S: dfdx::shapes::Shape,
            E: crate::dtype::Dtype,
            D: crate::backend::Backend<E>,
        {
            #[track_caller]
            fn kl_divergence(&self, other: &$Q<S, E, D>) -> crate::tensor::Tensor<S, E, D> {
                let (p, q) = (&self.front, &other.front);
                let name = concat!("KL(", stringify!($P), " ‖ ", stringify!($Q), ")");
                let formula: crate::distributions::univariate::Moment<$n> = $formula;
                super::between(name, [p.shape(), q.shape()], p.flats(), q.flats(), formula)
            }
        }
    )+
        /// The divergence of one of these pairs, by the families' names.
        pub(super) fn registered<E: crate::dtype::Dtype, D: crate::backend::Backend<E>>(
            p: &crate::distribution::Family<E, D>,
            q: &crate::distribution::Family<E, D>,
        ) -> Option<crate::tensor::Flat<E, D>> {
            $(
                if (p.name, q.name) == (stringify!($P), stringify!($Q)) {
                    let formula: crate::distributions::univariate::Moment<$n> = $formula;
                    return super::erased(concat!("KL(", stringify!($P), " ‖ ", stringify!($Q), ")"), p, q, formula);
                }
            )+
            None
        }
    };
}

/// Pairs of which the first has mass where the second has none, whatever the parameters.
macro_rules! infinite_divergences {
    ($($P:ident: $($Q:ident),+;)+) => {$($(
        impl<S, E, D> super::KlDivergence<$Q<S, E, D>, E, D> for $P<S, E, D>
        where
            S: dfdx::shapes::Shape,
            E: crate::dtype::Dtype,
            D: crate::backend::Backend<E>,
        {
            #[track_caller]
            fn kl_divergence(&self, other: &$Q<S, E, D>) -> crate::tensor::Tensor<S, E, D> {
                let name = concat!("KL(", stringify!($P), " ‖ ", stringify!($Q), ")");
                let shape = crate::distribution::Distribution::batch_shape(self);
                let other = crate::distribution::Distribution::batch_shape(other);
                crate::distributions::shapes::check_value_shape(name, other, shape);
                crate::tensor::Tensor::full_like(E::infinity(), shape)
            }
        }
    )+)+};
}

use {divergences, infinite_divergences};
