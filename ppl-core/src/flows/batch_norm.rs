//! Batch normalisation as a flow.

use crate::Cpu;
use crate::autodiff::{Gradients, no_grad};
use crate::backend::{Backend, Layers, Reduction};
use crate::dtype::Dtype;
use crate::error::{Error, ShapeError};
use crate::params::{Init, Module, ParamTensor, Visitor, VisitorMut};
use crate::tensor::{Flat, Tensor};

use super::bijection::{Bijection, flow};
use super::columns::{repeated, row_sums};
use super::memory::{Memory, Pair};
use super::scale_shift::{scaled, unscaled};

/// What is added to variances, as in Pyro.
const EPSILON: f64 = 1e-5;

/// Rows with a mean and a variance of their own: y = mean + √(variance + 10⁻⁵) exp(−log_gamma) (x − beta);
/// the way back standardises values, then scales and shifts them by two learned parameters.
///
/// Mean and variance are kept beside the parameters (in checkpoints too) but never optimised. Nothing
/// changes them but [`update_statistics`](super::Flow::update_statistics), which the training loop calls
/// with the values it has seen. So a run has no hidden state, and evaluation is a fixed flow.
///
/// In training (after [`BatchNorm::training`]) the way back uses mean and variance of the rows that
/// it is given, if there are at least two, and gradients flow through them. ln |det J| is then that
/// of the map with these statistics held fixed, as usual; a row's term is not a density of that
/// row alone. Draws use the kept statistics in either case.
///
/// ```
/// use ppl_core::flows::{BatchNorm, Flow};
/// use ppl_core::{Tensor, params::Init, rng::Rng, transform::Transform};
/// let mut flow = BatchNorm::<f64>::new(&mut Init::new(Rng::seed(0)), 1).with_momentum(1.0);
/// let data = Tensor::vector(vec![1.0, 2.0, 3.0, 4.0]);
/// flow.update_statistics(&data);
/// assert_eq!(flow.mean().to_vec(), [2.5]);
/// assert!(flow.inverse(data).sum_all().item().abs() < 1e-12);
/// ```
///
/// References: Dinh, Sohl-Dickstein and Bengio, *Density estimation using Real NVP*, ICLR 2017, sec. 3.7
/// and appendix E; Papamakarios, Pavlakou and Murray, *Masked Autoregressive Flow for Density
/// Estimation*, NeurIPS 2017.
#[derive(Clone, Debug)]
pub struct BatchNorm<E: Dtype = f32, D: Backend<E> = Cpu> {
    beta: Tensor<(usize,), E, D>,
    log_gamma: Tensor<(usize,), E, D>,
    mean: Statistic<E, D>,
    variance: Statistic<E, D>,
    momentum: f64,
    training: bool,
    memory: Memory<E, D>,
}

/// A tensor of a module that no optimiser changes.
#[derive(Clone, Debug)]
pub struct Statistic<E: Dtype, D: Backend<E>>(Flat<E, D>);

impl<E: Dtype, D: Backend<E>> ParamTensor<E, D> for Statistic<E, D> {
    fn dims(&self) -> Vec<usize> {
        self.0.dims()
    }

    fn to_vec(&self) -> Vec<E> {
        self.0.to_vec()
    }

    /// It is no leaf of differentiation.
    fn track(&mut self) {}

    fn untrack(&mut self) {}

    /// It stays as it is.
    fn update(&mut self, _: &mut Gradients<E, D>, _: &mut dyn FnMut(&mut [E], &mut [E])) -> Result<(), Error> {
        Ok(())
    }

    fn gradient(&self, _: &Gradients<E, D>) -> Option<Vec<E>> {
        None
    }

    fn weighed(&self, _: Vec<E>) -> Result<Option<Tensor<(), E, D>>, ShapeError> {
        Ok(None)
    }

    fn put(&mut self, numbers: &Flat<E, D>) -> Result<(), ShapeError> {
        self.set(&numbers.to_vec())
    }

    fn learns(&self) -> bool {
        false
    }

    fn set(&mut self, values: &[E]) -> Result<(), ShapeError> {
        self.0 = Tensor::try_from_vec(values.to_vec(), self.0.shape())?;
        Ok(())
    }
}

impl<E: Dtype, D: Backend<E>> BatchNorm<E, D> {
    /// A flow over rows of `len` numbers: mean 0 and variance 1, no scale and no shift, momentum 0.1.
    ///
    /// # Panics
    /// If rows have no numbers.
    #[track_caller]
    pub fn new(init: &mut Init<E, D>, len: usize) -> Self {
        assert!(len > 0, "BatchNorm: rows without numbers");
        let mut all = |value| init.constant((len,), value);
        let (beta, log_gamma) = (all(0.0), all(0.0));
        let (mean, variance) = (Statistic(all(0.0)), Statistic(all(1.0)));
        BatchNorm { beta, log_gamma, mean, variance, momentum: 0.1, training: false, memory: Memory::new() }
    }

