//! Relaxed zeros and ones: numbers between 0 and 1, which have gradients, and their log-odds and
//! straight-through form.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{Distribution, Expand, ParameterError};
use crate::dtype::Dtype;
use crate::functions::{Function, apply};
use crate::rng::Rng;
use crate::tensor::{IntoTensor, Tensor};

use super::bernoulli::Bernoulli;
use super::one_hot_categorical::StraightThrough;
use super::univariate::Front;

// One element, by probability or log-odds, on either scale.
mod law;

use law::Law;

/// How the distribution was given. `LOGIT` says whether values are log-odds.
#[derive(Clone, Debug)]
enum Parameter<const LOGIT: bool, S: Shape, E: Dtype, D: Backend<E>> {
    Probs(Front<Law<true, LOGIT>, S, E, D, 2, 3>),
    Logits(Front<Law<false, LOGIT>, S, E, D, 2, 3>),
}

/// Does the same with the front of either parameter.
macro_rules! either {
    ($parameter:expr, $front:ident => $do:expr) => {
        match &$parameter {
            Parameter::Probs($front) => $do,
            Parameter::Logits($front) => $do,
        }
    };
}

/// A differentiable stand-in for a coin: the sigmoid of its log-odds with logistic noise, divided by a
/// temperature. The lower that is, the nearer a draw is to 0 or 1; it is above ½ with probability
/// `probs`, whatever the temperature τ.
///
/// Density: τ (x (1 − x))⁻¹ σ(u) σ(−u) with u = τ ln(x / (1 − x)) − ln(p / (1 − p)), for 0 < x < 1; at
/// the ends the limit counts.
///
/// Shapes: `temperature` and `probs` or `logits` have the batch's shape, or are numbers. Draws lie
/// strictly between 0 and 1.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::RelaxedBernoulli};
/// let soft = RelaxedBernoulli::new(0.5, Tensor::<_, f64>::from([0.25, 0.5]));
/// let below = soft.cdf(&Tensor::from([0.5, 0.5])).unwrap().to_vec();
/// assert!((below[0] - 0.75).abs() < 1e-15 && below[1] == 0.5);
/// ```
///
/// Reference: Maddison, Mnih, Teh, *The Concrete Distribution*, 2017.
#[derive(Clone, Debug)]
pub struct RelaxedBernoulli<S: Shape, E: Dtype, D: Backend<E>> {
    parameter: Parameter<false, S, E, D>,
}

/// The log-odds of a [`RelaxedBernoulli`], which low temperatures do not round to 0 and 1: a logistic
/// variable.
///
/// Density: τ σ(u) σ(−u) with u = τ x − ln(p / (1 − p)).
///
/// Shapes: those of [`RelaxedBernoulli`].
///
/// Reference: Maddison, Mnih, Teh, *The Concrete Distribution*, 2017, appendix C.
#[derive(Clone, Debug)]
pub struct LogitRelaxedBernoulli<S: Shape, E: Dtype, D: Backend<E>> {
    parameter: Parameter<true, S, E, D>,
}

