//! Hidden Markov models with finitely many states, as distributions over sequences.

use dfdx::shapes::Shape;
use rand::Rng as _;

use crate::backend::{Backend, BlockFunction, Blocks, Layers};
use crate::constraint::Support;
use crate::distribution::{Distribution, Expand, ParameterError, check_event, unravel};
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::ops::Batch;
use crate::rng::Rng;
use crate::tensor::{Flat, Tensor, shape_from_dims};
use crate::values::SiteValue;

use super::Categorical;
use super::categorical::reaching;
use super::sequence::{MatricesFor, Sequences, VectorsFor, blocks_of, expanded_dims, repeated};
use super::shapes::WithoutLast;

// Values for each state, and of the states of a path.
mod emission;
// The recursions of one sequence.
mod forward;
// Probabilities of states before anything is seen.
mod marginals;

pub use emission::Emission;
use forward::{Forward, Transitions, normalised};
use marginals::Marginals;

/// A sequence x₁ … x_T that is seen of a hidden chain of states z₀, z₁, …, z_T, each one of K: each x
/// depends on the state of its step alone, and the states are summed out.
///
/// Density: Σ p(z₀) Πₜ p(zₜ | zₜ₋₁) p(xₜ | zₜ) over all z. As in Pyro the chain starts one step before
/// the first observation, so there are as many transitions as observations; a model whose first
/// observed state has the probabilities π and that moves by A from then on has initial logits ln π and,
/// at the first step, the transition logits 0 on the diagonal and −∞ elsewhere.
///
/// Shapes: the observation distribution has the batch (.., T, K), one element for each step and state.
/// `initial_logits` are (.., K); `transition_logits` are (.., T, K, K), the old state before the new
/// one, of which leading axes may be missing: (K, K) is one matrix for all steps. Logits need not be
/// normalised, and −∞ makes a state or transition impossible. Values have the shape (.., T) and the
/// event's axes; the batch is what stands before T. Steps without an observation are those that a
/// [`Distribution::mask`] of the observation distribution leaves out. Draws carry no gradients.
///
/// ```
/// use ppl_core::{Cpu, Rank2, Tensor, distribution::Distribution};
/// use ppl_core::distributions::{DiscreteHmm, Normal};
/// // Two states that rarely change, with means −1 and 1, for three steps.
/// let stay = Tensor::<_, f64>::from([[0.9, 0.1], [0.1, 0.9]]).ln();
/// let means = Tensor::from([[-1.0, 1.0]; 3]);
/// let hmm = DiscreteHmm::new(Tensor::from([0.0, 0.0]), stay, Normal::new(means, 0.5));
/// let seen = Tensor::from([-0.8, -1.3, 1.1]);
/// assert_eq!(hmm.viterbi(&seen).array(), [0, 0, 1]);
/// assert!(hmm.log_prob(&seen).item() < 0.0);
/// ```
///
/// Reference: Rabiner, *A Tutorial on Hidden Markov Models*, 1989.
#[derive(Clone, Debug)]
pub struct DiscreteHmm<P, E: Dtype, D: Backend<E>> {
    initial: Logits<E, D>,
    transitions: Logits<E, D>,
    observation: P,
}

/// Logits with the sizes that they were given with.
#[derive(Clone, Debug)]
struct Logits<E: Dtype, D: Backend<E>> {
    name: &'static str,
    flat: Flat<E, D>,
    dims: Vec<usize>,
}

impl<E: Dtype, D: Backend<E>> Logits<E, D> {
    fn of<S: Shape>(name: &'static str, logits: Tensor<S, E, D>) -> Self {
        Logits { name, dims: logits.dims(), flat: logits.into_flat() }
    }

    /// What [`Categorical`] asks of each row.
    fn check(&self) -> Result<(), ParameterError> {
        let count = self.dims.last().copied().unwrap_or(1);
        let rows: Tensor<(usize, usize), E, D> = self.flat.clone().reshape_like(&(self.flat.numel() / count, count));
        Categorical::from_logits(rows).check_parameters().map_err(|error| {
            let at = error.element.iter().fold(0, |at, &i| at * count + i);
            ParameterError { parameter: self.name, element: unravel(at, &self.dims), ..error }
        })
    }

