//! Linear state space models with normal noise, as distributions over sequences.

use std::marker::PhantomData;
use std::sync::Arc;

use dfdx::shapes::{ConstShape, Dim, Shape};
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::{Backend, BlockFunction, Blocks};
use crate::constraint::{Real, Support};
use crate::distribution::{Distribution, Expand, ParameterError, check_event};
use crate::dtype::Dtype;
use crate::ops::{Batch, KalmanFilter, StateSpace, Trajectory, Variances, Vectors, check_expands};
use crate::rng::Rng;
use crate::tensor::{Flat, Tensor, shape_from_dims};

use super::MultivariateNormal;
use super::sequence::{MatricesFor, Sequences, SquareMatrices, blocks_of};
use super::shapes::check_value_shape;
use super::univariate::draws::draws;

// The parameters, without the types of their shapes.
mod parameters;

use parameters::{INITIAL, Matrix, Noise, OBSERVATION, TRANSITION};

/// A sequence x₁ … x_T of vectors that is seen of hidden vectors z₀, z₁, …, z_T, which move linearly
/// with normal noise and are summed out:
///
/// z₀ ~ `initial_dist`; zₜ = zₜ₋₁ · `transition_matrix` + noise of `transition_dist`;
/// xₜ = zₜ · `observation_matrix` + noise of `observation_dist`.
///
/// As in Pyro vectors are rows, so the axes of a matrix are (old, new) and (hidden, seen), and the
/// chain starts one step before the first observation. The density is exact, by the Kalman filter;
/// draws carry the gradients of all parameters.
///
/// Shapes: values are `V`, (.., T, d), for hidden vectors of `N` numbers. `initial_dist` has the batch
/// (..) of values; the matrices are (.., T, N, N) and (.., T, N, d), and the other two distributions
/// have the batch (.., T). Leading axes of each may be missing: a `transition_matrix` (N, N) and a
/// `transition_dist` without a batch serve all steps of all sequences.
///
/// ```
/// use ppl_core::{Cpu, Rank2, Tensor, distribution::Distribution};
/// use ppl_core::distributions::{GaussianHmm, MultivariateNormal};
/// // A walk with steps of variance 1 that starts at 0 and is seen with an error of variance 2.
/// let noise = |variance: f64| MultivariateNormal::new(0.0, Tensor::<_, f64>::from([[variance]]));
/// let one = || Tensor::<_, f64>::from([[1.0]]);
/// let hmm = GaussianHmm::<Rank2<3, 1>, _, f64, Cpu>::new(noise(1.0), one(), noise(1.0), one(), noise(2.0));
/// assert_eq!(hmm.mean().unwrap().array(), [[0.0], [0.0], [0.0]]);
/// let last = hmm.filter(&Tensor::from([[0.5], [2.0], [1.0]]));
/// assert_eq!(last.loc().array(), [1.0625]);
/// ```
///
/// Reference: Kalman, *A New Approach to Linear Filtering and Prediction Problems*, 1960.
#[derive(Clone, Debug)]
pub struct GaussianHmm<V: Shape, N: Dim, E: Dtype, D: Backend<E>> {
    initial: Noise<E, D>,
    transition_matrix: Matrix<E, D>,
    transition: Noise<E, D>,
    observation_matrix: Matrix<E, D>,
    observation: Noise<E, D>,
    shape: V,
    hidden: PhantomData<N>,
}

impl<V: Sequences + ConstShape, N: Dim, E: Dtype, D: Backend<E>> GaussianHmm<V, N, E, D> {
    /// The model's parts, for sequences of a shape known at compile time.
    ///
    /// # Panics
    /// As [`GaussianHmm::with_shape`].
    #[track_caller]
    pub fn new<I, F, Q, H, R>(
        initial_dist: MultivariateNormal<I, E, D>,
        transition_matrix: Tensor<F, E, D>,
        transition_dist: MultivariateNormal<Q, E, D>,
        observation_matrix: Tensor<H, E, D>,
        observation_dist: MultivariateNormal<R, E, D>,
    ) -> Self
    where
        I: SquareMatrices<Size = N> + MatricesFor<V::Matrices<N>>,
        F: MatricesFor<V::EachStep<N, N>>,
        Q: MatricesFor<V::EachStep<N, N>>,
        H: MatricesFor<V::EachStep<N, V::Size>>,
        R: MatricesFor<V::EachStep<V::Size, V::Size>>,
    {
        let (matrices, noise) = ((transition_matrix, observation_matrix), (transition_dist, observation_dist));
        Self::with_shape(initial_dist, matrices.0, noise.0, matrices.1, noise.1, V::default())
    }
}

