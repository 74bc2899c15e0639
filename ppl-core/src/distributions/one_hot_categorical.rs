//! The categorical distribution over one-hot rows, and its straight-through form.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::{Backend, BlockFunction};
use crate::constraint::{OneHot, Support};
use crate::distribution::{Distribution, Expand, Family, ParameterError};
use crate::dtype::Dtype;
use crate::functions::{Function, apply};
use crate::rng::Rng;
use crate::tensor::{IntoTensor, Tensor};

use super::categorical::Categorical;
use super::rows::batch_of;
use super::shapes::{WithoutLast, elements};
use super::weights::{Form, Weights};

/// One of K categories as a row of zeros with a single 1; probabilities are proportional to `probs`,
/// or given by their logarithms `logits`.
///
/// Probability: Π pₖ^xₖ. Along a value, the slope of the log-probability is ln pₖ (0 where that is −∞),
/// that of the cross-entropy.
///
/// Shapes: `probs` or `logits` have the batch's axes and one more, the last, with the K categories.
/// Values are floats of the parameter's shape.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::OneHotCategorical};
/// let weather = OneHotCategorical::new(Tensor::<_, f64>::from([0.5, 0.25, 0.25]));
/// assert_eq!(weather.log_prob(&Tensor::from([1.0, 0.0, 0.0])).item(), 0.5_f64.ln());
/// ```
///
/// Reference: Bishop, *Pattern Recognition and Machine Learning*, ch. 2.2.
#[derive(Clone, Debug)]
pub struct OneHotCategorical<S: Shape, E: Dtype, D: Backend<E>> {
    pub(super) base: Categorical<S, E, D>,
}

/// [`OneHotCategorical`] whose draws carry the gradient of the probabilities in place of their own,
/// which is 0: the straight-through estimator.
///
/// It is biased: what flows back is Σ ∂f/∂xₖ ∂pₖ/∂θ with ∂f/∂x at the corner that was drawn, in place
/// of Σ f(eₖ) ∂pₖ/∂θ, and the two have the same mean for linear f only. A site that must not be biased
/// takes [`OneHotCategorical`].
///
/// Shapes: those of [`OneHotCategorical`].
///
/// Reference: Bengio, Léonard, Courville, *Estimating or Propagating Gradients Through Stochastic
/// Neurons for Conditional Computation*, 2013.
#[derive(Clone, Debug)]
pub struct OneHotCategoricalStraightThrough<S: Shape, E: Dtype, D: Backend<E>> {
    base: Categorical<S, E, D>,
}

