//! A rule over the tensors of a store: learning rates, bounds of gradients, and the state of each tensor.

use indexmap::IndexMap;
use ppl_core::address::fits;
use ppl_core::autodiff::Gradients;
use ppl_core::backend::Backend;
use ppl_core::params::{Module, ParamStore, ParamTensor, VisitorMut};
use ppl_core::{Dtype, Error};

use super::clip::{Clip, sum_of_squares};
use super::schedule::{Schedule, Scheduled};
use super::{Optimizer, Rule, TensorState, Update};

/// The slot with the average of a tensor's values.
const AVERAGE: &str = "average";
/// The slot with the sum of the gradients that wait for the next update.
const GRADIENT: &str = "gradient";

/// An optimiser: a rule, learning rates, and the state of each tensor.
///
/// Made through its aliases, such as [`Adam::new`](super::Adam::new), and changed by what follows:
///
/// ```
/// use ppl_infer::optim::{Adam, AdamRule, Clip, Schedule};
///
/// let adam: Adam<f32> = Adam::new(1e-3)
///     .schedule(Schedule::Cosine { warmup: 100, steps: 10_000, floor: 0.01 })
///     .clip(Clip::GlobalNorm(10.0))
///     .rate_for("encoder.*", 1e-4)
///     .rule_for("decoder.*", AdamRule { weight_decay: 1e-4, ..AdamRule::default() })
///     .freeze("embedding")
///     .accumulate(4)
///     .average(0.999);
/// assert_eq!(adam.learning_rate(), 1e-3);
/// ```
#[derive(Clone, Debug)]
pub struct Optim<R, E> {
    rule: R,
    rules: Vec<(String, R)>,
    rate: f64,
    rates: Vec<(String, f64)>,
    scheduled: Scheduled,
    clip: Clip,
    /// How many rounds make an update, and how many of them were seen.
    rounds: (u64, u64),
    average: Option<f64>,
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
        Optim {
            rule,
            rules: Vec::new(),
            rate: learning_rate,
            rates: Vec::new(),
            scheduled: Scheduled::default(),
            clip: Clip::None,
            rounds: (1, 0),
            average: None,
            state: IndexMap::new(),
        }
    }

    /// Another learning rate for the tensors whose full name is `pattern`, or begins with it where it
    /// ends in `*` (`"decoder.*"`). Of several that fit, the last given counts. The schedule changes it as all others.
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

    /// Leaves the tensors of this name or pattern as they are.
    #[must_use]
    pub fn freeze(self, pattern: impl Into<String>) -> Self {
        self.rate_for(pattern, 0.0)
    }

    /// Other options of the rule for the tensors of this name or pattern, as in [`Optim::rate_for`].
    #[must_use]
    pub fn rule_for(mut self, pattern: impl Into<String>, rule: R) -> Self {
        self.rules.push((pattern.into(), rule));
        self
    }

    /// How all learning rates change with the updates.
    ///
    /// # Panics
    /// If the schedule has an option out of its range.
    #[must_use]
    #[track_caller]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.scheduled = Scheduled::new(schedule);
        self
    }

    /// Bounds gradients before the rule sees them.
    ///
    /// # Panics
    /// If the bound is not positive.
    #[must_use]
    #[track_caller]
    pub fn clip(mut self, clip: Clip) -> Self {
        clip.check();
        self.clip = clip;
        self
    }

    /// Takes one update in `rounds` steps, along the mean of their gradients: as one step on a batch as large as
    /// all of theirs. A parameter that a round did not ask for counts as one of gradient 0 there.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    #[track_caller]
    pub fn accumulate(mut self, rounds: u64) -> Self {
        assert!(rounds > 0, "an update needs the gradients of at least one step");
        self.rounds = (rounds, 0);
        self
    }

    /// Keeps an exponential average of each tensor's values: of the last one a share of 1 − `decay`. See
    /// [`Optim::averages`]. Reference: Polyak and Juditsky, *Acceleration of Stochastic Approximation by
    /// Averaging* (1992), with the bias of the start corrected as in Adam.
    ///
    /// # Panics
    /// If `decay` is not within [0, 1).
    #[must_use]
    #[track_caller]
    pub fn average(mut self, decay: f64) -> Self {
        assert!((0.0..1.0).contains(&decay), "the decay of an average lies in [0, 1), but it is {decay}");
        self.average = Some(decay);
        self
    }

    /// The parameters with their averages in the place of their values (unconstrained ones, as they are
    /// optimised); a tensor that was never updated, or without [`Optim::average`], keeps its value.
    pub fn averages<D: Backend<E>>(&self, params: &ParamStore<E, D>) -> ParamStore<E, D> {
        let mut averaged = params.clone();
        let (Some(decay), at) = (self.average, R::SLOTS.len()) else { return averaged };
        averaged.each_tensor_mut(|name, tensor| {
            let Some(state) = self.state.get(name).filter(|state| state.steps > 0) else { return };
            let weight = 1.0 - decay.powf(state.steps as f64);
            let values: Vec<E> = state.slots[at].iter().map(|v| E::of(v.wide() / weight)).collect();
            tensor.set(&values).expect("an average is as long as its tensor");
        });
        averaged
    }

    /// The learning rate of all tensors that have none of their own, without the schedule.
    pub fn learning_rate(&self) -> f64 {
        self.rate
    }

    /// What the schedule makes of that learning rate in the next update.
    pub fn scheduled_rate(&self) -> f64 {
        self.rate * self.scheduled.factor()
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
        last_fitting(&self.rates, name).copied().unwrap_or(self.rate) * self.scheduled.factor()
    }

    fn is_frozen(&self, name: &str) -> bool {
        last_fitting(&self.rates, name).is_some_and(|&rate| rate == 0.0)
    }

    /// Updates the tensors of one module, for training loops without a model; `name` begins their
    /// full names. Neither [`Optim::accumulate`] nor [`Clip::GlobalNorm`] applies: a module is not all there is.
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
            let updated = self.step_tensor(name, tensor, grads, 1.0);
            result = std::mem::replace(&mut result, Ok(())).and(updated);
        }));
        result
    }

    /// Updates one tensor, along its gradient times `factor`, or along those that it holds.
    fn step_tensor<D: Backend<E>>(
        &mut self,
        name: &str,
        tensor: &mut dyn ParamTensor<E, D>,
        grads: &mut Gradients<E, D>,
        factor: f64,
    ) -> Result<(), Error> {
        // A frozen tensor has no velocity, no decay and no step.
        if self.is_frozen(name) {
            return Ok(());
        }
        let (rate, average) = (self.rate_of(name), self.average);
        let slots = self.slot_names().len();
        let state = entry(&mut self.state, name);
        let rule = last_fitting(&self.rules, name).unwrap_or(&self.rule);
        let (clip, mut bad) = (self.clip, None);
        tensor.update(grads, &mut |value, gradient| {
            state.slots.resize_with(slots, || vec![E::of(0.0); value.len()]);
            if state.held > 0 {
                let sum = state.slots.last_mut().expect("the slot of gradients");
                gradient.swap_with_slice(sum);
                sum.fill(E::of(0.0));
                state.held = 0;
            }
            clip.apply(gradient, factor);
            state.steps += 1;
            let update = Update { value, gradient, slots: &mut state.slots[..R::SLOTS.len()] };
            let element = rule.update(rate, state.steps, update);
            bad = element.map(|element| (element, gradient[element].wide()));
            if let Some(decay) = average {
                let (keep, take) = (E::of(decay), E::of(1.0 - decay));
                let averages = &mut state.slots[R::SLOTS.len()];
                averages.iter_mut().zip(value).for_each(|(mean, value)| *mean = keep * *mean + take * *value);
            }
        })?;
        bad.map_or(Ok(()), |(element, gradient)| {
            Err(Error::NonFiniteGradient { param: name.to_owned(), gradient, element, step: None })
        })
    }

    /// Whether gradients are added up before they are used.
    fn holds_gradients(&self) -> bool {
        self.rounds.0 > 1 || matches!(self.clip, Clip::GlobalNorm(_))
    }

    fn slot_names(&self) -> Vec<&'static str> {
        let average = self.average.map(|_| AVERAGE);
        let gradient = self.holds_gradients().then_some(GRADIENT);
        R::SLOTS.iter().copied().chain(average).chain(gradient).collect()
    }

    /// Adds this round's gradients to those that wait.
    fn hold<D: Backend<E>>(&mut self, params: &mut ParamStore<E, D>, grads: &mut Gradients<E, D>) -> Result<(), Error> {
        let slots = self.slot_names().len();
        let mut result = Ok(());
        params.each_used_tensor_mut(|name, tensor| {
            if self.is_frozen(name) {
                return;
            }
            let state = entry(&mut self.state, name);
            let held = tensor.update(grads, &mut |value, gradient| {
                state.slots.resize_with(slots, || vec![E::of(0.0); value.len()]);
                let sum = state.slots.last_mut().expect("the slot of gradients");
                sum.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += *gradient);
                state.held += 1;
            });
            result = std::mem::replace(&mut result, Ok(())).and(held);
        });
        result
    }

    /// What the gradients that wait are multiplied by.
    fn factor(&self) -> f64 {
        let mean = (self.rounds.0 as f64).recip();
        let Clip::GlobalNorm(bound) = self.clip else { return mean };
        let waiting = self.state.values().filter(|state| state.held > 0);
        let squares: f64 = waiting.filter_map(|state| state.slots.last()).map(|sum| sum_of_squares(sum)).sum();
        let norm = mean * squares.sqrt();
        if norm > bound { mean * bound / norm } else { mean }
    }
}