impl<V: Sequences, N: Dim, E: Dtype, D: Backend<E>> GaussianHmm<V, N, E, D> {
    /// The model's parts, and the shape (.., T, d) of sequences.
    ///
    /// # Panics
    /// If vectors are empty, or sizes known only at run time differ, with both shapes.
    #[track_caller]
    pub fn with_shape<I, F, Q, H, R>(
        initial_dist: MultivariateNormal<I, E, D>,
        transition_matrix: Tensor<F, E, D>,
        transition_dist: MultivariateNormal<Q, E, D>,
        observation_matrix: Tensor<H, E, D>,
        observation_dist: MultivariateNormal<R, E, D>,
        shape: V,
    ) -> Self
    where
        I: SquareMatrices<Size = N> + MatricesFor<V::Matrices<N>>,
        F: MatricesFor<V::EachStep<N, N>>,
        Q: MatricesFor<V::EachStep<N, N>>,
        H: MatricesFor<V::EachStep<N, V::Size>>,
        R: MatricesFor<V::EachStep<V::Size, V::Size>>,
    {
        let hmm = GaussianHmm {
            initial: Noise::new(INITIAL, initial_dist),
            transition_matrix: Matrix::new("transition_matrix", transition_matrix),
            transition: Noise::new(TRANSITION, transition_dist),
            observation_matrix: Matrix::new("observation_matrix", observation_matrix),
            observation: Noise::new(OBSERVATION, observation_dist),
            shape,
            hidden: PhantomData,
        };
        let model = hmm.model();
        assert!(model.hidden > 0 && model.seen > 0, "GaussianHmm: vectors without elements");
        let _ = hmm.blocks();
        hmm
    }

    /// The sizes of the batch, T and d.
    fn sizes(&self) -> (Vec<usize>, usize, usize) {
        let dims: Vec<usize> = self.shape.concrete().into();
        let [batch @ .., steps, seen] = dims.as_slice() else { panic!("`Sequences` have two axes") };
        (batch.to_vec(), *steps, *seen)
    }

    fn model(&self) -> StateSpace {
        let (_, steps, seen) = self.sizes();
        let hidden = self.initial.dims().last().copied().unwrap_or(0);
        let [moves, noise, looks, error] = self.step_dims().map(|(_, dims)| dims.len() > 2);
        StateSpace { steps, hidden, seen, per_step: [moves, noise, noise, looks, error, error] }
    }

    /// The parameters of steps that are matrices, with their sizes.
    fn step_dims(&self) -> [(&'static str, Vec<usize>); 4] {
        [
            ("GaussianHmm: transition_matrix", self.transition_matrix.dims.clone()),
            ("GaussianHmm: transition_dist", self.transition.dims()),
            ("GaussianHmm: observation_matrix", self.observation_matrix.dims.clone()),
            ("GaussianHmm: observation_dist", self.observation.dims()),
        ]
    }

    /// How many blocks each argument of the recursions has.
    #[track_caller]
    fn blocks(&self) -> Blocks<9> {
        let ((batch, steps, d), n) = (self.sizes(), self.model().hidden);
        let count = batch.iter().product();
        let initial =
            blocks_of("GaussianHmm: initial_dist", &self.initial.dims(), &[&batch[..], &[n, n]].concat(), n * n);
        let sizes = [[n, n], [n, n], [n, d], [d, d]];
        let each = self.step_dims().into_iter().zip(sizes).map(|((name, dims), [rows, columns])| {
            let whole = [&batch[..], &[steps, rows, columns]].concat();
            let block = if dims.len() > 2 { steps * rows * columns } else { rows * columns };
            blocks_of(name, &dims, &whole, block)
        });
        let each: Vec<usize> = each.collect();
        let [moves, noise, looks, error] = [each[0], each[1], each[2], each[3]];
        Blocks { count, of: [count, initial, initial, moves, noise, noise, looks, error, error] }
    }

    /// A recursion of what is seen, or of noise, and the parameters.
    #[track_caller]
    fn run<F: BlockFunction<9>>(&self, f: F, first: Flat<E, D>) -> Flat<E, D> {
        let [[m0, l0], [b, q], [c, r]] = [&self.initial, &self.transition, &self.observation].map(Noise::flats);
        let (moves, looks) = (self.transition_matrix.flat.clone(), self.observation_matrix.flat.clone());
        D::blocks(f, [first, m0, l0, moves, b, q, looks, c, r], self.blocks())
    }

    /// For each sequence: the log-density, then mean and covariance of the final state.
    #[track_caller]
    fn filtered(&self, value: &Tensor<V, E, D>) -> Flat<E, D> {
        check_value_shape("GaussianHmm", value.shape(), self.shape);
        self.run(KalmanFilter(self.model()), value.flat())
    }

    /// Some of the numbers that [`GaussianHmm::filtered`] gives for each sequence.
    fn part<R: Shape>(&self, filtered: &Flat<E, D>, range: std::ops::Range<usize>, sizes: &[usize]) -> Tensor<R, E, D> {
        let (batch, n) = (self.sizes().0, self.model().hidden);
        let (count, all) = (batch.iter().product::<usize>(), 1 + n + n * n);
        let positions = (0..count).flat_map(|b| b * all + range.start..b * all + range.end).collect();
        let shape =
            shape_from_dims(&[&batch[..], sizes].concat()).expect("the batch's axes and a vector's or matrix's");
        D::take(filtered.clone(), positions).reshape_like(&shape)
    }

    /// The distribution of the final state z_T given what is seen, differentiable as the log-density is.
    ///
    /// # Panics
    /// If the value has another shape, with both.
    #[must_use]
    #[track_caller]
    pub fn filter(&self, value: &Tensor<V, E, D>) -> MultivariateNormal<V::Matrices<N>, E, D> {
        let (found, n) = (self.filtered(value), self.model().hidden);
        let loc: Tensor<Vectors<V::Matrices<N>>, E, D> = self.part(&found, 1..1 + n, &[n]);
        let covariance: Tensor<V::Matrices<N>, E, D> = self.part(&found, 1 + n..1 + n + n * n, &[n, n]);
        MultivariateNormal::new(loc, covariance)
    }

    /// The sequence that is seen where all standard normal noise is as given, and of the right length.
    fn trajectory(&self, noise: Vec<E>) -> Tensor<V, E, D> {
        self.run(Trajectory(self.model()), Flat::vector(noise)).reshape_like(&self.shape)
    }

    /// Numbers of noise in all sequences.
    fn noise_len(&self) -> usize {
        let (model, blocks) = (self.model(), self.blocks());
        blocks.count * ((model.steps + 1) * model.hidden + model.steps * model.seen)
    }
}

impl<V: Sequences, R: Sequences, N: Dim, E: Dtype, D: Backend<E>> Expand<R> for GaussianHmm<V, N, E, D> {
    type Expanded = GaussianHmm<R, N, E, D>;
    type ExpandedBatch = Batch<R>;

