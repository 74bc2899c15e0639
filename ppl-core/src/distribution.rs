//! The contract of a distribution.

use std::sync::Arc;

use dfdx::shapes::{ReduceShape, Shape};

use crate::backend::Backend;
use crate::constraint::{Constraint, Support};
use crate::dtype::Dtype;
use crate::functions::apply;
use crate::functions::special::LogProbability;
use crate::rng::Rng;
use crate::tensor::{Operand, Tensor};
use crate::values::SiteValue;

// A distribution as the image of another one.
mod base;
// Shapes made of a batch and of an event.
mod event_axes;
// A family without its type.
mod family;
// Trailing axes of a batch as part of one event.
mod independent;
// A distribution of which only some elements count.
mod masked;

pub use base::{BaseForm, TakeBase};
pub(crate) use event_axes::check_event;
pub use event_axes::{EndsWith, Follows, LastAxes, StartsWith};
pub use family::Family;
pub use independent::Independent;
pub use masked::Masked;

/// A parameter outside its domain, before the site's name is known.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterError {
    /// The parameter's name.
    pub parameter: &'static str,
    /// The first offending value.
    pub value: f64,
    /// Its index.
    pub element: Vec<usize>,
    /// What it must be.
    pub constraint: String,
}

/// An element whose log-density is not finite, for errors.
#[derive(Clone, Debug, PartialEq)]
pub struct NonFiniteElement {
    /// The log-density there.
    pub log_prob: f64,
    /// Its index: in the batch, and then in the event if that is made of independent elements.
    pub element: Vec<usize>,
    /// The same in row-major order.
    pub position: usize,
    /// How many such elements there are.
    pub count: usize,
    /// The parameters there, by name.
    pub parameters: Vec<(&'static str, f64)>,
}

/// A probability distribution over values of one type.
///
/// The axes of a log-density ([`Distribution::Batch`]) are independent elements; an event beneath
/// them ([`Distribution::event_dims`]) has one density. Parameters are tensors, so gradients reach
/// them through log-densities and, where [`Distribution::has_rsample`], through draws.
///
/// A distribution of your own is a struct with its parameters and this trait; see
/// `CONTRIBUTING.md` for the recipe.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a distribution over elements `{E}` on device `{D}`",
    note = "the second argument of `sample!` is a distribution, such as `Normal::new(loc, scale)`, of the model's dtype"
)]
pub trait Distribution<E: Dtype, D: Backend<E>>: Clone + 'static {
    /// What it is a distribution over.
    type Value: SiteValue;
    /// The shape of independent elements.
    type Batch: Shape;

    /// Its name in errors.
    fn name(&self) -> &'static str;

    /// The shape of independent elements.
    fn batch_shape(&self) -> Self::Batch;

    /// The sizes of one event: empty for a distribution over numbers.
    fn event_dims(&self) -> Vec<usize> {
        Vec::new()
    }

    /// A draw; differentiable in the parameters where [`Distribution::has_rsample`].
    fn draw(&self, rng: &mut Rng) -> Self::Value;

    /// Whether draws carry pathwise (reparameterised) gradients.
    fn has_rsample(&self) -> bool;

    /// The log-density of each independent element; −∞ outside the support.
    fn log_prob(&self, value: &Self::Value) -> Tensor<Self::Batch, E, D>;

    /// The log-density of all elements together: the sum of [`Distribution::log_prob`] in one fused
    /// operation where there is one.
    fn log_prob_sum(&self, value: &Self::Value) -> Tensor<(), E, D> {
        self.log_prob(value).sum_all()
    }

    /// Where its values live.
    fn support(&self) -> Support<E, D>;

    /// The mean of each element; `None` where there is none or it is not a value.
    fn mean(&self) -> Option<Self::Value> {
        None
    }

    /// The variance of each element; `None` where there is none.
    fn variance(&self) -> Option<Self::Value> {
        None
    }

    /// The entropy of each independent element, in nats; `None` where it has no closed form.
    fn entropy(&self) -> Option<Tensor<Self::Batch, E, D>> {
        None
    }

    /// The probability of a value at most this; `None` where it has no closed form.
    fn cdf(&self, _value: &Self::Value) -> Option<Tensor<Self::Batch, E, D>> {
        None
    }

    /// Whether there is a [`Distribution::cdf`].
    fn has_cdf(&self) -> bool {
        false
    }

    /// The probability of a value above this, which keeps its digits where it is small and the
    /// family knows how; `None` without a cdf.
    fn survival(&self, value: &Self::Value) -> Option<Tensor<Self::Batch, E, D>> {
        Some(-self.cdf(value)? + E::of(1.0))
    }

    /// ln [`Distribution::cdf`], which is finite, with its gradient, where a probability is too small
    /// for a number and the family knows how; −∞ without a gradient where it is 0; `None` without a cdf.
    fn log_cdf(&self, value: &Self::Value) -> Option<Tensor<Self::Batch, E, D>> {
        Some(log_probability(self.cdf(value)?))
    }

    /// ln [`Distribution::survival`], as [`Distribution::log_cdf`].
    fn log_survival(&self, value: &Self::Value) -> Option<Tensor<Self::Batch, E, D>> {
        Some(log_probability(self.survival(value)?))
    }

    /// The value whose [`Distribution::cdf`] is this probability; `None` without a closed form.
    fn icdf(&self, _probability: &Tensor<Self::Batch, E, D>) -> Option<Self::Value> {
        None
    }

    /// Every value of one element, each filling the whole batch; `None` if there are not finitely
    /// many.
    fn enumerate_support(&self) -> Option<Vec<Self::Value>> {
        None
    }

    /// Hands another distribution, whose image under a one-to-one map this one is, to `take`; `None`
    /// where this one has no such form.
    fn with_base<T: TakeBase<E, D, Self::Batch>>(&self, _form: BaseForm, _take: T) -> Option<T::Output> {
        None
    }

    /// Its family and parameters without their types, where it is a family or a wrapper of one:
    /// how a closed divergence is found at run time.
    fn family(&self) -> Option<Family<E, D>> {
        None
    }

    /// Which numbers of a value count, row-major; `None`, the default, where all do. [`Masked`] and wrappers of it
    /// say so.
    fn counted(&self) -> Option<Arc<[bool]>> {
        None
    }

    /// The first parameter that lies outside its domain.
    ///
    /// # Errors
    /// If there is one, with its name, value, index and what it must be.
    fn check_parameters(&self) -> Result<(), ParameterError>;

    /// The parameters at one element of the batch, by name: for errors.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)>;

    /// The first element whose log-density is not finite, of those elements of the batch that count: for
    /// errors.
    fn first_non_finite(&self, value: &Self::Value, counts: &dyn Fn(usize) -> bool) -> Option<NonFiniteElement> {
        let terms = self.log_prob(value);
        let (position, log_prob) = terms.read(|terms| {
            let at = (0..terms.len()).find(|&i| counts(i) && !terms[i].is_finite())?;
            Some((at, terms[at].wide()))
        })?;
        let (element, parameters) = (unravel(position, &terms.dims()), self.parameters_at(position));
        Some(NonFiniteElement { log_prob, element, position, count: terms.numel(), parameters })
    }

    /// The trailing axes `Ax` of the batch as part of one event (Pyro's `to_event`), so that their
    /// log-densities are summed.
    ///
    /// # Panics
    /// If the axes are not the last ones of the batch.
    #[track_caller]
    fn to_event<Ax: dfdx::shapes::Axes>(self) -> Independent<Self, Ax>
    where
        Self::Batch: ReduceShape<Ax>,
    {
        Independent::new(self)
    }

    /// The same distribution with the log-density of some elements left out: those where the mask,
    /// in row-major order over the batch, is false.
    ///
    /// # Panics
    /// If the mask has not one entry for each element of the batch.
    #[track_caller]
    fn mask(self, mask: impl Into<Arc<[bool]>>) -> Masked<Self> {
        Masked::new(self, mask)
    }
}

