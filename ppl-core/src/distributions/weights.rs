//! Probabilities of categories along the last axis, given up to a factor or by their logarithms.

use std::sync::Arc;

use dfdx::shapes::Shape;
use smallvec::{SmallVec, smallvec};

use crate::backend::Backend;
use crate::distribution::ParameterError;
use crate::dtype::Dtype;
use crate::functions::{RowFunction, apply_rows};
use crate::tensor::{Flat, Operand, Tensor};

use super::rows::Rows;

// The probability of some of a row's categories together.
mod portion;

use portion::Portion;

/// How probabilities were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Themselves, or numbers in proportion to them.
    Probs,
    /// Their logarithms, up to a constant; of one probability, its log-odds.
    Logits,
}

/// Rows of probabilities.
#[derive(Clone, Debug)]
pub(super) struct Weights<S: Shape, E: Dtype, D: Backend<E>> {
    pub(super) form: Form,
    pub(super) rows: Rows<S, E, D>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Weights<S, E, D> {
    /// # Panics
    /// If the parameter is a number or has no categories.
    #[track_caller]
    pub(super) fn new(distribution: &'static str, form: Form, operand: Operand<S, E, D>) -> Self {
        Weights { form, rows: Rows::new(distribution, form.name(), "categories", operand) }
    }

    #[track_caller]
    pub(super) fn expand<R: Shape>(&self, shape: R) -> Weights<R, E, D> {
        Weights { form: self.form, rows: self.rows.expand(shape) }
    }

    /// The normalised log-probabilities of the rows that are kept.
    pub(super) fn own_logits(&self) -> Flat<E, D> {
        let normalised = Normalised { form: self.form, len: self.rows.len() };
        apply_rows(Arc::new(normalised), self.rows.own().clone(), self.rows.own_count())
    }

    /// The normalised log-probabilities.
    pub(super) fn logits(&self) -> Tensor<S, E, D> {
        Rows::of(self.own_logits(), self.rows.shape()).tensor()
    }

    /// The normalised probabilities.
    pub(super) fn probs(&self) -> Tensor<S, E, D> {
        self.proportions(false)
    }

    /// p (1 − p) of each category.
    pub(super) fn variances(&self) -> Tensor<S, E, D> {
        self.proportions(true)
    }

    fn proportions(&self, variances: bool) -> Tensor<S, E, D> {
        let f = Proportions { form: self.form, len: self.rows.len(), variances };
        let own = apply_rows(Arc::new(f), self.rows.own().clone(), self.rows.own_count());
        Rows::of(own, self.rows.shape()).tensor()
    }

    /// The log-probability of one category of each row: −∞ for one that there is not.
    pub(super) fn picked(&self, categories: Arc<[usize]>) -> Flat<E, D> {
        let (rows, len) = (&self.rows, self.rows.len());
        if rows.own_count() == rows.count() {
            let picked = Picked { form: self.form, len, categories };
            return apply_rows(Arc::new(picked), rows.own().clone(), rows.count());
        }
        let known: Vec<bool> = categories.iter().map(|&k| k < len).collect();
        let at = |(row, &k): (usize, &usize)| row % rows.own_count() * len + if k < len { k } else { 0 };
        let log_prob = D::take(self.own_logits(), categories.iter().enumerate().map(at).collect());
        if known.iter().all(|&k| k) { log_prob } else { log_prob.select(&known, f64::NEG_INFINITY) }
    }

    /// The probability of a category up to this one of each row, or beyond it.
    pub(super) fn portions(&self, categories: Arc<[usize]>, beyond: bool) -> Flat<E, D> {
        let (rows, len) = (&self.rows, self.rows.len());
        let portion = Portion { form: self.form, len, categories, beyond };
        apply_rows(Arc::new(portion), rows.tensor().into_flat(), rows.count())
    }

    /// The first weight that cannot be, or row without a weight.
    ///
    /// # Errors
    /// If there is one.
    pub(super) fn check(&self) -> Result<(), ParameterError> {
        let (lowest, single, together) = match self.form {
            Form::Probs => (0.0, "not negative, and finite", "above zero for some category"),
            Form::Logits => (f64::NEG_INFINITY, "a number below infinity", "finite for some category"),
        };
        let valid = |v: &E| v.wide() >= lowest && v.wide() < f64::INFINITY;
        self.rows.check(self.form.name(), |row| match row.iter().position(|v| !valid(v)) {
            Some(at) => Some((at, single.into())),
            None => (!row.iter().any(|v| v.wide() > lowest)).then(|| (0, together.into())),
        })
    }

    /// The parameter of each category of one row, of the first eight where there are more.
    pub(super) fn shown(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.rows.shown(self.form.name(), element)
    }
}

impl Form {
    /// The parameter's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Form::Probs => "probs",
            Form::Logits => "logits",
        }
    }

    /// The name of a family in this form, of probabilities or of logits.
    pub(super) fn named(self, [probs, logits]: [&'static str; 2]) -> &'static str {
        match self {
            Form::Probs => probs,
            Form::Logits => logits,
        }
    }

    /// What a row's weights are divided by, or their logarithms diminished by.
    pub(super) fn total<E: Dtype>(self, row: &[E]) -> Total<E> {
        match self {
            Form::Probs => {
                let scale = scale_of(row);
                Total { shift: E::of(0.0), scale, sum: row.iter().map(|w| w.wide() * scale).sum() }
            }
            Form::Logits => {
                let shift = largest(row);
                Total { shift, scale: 1.0, sum: sum_of_exp(row, shift) }
            }
        }
    }

    /// ln p of one category.
    pub(super) fn log_prob<E: Dtype>(self, weight: E, total: Total<E>) -> f64 {
        match self {
            // A difference, as a quotient of two tiny numbers may underflow.
            Form::Probs => weight.wide().ln() + total.scale.ln() - total.sum.ln(),
            Form::Logits => (weight - total.shift).wide() - total.sum.ln(),
        }
    }

    /// p of one category.
    pub(super) fn prob<E: Dtype>(self, weight: E, total: Total<E>) -> f64 {
        match self {
            Form::Probs => weight.wide() * total.scale / total.sum,
            Form::Logits => (weight - total.shift).wide().exp() / total.sum,
        }
    }

    /// Numbers in proportion to the probabilities of a row, in `f64`, of which none overflows.
    pub(super) fn weights<E: Dtype>(self, row: &[E]) -> SmallVec<[f64; 16]> {
        let shift = match self {
            Form::Probs => {
                let scale = scale_of(row);
                return row.iter().map(|w| w.wide() * scale).collect();
            }
            Form::Logits => largest(row).wide(),
        };
        row.iter().map(|w| (w.wide() - shift).exp()).collect()
    }

    /// ln p of all categories of a row, in `f64`.
    pub(super) fn log_probs(self, row: &[f64]) -> SmallVec<[f64; 16]> {
        let total = self.total(row);
        row.iter().map(|&w| self.log_prob(w, total)).collect()
    }

    /// Adds to the gradient of a row of weights what flows back from `upstream`, that of their
    /// log-probabilities. Where an upstream is 0, its category adds nothing.
    pub(super) fn pullback(self, row: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        let (total, all) = (self.total(row), upstream.iter().sum::<f64>());
        for ((g, &w), &u) in gradient.iter_mut().zip(row).zip(upstream) {
            *g += match self {
                Form::Probs => (if u == 0.0 { 0.0 } else { u / w }) - all / total.sum,
                Form::Logits => u - all * self.prob(w, total),
            };
        }
    }
}

/// What a row of weights is multiplied by so that their sum is finite.
fn scale_of<E: Dtype>(row: &[E]) -> f64 {
    let sum: f64 = row.iter().map(|w| w.wide()).sum();
    if sum == f64::INFINITY { 2.0_f64.powi(-64) } else { 1.0 }
}

/// The sum of a row's weights: e^shift · sum for logits, sum / scale for probs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Total<E> {
    shift: E,
    scale: f64,
    sum: f64,
}