macro_rules! one_hot {
    ($Name:ident, $name:literal, has_rsample = $has_rsample:literal) => {
        impl<S: Shape, E: Dtype, D: Backend<E>> $Name<S, E, D> {
            /// Probabilities, or weights in proportion to them, of the categories along the last axis.
            ///
            /// # Panics
            /// If `probs` is a number or has no categories.
            #[track_caller]
            pub fn new(probs: impl IntoTensor<S, E, D>) -> Self {
                $Name { base: Categorical::named($name, Form::Probs, probs) }
            }

            /// Logarithms of the probabilities, up to a constant for each element of the batch; −∞ for
            /// a category that cannot be.
            ///
            /// # Panics
            /// If `logits` is a number or has no categories.
            #[track_caller]
            pub fn from_logits(logits: impl IntoTensor<S, E, D>) -> Self {
                $Name { base: Categorical::named($name, Form::Logits, logits) }
            }

            /// The normalised log-probabilities of all categories.
            pub fn logits(&self) -> Tensor<S, E, D> {
                self.base.logits()
            }

            /// The normalised probabilities of all categories.
            pub fn probs(&self) -> Tensor<S, E, D> {
                self.base.probs()
            }
        }

        impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for $Name<S, E, D> {
            type Expanded = $Name<R, E, D>;
            type ExpandedBatch = WithoutLast<R>;

            /// The last axis of `shape` has the categories, as that of the parameter.
            #[track_caller]
            fn expand(&self, shape: R) -> $Name<R, E, D> {
                $Name { base: self.base.expand(shape) }
            }
        }

        impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for $Name<S, E, D> {
            type Value = Tensor<S, E, D>;
            type Batch = WithoutLast<S>;

            fn name(&self) -> &'static str {
                $name
            }
            fn batch_shape(&self) -> WithoutLast<S> {
                batch_of(self.base.weights.rows.shape())
            }
            fn event_dims(&self) -> Vec<usize> {
                vec![self.base.categories()]
            }
            fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
                let value = rows_of(&self.base, &self.base.draw_indices(rng));
                if !$has_rsample {
                    return value;
                }
                let probs = self.base.probs();
                let shape = probs.shape();
                apply(StraightThrough, [value.into_flat(), probs.into_flat()], shape)
            }
            fn has_rsample(&self) -> bool {
                $has_rsample
            }
            fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<WithoutLast<S>, E, D> {
                let weights = &self.base.weights;
                let value = elements($name, value, weights.rows.shape());
                let f = LogProb { form: weights.form, len: weights.rows.len() };
                weights.rows.beside(f, value).reshape_like(&self.batch_shape())
            }
            fn support(&self) -> Support<E, D> {
                Arc::new(OneHot)
            }
            fn mean(&self) -> Option<Tensor<S, E, D>> {
                Some(self.base.probs())
            }
            fn variance(&self) -> Option<Tensor<S, E, D>> {
                Some(self.base.weights.variances())
            }
            fn entropy(&self) -> Option<Tensor<WithoutLast<S>, E, D>> {
                self.base.entropy()
            }
            fn enumerate_support(&self) -> Option<Vec<Tensor<S, E, D>>> {
                let count = self.base.weights.rows.count();
                Some((0..self.base.categories()).map(|k| rows_of(&self.base, &vec![k; count])).collect())
            }
            fn family(&self) -> Option<Family<E, D>> {
                let weights = &self.base.weights;
                Some(weights.rows.family(weights.form.named(["OneHotCategorical", "OneHotCategorical of logits"])))
            }
            fn check_parameters(&self) -> Result<(), ParameterError> {
                self.base.check_parameters()
            }
            fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
                self.base.parameters_at(element)
            }
        }
    };
}

impl<S: Shape, E: Dtype, D: Backend<E>> OneHotCategorical<S, E, D> {
    /// Of probabilities that another distribution has.
    pub(super) fn of(weights: Weights<S, E, D>) -> Self {
        OneHotCategorical { base: Categorical { weights } }
    }
}

one_hot!(OneHotCategorical, "OneHotCategorical", has_rsample = false);
one_hot!(OneHotCategoricalStraightThrough, "OneHotCategoricalStraightThrough", has_rsample = true);

/// Categories as one-hot rows.
fn rows_of<S: Shape, E: Dtype, D: Backend<E>>(base: &Categorical<S, E, D>, categories: &[usize]) -> Tensor<S, E, D> {
    let mut values = vec![E::of(0.0); categories.len() * base.categories()];
    for (row, &k) in values.chunks_exact_mut(base.categories()).zip(categories) {
        row[k] = E::of(1.0);
    }
    Tensor::from_vec(values, base.weights.rows.shape())
}

/// The first number, with the slope of the second.
#[derive(Clone, Copy, Debug)]
pub(super) struct StraightThrough;

impl<E: Dtype> Function<E, 2> for StraightThrough {
    fn name(&self) -> &'static str {
        "straight-through"
    }

    #[inline(always)]
    fn value(&self, [hard, _]: [E; 2]) -> E {
        hard
    }

    #[inline(always)]
    fn partials(&self, _: [E; 2], _: E) -> [E; 2] {
        [E::of(0.0), E::of(1.0)]
    }
}

/// The log-probability of a one-hot row: −∞ for any other row.
#[derive(Clone, Copy, Debug)]
struct LogProb {
    form: Form,
    len: usize,
}

/// Where the 1 is in a row of zeros; NaN if an element is.
fn hot(row: &[f64]) -> Result<usize, f64> {
    let mut ones = row.iter().enumerate().filter(|(_, v)| **v == 1.0);
    match (ones.next(), row.iter().filter(|v| **v == 0.0).count() + 1 == row.len()) {
        (Some((k, _)), true) => Ok(k),
        _ if row.iter().any(|v| v.is_nan()) => Err(f64::NAN),
        _ => Err(f64::NEG_INFINITY),
    }
}