impl<R: Rule, E: Dtype, D: Backend<E>> Optimizer<E, D> for Optim<R, E> {
    fn step(&mut self, params: &mut ParamStore<E, D>, grads: &mut Gradients<E, D>) -> Result<(), Error> {
        let mut result = Ok(());
        let mut note = |updated: Result<(), Error>| result = std::mem::replace(&mut result, Ok(())).and(updated);
        if self.holds_gradients() {
            self.hold(params, grads)?;
            self.rounds.1 += 1;
            if self.rounds.1 < self.rounds.0 {
                return Ok(());
            }
            self.rounds.1 = 0;
            let factor = self.factor();
            params.each_tensor_mut(|name, tensor| {
                if self.state.get(name).is_some_and(|state| state.held > 0) {
                    note(self.step_tensor(name, tensor, grads, factor));
                }
            });
        } else {
            params.each_used_tensor_mut(|name, tensor| note(self.step_tensor(name, tensor, grads, 1.0)));
        }
        self.scheduled.advance();
        result
    }

    fn name(&self) -> &'static str {
        R::NAME
    }

    fn observe(&mut self, loss: f64) {
        self.scheduled.observe(loss);
    }

    fn slots(&self) -> Vec<&'static str> {
        self.slot_names()
    }

    fn state(&self) -> &IndexMap<String, TensorState<E>> {
        &self.state
    }

    fn set_state(&mut self, state: IndexMap<String, TensorState<E>>) {
        self.state = state;
    }

    fn memory(&self) -> Vec<f64> {
        let mut memory = self.scheduled.memory();
        memory.push(self.rounds.1 as f64);
        memory
    }

    fn set_memory(&mut self, memory: &[f64]) {
        if let Some((&rounds, scheduled)) = memory.split_last() {
            self.rounds.1 = rounds as u64;
            self.scheduled.set_memory(scheduled);
        }
    }
}

/// The state of a tensor, made where there is none.
fn entry<'a, E>(state: &'a mut IndexMap<String, TensorState<E>>, name: &str) -> &'a mut TensorState<E> {
    if !state.contains_key(name) {
        state.insert(name.to_owned(), TensorState { steps: 0, held: 0, slots: Vec::new() });
    }
    &mut state[name]
}

#[track_caller]
fn check_rate(rate: f64) {
    assert!(rate > 0.0 && rate.is_finite(), "a learning rate must be positive and finite, but it is {rate}");
}

/// What the last pattern that fits a name stands for.
fn last_fitting<'a, T>(patterns: &'a [(String, T)], name: &str) -> Option<&'a T> {
    patterns.iter().rev().find(|(pattern, _)| fits(pattern, name)).map(|(_, meaning)| meaning)
}