/// The largest of a row's logits; 0 where that is not finite.
fn largest<E: Dtype>(row: &[E]) -> E {
    let largest = row.iter().copied().fold(E::neg_infinity(), E::max);
    if largest.is_finite() { largest } else { E::of(0.0) }
}

/// Fills `exponentials` with exp(x − largest x): the row's total.
fn exponentials<E: Dtype>(row: &[E], exponentials: &mut [E]) -> Total<E> {
    let shift = largest(row);
    exponentials.iter_mut().zip(row).for_each(|(e, &x)| *e = (x - shift).quick_exp());
    Total { shift, scale: 1.0, sum: exponentials.iter().map(|e| e.wide()).sum() }
}

/// Σ exp(x − shift): first a block of exponentials, as vector code, then their sum.
fn sum_of_exp<E: Dtype>(row: &[E], shift: E) -> f64 {
    let mut sum = 0.0;
    let mut block = [E::of(0.0); 16];
    for chunk in row.chunks(block.len()) {
        block.iter_mut().zip(chunk).for_each(|(b, &x)| *b = (x - shift).quick_exp());
        sum += block[..chunk.len()].iter().map(|b| b.wide()).sum::<f64>();
    }
    sum
}

/// The normalised log-probabilities of each row.
#[derive(Debug)]
struct Normalised {
    form: Form,
    len: usize,
}

impl<E: Dtype> RowFunction<E> for Normalised {
    fn lens(&self) -> (usize, usize) {
        (self.len, self.len)
    }

