//! Relaxed categories: rows of the simplex near its corners, which have gradients, and their
//! logarithms and straight-through form.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::Gumbel;

use crate::backend::{Backend, Blocks};
use crate::constraint::{Positive, Real, RealVector, Simplex, Support, simplex_slack};
use crate::distribution::{Distribution, Expand, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::functions::apply;
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::one_hot_categorical::{OneHotCategorical, StraightThrough};
use super::rows::batch_of;
use super::shapes::{WithoutLast, check_value_shape, elements, number_at};
use super::univariate::draws::draws;
use super::weights::{Form, Weights};

// Density and draw of one row.
mod functions;

use functions::{Draw, LogProb, Scale};

/// Logarithms of weights and a temperature.
#[derive(Clone, Debug)]
struct Relaxed<S: Shape, E: Dtype, D: Backend<E>> {
    temperature: Operand<WithoutLast<S>, E, D>,
    weights: Weights<S, E, D>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Relaxed<S, E, D> {
    #[track_caller]
    fn new(
        name: &'static str,
        temperature: Operand<WithoutLast<S>, E, D>,
        form: Form,
        weights: Operand<S, E, D>,
    ) -> Self {
        let weights = Weights::new(name, form, weights);
        if let Some(shape) = temperature.shape() {
            check_value_shape(name, shape, batch_of(weights.rows.shape()));
        }
        Relaxed { temperature, weights }
    }

    #[track_caller]
    fn expand<R: Shape>(&self, shape: R) -> Relaxed<R, E, D> {
        Relaxed { temperature: self.temperature.expand(batch_of(shape)), weights: self.weights.expand(shape) }
    }

    /// What each argument's rows are repeated over.
    fn blocks(&self) -> Blocks<3> {
        let (rows, count) = (&self.weights.rows, self.weights.rows.count());
        Blocks { count, of: [count, self.temperature.flat().numel(), rows.own_count()] }
    }

    fn beside(&self, first: Flat<E, D>) -> [Flat<E, D>; 3] {
        [first, self.temperature.flat(), self.weights.rows.own().clone()]
    }

    fn log_prob(&self, name: &'static str, value: &Tensor<S, E, D>, scale: Scale) -> Tensor<WithoutLast<S>, E, D> {
        let Weights { form, rows } = &self.weights;
        let value = elements(name, value, rows.shape());
        let f = LogProb { form: *form, len: rows.len(), scale, slack: simplex_slack::<E>(rows.len()) };
        D::blocks(f, self.beside(value), self.blocks()).reshape_like(&batch_of(rows.shape()))
    }

    fn draw(&self, rng: &mut Rng, scale: Scale) -> Tensor<S, E, D> {
        let Weights { form, rows } = &self.weights;
        let gumbel = Gumbel::new(0.0, 1.0).expect("a scale of 1");
        let noise = draws(rows.shape().num_elements(), rng, |_, rng| rng.sample(gumbel));
        let f = Draw { form: *form, len: rows.len(), scale, tiny: E::min_positive_value().wide() };
        D::blocks(f, self.beside(Flat::vector(noise)), self.blocks()).reshape_like(&rows.shape())
    }

    fn check(&self) -> Result<(), ParameterError> {
        check_parameter("temperature", &self.temperature, &Positive)?;
        match self.weights.form {
            Form::Probs => self.weights.rows.check_each("probs", &Positive),
            Form::Logits => self.weights.rows.check_each("logits", &Real),
        }
    }

    fn shown(&self, element: usize) -> Vec<(&'static str, f64)> {
        let temperature = ("temperature", number_at(&self.temperature, element));
        std::iter::once(temperature).chain(self.weights.shown(element)).collect()
    }
}

/// A differentiable stand-in for a one-hot row: the softmax of logits with Gumbel noise, divided by a
/// temperature. The lower that is, the nearer a draw is to a corner of the simplex; its largest
/// coordinate is k with probability pₖ, whatever the temperature τ.
///
/// Density: Γ(K) τ^(K − 1) Π pₖ xₖ^(−τ − 1) / (Σ pₖ xₖ^(−τ))^K on the simplex, with respect to all
/// coordinates but one. On its edge the limit, ∞ or 0, counts.
///
/// Shapes: `probs` or `logits` have the batch's axes and one more, the last, with the K categories; the
/// temperature has the batch's shape or is a number. Values have the shape of `probs`; no coordinate of
/// a draw is 0.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::RelaxedOneHotCategorical, rng::Rng};
/// let soft = RelaxedOneHotCategorical::new(0.5, Tensor::<_, f64>::from([0.2, 0.3, 0.5]));
/// let sum: f64 = soft.draw(&mut Rng::seed(1)).to_vec().iter().sum();
/// assert!((sum - 1.0).abs() < 1e-15);
/// ```
///
/// Reference: Maddison, Mnih, Teh, *The Concrete Distribution*, 2017; Jang, Gu, Poole, *Categorical
/// Reparameterization with Gumbel-Softmax*, 2017.
#[derive(Clone, Debug)]
pub struct RelaxedOneHotCategorical<S: Shape, E: Dtype, D: Backend<E>> {
    relaxed: Relaxed<S, E, D>,
}

/// The logarithms of a [`RelaxedOneHotCategorical`], which low temperatures do not underflow.
///
/// Density: that of the exponentials times their product, with respect to all coordinates but one. As
/// in torch it is not asked whether the exponentials sum to 1.
///
/// Shapes: those of [`RelaxedOneHotCategorical`].
///
/// Reference: Maddison, Mnih, Teh, *The Concrete Distribution*, 2017, appendix C.3.
#[derive(Clone, Debug)]
pub struct ExpRelaxedCategorical<S: Shape, E: Dtype, D: Backend<E>> {
    relaxed: Relaxed<S, E, D>,
}

macro_rules! relaxed {
    ($Name:ident, $name:literal, $scale:expr, $support:expr) => {
        impl<S: Shape, E: Dtype, D: Backend<E>> $Name<S, E, D> {
            /// The temperature, a number or one for each element of the batch, and probabilities, or
            /// weights in proportion to them, of the categories along the last axis.
            ///
            /// # Panics
            /// If `probs` is a number or has no categories, or the sizes of a batch differ.
            #[track_caller]
            pub fn new(temperature: impl IntoTensor<WithoutLast<S>, E, D>, probs: impl IntoTensor<S, E, D>) -> Self {
                $Name { relaxed: Relaxed::new($name, temperature.into_operand(), Form::Probs, probs.into_operand()) }
            }

            /// The temperature, and logarithms of the probabilities, up to a constant for each element
            /// of the batch.
            ///
            /// # Panics
            /// If `logits` is a number or has no categories, or the sizes of a batch differ.
            #[track_caller]
            pub fn from_logits(
                temperature: impl IntoTensor<WithoutLast<S>, E, D>,
                logits: impl IntoTensor<S, E, D>,
            ) -> Self {
                $Name { relaxed: Relaxed::new($name, temperature.into_operand(), Form::Logits, logits.into_operand()) }
            }

            /// The temperature of each element of the batch.
            pub fn temperature(&self) -> Tensor<WithoutLast<S>, E, D> {
                self.relaxed.temperature.spread(self.batch_shape())
            }

            /// The normalised log-probabilities of all categories.
            pub fn logits(&self) -> Tensor<S, E, D> {
                self.relaxed.weights.logits()
            }

            /// The normalised probabilities of all categories.
            pub fn probs(&self) -> Tensor<S, E, D> {
                self.relaxed.weights.probs()
            }
        }

        impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for $Name<S, E, D> {
            type Expanded = $Name<R, E, D>;
            type ExpandedBatch = WithoutLast<R>;

            /// The last axis of `shape` has the categories, as that of the parameter.
            #[track_caller]
            fn expand(&self, shape: R) -> $Name<R, E, D> {
                $Name { relaxed: self.relaxed.expand(shape) }
            }
        }

        impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for $Name<S, E, D> {
            type Value = Tensor<S, E, D>;
            type Batch = WithoutLast<S>;

            fn name(&self) -> &'static str {
                $name
            }
            fn batch_shape(&self) -> WithoutLast<S> {
                batch_of(self.relaxed.weights.rows.shape())
            }
            fn event_dims(&self) -> Vec<usize> {
                vec![self.relaxed.weights.rows.len()]
            }
            fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
                self.relaxed.draw(rng, $scale)
            }
            fn has_rsample(&self) -> bool {
                true
            }
            fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<WithoutLast<S>, E, D> {
                self.relaxed.log_prob($name, value, $scale)
            }
            fn support(&self) -> Support<E, D> {
                Arc::new($support)
            }
            fn check_parameters(&self) -> Result<(), ParameterError> {
                self.relaxed.check()
            }
            fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
                self.relaxed.shown(element)
            }
        }
    };
}

