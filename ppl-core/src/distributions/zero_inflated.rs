//! Zero-inflated counts.

use dfdx::shapes::Shape;
use rand::Rng as _;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{Distribution, Expand, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::functions::apply;
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::counting::{Logits, Odds, Probs};
use super::shapes::{check_value_shape, number_at};
use super::{NegativeBinomial, Poisson};

// The element functions.
mod gated;

use gated::{Gated, What};

/// A count that is 0 with probability `gate`, and otherwise drawn from `base`.
///
/// Probability: gate + (1 − gate) p(0) for x = 0, (1 − gate) p(x) otherwise, where p is the base's.
///
/// Shapes: the base has values of the batch's shape; `gate`, or its log-odds `gate_logits`, has the
/// same shape, or one number for all of it. The entropy has no closed form.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::{Poisson, ZeroInflated}};
/// let fish = ZeroInflated::new(Poisson::new(Tensor::<_, f64>::from([2.0, 5.0])), 0.25);
/// assert_eq!(fish.mean().unwrap().to_vec(), [1.5, 3.75]);
/// let none = fish.log_prob(&Tensor::from([0.0, 0.0])).to_vec();
/// assert!((none[0] - (0.25 + 0.75 * (-2.0_f64).exp()).ln()).abs() < 1e-14);
/// ```
///
/// Reference: Lambert, *Zero-inflated Poisson regression*, Technometrics 34, 1992.
#[derive(Clone, Debug)]
pub struct ZeroInflated<P, S: Shape, E: Dtype, D: Backend<E>> {
    base: P,
    gate: Gate<S, E, D>,
}

/// A Poisson count that is 0 with probability `gate`, besides.
pub type ZeroInflatedPoisson<S, E, D> = ZeroInflated<Poisson<S, E, D>, S, E, D>;

/// A negative binomial count that is 0 with probability `gate`, besides.
pub type ZeroInflatedNegativeBinomial<S, E, D> = ZeroInflated<NegativeBinomial<S, E, D>, S, E, D>;

/// The probability of a certain zero, in one of two forms.
#[derive(Clone, Debug)]
enum Gate<S: Shape, E: Dtype, D: Backend<E>> {
    Probs(Operand<S, E, D>),
    Logits(Operand<S, E, D>),
}

impl<S: Shape, E: Dtype, D: Backend<E>> Gate<S, E, D> {
    fn named(&self) -> (&'static str, &Operand<S, E, D>) {
        match self {
            Gate::Probs(gate) => ("gate", gate),
            Gate::Logits(gate) => ("gate_logits", gate),
        }
    }
}

impl<P, S: Shape, E: Dtype, D: Backend<E>> ZeroInflated<P, S, E, D>
where
    P: Distribution<E, D, Value = Tensor<S, E, D>, Batch = S>,
{
    /// The distribution of counts, and the probability of a zero besides.
    ///
    /// # Panics
    /// If sizes known only at run time differ, with both shapes.
    #[track_caller]
    pub fn new(base: P, gate: impl IntoTensor<S, E, D>) -> Self {
        Self::gated(base, Gate::Probs(gate.into_operand()))
    }

    /// The distribution of counts, and the log-odds of a zero besides.
    ///
    /// # Panics
    /// If sizes known only at run time differ, with both shapes.
    #[track_caller]
    pub fn from_gate_logits(base: P, gate_logits: impl IntoTensor<S, E, D>) -> Self {
        Self::gated(base, Gate::Logits(gate_logits.into_operand()))
    }

    #[track_caller]
    fn gated(base: P, gate: Gate<S, E, D>) -> Self {
        if let Some(shape) = gate.named().1.shape() {
            check_value_shape("ZeroInflated", shape, base.batch_shape());
        }
        ZeroInflated { base, gate }
    }

    /// The distribution of counts.
    pub fn base(&self) -> &P {
        &self.base
    }

    /// The probability of a zero that is not the base's.
    pub fn gate(&self) -> Tensor<S, E, D> {
        let gate = self.gate.named().1.spread(self.base.batch_shape());
        if let Gate::Probs(_) = self.gate { gate } else { gate.sigmoid() }
    }

    /// The probability of a draw from the base, which keeps its digits where it is small and logits
    /// were given.
    fn open(&self) -> Tensor<S, E, D> {
        let gate = self.gate.named().1.spread(self.base.batch_shape());
        if let Gate::Probs(_) = self.gate { -gate + E::of(1.0) } else { (-gate).sigmoid() }
    }

    /// An element function of a value, of something of the base there, and of the gate.
    fn with_gate(&self, value: &Tensor<S, E, D>, of_base: &Tensor<S, E, D>, what: What) -> Tensor<S, E, D> {
        let shape = self.base.batch_shape();
        check_value_shape("ZeroInflated", value.shape(), shape);
        let args: [Flat<E, D>; 3] = [value.flat(), of_base.flat(), self.gate.named().1.flat()];
        match self.gate {
            Gate::Probs(_) => apply(Gated::<Probs>::new(what), args, shape),
            Gate::Logits(_) => apply(Gated::<Logits>::new(what), args, shape),
        }
    }

    /// Beside the quantile that rounding may have missed by one: the smallest count of the three whose
    /// cdf reaches the probability.
    fn settle(&self, probability: &Tensor<S, E, D>, near: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let moved = |by: f64| -> Tensor<S, E, D> { near.detach() + E::of(by) };
        let candidates = [moved(-1.0), moved(0.0), moved(1.0)];
        let reached = [self.cdf(&candidates[0])?.to_vec(), self.cdf(&candidates[1])?.to_vec()];
        let (wanted, numbers) = (probability.to_vec(), candidates.map(|c| c.to_vec()));
        let choose = |i: usize| {
            let reaches = |c: usize| numbers[c][i] >= E::of(0.0) && reached[c][i] >= wanted[i];
            let place = (0..2).find(|&c| reaches(c)).unwrap_or(2);
            numbers[if numbers[1][i].is_nan() { 1 } else { place }][i]
        };
        Some(Tensor::from_vec((0..wanted.len()).map(choose).collect(), near.shape()))
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> ZeroInflatedPoisson<S, E, D> {
    /// A Poisson count of this rate, and the probability of a zero besides.
    ///
    /// # Panics
    /// If sizes known only at run time differ, or the batch has axes and `rate` is a number.
    #[track_caller]
    pub fn with_rate(rate: impl IntoTensor<S, E, D>, gate: impl IntoTensor<S, E, D>) -> Self {
        Self::new(Poisson::new(rate), gate)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> ZeroInflatedNegativeBinomial<S, E, D> {
    /// A negative binomial count given by probabilities, and the probability of a zero besides.
    ///
    /// # Panics
    /// If sizes known only at run time differ, or the batch has axes and the base's parameters are
    /// numbers.
    #[track_caller]
    pub fn with_probs(
        total_count: impl IntoTensor<S, E, D>,
        probs: impl IntoTensor<S, E, D>,
        gate: impl IntoTensor<S, E, D>,
    ) -> Self {
        Self::new(NegativeBinomial::new(total_count, probs), gate)
    }

    /// A negative binomial count given by log-odds, and the probability of a zero besides.
    ///
    /// # Panics
    /// If sizes known only at run time differ, or the batch has axes and the base's parameters are
    /// numbers.
    #[track_caller]
    pub fn with_logits(
        total_count: impl IntoTensor<S, E, D>,
        logits: impl IntoTensor<S, E, D>,
        gate: impl IntoTensor<S, E, D>,
    ) -> Self {
        Self::new(NegativeBinomial::from_logits(total_count, logits), gate)
    }
}

impl<P, S, E, D> Distribution<E, D> for ZeroInflated<P, S, E, D>
where
    P: Distribution<E, D, Value = Tensor<S, E, D>, Batch = S>,
    S: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "ZeroInflated"
    }

    fn batch_shape(&self) -> S {
        self.base.batch_shape()
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let counts = self.base.draw(rng).to_vec();
        let gates = self.gate().to_vec();
        let one = |(count, gate): (E, E)| if rng.r#gen::<f64>() < gate.wide() { E::of(0.0) } else { count };
        Tensor::from_vec(counts.into_iter().zip(gates).map(one).collect(), self.batch_shape())
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<S, E, D> {
        self.with_gate(value, &self.base.log_prob(value), What::LogProb)
    }

    fn support(&self) -> Support<E, D> {
        self.base.support()
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        Some(self.open() * self.base.mean()?)
    }

    /// (1 − gate) (variance + gate · mean²) of the base.
    fn variance(&self) -> Option<Tensor<S, E, D>> {
        let mean = self.base.mean()?;
        Some(self.open() * (self.base.variance()? + self.gate() * mean.square()))
    }

    fn cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.with_gate(value, &self.base.cdf(value)?, What::Cdf))
    }

    fn has_cdf(&self) -> bool {
        self.base.has_cdf()
    }

    /// (1 − gate) times the base's, from 0 on.
    fn survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.with_gate(value, &self.base.survival(value)?, What::Survival))
    }

    fn log_cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.with_gate(value, &self.base.log_cdf(value)?, What::LogCdf))
    }

    fn log_survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.with_gate(value, &self.base.log_survival(value)?, What::LogSurvival))
    }

    fn icdf(&self, probability: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let beyond = |(q, (gate, open)): (E, (E, E))| {
            let (q, gate, open) = (q.wide(), gate.wide(), open.wide());
            if !(0.0..=1.0).contains(&q) {
                return E::nan();
            }
            E::of(if q <= gate { 0.0 } else { ((q - gate) / open).min(1.0) })
        };
        check_value_shape("ZeroInflated", probability.shape(), self.batch_shape());
        let gates = self.gate().to_vec().into_iter().zip(self.open().to_vec());
        let left = probability.to_vec().into_iter().zip(gates).map(beyond).collect();
        let near = self.base.icdf(&Tensor::from_vec(left, self.batch_shape()))?;
        self.settle(probability, &near)
    }

    fn enumerate_support(&self) -> Option<Vec<Tensor<S, E, D>>> {
        self.base.enumerate_support()
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.base.check_parameters()?;
        let (name, gate) = self.gate.named();
        match self.gate {
            Gate::Probs(_) => check_parameter(name, gate, Probs::domain()),
            Gate::Logits(_) => check_parameter(name, gate, Logits::domain()),
        }
    }

    /// The base's, then the gate.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let (name, gate) = self.gate.named();
        let mut parameters = self.base.parameters_at(element);
        parameters.push((name, number_at(gate, element)));
        parameters
    }
}