macro_rules! relaxed {
    ($Name:ident, $name:literal, inside = $inside:literal) => {
        impl<S: Shape, E: Dtype, D: Backend<E>> $Name<S, E, D> {
            /// The temperature and the probabilities of a one: tensors of the batch's shape, or
            /// numbers.
            ///
            /// # Panics
            /// If sizes known only at run time differ, or the batch has axes and both are numbers.
            #[track_caller]
            pub fn new(temperature: impl IntoTensor<S, E, D>, probs: impl IntoTensor<S, E, D>) -> Self {
                let parameters = [temperature.into_operand(), probs.into_operand()];
                $Name { parameter: Parameter::Probs(Front::new(parameters)) }
            }

            /// The temperature and the log-odds ln(p / (1 − p)) of a one.
            ///
            /// # Panics
            /// If sizes known only at run time differ, or the batch has axes and both are numbers.
            #[track_caller]
            pub fn from_logits(temperature: impl IntoTensor<S, E, D>, logits: impl IntoTensor<S, E, D>) -> Self {
                let parameters = [temperature.into_operand(), logits.into_operand()];
                $Name { parameter: Parameter::Logits(Front::new(parameters)) }
            }

            /// The temperature.
            pub fn temperature(&self) -> Tensor<S, E, D> {
                either!(self.parameter, front => front.parameter("temperature"))
            }

            /// The probability of a draw above ½, or of log-odds above 0.
            pub fn probs(&self) -> Tensor<S, E, D> {
                match &self.parameter {
                    Parameter::Probs(front) => front.parameter("probs"),
                    Parameter::Logits(front) => front.parameter("logits").sigmoid(),
                }
            }
        }

        impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for $Name<S, E, D> {
            type Expanded = $Name<R, E, D>;
            type ExpandedBatch = R;

            #[track_caller]
            fn expand(&self, shape: R) -> $Name<R, E, D> {
                let parameter = match &self.parameter {
                    Parameter::Probs(front) => Parameter::Probs(front.expand(shape)),
                    Parameter::Logits(front) => Parameter::Logits(front.expand(shape)),
                };
                $Name { parameter }
            }
        }

        impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for $Name<S, E, D> {
            type Value = Tensor<S, E, D>;
            type Batch = S;

            fn name(&self) -> &'static str {
                $name
            }
            fn batch_shape(&self) -> S {
                either!(self.parameter, front => front.shape())
            }
            fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
                let draw = either!(self.parameter, front => front.draw(rng));
                let shape = draw.shape();
                if $inside { apply(Inside, [draw.into_flat()], shape) } else { draw }
            }
            fn has_rsample(&self) -> bool {
                true
            }
            fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<S, E, D> {
                either!(self.parameter, front => front.log_prob(value))
            }
            fn log_prob_sum(&self, value: &Tensor<S, E, D>) -> Tensor<(), E, D> {
                either!(self.parameter, front => front.log_prob_sum(value))
            }
            fn support(&self) -> Support<E, D> {
                either!(self.parameter, front => front.support())
            }
            fn mean(&self) -> Option<Tensor<S, E, D>> {
                either!(self.parameter, front => front.mean())
            }
            fn variance(&self) -> Option<Tensor<S, E, D>> {
                either!(self.parameter, front => front.variance())
            }
            fn entropy(&self) -> Option<Tensor<S, E, D>> {
                either!(self.parameter, front => front.entropy())
            }
            fn cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
                either!(self.parameter, front => front.cdf(value))
            }
            fn has_cdf(&self) -> bool {
                true
            }
            fn survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
                either!(self.parameter, front => front.survival(value))
            }
            fn log_cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
                either!(self.parameter, front => front.log_cdf(value))
            }
            fn log_survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
                either!(self.parameter, front => front.log_survival(value))
            }
            fn icdf(&self, probability: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
                either!(self.parameter, front => front.icdf(probability))
            }
            fn check_parameters(&self) -> Result<(), ParameterError> {
                either!(self.parameter, front => front.check_parameters())
            }
            fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
                either!(self.parameter, front => front.parameters_at(element))
            }
        }
    };
}

relaxed!(RelaxedBernoulli, "RelaxedBernoulli", inside = true);
relaxed!(LogitRelaxedBernoulli, "LogitRelaxedBernoulli", inside = false);

/// The nearest number strictly between 0 and 1, with the slope of the number itself.
#[derive(Clone, Copy, Debug)]
struct Inside;

impl<E: Dtype> Function<E, 1> for Inside {
    fn name(&self) -> &'static str {
        "RelaxedBernoulli::draw"
    }

    #[inline(always)]
    fn value(&self, [x]: [E; 1]) -> E {
        let largest = E::of(1.0 - 0.5 * E::epsilon().wide());
        if x < E::min_positive_value() {
            E::min_positive_value()
        } else if x > largest {
            largest
        } else {
            x
        }
    }

    #[inline(always)]
    fn partials(&self, _: [E; 1], _: E) -> [E; 1] {
        [E::of(1.0)]
    }
}