relaxed!(RelaxedOneHotCategorical, "RelaxedOneHotCategorical", Scale::Simplex, Simplex);
relaxed!(ExpRelaxedCategorical, "ExpRelaxedCategorical", Scale::Logarithms, RealVector);

/// One-hot rows whose draws carry the gradient of the [`RelaxedOneHotCategorical`] that they are the
/// nearest corner of: the straight-through Gumbel-softmax estimator.
///
/// It is biased: ∂f/∂x is taken at the corner and multiplied by the slope of the relaxed row, so that
/// it is not the gradient of the expectation at any temperature. A low one lessens the bias and swells
/// the variance.
///
/// The rows themselves are exactly those of a [`OneHotCategorical`], and so are log-probabilities,
/// moments and support. (Pyro scores the relaxed row that a draw came from; a value here is the corner
/// alone.)
///
/// Shapes: those of [`RelaxedOneHotCategorical`].
///
/// Reference: Jang, Gu, Poole, *Categorical Reparameterization with Gumbel-Softmax*, 2017, section 2.2.
#[derive(Clone, Debug)]
pub struct RelaxedOneHotCategoricalStraightThrough<S: Shape, E: Dtype, D: Backend<E>> {
    relaxed: RelaxedOneHotCategorical<S, E, D>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> RelaxedOneHotCategoricalStraightThrough<S, E, D> {
    /// As [`RelaxedOneHotCategorical::new`].
    ///
    /// # Panics
    /// If `probs` is a number or has no categories.
    #[track_caller]
    pub fn new(temperature: impl IntoTensor<WithoutLast<S>, E, D>, probs: impl IntoTensor<S, E, D>) -> Self {
        Self { relaxed: RelaxedOneHotCategorical::new(temperature, probs) }
    }

    /// As [`RelaxedOneHotCategorical::from_logits`].
    ///
    /// # Panics
    /// If `logits` is a number or has no categories.
    #[track_caller]
    pub fn from_logits(temperature: impl IntoTensor<WithoutLast<S>, E, D>, logits: impl IntoTensor<S, E, D>) -> Self {
        Self { relaxed: RelaxedOneHotCategorical::from_logits(temperature, logits) }
    }

    /// The distribution of the values.
    fn hard(&self) -> OneHotCategorical<S, E, D> {
        OneHotCategorical::of(self.relaxed.relaxed.weights.clone())
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for RelaxedOneHotCategoricalStraightThrough<S, E, D> {
    type Expanded = RelaxedOneHotCategoricalStraightThrough<R, E, D>;
    type ExpandedBatch = WithoutLast<R>;

    /// The last axis of `shape` has the categories, as that of the parameter.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        RelaxedOneHotCategoricalStraightThrough { relaxed: self.relaxed.expand(shape) }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for RelaxedOneHotCategoricalStraightThrough<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = WithoutLast<S>;

    fn name(&self) -> &'static str {
        "RelaxedOneHotCategoricalStraightThrough"
    }
    fn batch_shape(&self) -> WithoutLast<S> {
        self.relaxed.batch_shape()
    }
    fn event_dims(&self) -> Vec<usize> {
        self.relaxed.event_dims()
    }
    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let soft = self.relaxed.draw(rng);
        let (shape, len) = (soft.shape(), self.relaxed.relaxed.weights.rows.len());
        let corner = |row: &[E]| {
            let largest = (0..len).fold(0, |best, k| if row[k] > row[best] { k } else { best });
            (0..len).map(move |k| E::of(f64::from(k == largest)))
        };
        let hard = soft.read(|values| values.chunks_exact(len).flat_map(corner).collect());
        apply(StraightThrough, [Flat::vector(hard), soft.into_flat()], shape)
    }
    fn has_rsample(&self) -> bool {
        true
    }
    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<WithoutLast<S>, E, D> {
        self.hard().log_prob(value)
    }
    fn support(&self) -> Support<E, D> {
        self.hard().support()
    }
    fn mean(&self) -> Option<Tensor<S, E, D>> {
        self.hard().mean()
    }
    fn variance(&self) -> Option<Tensor<S, E, D>> {
        self.hard().variance()
    }
    fn entropy(&self) -> Option<Tensor<WithoutLast<S>, E, D>> {
        self.hard().entropy()
    }
    fn enumerate_support(&self) -> Option<Vec<Tensor<S, E, D>>> {
        self.hard().enumerate_support()
    }
    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.relaxed.check_parameters()
    }
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.relaxed.parameters_at(element)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::{Const, Cpu};

