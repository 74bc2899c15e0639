//! The distribution that a family of numbers makes: operands, a shape, and every method.

use std::marker::PhantomData;

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{Family, ParameterError, check_parameter, unravel};
use crate::dtype::Dtype;
use crate::functions::{Function, apply, apply_sum};
use crate::rng::Rng;
use crate::tensor::{Flat, Operand, Tensor};

use super::draws::{draws, draws_in_dtype};
use super::functions::{Curved, LocScale, LogProb, LogProbGiven, LogProbVarying, Momentary, Moved};
use super::{Moment, Sampler, Univariate};
use crate::distributions::shapes::{batch_shape, elements, number_at};

/// A family with its parameters; `N` is `K + 1`.
pub(in crate::distributions) struct Front<F, S: Shape, E: Dtype, D: Backend<E>, const K: usize, const N: usize> {
    pub(super) parameters: [Operand<S, E, D>; K],
    pub(super) shape: S,
    family: PhantomData<fn() -> F>,
}

impl<F, S: Shape, E: Dtype, D: Backend<E>, const K: usize, const N: usize> Clone for Front<F, S, E, D, K, N> {
    fn clone(&self) -> Self {
        Front { parameters: self.parameters.clone(), shape: self.shape, family: PhantomData }
    }
}

impl<F: Univariate<K>, S: Shape, E: Dtype, D: Backend<E>, const K: usize, const N: usize> std::fmt::Debug
    for Front<F, S, E, D, K, N>
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct(F::NAME);
        for (name, operand) in F::PARAMETERS.iter().zip(&self.parameters) {
            match operand {
                Operand::Full(tensor) => shown.field(name, tensor),
                Operand::Scalar(number) => shown.field(name, &number.item()),
                Operand::Number(number) => shown.field(name, number),
            };
        }
        shown.finish()
    }
}

impl<F: Univariate<K>, S: Shape, E: Dtype, D: Backend<E>, const K: usize, const N: usize> Front<F, S, E, D, K, N> {
    /// With these parameters, at least one of which has the batch's shape.
    ///
    /// # Panics
    /// If shapes differ, or the batch has axes and all parameters are numbers.
    #[track_caller]
    pub(in crate::distributions) fn new(parameters: [Operand<S, E, D>; K]) -> Self {
        let named: [_; K] = std::array::from_fn(|k| (F::PARAMETERS[k], &parameters[k]));
        let shape = batch_shape(F::NAME, &named);
        Front { parameters, shape, family: PhantomData }
    }

    /// With parameters whose shape is known to be right.
    pub(in crate::distributions) fn of_shape(parameters: [Operand<S, E, D>; K], shape: S) -> Self {
        Front { parameters, shape, family: PhantomData }
    }

    /// With the same numbers everywhere.
    pub(in crate::distributions) fn filled(shape: S, parameters: [f64; K]) -> Self {
        Self::of_shape(parameters.map(Operand::Number), shape)
    }

    /// In another shape, to which the batch is repeated.
    #[track_caller]
    pub(in crate::distributions) fn expand<R: Shape>(&self, shape: R) -> Front<F, R, E, D, K, N> {
        let parameters = std::array::from_fn(|k| self.parameters[k].expand(shape));
        Front { parameters, shape, family: PhantomData }
    }

    pub(in crate::distributions) fn shape(&self) -> S {
        self.shape
    }

    /// One parameter, in the batch's shape.
    pub(in crate::distributions) fn parameter(&self, name: &str) -> Tensor<S, E, D> {
        let k = F::PARAMETERS.iter().position(|&p| p == name).expect("`univariate!` gives the names");
        self.parameters[k].spread(self.shape)
    }

    /// All parameters, each of one number or of the batch's.
    pub(in crate::distributions) fn flats(&self) -> [Flat<E, D>; K] {
        std::array::from_fn(|k| self.parameters[k].flat())
    }

    /// A value, or a probability, beside the parameters.
    fn beside(&self, first: Flat<E, D>) -> [Flat<E, D>; N] {
        let mut first = Some(first);
        std::array::from_fn(|i| first.take().unwrap_or_else(|| self.parameters[i - 1].flat()))
    }

    fn apply(&self, f: impl Function<E, N>, first: &Tensor<S, E, D>) -> Tensor<S, E, D> {
        apply(f, self.beside(elements(F::NAME, first, self.shape)), self.shape)
    }

    /// The log-density where all parameters that its normaliser depends on are single numbers, but not the batch.
    fn fixed_log_density(&self) -> Option<LogProb<F, K>> {
        let numel = self.shape.num_elements();
        // What only shifts values is no part of a normaliser.
        let shifts = |k: usize| F::LOC_SCALE && F::PARAMETERS[k] == "loc" && numel > 1;
        let fixed = numel != 1 && (0..K).all(|k| self.parameters[k].numel() == 1 || shifts(k));
        fixed.then(|| LogProb::with(self.numbers_at(0), self.parameters.iter().any(Operand::is_tracked)))
    }

    /// The log-density where all parameters are single numbers without a gradient.
    fn given_log_density(&self) -> Option<LogProbGiven<F, K>> {
        let mut given = [0.0; K];
        for (number, parameter) in given.iter_mut().zip(&self.parameters) {
            *number = parameter.given()?;
        }
        Some(LogProbGiven::new(given))
    }

    pub(in crate::distributions) fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<S, E, D> {
        match self.given_log_density() {
            Some(given) => apply(given, [elements(F::NAME, value, self.shape)], self.shape),
            None => match self.fixed_log_density() {
                Some(fixed) => self.apply(fixed, value),
                None => self.apply(LogProbVarying::<F, K>::new(), value),
            },
        }
    }

