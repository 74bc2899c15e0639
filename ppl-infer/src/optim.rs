//! Optimisers: fused, threaded, in place, with a learning rate for each parameter.

use indexmap::IndexMap;
use ppl_core::autodiff::Gradients;
use ppl_core::backend::Backend;
use ppl_core::params::{Module, ParamStore, ParamTensor, VisitorMut};
use ppl_core::{Dtype, Error};

// Adam.
mod adam;
// Pyro's ClippedAdam.
mod clipped_adam;
// Stochastic gradient descent with momentum.
mod sgd;
// A rule over several slices at once, in blocks over threads.
mod blocks;

pub use adam::{Adam, AdamRule};
pub use clipped_adam::{ClippedAdam, ClippedAdamRule};
pub use sgd::{Sgd, SgdRule};

/// Changes parameters by their gradients.
pub trait Optimizer<E: Dtype, D: Backend<E>> {
    /// Updates every parameter that this round's statements asked for.
    ///
    /// # Errors
    /// If a gradient is not finite: it names the parameter and the element, whose value is left as
    /// it was.
    fn step(&mut self, params: &mut ParamStore<E, D>, grads: &mut Gradients<E, D>) -> Result<(), Error>;

    /// The optimiser's name, for checkpoints.
    fn name(&self) -> &'static str;

    /// The names of its slots, in their order in [`TensorState`], for checkpoints.
    fn slots(&self) -> &'static [&'static str];

    /// Its state: for each tensor, by full name, the number of its steps and its slots.
    fn state(&self) -> &IndexMap<String, TensorState<E>>;

    /// Puts a saved state in the place of this one.
    fn set_state(&mut self, state: IndexMap<String, TensorState<E>>);
}

/// What an optimiser remembers of one tensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorState<E> {
    /// How often it was updated.
    pub steps: u64,
    /// Running averages and the like, each as long as the tensor.
    pub slots: Vec<Vec<E>>,
}

/// How one tensor's elements follow their gradients.
pub trait Rule {
    /// The optimiser's name.
    const NAME: &'static str;
    /// The names of the slots.
    const SLOTS: &'static [&'static str];

    /// Updates the elements; `step` counts this tensor's updates from 1. Elements whose gradient is
    /// not finite stay as they are; the first of them is returned.
    fn update<E: Dtype>(&self, rate: f64, step: u64, tensor: Update<'_, E>) -> Option<usize>;
}

/// A tensor, its gradient and its slots, all of one length.
pub struct Update<'a, E> {
    /// The elements.
    pub value: &'a mut [E],
    /// Their gradients.
    pub gradient: &'a mut [E],
    /// The optimiser's slots.
    pub slots: &'a mut [Vec<E>],
}

/// An optimiser: a rule, learning rates, and the state of each tensor.
///
/// Made through its aliases: [`Adam::new`], [`ClippedAdam::new`], [`Sgd::new`].
#[derive(Clone, Debug)]
pub struct Optim<R, E> {
    rule: R,
    rate: f64,
    rates: Vec<(String, f64)>,
    state: IndexMap<String, TensorState<E>>,
}

impl<R: Rule, E: Dtype> Optim<R, E> {
    /// An optimiser by the given rule.
    ///
    /// # Panics
    /// If the learning rate is not positive and finite.
    #[track_caller]
    pub fn with_rule(rule: R, learning_rate: f64) -> Self {
        check_rate(learning_rate);
        Optim { rule, rate: learning_rate, rates: Vec::new(), state: IndexMap::new() }
    }

    /// Another learning rate for the tensors whose full name is `pattern`, or begins with it where it
    /// ends in `*` (`"decoder.*"`). Of several that fit, the last given counts.
    ///
    /// # Panics
    /// If the learning rate is negative or not finite; 0 freezes the tensors.
    #[must_use]
    #[track_caller]
    pub fn rate_for(mut self, pattern: impl Into<String>, learning_rate: f64) -> Self {
        assert!(learning_rate >= 0.0 && learning_rate.is_finite(), "a learning rate of {learning_rate}");
        self.rates.push((pattern.into(), learning_rate));
        self
    }

    /// The learning rate of all tensors that have none of their own.
    pub fn learning_rate(&self) -> f64 {
        self.rate
    }

    /// Changes the learning rate of all tensors that have none of their own.
    ///
    /// # Panics
    /// If it is not positive and finite.
    #[track_caller]
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        check_rate(learning_rate);
        self.rate = learning_rate;
    }

    fn rate_of(&self, name: &str) -> f64 {
        let own = self.rates.iter().rev().find(|(pattern, _)| fits(pattern, name));
        own.map_or(self.rate, |(_, rate)| *rate)
    }
}

#[track_caller]
fn check_rate(rate: f64) {
    assert!(rate > 0.0 && rate.is_finite(), "a learning rate must be positive and finite, but it is {rate}");
}

/// Whether a name is the pattern, or begins with what stands before its final `*`.
fn fits(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

impl<R: Rule, E: Dtype> Optim<R, E> {
    /// Updates the tensors of one module, for training loops without a model; `name` begins their
    /// full names.
    ///
    /// # Errors
    /// As [`Optimizer::step`].
    pub fn step_module<D: Backend<E>, M: Module<E, D>>(
        &mut self,
        name: &str,
        module: &mut M,
        grads: &mut Gradients<E, D>,
    ) -> Result<(), Error> {
        let mut result = Ok(());
        module.visit_mut(&mut VisitorMut::new(name, &mut |name, tensor| {
            let updated = self.step_tensor(name, tensor, grads);
            result = std::mem::replace(&mut result, Ok(())).and(updated);
        }));
        result
    }

    fn step_tensor<D: Backend<E>>(
        &mut self,
        name: &str,
        tensor: &mut dyn ParamTensor<E, D>,
        grads: &mut Gradients<E, D>,
    ) -> Result<(), Error> {
        let rate = self.rate_of(name);
        if !self.state.contains_key(name) {
            self.state.insert(name.to_owned(), TensorState { steps: 0, slots: Vec::new() });
        }
        let state = &mut self.state[name];
        let rule = &self.rule;
        let mut bad = None;
        tensor.update(grads, &mut |value, gradient| {
            state.slots.resize_with(R::SLOTS.len(), || vec![E::of(0.0); value.len()]);
            state.steps += 1;
            let element = rule.update(rate, state.steps, Update { value, gradient, slots: &mut state.slots });
            bad = element.map(|element| (element, gradient[element].wide()));
        })?;
        bad.map_or(Ok(()), |(element, gradient)| {
            Err(Error::NonFiniteGradient { param: name.to_owned(), gradient, element, step: None })
        })
    }
}

impl<R: Rule, E: Dtype, D: Backend<E>> Optimizer<E, D> for Optim<R, E> {
    fn step(&mut self, params: &mut ParamStore<E, D>, grads: &mut Gradients<E, D>) -> Result<(), Error> {
        let mut result = Ok(());
        params.each_used_tensor_mut(|name, tensor| {
            let updated = self.step_tensor(name, tensor, grads);
            result = std::mem::replace(&mut result, Ok(())).and(updated);
        });
        result
    }

    fn name(&self) -> &'static str {
        R::NAME
    }

    fn slots(&self) -> &'static [&'static str] {
        R::SLOTS
    }

    fn state(&self) -> &IndexMap<String, TensorState<E>> {
        &self.state
    }

    fn set_state(&mut self, state: IndexMap<String, TensorState<E>>) {
        self.state = state;
    }
}