    #[test]
    fn low_temperatures_do_not_reach_the_edge() {
        let soft = RelaxedOneHotCategorical::from_logits(0.01, Tensor::<_, f32, Cpu>::from([1.0, 0.0, -2.0]));
        let soft = soft.expand((Const::<1000>, Const::<3>));
        let draw = soft.draw(&mut Rng::seed(1));
        assert!(draw.to_vec().iter().all(|&x| x > 0.0));
        assert!(soft.log_prob(&draw).to_vec().iter().all(|l| l.is_finite()));
    }

    #[test]
    fn temperatures_may_differ_in_a_batch() {
        let probs = Tensor::<_, f64, Cpu>::from([[0.2, 0.8], [0.2, 0.8]]);
        let x = Tensor::from([[0.25, 0.75], [0.25, 0.75]]);
        let both = RelaxedOneHotCategorical::new(Tensor::from([0.5, 2.0]), &probs).log_prob(&x).to_vec();
        for (at, temperature) in [0.5, 2.0].into_iter().enumerate() {
            assert_eq!(RelaxedOneHotCategorical::new(temperature, &probs).log_prob(&x).to_vec()[at], both[at]);
        }
    }

    #[test]
    fn straight_through_draws_have_the_gradient_of_the_relaxed() {
        let logits = Tensor::<_, f64, Cpu>::from([[0.3, -1.0, 2.0], [0.0, 0.5, -0.5]]).tracked();
        let weight = Tensor::from([[1.0, 2.0, 4.0], [-1.0, 0.5, 3.0]]);
        let soft = || RelaxedOneHotCategorical::from_logits(0.7, &logits).draw(&mut Rng::seed(3));
        let hard = || RelaxedOneHotCategoricalStraightThrough::from_logits(0.7, &logits).draw(&mut Rng::seed(3));
        let (_, expected) = grad(|| (soft() * &weight).sum_all());
        let (_, found) = grad(|| (hard() * &weight).sum_all());
        assert_eq!(found.get(&logits), expected.get(&logits));
        for (soft, hard) in soft().to_vec().chunks(3).zip(hard().to_vec().chunks(3)) {
            let largest = soft.iter().copied().fold(0.0, f64::max);
            assert!(soft.iter().zip(hard).all(|(s, h)| *h == f64::from(*s == largest)));
        }
    }

    // Each of three frequencies of 20 000 draws is off by more than five standard errors with
    // probability 6e-7.
    #[test]
    fn straight_through_draws_are_categories() {
        let probs = Tensor::<_, f64, Cpu>::from([0.1, 0.6, 0.3]);
        let hard = RelaxedOneHotCategoricalStraightThrough::new(0.3, &probs).expand((Const::<20000>, Const::<3>));
        let draws = hard.draw(&mut Rng::seed(7)).to_vec();
        for (k, p) in probs.to_vec().into_iter().enumerate() {
            let frequency = draws.iter().skip(k).step_by(3).sum::<f64>() / 20_000.0;
            assert!((frequency - p).abs() < 5.0 * (p * (1.0 - p) / 20_000.0).sqrt(), "{k}: {frequency}");
        }
        assert!(hard.log_prob(&hard.draw(&mut Rng::seed(8))).to_vec().iter().all(|l| l.is_finite()));
    }
}
