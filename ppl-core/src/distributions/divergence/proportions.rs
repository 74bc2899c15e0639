//! Divergences between distributions over categories, and between those over proportions.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::distributions::shapes::{LastAxis, WithoutLast, check_value_shape};
use crate::distributions::{Categorical, Dirichlet, OneHotCategorical};
use crate::dtype::Dtype;
use crate::functions::{Function, apply};
use crate::tensor::Tensor;

use super::KlDivergence;
use super::cross_entropy::{above_tangent, above_tangent_slopes};

impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<Categorical<S, E, D>, E, D> for Categorical<S, E, D> {
    #[track_caller]
    fn kl_divergence(&self, other: &Categorical<S, E, D>) -> Tensor<Self::Batch, E, D> {
        of_categories("KL(Categorical ‖ Categorical)", &self.logits(), &other.logits())
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<OneHotCategorical<S, E, D>, E, D> for OneHotCategorical<S, E, D> {
    #[track_caller]
    fn kl_divergence(&self, other: &OneHotCategorical<S, E, D>) -> Tensor<Self::Batch, E, D> {
        of_categories("KL(OneHotCategorical ‖ OneHotCategorical)", &self.logits(), &other.logits())
    }
}

/// Σ p (ln p − ln q) along the last axis, from normalised logarithms.
#[track_caller]
fn of_categories<S: Shape, E: Dtype, D: Backend<E>>(
    name: &'static str,
    p: &Tensor<S, E, D>,
    q: &Tensor<S, E, D>,
) -> Tensor<WithoutLast<S>, E, D> {
    check_value_shape(name, q.shape(), p.shape());
    apply(Weighted(name), [p.flat(), q.flat()], p.shape()).sum::<WithoutLast<S>, LastAxis<S>>()
}

/// eᵃ (a − b), which is 0 where eᵃ is.
#[derive(Clone, Copy)]
struct Weighted(&'static str);

impl<E: Dtype> Function<E, 2> for Weighted {
    fn name(&self) -> &'static str {
        self.0
    }

    fn value(&self, [a, b]: [E; 2]) -> E {
        let (a, b) = (a.wide(), b.wide());
        E::of(if a == f64::NEG_INFINITY { 0.0 } else { a.exp() * (a - b) })
    }

    fn partials(&self, [a, b]: [E; 2], value: E) -> [E; 2] {
        let (a, b) = (a.wide(), b.wide());
        let p = a.exp();
        // No slope towards a divergence that is infinite, and none from a weight of 0.
        if p == 0.0 || value.is_infinite() {
            return [E::of(0.0); 2];
        }
        [E::of(p * (a - b + 1.0)), E::of(-p)]
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<Dirichlet<S, E, D>, E, D> for Dirichlet<S, E, D> {
    #[track_caller]
    fn kl_divergence(&self, other: &Dirichlet<S, E, D>) -> Tensor<Self::Batch, E, D> {
        let (a, b) = (self.concentration(), other.concentration());
        check_value_shape(AboveTangent::NAME, b.shape(), a.shape());
        let parts = apply(AboveTangent, [a.flat(), b.flat()], a.shape()).sum::<WithoutLast<S>, LastAxis<S>>();
        let [all, of_other] = [a, b].map(|c| c.sum::<WithoutLast<S>, LastAxis<S>>());
        let whole = apply(AboveTangent, [all.flat(), of_other.flat()], all.shape());
        parts - whole
    }
}

/// How far ln Γ lies above its tangent.
#[derive(Clone, Copy)]
struct AboveTangent;

impl AboveTangent {
    const NAME: &'static str = "KL(Dirichlet ‖ Dirichlet)";
}

impl<E: Dtype> Function<E, 2> for AboveTangent {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn value(&self, [a, b]: [E; 2]) -> E {
        E::of(above_tangent(a.wide(), b.wide()))
    }

    fn partials(&self, [a, b]: [E; 2], _: E) -> [E; 2] {
        above_tangent_slopes(a.wide(), b.wide()).map(E::of)
    }
}