/// Zeros and ones whose draws carry the gradient of the [`RelaxedBernoulli`] that they are the nearer
/// end of: a straight-through estimator.
///
/// It is biased: ∂f/∂x is taken at the end and multiplied by the slope of the relaxed number, so that
/// it is not the gradient of the expectation at any temperature. A low one lessens the bias and swells
/// the variance.
///
/// The values themselves are exactly those of a [`Bernoulli`], and so are log-probabilities, moments and
/// support. (Pyro scores the relaxed number that a draw came from; a value here is the end alone.)
///
/// Shapes: those of [`RelaxedBernoulli`].
///
/// Reference: Jang, Gu, Poole, *Categorical Reparameterization with Gumbel-Softmax*, 2017, section 2.2.
#[derive(Clone, Debug)]
pub struct RelaxedBernoulliStraightThrough<S: Shape, E: Dtype, D: Backend<E>> {
    relaxed: RelaxedBernoulli<S, E, D>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> RelaxedBernoulliStraightThrough<S, E, D> {
    /// As [`RelaxedBernoulli::new`].
    ///
    /// # Panics
    /// If sizes known only at run time differ, or the batch has axes and both are numbers.
    #[track_caller]
    pub fn new(temperature: impl IntoTensor<S, E, D>, probs: impl IntoTensor<S, E, D>) -> Self {
        Self { relaxed: RelaxedBernoulli::new(temperature, probs) }
    }

    /// As [`RelaxedBernoulli::from_logits`].
    ///
    /// # Panics
    /// If sizes known only at run time differ, or the batch has axes and both are numbers.
    #[track_caller]
    pub fn from_logits(temperature: impl IntoTensor<S, E, D>, logits: impl IntoTensor<S, E, D>) -> Self {
        Self { relaxed: RelaxedBernoulli::from_logits(temperature, logits) }
    }

    /// The distribution of the values.
    fn hard(&self) -> Bernoulli<S, E, D> {
        match &self.relaxed.parameter {
            Parameter::Probs(front) => Bernoulli::new(front.parameter("probs")),
            Parameter::Logits(front) => Bernoulli::from_logits(front.parameter("logits")),
        }
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for RelaxedBernoulliStraightThrough<S, E, D> {
    type Expanded = RelaxedBernoulliStraightThrough<R, E, D>;
    type ExpandedBatch = R;

    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        RelaxedBernoulliStraightThrough { relaxed: self.relaxed.expand(shape) }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for RelaxedBernoulliStraightThrough<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "RelaxedBernoulliStraightThrough"
    }
    fn batch_shape(&self) -> S {
        self.relaxed.batch_shape()
    }
    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let soft = self.relaxed.draw(rng);
        let shape = soft.shape();
        let nearer = |&x: &E| if x.is_nan() { x } else { E::of(f64::from(x > E::of(0.5))) };
        let hard = soft.read(|values| values.iter().map(nearer).collect());
        apply(StraightThrough, [crate::tensor::Flat::vector(hard), soft.into_flat()], shape)
    }
    fn has_rsample(&self) -> bool {
        true
    }
    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<S, E, D> {
        self.hard().log_prob(value)
    }
    fn log_prob_sum(&self, value: &Tensor<S, E, D>) -> Tensor<(), E, D> {
        self.hard().log_prob_sum(value)
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
    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        self.hard().entropy()
    }
    fn cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        self.hard().cdf(value)
    }
    fn has_cdf(&self) -> bool {
        true
    }
    fn survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        self.hard().survival(value)
    }
    fn log_cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        self.hard().log_cdf(value)
    }
    fn log_survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        self.hard().log_survival(value)
    }
    fn icdf(&self, probability: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        self.hard().icdf(probability)
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
    use crate::{Cpu, Rank1};

    #[test]
    fn low_temperatures_do_not_reach_the_ends() {
        let soft = RelaxedBernoulli::from_logits(0.01, Tensor::<Rank1<1000>, f32, Cpu>::full(3.0));
        let draw = soft.draw(&mut Rng::seed(1));
        assert!(draw.to_vec().iter().all(|&x| x > 0.0 && x < 1.0));
        assert!(soft.log_prob(&draw).to_vec().iter().all(|l| l.is_finite()));
    }

    #[test]
    fn the_ends_have_the_limit() {
        let at = |temperature: f64, x: f64| {
            RelaxedBernoulli::<(), f64, Cpu>::from_logits(temperature, 0.5).log_prob(&Tensor::scalar(x)).item()
        };
        assert_eq!([at(0.5, 0.0), at(0.5, 1.0), at(2.0, 0.0), at(2.0, 1.0)], {
            let inf = f64::INFINITY;
            [inf, inf, -inf, -inf]
        });
        assert!((at(1.0, 0.0) + 0.5).abs() < 1e-15 && (at(1.0, 1.0) - 0.5).abs() < 1e-15);
        assert!((at(1.0, 1e-300) + 0.5).abs() < 1e-13);
    }

    #[test]
    fn straight_through_draws_have_the_gradient_of_the_relaxed() {
        let logits = Tensor::<_, f64, Cpu>::from([0.3, -1.0, 2.0]).tracked();
        let soft = || RelaxedBernoulli::from_logits(0.7, &logits).draw(&mut Rng::seed(3));
        let hard = || RelaxedBernoulliStraightThrough::from_logits(0.7, &logits).draw(&mut Rng::seed(3));
        let ((_, expected), (_, found)) = (grad(|| soft().sum_all()), grad(|| hard().sum_all()));
        assert_eq!(found.get(&logits), expected.get(&logits));
        assert!(soft().to_vec().iter().zip(hard().to_vec()).all(|(s, h)| s.round() == h));
    }
    // The mean of 20 000 draws is off by more than five standard errors with probability 6e-7.
    #[test]
    fn straight_through_draws_are_those_of_a_coin() {
        let hard = RelaxedBernoulliStraightThrough::new(0.3, Tensor::<Rank1<20000>, f64, Cpu>::full(0.2));
        let draws = hard.draw(&mut Rng::seed(7));
        let mean = draws.to_vec().iter().sum::<f64>() / 20_000.0;
        assert!((mean - 0.2).abs() < 5.0 * (0.16_f64 / 20_000.0).sqrt(), "{mean}");
        assert!(hard.log_prob(&draws).to_vec().iter().all(|l| l.is_finite()));
    }
}