    /// The shape is the value's, (.., T, d).
    #[track_caller]
    fn expand(&self, shape: R) -> GaussianHmm<R, N, E, D> {
        let (from, to): (Vec<usize>, Vec<usize>) = (self.shape.concrete().into(), shape.concrete().into());
        check_event(&from, &to, 2);
        check_expands(&from, &to);
        let (n, [batch @ .., steps, d]) = (self.model().hidden, to.as_slice()) else {
            panic!("`Sequences` have two axes")
        };
        let each = |rows: usize, columns: usize| [batch, &[*steps, rows, columns]].concat();
        GaussianHmm {
            initial: self.initial.expand(&[batch, &[n, n]].concat()),
            transition_matrix: self.transition_matrix.expand(&each(n, n)),
            transition: self.transition.expand(&each(n, n)),
            observation_matrix: self.observation_matrix.expand(&each(n, *d)),
            observation: self.observation.expand(&each(*d, *d)),
            shape,
            hidden: PhantomData,
        }
    }
}

impl<V: Sequences, N: Dim, E: Dtype, D: Backend<E>> Distribution<E, D> for GaussianHmm<V, N, E, D> {
    type Value = Tensor<V, E, D>;
    type Batch = Batch<V>;

    fn name(&self) -> &'static str {
        "GaussianHmm"
    }

    fn batch_shape(&self) -> Batch<V> {
        shape_from_dims(&self.sizes().0).expect("the shape of sequences without its last two axes")
    }

    fn event_dims(&self) -> Vec<usize> {
        let (_, steps, seen) = self.sizes();
        vec![steps, seen]
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<V, E, D> {
        self.trajectory(draws(self.noise_len(), rng, |_, rng| rng.sample(StandardNormal)))
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Tensor<V, E, D>) -> Tensor<Batch<V>, E, D> {
        self.part(&self.filtered(value), 0..1, &[])
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Real)
    }

    fn mean(&self) -> Option<Tensor<V, E, D>> {
        Some(self.trajectory(vec![E::of(0.0); self.noise_len()]))
    }

    fn variance(&self) -> Option<Tensor<V, E, D>> {
        Some(self.run(Variances(self.model()), Flat::vector(Vec::new())).reshape_like(&self.shape))
    }

    /// That of the normal distribution which all numbers of a sequence have together: half their number
    /// less the log-density at the mean.
    fn entropy(&self) -> Option<Tensor<Batch<V>, E, D>> {
        let (_, steps, seen) = self.sizes();
        Some(-self.log_prob(&self.mean()?.detach()) + E::of(0.5 * (steps * seen) as f64))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.initial.check()?;
        self.transition_matrix.check()?;
        self.transition.check()?;
        self.observation_matrix.check()?;
        self.observation.check()
    }

    /// The first number of each parameter.
    fn parameters_at(&self, _: usize) -> Vec<(&'static str, f64)> {
        let mut all = self.initial.first().to_vec();
        all.push(self.transition_matrix.first());
        all.extend(self.transition.first());
        all.push(self.observation_matrix.first());
        all.extend(self.observation.first());
        all
    }
}