    pub(in crate::distributions) fn log_prob_sum(&self, value: &Tensor<S, E, D>) -> Tensor<(), E, D> {
        let (value, numel) = (elements(F::NAME, value, self.shape), self.shape.num_elements());
        match self.given_log_density() {
            Some(given) => apply_sum(given, [value], numel),
            None => match self.fixed_log_density() {
                Some(fixed) => apply_sum(fixed, self.beside(value), numel),
                None => apply_sum(LogProbVarying::<F, K>::new(), self.beside(value), numel),
            },
        }
    }

    pub(in crate::distributions) fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let (numel, flats) = (self.shape.num_elements(), self.flats());
        let tracked = flats.iter().any(|p| p.tracked);
        let numbers = flats.each_ref().map(Tensor::to_vec);
        let at = |i: usize| numbers.each_ref().map(|p| p[if p.len() == 1 { 0 } else { i }]);
        let values = match F::SAMPLER {
            Sampler::LocScale(noise) if tracked => {
                let noise = Flat::vector(draws(numel, rng, |_, rng| noise(rng)));
                return apply(LocScale, self.beside(noise), self.shape);
            }
            Sampler::Noise(noise, formula) => {
                let noise = Flat::vector(draws(numel, rng, |_, rng| noise(rng)));
                return apply(Moved::new(F::NAME, formula, F::rounded::<E>), self.beside(noise), self.shape);
            }
            Sampler::LocScale(noise) => draws_in_dtype(numel, rng, |i, rng| {
                let at = at(i);
                LocScale.value([E::of(noise(rng)), at[0], at[1]])
            }),
            Sampler::Direct(sample) => {
                draws_in_dtype(numel, rng, |i, rng| F::rounded(E::of(sample(at(i).map(E::wide), rng))))
            }
        };
        let values = Flat::vector(values);
        match Curved::pathwise::<F>() {
            Some(curve) if tracked => apply(curve, self.beside(values), self.shape),
            _ => values.reshape_like(&self.shape),
        }
    }

    pub(in crate::distributions) fn has_rsample(&self) -> bool {
        F::PATHWISE.is_some()
    }

    pub(in crate::distributions) fn support(&self) -> Support<E, D> {
        F::support(|| self.flats())
    }

    fn moment(&self, moment: Option<Moment<K>>) -> Option<Tensor<S, E, D>> {
        Some(apply(Momentary(F::NAME, moment?), self.flats(), self.shape))
    }

    pub(in crate::distributions) fn mean(&self) -> Option<Tensor<S, E, D>> {
        self.moment(F::MEAN)
    }

    pub(in crate::distributions) fn variance(&self) -> Option<Tensor<S, E, D>> {
        self.moment(F::VARIANCE)
    }

    pub(in crate::distributions) fn entropy(&self) -> Option<Tensor<S, E, D>> {
        self.moment(F::ENTROPY)
    }

    pub(in crate::distributions) fn cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.apply(Curved::cdf::<F>()?, value))
    }

    pub(in crate::distributions) fn survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.apply(Curved::survival::<F>()?, value))
    }

    pub(in crate::distributions) fn log_cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.apply(Curved::log_cdf::<F>()?, value))
    }

    pub(in crate::distributions) fn log_survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.apply(Curved::log_survival::<F>()?, value))
    }

    pub(in crate::distributions) fn icdf(&self, probability: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(self.apply(Curved::icdf::<F>()?, probability))
    }

    /// 0, 1, …, n where all elements have the same n.
    pub(in crate::distributions) fn enumerate_support(&self) -> Option<Vec<Tensor<S, E, D>>> {
        let largest = F::LARGEST?;
        let mut numbers = (0..self.shape.num_elements()).map(|i| largest(self.numbers_at(i)));
        let first = numbers.next()?;
        if !first.is_finite() || numbers.any(|other| other != first) {
            return None;
        }
        Some((0..=first as usize).map(|k| Tensor::full_like(E::of(k as f64), self.shape)).collect())
    }

    fn numbers_at(&self, element: usize) -> [f64; K] {
        self.parameters.each_ref().map(|p| number_at(p, element))
    }

    pub(in crate::distributions) fn check_parameters(&self) -> Result<(), ParameterError> {
        for (k, domain) in F::domains::<E, D>().into_iter().enumerate() {
            check_parameter(F::PARAMETERS[k], &self.parameters[k], domain)?;
        }
        let numbers = self.flats().map(|p| p.to_vec());
        let empty = numbers.iter().any(Vec::is_empty);
        let count = if empty { 0 } else { numbers.iter().map(Vec::len).max().unwrap_or(0) };
        for i in 0..count {
            let at = numbers.each_ref().map(|p| p[if p.len() == 1 { 0 } else { i }].wide());
            if let Some((k, constraint)) = F::conflict(at) {
                let dims = if count == 1 { Vec::new() } else { self.shape.concrete().into() };
                let (parameter, element) = (F::PARAMETERS[k], unravel(i, &dims));
                return Err(ParameterError { parameter, value: at[k], element, constraint });
            }
        }
        Ok(())
    }

    pub(in crate::distributions) fn family(&self) -> Family<E, D> {
        let parameters = self.flats().into_iter().collect();
        Family { name: F::NAME, parameters, len: self.shape.num_elements(), event: 1, mask: None }
    }

    pub(in crate::distributions) fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        F::PARAMETERS.into_iter().zip(self.numbers_at(element)).collect()
    }
}