    fn value(&self, _: usize, x: &[E], y: &mut [E]) {
        let total = self.form.total(x);
        y.iter_mut().zip(x).for_each(|(y, &w)| *y = E::of(self.form.log_prob(w, total)));
    }

    fn pullback(&self, _: usize, x: &[E], _: &[E], upstream: &[E], gradient: &mut [E]) {
        let (total, all) = (self.form.total(x), upstream.iter().map(|u| u.wide()).sum::<f64>());
        for ((g, &w), &u) in gradient.iter_mut().zip(x).zip(upstream) {
            let none = u == E::of(0.0) || (self.form == Form::Probs && w == E::of(0.0));
            let own = match self.form {
                _ if none => 0.0,
                Form::Probs => u.wide() / w.wide(),
                Form::Logits => u.wide(),
            };
            let shared = match self.form {
                Form::Probs => all / total.sum,
                Form::Logits => all * self.form.prob(w, total),
            };
            *g += E::of(own - shared);
        }
    }
}

/// The normalised probabilities p of each row, or p (1 − p).
#[derive(Debug)]
struct Proportions {
    form: Form,
    len: usize,
    variances: bool,
}

impl<E: Dtype> RowFunction<E> for Proportions {
    fn lens(&self) -> (usize, usize) {
        (self.len, self.len)
    }

    fn value(&self, _: usize, x: &[E], y: &mut [E]) {
        let total = self.form.total(x);
        let probs: SmallVec<[f64; 16]> = x.iter().map(|&w| self.form.prob(w, total)).collect();
        for (k, y) in y.iter_mut().enumerate() {
            *y = E::of(if self.variances { probs[k] * others(&probs, k) } else { probs[k] });
        }
    }

    fn pullback(&self, _: usize, x: &[E], _: &[E], upstream: &[E], gradient: &mut [E]) {
        let total = self.form.total(x);
        let slope = |p: f64| if self.variances { 1.0 - 2.0 * p } else { 1.0 };
        let along = |(&w, u): (&E, &E)| {
            let p = self.form.prob(w, total);
            (p, u.wide() * slope(p))
        };
        let each = || x.iter().zip(upstream).map(along);
        let mean: f64 = each().map(|(p, u)| p * u).sum();
        for (g, (p, u)) in gradient.iter_mut().zip(each()) {
            *g += E::of(match self.form {
                Form::Probs => (u - mean) / total.sum,
                Form::Logits => p * (u - mean),
            });
        }
    }
}

/// 1 − p of one category, from the others where that would cancel.
pub(super) fn others(probs: &[f64], k: usize) -> f64 {
    if probs[k] <= 0.5 {
        return 1.0 - probs[k];
    }
    probs[..k].iter().chain(&probs[k + 1..]).sum()
}

/// The log-probability of one category of each row, in one pass over its weights.
#[derive(Debug)]
struct Picked {
    form: Form,
    len: usize,
    categories: Arc<[usize]>,
}

impl<E: Dtype> RowFunction<E> for Picked {
    fn lens(&self) -> (usize, usize) {
        (self.len, 1)
    }

    fn value(&self, row: usize, x: &[E], y: &mut [E]) {
        y[0] = match x.get(self.categories[row]) {
            Some(&weight) => E::of(self.form.log_prob(weight, self.form.total(x))),
            None => E::neg_infinity(),
        };
    }

    fn slopes_with_value(&self) -> bool {
        true
    }

    fn value_and_slopes(&self, row: usize, x: &[E], slopes: &mut [E]) -> E {
        let k = self.categories[row];
        let Some(&weight) = x.get(k) else {
            return E::neg_infinity();
        };
        let total = match self.form {
            Form::Probs => self.form.total(x),
            Form::Logits => exponentials(x, slopes),
        };
        let value = E::of(self.form.log_prob(weight, total));
        if value == E::neg_infinity() {
            slopes.fill(E::of(0.0));
            return value;
        }
        match self.form {
            Form::Probs => {
                slopes.fill(E::of(-1.0 / total.sum));
                slopes[k] += E::of(1.0 / weight.wide());
            }
            Form::Logits => {
                let scale = E::of(-1.0 / total.sum);
                slopes.iter_mut().for_each(|slope| *slope *= scale);
                slopes[k] += E::of(1.0);
            }
        }
        value
    }

    fn pullback(&self, row: usize, x: &[E], _: &[E], upstream: &[E], gradient: &mut [E]) {
        let mut slopes: SmallVec<[E; 32]> = smallvec![E::of(0.0); x.len()];
        self.value_and_slopes(row, x, &mut slopes);
        if upstream[0] != E::of(0.0) {
            gradient.iter_mut().zip(slopes).for_each(|(g, slope)| *g += upstream[0] * slope);
        }
    }
}
