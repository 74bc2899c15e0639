//! What products with one weight have in common under one recorder: a network within a loop meets the
//! same weight at every step.
//!
//! The weight is brought into order for both directions once, and its gradient is one product of
//! all steps' rows instead of a sum over a small product a step.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use dfdx::tensor::Cpu;

use super::matrix::{Matrix, multiply};
use super::panels::{FEW_ROWS, Panels, is_vectorised};
use super::{Element, slice};
use crate::autodiff::{GradientStore, is_recording, shared};
use crate::backend::Backend;
use crate::tensor::Flat;

/// Rows that wait for their product: as many as make it efficient, few enough for the cache.
const WAITING: usize = 512;

/// A weight of (inputs, outputs) that several operations on one recorder multiply by.
pub(super) struct SharedWeight<E: Element>
where
    Cpu: Backend<E>,
{
    weight: Flat<E, Cpu>,
    inputs: usize,
    outputs: usize,
    /// Operations that have asked for it.
    uses: Cell<usize>,
    forward: OnceCell<Panels<E>>,
    backward: OnceCell<Panels<E>>,
    waiting: RefCell<Waiting<E>>,
}

/// Inputs and gradients of outputs, row by row.
struct Waiting<E> {
    inputs: Vec<E>,
    upstream: Vec<E>,
}

impl<E: Element> SharedWeight<E>
where
    Cpu: Backend<E>,
{
    /// Announces an operation, whose backward pass holds what this returns. `None` for a weight without
    /// gradient, and where nothing is recorded.
    pub(super) fn announce(weight: &Flat<E, Cpu>, inputs: usize, outputs: usize) -> Option<Rc<Self>> {
        if !weight.tracked || inputs * outputs == 0 {
            return None;
        }
        let new = || SharedWeight {
            weight: weight.clone(),
            inputs,
            outputs,
            uses: Cell::new(0),
            forward: OnceCell::new(),
            backward: OnceCell::new(),
            waiting: RefCell::new(Waiting { inputs: vec![], upstream: vec![] }),
        };
        // One number has no place of its own, and nothing to be shared.
        if inputs * outputs == 1 {
            return is_recording().then(|| Rc::new(SharedWeight { uses: Cell::new(1), ..new() }));
        }
        // The key is the buffer's place, which the weight kept here keeps from being another's.
        let key = (slice(weight).as_ptr() as usize, inputs);
        let found: Rc<Self> = shared::<E, Cpu, _>(key, new)?;
        found.uses.set(found.uses.get() + 1);
        Some(found)
    }

    fn matrix(&self) -> Matrix<'_, E> {
        Matrix::new(slice(&self.weight), self.inputs, self.outputs)
    }

    /// Whether a product of so many rows repays the order that is made once.
    fn repays(&self, rows: usize) -> bool {
        self.uses.get() > 1 && rows <= FEW_ROWS && is_vectorised()
    }

    /// `out += x · weight`.
    pub(super) fn add_product(&self, x: &[E], out: &mut [E]) {
        let rows = x.len() / self.inputs;
        if self.repays(rows) {
            self.forward.get_or_init(|| Panels::of(self.matrix())).add_product(x, out);
        } else {
            multiply(Matrix::new(x, rows, self.inputs), self.matrix(), out, true);
        }
    }

    /// The backward pass of `x · weight`, which has a part in the weight's even where nothing comes to the product.
    pub(super) fn pull_back(
        self: &Rc<Self>,
        grads: &mut GradientStore<E, Cpu>,
        x: &Flat<E, Cpu>,
        weight: &Flat<E, Cpu>,
        upstream: Option<&[E]>,
    ) {
        let Some(upstream) = upstream else { return self.settle(grads) };
        self.add_gradient(grads, weight, slice(x), upstream);
        if x.tracked {
            self.add_pulled_back(upstream, grads.of(x));
        }
    }

    /// `out += upstream · weightᵀ`.
    fn add_pulled_back(&self, upstream: &[E], out: &mut [E]) {
        let rows = upstream.len() / self.outputs;
        if self.repays(rows) {
            self.backward.get_or_init(|| Panels::of(self.matrix().t())).add_product(upstream, out);
        } else {
            multiply(Matrix::new(upstream, rows, self.outputs), self.matrix().t(), out, true);
        }
    }

    /// Adds `xᵀ · upstream` to the gradient of `weight`, at the latest when the last operation that
    /// holds this runs backwards: the closed recorder does not, nor does one that failed before it was
    /// recorded.
    fn add_gradient(
        self: &Rc<Self>,
        grads: &mut GradientStore<E, Cpu>,
        weight: &Flat<E, Cpu>,
        x: &[E],
        upstream: &[E],
    ) {
        let rows = x.len() / self.inputs;
        // Two leaves may share their data and have gradients of their own.
        if self.uses.get() == 1 || rows >= WAITING || self.weight.id != weight.id {
            let gradient = grads.of(weight);
            let (x, upstream) = (Matrix::new(x, rows, self.inputs), Matrix::new(upstream, rows, self.outputs));
            multiply(x.t(), upstream, gradient, true);
        } else {
            let mut waiting = self.waiting.borrow_mut();
            waiting.inputs.extend_from_slice(x);
            waiting.upstream.extend_from_slice(upstream);
        }
        self.settle(grads);
    }

    /// Multiplies what waits if it is enough, or if no other operation comes after this one.
    fn settle(self: &Rc<Self>, grads: &mut GradientStore<E, Cpu>) {
        let waiting = self.waiting.borrow().inputs.len() / self.inputs;
        if waiting >= WAITING || (Rc::strong_count(self) == 1 && waiting > 0) {
            self.multiply_waiting(grads, waiting);
        }
    }

    fn multiply_waiting(&self, grads: &mut GradientStore<E, Cpu>, rows: usize) {
        let mut waiting = self.waiting.borrow_mut();
        let gradient = grads.of(&self.weight);
        let x = Matrix::new(&waiting.inputs, rows, self.inputs);
        multiply(x.t(), Matrix::new(&waiting.upstream, rows, self.outputs), gradient, true);
        waiting.inputs.clear();
        waiting.upstream.clear();
    }
}