impl<P, S, R, E, D> Expand<R> for ZeroInflated<P, S, E, D>
where
    P: Expand<R>,
    S: Shape,
    R: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Expanded = ZeroInflated<P::Expanded, R, E, D>;
    type ExpandedBatch = R;

    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let gate = match &self.gate {
            Gate::Probs(gate) => Gate::Probs(gate.expand(shape)),
            Gate::Logits(gate) => Gate::Logits(gate.expand(shape)),
        };
        ZeroInflated { base: self.base.expand(shape), gate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distributions::{Binomial, Geometric};
    use crate::{Cpu, Tensor};

    /// Log-probability and its gradient with respect to the gate.
    fn scored(x: f64, gate: f64) -> (f64, f64) {
        let gate = Tensor::<(), f64, Cpu>::scalar(gate).tracked();
        let run = || ZeroInflatedPoisson::with_rate(2.0, &gate).log_prob(&Tensor::scalar(x));
        let (value, grads) = grad(run);
        (value.item(), grads.get(&gate).unwrap().item())
    }

    #[test]
    fn a_gate_that_is_shut_or_open_scores_without_nan() {
        assert_eq!(scored(3.0, 1.0), (f64::NEG_INFINITY, 0.0));
        assert_eq!(scored(0.0, 1.0).0, 0.0);
        assert!((scored(0.0, 0.0).0 + 2.0).abs() < 1e-15);
        assert!((scored(3.0, 0.0).0 - ((8.0_f64 / 6.0).ln() - 2.0)).abs() < 1e-14);
        assert_eq!(scored(0.5, 0.3), (f64::NEG_INFINITY, 0.0));
    }

    #[test]
    fn any_distribution_of_counts_can_be_inflated() {
        let coins = ZeroInflated::new(Binomial::<(), f64, Cpu>::new(2.0, 0.5), 0.5);
        let masses =
            coins.enumerate_support().unwrap().iter().map(|x| coins.log_prob(x).exp().item()).collect::<Vec<_>>();
        assert!(masses.iter().zip([0.625, 0.25, 0.125]).all(|(f, e)| (f - e).abs() < 1e-15), "{masses:?}");
        let waits = ZeroInflated::from_gate_logits(Geometric::<(), f64, Cpu>::new(0.5), 0.0);
        assert_eq!(waits.cdf(&Tensor::scalar(1.0)).unwrap().item(), 0.875);
        assert_eq!(waits.survival(&Tensor::scalar(1.0)).unwrap().item(), 0.125);
        assert_eq!(waits.survival(&Tensor::scalar(-1.0)).unwrap().item(), 1.0);
        let logs = |x: f64| [waits.log_cdf(&Tensor::scalar(x)), waits.log_survival(&Tensor::scalar(x))];
        let logs = |x: f64| logs(x).map(|log| log.unwrap().item());
        assert!(logs(1.0).iter().zip([0.875_f64, 0.125]).all(|(log, p)| (log - p.ln()).abs() < 1e-15));
        assert_eq!(logs(-1.0), [f64::NEG_INFINITY, 0.0]);
        // mpmath: 0.75 times what a Poisson count of rate 2 exceeds 300 with.
        let far = ZeroInflatedPoisson::<(), f64, Cpu>::with_rate(2.0, 0.25).log_survival(&Tensor::scalar(300.0));
        assert!((far.unwrap().item() / -1214.256696537675 - 1.0).abs() < 1e-13);
    }

    #[test]
    fn a_bad_gate_is_named_after_the_base() {
        let gate = Tensor::<_, f64, Cpu>::from([0.5, 1.5]);
        let error = ZeroInflatedPoisson::with_rate(Tensor::from([1.0, 1.0]), &gate).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.element), ("gate", vec![1]));
        let error = ZeroInflatedPoisson::with_rate(Tensor::from([1.0, -1.0]), &gate).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.element), ("rate", vec![1]));
    }

    #[test]
    #[should_panic(expected = "ZeroInflated: the value's shape is not the distribution's (shapes [2] and [3])")]
    fn a_gate_of_another_shape() {
        let vector = |n: usize| Tensor::<(usize,), f64, Cpu>::full_like(0.5, (n,));
        let _ = ZeroInflatedPoisson::with_rate(vector(3), vector(2));
    }
}