    /// For a whole batch of logits of the sizes `whole`.
    fn expand(&self, whole: &[usize]) -> Self {
        let dims = expanded_dims(&self.dims, whole);
        Logits { name: self.name, flat: repeated(&self.flat, &self.dims, &dims), dims }
    }

    fn wide(&self) -> Vec<f64> {
        self.flat.read(|values| values.iter().map(|v| v.wide()).collect())
    }
}

impl<P, E: Dtype, D: Backend<E>> DiscreteHmm<P, E, D>
where
    P: Distribution<E, D>,
    P::Batch: Sequences,
{
    /// Logits of the state before the first step, logits of transitions, and the distribution of what
    /// is observed at each step in each state.
    ///
    /// # Panics
    /// If there are no states, or sizes known only at run time differ, with both shapes.
    #[track_caller]
    pub fn new<I, M>(initial_logits: Tensor<I, E, D>, transition_logits: Tensor<M, E, D>, observation: P) -> Self
    where
        I: VectorsFor<<P::Batch as Sequences>::Vectors<<P::Batch as Sequences>::Size>>,
        M: MatricesFor<<P::Batch as Sequences>::EachStep<<P::Batch as Sequences>::Size, <P::Batch as Sequences>::Size>>,
    {
        let initial = Logits::of("initial_logits", initial_logits);
        let transitions = Logits::of("transition_logits", transition_logits);
        let hmm = DiscreteHmm { initial, transitions, observation };
        assert!(hmm.states() > 0, "DiscreteHmm: the last axis of the observations' batch has no states");
        let _ = hmm.blocks();
        hmm
    }

    /// The distribution of what is observed in each state.
    pub fn observation(&self) -> &P {
        &self.observation
    }

    /// The number of states.
    pub fn states(&self) -> usize {
        self.dims().last().copied().unwrap_or(0)
    }

    /// The sizes (.., T, K).
    fn dims(&self) -> Vec<usize> {
        self.observation.batch_shape().concrete().into()
    }

    /// The sizes of the batch, T and K.
    fn sizes(&self) -> (Vec<usize>, usize, usize) {
        let dims = self.dims();
        let [batch @ .., steps, states] = dims.as_slice() else { panic!("`Sequences` have two axes") };
        (batch.to_vec(), *steps, *states)
    }

    fn forward(&self) -> Forward {
        let (_, steps, states) = self.sizes();
        Forward { states, steps, per_step: self.transitions.dims.len() > 2 }
    }

    /// How many blocks each argument of [`Forward`] has.
    #[track_caller]
    fn blocks(&self) -> Blocks<3> {
        let (batch, steps, states) = self.sizes();
        let count = batch.iter().product();
        let vectors = [&batch[..], &[states]].concat();
        let matrices = [&batch[..], &[steps, states, states]].concat();
        let of_initial = blocks_of("DiscreteHmm: initial_logits", &self.initial.dims, &vectors, states);
        let whole = if self.forward().per_step { steps * states * states } else { states * states };
        let of_transitions = blocks_of("DiscreteHmm: transition_logits", &self.transitions.dims, &matrices, whole);
        Blocks { count, of: [of_initial, of_transitions, count] }
    }

    /// Elements before the axis of states, along it, and in one observation.
    fn layers(&self) -> Layers {
        let (batch, steps, states) = self.sizes();
        let outer = batch.iter().product::<usize>() * steps;
        Layers { outer, axis: states, inner: self.observation.event_dims().iter().product() }
    }

    /// A path of states of each sequence, from the initial distribution on.
    fn draw_path(&self, rng: &mut Rng) -> Vec<usize> {
        let (forward, blocks) = (self.forward(), self.blocks());
        let (k, [of_initial, of_matrices, _]) = (forward.states, blocks.of);
        let initial: Vec<f64> = self.initial.wide().chunks_exact(k).flat_map(normalised).map(f64::exp).collect();
        let ([first, matrices, _], _) = forward.lengths();
        let transitions: Vec<Transitions> =
            self.transitions.wide().chunks_exact(matrices.max(1)).map(|logits| Transitions::new(logits, k)).collect();
        let mut choose = |probs: &[f64]| {
            let noise: f64 = rng.r#gen();
            reaching(probs.iter().copied(), |sum| sum > noise)
        };
        let mut path = Vec::with_capacity(blocks.count * forward.steps);
        for b in 0..blocks.count {
            let mut state = choose(&initial[b % of_initial * first..][..k]);
            for step in 0..forward.steps {
                let transitions = &transitions[b % of_matrices];
                state = choose(&transitions.probs[transitions.start(step) + state * k..][..k]);
                path.push(state);
            }
        }
        path
    }
}