/// A distribution that can be repeated to a larger batch (`expand` of torch.distributions).
///
/// The shape `R` is the new batch, followed by those axes of parameters that are a part of each element
/// and do not repeat: categories, vectors, matrices, the components of a mixture, steps and states of a
/// sequence, the axes of [`Distribution::to_event`]. So a [`Normal`](crate::distributions::Normal) takes
/// the batch, a [`Categorical`](crate::distributions::Categorical) the batch and its categories, and a
/// wrapper what its base takes.
pub trait Expand<R: Shape> {
    /// The same distribution with the larger batch.
    type Expanded;
    /// That batch: the first axes of `R`.
    type ExpandedBatch: Shape;

    /// The same parameters for a larger batch: axes are matched from the last one; an axis of one
    /// element is repeated, and axes that are missing at the front are added.
    ///
    /// # Panics
    /// If another axis differs, or one that is no batch, with both shapes.
    #[must_use]
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded;
}

/// The first element of a parameter that lies outside a constraint, as an error.
///
/// # Errors
/// If there is one.
pub fn check_parameter<S: Shape, E: Dtype, D: Backend<E>>(
    parameter: &'static str,
    operand: &Operand<S, E, D>,
    constraint: &dyn Constraint<E, D>,
) -> Result<(), ParameterError> {
    let dims = operand.shape().map(|s| s.concrete().into()).unwrap_or_default();
    operand.flat().read(|values| match constraint.violation(values, &dims) {
        None => Ok(()),
        Some(at) => Err(ParameterError {
            parameter,
            value: values[at].wide(),
            element: unravel(at, &dims),
            constraint: constraint.describe(),
        }),
    })
}

/// ln p of probabilities that rounding may have left below 0: −∞ without a slope where there is none.
pub(crate) fn log_probability<S: Shape, E: Dtype, D: Backend<E>>(p: Tensor<S, E, D>) -> Tensor<S, E, D> {
    let shape = p.shape();
    apply(LogProbability, [p.into_flat()], shape)
}

/// A mask of elements as one of `count` numbers, the same number of them for each element.
pub(crate) fn spread(mask: &[bool], count: usize) -> Vec<bool> {
    let width = count / mask.len().max(1);
    mask.iter().flat_map(|&counts| std::iter::repeat_n(counts, width)).collect()
}

/// The index of a flat position in a tensor of these sizes.
pub(crate) fn unravel(mut at: usize, dims: &[usize]) -> Vec<usize> {
    let mut index = vec![0; dims.len()];
    for (i, &size) in dims.iter().enumerate().rev() {
        index[i] = at % size.max(1);
        at /= size.max(1);
    }
    index
}