impl BlockFunction<2> for LogProb {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.len; 2], 1)
    }

    fn work(&self) -> usize {
        8 * self.len
    }

    fn value(&self, [x, weights]: [&[f64]; 2], out: &mut [f64]) {
        out[0] = match hot(x) {
            Ok(k) => self.form.log_prob(weights[k], self.form.total(weights)),
            Err(none) => none,
        };
    }

    fn pullback(
        &self,
        [x, weights]: [&[f64]; 2],
        out: &[f64],
        upstream: &[f64],
        [to_x, to_weights]: [Option<&mut [f64]>; 2],
    ) {
        let (Ok(k), true) = (hot(x), out[0] > f64::NEG_INFINITY) else { return };
        if let Some(to_x) = to_x {
            let slopes = self.form.log_probs(weights);
            let finite = to_x.iter_mut().zip(&slopes).filter(|(_, slope)| slope.is_finite());
            finite.for_each(|(g, slope)| *g += upstream[0] * slope);
        }
        if let Some(to_weights) = to_weights {
            let mut chosen = vec![0.0; self.len];
            chosen[k] = upstream[0];
            self.form.pullback(weights, &chosen, to_weights);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::{Const, Cpu, Rank2};

    #[test]
    fn rows_that_are_not_one_hot_are_impossible() {
        let one = OneHotCategorical::new(Tensor::<_, f64, Cpu>::from([[0.2, 0.8]; 4]));
        let value = Tensor::from([[1.0, 1.0], [0.0, 0.0], [0.5, 0.5], [0.0, 1.0]]);
        let none = f64::NEG_INFINITY;
        assert_eq!(one.log_prob(&value).to_vec(), [none, none, none, 0.8_f64.ln()]);
    }

    #[test]
    fn straight_through_draws_have_the_gradient_of_the_probabilities() {
        let logits = Tensor::<Rank2<1, 3>, f64, Cpu>::from([[0.3, -1.0, 2.0]]).tracked();
        let weight = Tensor::from([[1.0, 2.0, 4.0]]);
        let one = || OneHotCategoricalStraightThrough::from_logits(&logits);
        let (value, through) = grad(|| (one().draw(&mut Rng::seed(3)) * &weight).sum_all());
        let (_, soft) = grad(|| (one().probs() * &weight).sum_all());
        assert!([1.0, 2.0, 4.0].contains(&value.item()));
        assert_eq!(through.get(&logits), soft.get(&logits));
        assert!(through.get(&logits).unwrap().to_vec().iter().all(|g| *g != 0.0));
    }

    #[test]
    fn the_log_probability_has_slopes_along_values() {
        let value = Tensor::<_, f64, Cpu>::from([0.0, 1.0, 0.0]).tracked();
        let probs = Tensor::from([0.25, 0.75, 0.0]);
        let (_, grads) = grad(|| OneHotCategorical::new(&probs).log_prob(&value));
        assert_eq!(grads.get(&value).unwrap().to_vec(), [0.25_f64.ln(), 0.75_f64.ln(), 0.0]);
    }

    #[test]
    fn a_batch_of_repeated_rows_keeps_one() {
        let probs = Tensor::<_, f64, Cpu>::from([0.25, 0.75]).tracked();
        let one = || OneHotCategorical::new(&probs).expand((Const::<3>, Const::<2>));
        let value = Tensor::from([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]);
        assert_eq!(one().log_prob(&value).to_vec(), [0.25_f64.ln(), 0.75_f64.ln(), 0.25_f64.ln()]);
        let (_, grads) = grad(|| one().log_prob(&value).sum_all());
        let found = grads.get(&probs).unwrap().to_vec();
        assert!((found[0] - 5.0).abs() < 1e-14 && (found[1] - (1.0 / 0.75 - 3.0)).abs() < 1e-14, "{found:?}");
        assert_eq!(one().probs().to_vec(), [0.25, 0.75].repeat(3));
    }
}