    /// The flow with another weight of new statistics against the kept ones.
    ///
    /// # Panics
    /// Unless it is within [0, 1].
    #[must_use]
    #[track_caller]
    pub fn with_momentum(self, momentum: f64) -> Self {
        assert!((0.0..=1.0).contains(&momentum), "BatchNorm: the momentum is {momentum}");
        BatchNorm { momentum, ..self }
    }

    /// The flow with statistics of the batch on its way back.
    #[must_use]
    pub fn training(self) -> Self {
        BatchNorm { training: true, memory: Memory::new(), ..self }
    }

    /// The kept means.
    pub fn mean(&self) -> &Flat<E, D> {
        &self.mean.0
    }

    /// The kept variances.
    pub fn variance(&self) -> &Flat<E, D> {
        &self.variance.0
    }

    /// Mean and variance for the way back.
    fn statistics(&self, y: &Flat<E, D>, rows: usize) -> [Flat<E, D>; 2] {
        if self.training && rows > 1 {
            batch_statistics(y, rows, self.row_len())
        } else {
            [self.mean.0.clone(), self.variance.0.clone()]
        }
    }

    /// The logarithm of the scale from x to y.
    fn log_scale(&self, variance: &Flat<E, D>) -> Flat<E, D> {
        (variance + E::of(EPSILON)).ln() * E::of(0.5) - &self.log_gamma
    }

    fn pushed(&self, x: &Flat<E, D>, [mean, variance]: [Flat<E, D>; 2], rows: usize) -> [Flat<E, D>; 2] {
        let log_scale = repeated(&self.log_scale(&variance), rows);
        let y = scaled(x - repeated(&self.beta, rows), repeated(&mean, rows), log_scale.clone());
        [y, row_sums(log_scale, rows, self.row_len())]
    }
}

/// Mean and variance (without Bessel's correction) of each column.
fn batch_statistics<E: Dtype, D: Backend<E>>(y: &Flat<E, D>, rows: usize, len: usize) -> [Flat<E, D>; 2] {
    let layers = Layers { outer: 1, axis: rows, inner: len };
    let mean = |x: Flat<E, D>| D::reduce(x, layers, Reduction::Sum) / E::of(rows as f64);
    let center = mean(y.clone());
    let variance = mean((y - repeated(&center, rows)).square());
    [center, variance]
}

impl<E: Dtype, D: Backend<E>> Bijection<E, D> for BatchNorm<E, D> {
    const NAME: &'static str = "BatchNorm";

    fn row_len(&self) -> usize {
        self.beta.numel()
    }
    fn memory(&self) -> &Memory<E, D> {
        &self.memory
    }
    fn push(&self, x: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let [y, log_det] = self.pushed(&x, [self.mean.0.clone(), self.variance.0.clone()], rows);
        Pair { x, y, log_det }
    }
    fn pull(&self, y: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let [mean, variance] = self.statistics(&y, rows);
        let log_scale = repeated(&self.log_scale(&variance), rows);
        let x = unscaled(y.clone(), repeated(&mean, rows), log_scale.clone()) + repeated(&self.beta, rows);
        Pair { x, y, log_det: row_sums(log_scale, rows, self.row_len()) }
    }
    fn log_det(&self, _: &Flat<E, D>, y: &Flat<E, D>, rows: usize) -> Flat<E, D> {
        let [_, variance] = self.statistics(y, rows);
        row_sums(repeated(&self.log_scale(&variance), rows), rows, self.row_len())
    }
    fn train(&mut self, training: bool) {
        self.memory.clear();
        self.training = training;
    }
    fn observe(&mut self, y: &Flat<E, D>) {
        let len = self.row_len();
        let rows = y.numel() / len;
        assert!(y.numel() == rows * len, "BatchNorm: {} numbers are not whole rows of {len}", y.numel());
        if rows == 0 {
            return;
        }
        self.memory.clear();
        let momentum = E::of(self.momentum);
        let towards = |old: &Flat<E, D>, new: Flat<E, D>| (old + (new - old) * momentum).detach();
        let [mean, variance] = no_grad(|| batch_statistics(y, rows, len));
        self.mean = Statistic(towards(&self.mean.0, mean));
        self.variance = Statistic(towards(&self.variance.0, variance));
    }
}

flow!(BatchNorm);

impl<E: Dtype, D: Backend<E>> Module<E, D> for BatchNorm<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("beta", &self.beta);
        visitor.field("log_gamma", &self.log_gamma);
        visitor.named("mean", &self.mean);
        visitor.named("variance", &self.variance);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.memory.clear();
        visitor.field("beta", &mut self.beta);
        visitor.field("log_gamma", &mut self.log_gamma);
        visitor.named("mean", &mut self.mean);
        visitor.named("variance", &mut self.variance);
    }
}
