//! Observations known only to lie below, above or between bounds.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{Distribution, Expand, ParameterError};
use crate::dtype::Dtype;
use crate::ops::expanded_positions;
use crate::rng::Rng;
use crate::tensor::Tensor;

use super::between::log_between;
use super::shapes::check_value_shape;

/// A distribution of which some observations are censored: known only to lie on one side of the
/// value, or between it and another.
///
/// Log-density of a censored element: ln F(x) if censored from the left (it was at most x),
/// ln(1 − F(x)) from the right (it was above x), and ln(F(upper) − F(x)) in an interval (it was above
/// x and at most upper). Elements that are not censored have the base's log-density. These are the base's
/// [`log_cdf`](Distribution::log_cdf) and [`log_survival`](Distribution::log_survival), so that a value
/// however far in a tail has a score and a gradient.
///
/// Draws, support and moments are those of the base: of what would be seen without censoring.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::{Censored, Exponential}};
/// let lifetimes = Censored::right(Exponential::new(Tensor::<_, f64>::from([2.0, 2.0])), [false, true]);
/// let log_prob = lifetimes.log_prob(&Tensor::from([3.0, 3.0])).to_vec();
/// assert!((log_prob[0] - (2.0_f64.ln() - 6.0)).abs() < 1e-12 && (log_prob[1] + 6.0).abs() < 1e-12);
/// ```
///
/// Reference: Klein, Moeschberger, *Survival Analysis*, 2003, ch. 3.
#[derive(Clone, Debug)]
pub struct Censored<P, S: Shape, E: Dtype, D: Backend<E>> {
    base: P,
    censoring: Censoring<S, E, D>,
}

/// Where the censored observations lie, and which they are.
#[derive(Clone, Debug)]
enum Censoring<S: Shape, E: Dtype, D: Backend<E>> {
    Left(Arc<[bool]>),
    Right(Arc<[bool]>),
    Interval(Tensor<S, E, D>),
}

impl<P, S, E, D> Censored<P, S, E, D>
where
    P: Distribution<E, D, Batch = S>,
    S: Shape,
    E: Dtype,
    D: Backend<E>,
{
    /// Where `censored` is true an observation is known to be at most its value.
    ///
    /// # Panics
    /// If the base has no cdf, or there is not one entry for each element of the batch.
    #[track_caller]
    pub fn left(base: P, censored: impl Into<Arc<[bool]>>) -> Self {
        let censored = one_each(&base, censored.into());
        Self::new(base, Censoring::Left(censored))
    }

    /// Where `censored` is true an observation is known to be above its value.
    ///
    /// # Panics
    /// If the base has no cdf, or there is not one entry for each element of the batch.
    #[track_caller]
    pub fn right(base: P, censored: impl Into<Arc<[bool]>>) -> Self {
        let censored = one_each(&base, censored.into());
        Self::new(base, Censoring::Right(censored))
    }

    /// Each observation is known to be above its value and at most `upper`; where the two are equal
    /// it is not censored.
    ///
    /// # Panics
    /// If the base has no cdf, or `upper` has not the batch's shape.
    #[track_caller]
    pub fn interval(base: P, upper: impl Into<Tensor<S, E, D>>) -> Self {
        let upper = upper.into();
        check_value_shape("Censored", upper.shape(), base.batch_shape());
        Self::new(base, Censoring::Interval(upper))
    }

    #[track_caller]
    fn new(base: P, censoring: Censoring<S, E, D>) -> Self {
        assert!(base.has_cdf(), "Censored: {} has no cdf", base.name());
        Censored { base, censoring }
    }

    /// The distribution of what is observed without censoring.
    pub fn base(&self) -> &P {
        &self.base
    }
}

/// The mask, if it has as many entries as the batch.
#[track_caller]
fn one_each<P: Distribution<E, D>, E: Dtype, D: Backend<E>>(base: &P, mask: Arc<[bool]>) -> Arc<[bool]> {
    let (found, expected) = (mask.len(), base.batch_shape().num_elements());
    assert!(found == expected, "Censored: {found} entries for the {expected} elements of {}", base.name());
    mask
}

impl<P, S, R, E, D> Expand<R> for Censored<P, S, E, D>
where
    P: Distribution<E, D, Batch = S> + Expand<R, ExpandedBatch = R>,
    S: Shape,
    R: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Expanded = Censored<P::Expanded, R, E, D>;
    type ExpandedBatch = R;

    /// What is censored, and where intervals end, repeats with the batch.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let base = self.base.expand(shape);
        let repeated = |mask: &Arc<[bool]>| -> Arc<[bool]> {
            let (from, to): (Vec<usize>, Vec<usize>) =
                (self.base.batch_shape().concrete().into(), shape.concrete().into());
            expanded_positions(&from, &to).into_iter().map(|i| mask[i]).collect()
        };
        let censoring = match &self.censoring {
            Censoring::Left(mask) => Censoring::Left(repeated(mask)),
            Censoring::Right(mask) => Censoring::Right(repeated(mask)),
            Censoring::Interval(upper) => Censoring::Interval(upper.expand(shape)),
        };
        Censored { base, censoring }
    }
}

impl<P, S, E, D> Distribution<E, D> for Censored<P, S, E, D>
where
    P: Distribution<E, D, Value = Tensor<S, E, D>, Batch = S>,
    S: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "Censored"
    }

    fn batch_shape(&self) -> S {
        self.base.batch_shape()
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        self.base.draw(rng)
    }

    fn has_rsample(&self) -> bool {
        self.base.has_rsample()
    }

    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<S, E, D> {
        const CDF: &str = "checked when it was made";
        let seen = self.base.log_prob(value);
        match &self.censoring {
            Censoring::Left(mask) => self.base.log_cdf(value).expect(CDF).select(mask, seen),
            Censoring::Right(mask) => self.base.log_survival(value).expect(CDF).select(mask, seen),
            Censoring::Interval(upper) => {
                let (from, to) = (value.to_vec(), upper.to_vec());
                let mask: Vec<bool> = from.iter().zip(&to).map(|(a, b)| a != b).collect();
                log_between(&self.base, value, upper).expect(CDF).select(&mask, seen)
            }
        }
    }

    fn support(&self) -> Support<E, D> {
        self.base.support()
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        self.base.mean()
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        self.base.variance()
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.base.check_parameters()
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.base.parameters_at(element)
    }
}