impl<P, E: Dtype, D: Backend<E>> DiscreteHmm<P, E, D>
where
    P: Distribution<E, D>,
    P::Batch: Sequences,
    P::Value: Emission<P::Batch, E, D>,
{
    /// The log-density of each observation in each state.
    #[track_caller]
    fn observed(&self, value: &<Self as Distribution<E, D>>::Value) -> Flat<E, D> {
        let (left, right) = (SiteValue::dims(value), self.value_dims());
        if left != right {
            let problem = "the value's shape is not the distribution's";
            panic!("{}", ShapeError { operation: "DiscreteHmm", problem, left, right });
        }
        self.observation.log_prob(&P::Value::for_states(value, self.layers(), &self.state_dims())).into_flat()
    }

    /// The probability of each state at each step, before anything is seen.
    fn marginals(&self) -> Flat<E, D> {
        let Blocks { count, of: [initial, transitions, _] } = self.blocks();
        let args = [self.initial.flat.clone(), self.transitions.flat.clone()];
        D::blocks(Marginals(self.forward()), args, Blocks { count, of: [initial, transitions] })
    }

    /// The sizes of the observation distribution's values.
    fn state_dims(&self) -> Vec<usize> {
        [self.dims(), self.observation.event_dims()].concat()
    }

    fn value_dims(&self) -> Vec<usize> {
        let (batch, steps, _) = self.sizes();
        [batch, vec![steps], self.observation.event_dims()].concat()
    }

    /// The log-density of each sequence, then the log-probabilities of its final state.
    #[track_caller]
    fn run(&self, value: &<Self as Distribution<E, D>>::Value) -> Flat<E, D> {
        let args = [self.initial.flat.clone(), self.transitions.flat.clone(), self.observed(value)];
        D::blocks(self.forward(), args, self.blocks())
    }

    /// The distribution of the final state z_T given the observations, differentiable as the
    /// log-density is. A sequence that cannot be has no such distribution: all its logits are −∞.
    ///
    /// # Panics
    /// If the value has another shape, with both.
    #[track_caller]
    #[allow(clippy::type_complexity, reason = "the batch's axes and the states")]
    pub fn filter(
        &self,
        value: &<Self as Distribution<E, D>>::Value,
    ) -> Categorical<<P::Batch as Sequences>::Vectors<<P::Batch as Sequences>::Size>, E, D> {
        let (batch, _, k) = self.sizes();
        let count = batch.iter().product::<usize>();
        let positions = (0..count).flat_map(|b| b * (k + 1) + 1..(b + 1) * (k + 1)).collect();
        let shape = shape_from_dims(&[batch, vec![k]].concat()).expect("the batch's axes and the states");
        Categorical::from_logits(D::take(self.run(value), positions).reshape_like(&shape))
    }

    /// The most probable states z₁ … z_T given the observations, with z₀ summed out: shape (.., T). A
    /// tie goes to the lower state; a sequence that cannot be has the state 0 throughout.
    ///
    /// # Panics
    /// If the value has another shape, with both.
    #[track_caller]
    pub fn viterbi(&self, value: &<Self as Distribution<E, D>>::Value) -> Tensor<WithoutLast<P::Batch>, usize, D> {
        let (forward, blocks) = (self.forward(), self.blocks());
        let wide = |flat: Flat<E, D>| -> Vec<f64> { flat.read(|values| values.iter().map(|v| v.wide()).collect()) };
        let args = [self.initial.wide(), self.transitions.wide(), wide(self.observed(value))];
        let (lengths, _) = forward.lengths();
        let part = |i: usize, b: usize| &args[i][b % blocks.of[i] * lengths[i]..][..lengths[i]];
        let one = |b: usize| [part(0, b), part(1, b), part(2, b)];
        let path = (0..blocks.count).flat_map(|b| forward.best_path(one(b))).collect();
        let dims = self.dims();
        let shape = shape_from_dims(&dims[..dims.len() - 1]).expect("the observations' batch without states");
        Tensor::from_vec(path, shape)
    }
}

