//! Recurrent maps over whole sequences: one operation on the tape, and one product for the weight's
//! gradient, instead of a chain of small ones.

use dfdx::tensor::Cpu;

use super::matmul::{activate, deactivate};
use super::matrix::{Matrix, multiply};
use super::panels::{FEW_ROWS, Panels, is_vectorised};
use super::{Element, output, record_from, slice};
use crate::backend::Backend;
use crate::backend::recurrence::{Recurrence, Row};
use crate::dtype::Dtype;
use crate::tensor::Flat;

/// The states of every step; 0 behind the ends of sequences.
pub(super) fn recurrent<E: Element>([x, initial, weight, bias]: [Flat<E, Cpu>; 4], map: Recurrence) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let states = states([&x, &initial, &weight, &bias].map(|t| slice(t)), &map);
    let tracked = [&x, &initial, &weight, &bias].map(|t| t.tracked);
    let out = output(states, tracked.contains(&true));
    let saved = out.clone();
    record_from(&out, move |grads, mut upstream| {
        let inputs = [&initial, &weight].map(|t| slice(t));
        let back = pull_back(&mut upstream, slice(&saved), inputs, &map);
        if x.tracked {
            grads.add(&x, upstream);
        }
        if initial.tracked {
            grads.add(&initial, back.to_initial);
        }
        let rows = back.deltas.len() / map.size.max(1);
        if weight.tracked {
            let before = Matrix::new(&back.before, rows, map.size);
            let gradient = grads.of(&weight);
            multiply(before.t(), Matrix::new(&back.deltas, rows, map.size), gradient, true);
        }
        if bias.tracked {
            let gradient = grads.of(&bias);
            back.deltas.chunks_exact(map.size.max(1)).for_each(|row| add(gradient, row));
        }
    });
    out
}

fn add<E: Dtype>(to: &mut [E], from: &[E]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to += from);
}

/// The state before a row.
fn before<'a, E>(row: Row, states: &'a [E], initial: &'a [E], size: usize) -> &'a [E] {
    match row.before {
        Some(at) => &states[at * size..][..size],
        None => &initial[row.sequence * size..][..size],
    }
}

/// What multiplies by the weight, step after step.
enum Weight<'a, E> {
    Plain(Matrix<'a, E>),
    InOrder(Panels<E>),
}

impl<'a, E: Element> Weight<'a, E>
where
    Cpu: Backend<E>,
{
    /// The fastest for this many sequences.
    fn of(matrix: Matrix<'a, E>, map: &Recurrence) -> Self {
        if map.lengths.len() <= FEW_ROWS && map.steps > 1 && is_vectorised() {
            Weight::InOrder(Panels::of(matrix))
        } else {
            Weight::Plain(matrix)
        }
    }

    /// `out += x · weight`.
    fn add_product(&self, x: &[E], out: &mut [E]) {
        match self {
            Weight::Plain(matrix) => {
                let size = matrix.sizes().0;
                multiply(Matrix::new(x, x.len() / size.max(1), size), *matrix, out, true);
            }
            Weight::InOrder(panels) => panels.add_product(x, out),
        }
    }
}

fn states<E: Element>([x, initial, weight, bias]: [&[E]; 4], map: &Recurrence) -> Vec<E>
where
    Cpu: Backend<E>,
{
    let size = map.size;
    let weight = Weight::of(Matrix::new(weight, size, size), map);
    let mut states = vec![E::of(0.0); map.numel()];
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for t in map.order() {
        from.clear();
        to.clear();
        for row in map.rows(t) {
            from.extend_from_slice(before(row, &states, initial, size));
            to.extend(x[row.at * size..][..size].iter().zip(bias).map(|(&x, &b)| x + b));
        }
        weight.add_product(&from, &mut to);
        activate(&mut to, map.activation);
        for (row, state) in map.rows(t).zip(to.chunks_exact(size.max(1))) {
            states[row.at * size..][..size].copy_from_slice(state);
        }
    }
    states
}

/// What flows back, beside the gradient of the inputs.
struct Back<E> {
    to_initial: Vec<E>,
    /// The gradients before the activations, a row for each step of each sequence.
    deltas: Vec<E>,
    /// The states before, row by row as in `deltas`.
    before: Vec<E>,
}

/// Turns `upstream`, the gradient of the states, into that of the inputs.
fn pull_back<E: Element>(upstream: &mut [E], states: &[E], [initial, weight]: [&[E]; 2], map: &Recurrence) -> Back<E>
where
    Cpu: Backend<E>,
{
    let (size, count) = (map.size, map.lengths.len());
    let total: usize = map.lengths.iter().map(|&length| length.min(map.steps)).sum::<usize>() * size;
    let mut back = Back {
        to_initial: vec![E::of(0.0); count * size],
        deltas: Vec::with_capacity(total),
        before: Vec::with_capacity(total),
    };
    let weight = Weight::of(Matrix::new(weight, size, size).t(), map);
    let mut carried = Vec::new();
    for t in map.order().rev() {
        let start = back.deltas.len();
        for row in map.rows(t) {
            let (delta, state) = (&mut upstream[row.at * size..][..size], &states[row.at * size..][..size]);
            deactivate(delta, state, map.activation);
            back.deltas.extend_from_slice(delta);
            back.before.extend_from_slice(before(row, states, initial, size));
        }
        let deltas = &back.deltas[start..];
        carried.clear();
        carried.resize(deltas.len(), E::of(0.0));
        weight.add_product(deltas, &mut carried);
        for (row, carried) in map.rows(t).zip(carried.chunks_exact(size.max(1))) {
            match row.before {
                Some(at) => add(&mut upstream[at * size..][..size], carried),
                None => add(&mut back.to_initial[row.sequence * size..][..size], carried),
            }
        }
        for padded in (0..count).filter(|&sequence| map.lengths[sequence] <= t) {
            upstream[(t * count + padded) * size..][..size].fill(E::of(0.0));
        }
    }
    back
}
