//! Weighted samples as a distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;

use crate::backend::{Backend, Layers, Reduction};
use crate::constraint::{Real, Support};
use crate::distribution::{Distribution, EndsWith, Expand, Follows, ParameterError, check_event};
use crate::dtype::Dtype;
use crate::ops::check_expands;
use crate::rng::Rng;
use crate::tensor::{Flat, Tensor, shape_from_dims};

use super::shapes::check_value_shape;

/// The distribution that draws one of some stored samples, in proportion to their weights: the
/// result of importance sampling or of a chain, as a distribution.
///
/// Probability of a value: the normalised weight of all samples equal to it; others score −∞.
///
/// Shapes: values have the samples' shape, which is one event; the batch is a single element, or `B`
/// once [expanded](Expand), where each element is a sample of its own.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Empirical};
/// let draws = [1.0, 2.0, 2.0, 4.0].map(Tensor::<(), f64>::scalar);
/// let posterior = Empirical::new(draws.to_vec());
/// assert_eq!(posterior.log_prob(&Tensor::scalar(2.0)).item(), 0.5_f64.ln());
/// assert_eq!(posterior.mean().unwrap().item(), 2.25);
/// ```
#[derive(Clone, Debug)]
pub struct Empirical<S: Shape, E: Dtype, D: Backend<E>, B: Shape = ()> {
    samples: Arc<[Tensor<S, E, D>]>,
    log_weights: Flat<E, D>,
    batch: B,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Empirical<S, E, D> {
    /// Samples of equal weight.
    ///
    /// # Panics
    /// If there is none, or their shapes differ.
    #[track_caller]
    pub fn new(samples: impl Into<Arc<[Tensor<S, E, D>]>>) -> Self {
        let samples = samples.into();
        let log_weights = Flat::vector(vec![E::of(0.0); samples.len()]);
        Self::weighted(samples, log_weights)
    }

    /// Samples with the logarithms of their weights, up to a constant; −∞ for a weight of zero.
    ///
    /// # Panics
    /// If there is no sample, their shapes differ, or there are more or fewer weights than samples.
    #[track_caller]
    pub fn weighted(samples: impl Into<Arc<[Tensor<S, E, D>]>>, log_weights: Tensor<(usize,), E, D>) -> Self {
        let samples = samples.into();
        let (count, weights) = (samples.len(), log_weights.numel());
        assert!(count > 0, "Empirical: no samples");
        assert!(count == weights, "Empirical: {weights} weights for {count} samples");
        if let Some(other) = samples.iter().find(|sample| sample.shape() != samples[0].shape()) {
            panic!("Empirical: samples of shapes {:?} and {:?}", samples[0].dims(), other.dims());
        }
        Empirical { samples, log_weights, batch: () }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>, B: Shape> Empirical<S, E, D, B> {
    /// The stored samples.
    pub fn samples(&self) -> &[Tensor<S, E, D>] {
        &self.samples
    }

    /// The logarithms of the normalised weights.
    pub fn log_weights(&self) -> Tensor<(usize,), E, D> {
        let all = Layers { outer: 1, axis: self.samples.len(), inner: 1 };
        let total = D::reduce(self.log_weights.clone(), all, Reduction::LogSumExp).reshape_like(&());
        &self.log_weights - total
    }

    /// The sizes of values.
    fn dims(&self) -> Vec<usize> {
        let batch: Vec<usize> = self.batch.concrete().into();
        [batch, self.samples[0].dims()].concat()
    }

    /// The shape of values.
    fn shape(&self) -> S::Whole
    where
        S: Follows<B>,
    {
        shape_from_dims(&self.dims()).expect("values have the axes of batch and event")
    }

    /// The same event for each element.
    fn everywhere(&self, event: &Tensor<S, E, D>) -> Tensor<S::Whole, E, D>
    where
        S: Follows<B>,
    {
        let (count, len) = (self.batch.num_elements(), event.numel());
        D::take(event.flat(), (0..count).flat_map(|_| 0..len).collect()).reshape_like(&self.shape())
    }

    /// The log-density of one event.
    fn score(&self, event: &[E]) -> Flat<E, D> {
        let equals = |k: &usize| self.samples[*k].read(|sample| sample == event);
        let equal: Vec<usize> = (0..self.samples.len()).filter(equals).collect();
        let found = Layers { outer: 1, axis: equal.len(), inner: 1 };
        if equal.is_empty() {
            return Flat::vector(vec![E::neg_infinity()]);
        }
        D::reduce(D::take(self.log_weights(), equal.into()), found, Reduction::LogSumExp)
    }

    /// The first of each of the samples that are equal.
    fn distinct(&self) -> Vec<&Tensor<S, E, D>> {
        let mut distinct: Vec<&Tensor<S, E, D>> = Vec::new();
        for sample in self.samples.iter() {
            if !distinct.contains(&sample) {
                distinct.push(sample);
            }
        }
        distinct
    }

    /// The weighted mean of a function of the samples.
    fn averaged(&self, f: impl Fn(&Tensor<S, E, D>) -> Tensor<S, E, D>) -> Tensor<S, E, D> {
        let (count, len) = (self.samples.len(), self.samples[0].numel());
        let weights = self.log_weights().exp();
        let spread = (0..count).flat_map(|k| std::iter::repeat_n(k, len)).collect();
        let each = D::join(self.samples.iter().map(|sample| f(sample).into_flat()).collect());
        let layers = Layers { outer: 1, axis: count, inner: len };
        D::reduce(D::take(weights, spread) * each, layers, Reduction::Sum).reshape_like(&self.samples[0].shape())
    }
}

impl<S, R, E, D, B> Expand<R> for Empirical<S, E, D, B>
where
    S: Shape,
    R: EndsWith<S>,
    E: Dtype,
    D: Backend<E>,
    B: Shape,
{
    type Expanded = Empirical<S, E, D, R::Rest>;
    type ExpandedBatch = R::Rest;

    /// The shape is the value's, which ends with that of a sample.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let (from, to): (Vec<usize>, Vec<usize>) = (self.dims(), shape.concrete().into());
        check_event(&from, &to, S::NUM_DIMS);
        check_expands(&from, &to);
        let batch = shape_from_dims(&to[..R::Rest::NUM_DIMS]).expect("the batch's axes come first");
        Empirical { samples: self.samples.clone(), log_weights: self.log_weights.clone(), batch }
    }
}

impl<S: Follows<B>, E: Dtype, D: Backend<E>, B: Shape> Distribution<E, D> for Empirical<S, E, D, B> {
    type Value = Tensor<S::Whole, E, D>;
    type Batch = B;

    fn name(&self) -> &'static str {
        "Empirical"
    }

    fn batch_shape(&self) -> B {
        self.batch
    }

    fn event_dims(&self) -> Vec<usize> {
        self.samples[0].dims()
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let weights = self.log_weights().to_vec();
        // Rounding may leave the sum below the noise: then the last sample that can be drawn.
        let last = weights.iter().rposition(|w| *w > E::neg_infinity()).unwrap_or(0);
        let drawn = (0..self.batch.num_elements()).map(|_| {
            let noise: f64 = rng.r#gen();
            let mut sum = 0.0;
            let reached = |w: &E| {
                sum += w.wide().exp();
                sum > noise
            };
            self.samples[weights.iter().position(reached).unwrap_or(last)].flat()
        });
        D::join(drawn.collect()).reshape_like(&self.shape())
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<B, E, D> {
        check_value_shape("Empirical", value.shape(), self.shape());
        let (values, len) = (value.to_vec(), self.samples[0].numel());
        let each = (0..self.batch.num_elements()).map(|b| self.score(&values[b * len..(b + 1) * len])).collect();
        D::join(each).reshape_like(&self.batch)
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Real)
    }

    fn mean(&self) -> Option<Self::Value> {
        Some(self.everywhere(&self.averaged(Tensor::clone)))
    }

    fn variance(&self) -> Option<Self::Value> {
        let mean = self.averaged(Tensor::clone);
        Some(self.everywhere(&self.averaged(|sample| (sample - &mean).square())))
    }

    /// Of the distinct samples.
    fn entropy(&self) -> Option<Tensor<B, E, D>> {
        let logs = D::join(self.distinct().into_iter().map(|sample| self.score(&sample.to_vec())).collect());
        let terms = -(logs.exp() * &logs);
        let possible: Vec<bool> = logs.read(|logs| logs.iter().map(|l| *l > E::neg_infinity()).collect());
        Some(terms.select(&possible, 0.0).sum_all().spread(self.batch))
    }

    /// The distinct samples.
    fn enumerate_support(&self) -> Option<Vec<Self::Value>> {
        Some(self.distinct().into_iter().map(|sample| self.everywhere(sample)).collect())
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        let error = |at: usize, value: f64, constraint: &str| ParameterError {
            parameter: "log_weights",
            value,
            element: vec![at],
            constraint: constraint.into(),
        };
        self.log_weights.read(|weights| {
            if let Some(at) = weights.iter().position(|w| w.is_nan() || *w == E::infinity()) {
                return Err(error(at, weights[at].wide(), "a number below infinity"));
            }
            let possible = weights.iter().any(|w| *w > E::neg_infinity());
            if possible { Ok(()) } else { Err(error(0, f64::NEG_INFINITY, "finite for some sample")) }
        })
    }

    /// The weights of the first eight samples.
    fn parameters_at(&self, _: usize) -> Vec<(&'static str, f64)> {
        self.log_weights.read(|weights| weights.iter().take(8).map(|w| ("log_weights", w.wide())).collect())
    }
}