impl<P, R, E, D> Expand<R> for DiscreteHmm<P, E, D>
where
    P: Distribution<E, D> + Expand<R>,
    P::ExpandedBatch: Sequences,
    R: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Expanded = DiscreteHmm<P::Expanded, E, D>;
    type ExpandedBatch = Batch<P::ExpandedBatch>;

    /// The shape is that which the observation distribution takes: its batch ends with T and K.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let whole: Vec<usize> = shape.concrete().into();
        let dims = &whole[..P::ExpandedBatch::NUM_DIMS];
        check_event(&self.observation.batch_shape().concrete().into(), dims, 2);
        let observation = self.observation.expand(shape);
        let [batch @ .., steps, states] = dims else { panic!("`Sequences` have two axes") };
        let initial = self.initial.expand(&[batch, &[*states]].concat());
        let transitions = self.transitions.expand(&[batch, &[*steps, *states, *states]].concat());
        DiscreteHmm { initial, transitions, observation }
    }
}

impl<P, E: Dtype, D: Backend<E>> Distribution<E, D> for DiscreteHmm<P, E, D>
where
    P: Distribution<E, D>,
    P::Batch: Sequences,
    P::Value: Emission<P::Batch, E, D>,
{
    type Value = <P::Value as Emission<P::Batch, E, D>>::Sequence;
    type Batch = Batch<P::Batch>;

    fn name(&self) -> &'static str {
        "DiscreteHmm"
    }

    fn batch_shape(&self) -> Batch<P::Batch> {
        shape_from_dims(&self.sizes().0).expect("the observations' batch without its last two axes")
    }

    /// The steps, then the axes of one observation.
    fn event_dims(&self) -> Vec<usize> {
        [vec![self.sizes().1], self.observation.event_dims()].concat()
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let path = self.draw_path(rng);
        self.observation.draw(rng).detach().along(&path, self.layers(), &self.value_dims())
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<Batch<P::Batch>, E, D> {
        let shape = self.batch_shape();
        let positions = (0..shape.num_elements()).map(|b| b * (self.states() + 1)).collect();
        D::take(self.run(value), positions).reshape_like(&shape)
    }

    fn support(&self) -> Support<E, D> {
        self.observation.support()
    }

    /// Of each observation by itself, before anything is seen.
    fn mean(&self) -> Option<Self::Value> {
        P::Value::mean_over_states(&self.observation.mean()?, self.marginals(), self.layers(), &self.value_dims())
    }

    /// The mean of the states' variances and the variance of their means.
    fn variance(&self) -> Option<Self::Value> {
        let (means, variances, mean) = (self.observation.mean()?, self.observation.variance()?, self.mean()?);
        let centre = P::Value::for_states(&mean, self.layers(), &self.state_dims());
        let spread = P::Value::square_about(&means, &centre, &variances)?;
        P::Value::mean_over_states(&spread, self.marginals(), self.layers(), &self.value_dims())
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.initial.check()?;
        self.transitions.check()?;
        self.observation.check_parameters()
    }

    /// The first logits, then the parameters of the first observation in the first state.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let (_, steps, states) = self.sizes();
        let first = |logits: &Logits<E, D>| (logits.name, logits.wide().first().copied().unwrap_or(f64::NAN));
        let mut all = vec![first(&self.initial), first(&self.transitions)];
        all.extend(self.observation.parameters_at(element * steps * states));
        all
    }
}
