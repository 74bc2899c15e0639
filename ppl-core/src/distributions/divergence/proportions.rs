//! Divergences between distributions over categories, and between those over proportions: in `f64`
//! from the parameters on, as terms of a row cancel.

use dfdx::shapes::Shape;

use crate::backend::{Backend, BlockFunction, Blocks};
use crate::distribution::Family;
use crate::distributions::rows::{Rows, batch_of};
use crate::distributions::shapes::{WithoutLast, check_value_shape};
use crate::distributions::weights::Form;
use crate::distributions::{Categorical, Dirichlet, OneHotCategorical};
use crate::dtype::Dtype;
use crate::functions::incomplete_gamma::excess_over_log1p;
use crate::tensor::{Flat, Tensor};

use super::KlDivergence;
use super::cross_entropy::{above_tangent, above_tangent_slopes};

/// A function of each row of one parameter beside that of the other.
#[track_caller]
fn between_rows<S: Shape, E: Dtype, D: Backend<E>>(
    name: &'static str,
    f: impl BlockFunction<2>,
    [p, q]: [&Rows<S, E, D>; 2],
) -> Tensor<WithoutLast<S>, E, D> {
    check_value_shape(name, q.shape(), p.shape());
    let blocks = Blocks { count: p.count(), of: [p.own_count(), q.own_count()] };
    D::blocks(f, [p.own().clone(), q.own().clone()], blocks).reshape_like(&batch_of(p.shape()))
}

/// Between two of these families without their types.
pub(super) fn registered<E: Dtype, D: Backend<E>>(p: &Family<E, D>, q: &Family<E, D>) -> Option<Flat<E, D>> {
    let len = p.event;
    if (p.name, q.name) == ("Dirichlet", "Dirichlet") {
        return between_families(Concentrations { len }, p, q);
    }
    let ((one_hot, form), (other_one_hot, other)) = (categories(p.name)?, categories(q.name)?);
    (one_hot == other_one_hot).then(|| between_families(Categories { forms: [form, other], len }, p, q))?
}

/// Whether a family is over one-hot rows, and how its probabilities were given.
fn categories(name: &str) -> Option<(bool, Form)> {
    match name {
        "Categorical" => Some((false, Form::Probs)),
        "Categorical of logits" => Some((false, Form::Logits)),
        "OneHotCategorical" => Some((true, Form::Probs)),
        "OneHotCategorical of logits" => Some((true, Form::Logits)),
        _ => None,
    }
}

fn between_families<E: Dtype, D: Backend<E>>(
    f: impl BlockFunction<2>,
    p: &Family<E, D>,
    q: &Family<E, D>,
) -> Option<Flat<E, D>> {
    let (a, b) = (p.parameters.first()?.clone(), q.parameters.first()?.clone());
    let of = [a.numel() / p.event, b.numel() / q.event];
    Some(D::blocks(f, [a, b], Blocks { count: p.len, of }))
}

impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<Categorical<S, E, D>, E, D> for Categorical<S, E, D> {
    #[track_caller]
    fn kl_divergence(&self, other: &Categorical<S, E, D>) -> Tensor<Self::Batch, E, D> {
        of_categories("KL(Categorical ‖ Categorical)", self, other)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<OneHotCategorical<S, E, D>, E, D> for OneHotCategorical<S, E, D> {
    #[track_caller]
    fn kl_divergence(&self, other: &OneHotCategorical<S, E, D>) -> Tensor<Self::Batch, E, D> {
        of_categories("KL(OneHotCategorical ‖ OneHotCategorical)", &self.base, &other.base)
    }
}

#[track_caller]
fn of_categories<S: Shape, E: Dtype, D: Backend<E>>(
    name: &'static str,
    p: &Categorical<S, E, D>,
    q: &Categorical<S, E, D>,
) -> Tensor<WithoutLast<S>, E, D> {
    let (p, q) = (&p.weights, &q.weights);
    between_rows(name, Categories { forms: [p.form, q.form], len: p.rows.len() }, [&p.rows, &q.rows])
}

/// Σ p ln (p / q) of rows of weights in their forms.
#[derive(Clone)]
struct Categories {
    forms: [Form; 2],
    len: usize,
}

impl BlockFunction<2> for Categories {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.len; 2], 1)
    }

    fn work(&self) -> usize {
        32 * self.len
    }

    fn value(&self, [a, b]: [&[f64]; 2], out: &mut [f64]) {
        let (log_p, log_q) = (self.forms[0].log_probs(a), self.forms[1].log_probs(b));
        out[0] = log_p.iter().zip(&log_q).map(|(&a, &b)| above(a, b)).sum();
    }

    fn pullback(&self, [a, b]: [&[f64]; 2], out: &[f64], upstream: &[f64], [to_a, to_b]: [Option<&mut [f64]>; 2]) {
        // No slope towards a divergence that is infinite.
        if out[0].is_infinite() {
            return;
        }
        let (log_p, log_q) = (self.forms[0].log_probs(a), self.forms[1].log_probs(b));
        let each = |slope: fn(f64, f64) -> f64| -> Vec<f64> {
            log_p.iter().zip(&log_q).map(|(&a, &b)| upstream[0] * slope(a, b)).collect()
        };
        if let Some(gradient) = to_a {
            // p (ln (p / q) + 1), of which the 1 is along the sum, and none from a weight of 0.
            self.forms[0].pullback(a, &each(|a, b| if a.exp() == 0.0 { 0.0 } else { a.exp() * (a - b) }), gradient);
        }
        if let Some(gradient) = to_b {
            self.forms[1].pullback(b, &each(|a, _| -a.exp()), gradient);
        }
    }
}

/// p ln (p / q) − p + q, which is never negative: over a row the last two sum to 0, and without them
/// the terms of a small divergence would cancel.
fn above(log_p: f64, log_q: f64) -> f64 {
    let (p, q, more) = (log_p.exp(), log_q.exp(), log_p - log_q);
    if p == 0.0 {
        q
    } else if more.abs() < 0.5 {
        p * excess_over_log1p((-more).exp_m1())
    } else {
        p * more - p + q
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> KlDivergence<Dirichlet<S, E, D>, E, D> for Dirichlet<S, E, D> {
    #[track_caller]
    fn kl_divergence(&self, other: &Dirichlet<S, E, D>) -> Tensor<Self::Batch, E, D> {
        let (a, b) = (&self.concentration, &other.concentration);
        between_rows("KL(Dirichlet ‖ Dirichlet)", Concentrations { len: a.len() }, [a, b])
    }
}

/// How far ln Γ lies above its tangents at a row of concentrations, less how far at their sum.
#[derive(Clone)]
struct Concentrations {
    len: usize,
}

fn sum(row: &[f64]) -> f64 {
    row.iter().sum()
}

impl BlockFunction<2> for Concentrations {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.len; 2], 1)
    }

    fn work(&self) -> usize {
        256 * self.len
    }

    fn value(&self, [a, b]: [&[f64]; 2], out: &mut [f64]) {
        let parts: f64 = a.iter().zip(b).map(|(&a, &b)| above_tangent(a, b)).sum();
        out[0] = parts - above_tangent(sum(a), sum(b));
    }

    fn pullback(&self, [a, b]: [&[f64]; 2], _: &[f64], upstream: &[f64], mut gradients: [Option<&mut [f64]>; 2]) {
        let whole = above_tangent_slopes(sum(a), sum(b));
        for (k, (&a, &b)) in a.iter().zip(b).enumerate() {
            let part = above_tangent_slopes(a, b);
            for (side, gradient) in gradients.iter_mut().enumerate() {
                if let Some(gradient) = gradient {
                    gradient[k] += upstream[0] * (part[side] - whole[side]);
                }
            }
        }
    }
}
