//! The components of a mixture, behind one face.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{Distribution, Expand, ParameterError};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::Tensor;
use crate::values::SiteValue;

/// The components of a [`Mixture`](super::Mixture): a tuple of two to six distributions with one type of values and
/// one batch, or a vector of distributions of one type.
pub trait Components<E: Dtype, D: Backend<E>>: Clone + 'static {
    /// What each component is a distribution over.
    type Value: SiteValue;
    /// The shape of independent elements.
    type Batch: Shape;

    /// The components, each behind the same face.
    fn each<R>(&self, f: impl FnMut(&dyn Component<E, D, Value = Self::Value, Batch = Self::Batch>) -> R) -> Vec<R>;
}

/// What a mixture asks of one component. Every [`Distribution`] has it.
pub trait Component<E: Dtype, D: Backend<E>> {
    /// What it is a distribution over.
    type Value;
    /// The shape of independent elements.
    type Batch: Shape;
    /// See [`Distribution::batch_shape`].
    fn batch_shape(&self) -> Self::Batch;
    /// See [`Distribution::event_dims`].
    fn event_dims(&self) -> Vec<usize>;
    /// See [`Distribution::draw`].
    fn draw(&self, rng: &mut Rng) -> Self::Value;
    /// See [`Distribution::has_rsample`].
    fn has_rsample(&self) -> bool;
    /// See [`Distribution::log_prob`].
    fn log_prob(&self, value: &Self::Value) -> Tensor<Self::Batch, E, D>;
    /// See [`Distribution::support`].
    fn support(&self) -> Support<E, D>;
    /// See [`Distribution::mean`].
    fn mean(&self) -> Option<Self::Value>;
    /// See [`Distribution::variance`].
    fn variance(&self) -> Option<Self::Value>;
    /// See [`Distribution::cdf`].
    fn cdf(&self, value: &Self::Value) -> Option<Tensor<Self::Batch, E, D>>;
    /// See [`Distribution::survival`].
    fn survival(&self, value: &Self::Value) -> Option<Tensor<Self::Batch, E, D>>;
    /// See [`Distribution::log_cdf`].
    fn log_cdf(&self, value: &Self::Value) -> Option<Tensor<Self::Batch, E, D>>;
    /// See [`Distribution::log_survival`].
    fn log_survival(&self, value: &Self::Value) -> Option<Tensor<Self::Batch, E, D>>;
    /// See [`Distribution::has_cdf`].
    fn has_cdf(&self) -> bool;
    /// See [`Distribution::check_parameters`].
    fn check_parameters(&self) -> Result<(), ParameterError>;
    /// See [`Distribution::parameters_at`].
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)>;
}

macro_rules! component {
    ($($method:ident($($arg:ident: $Arg:ty),*) -> $Out:ty;)+) => {
        impl<P: Distribution<E, D>, E: Dtype, D: Backend<E>> Component<E, D> for P {
            type Value = P::Value;
            type Batch = P::Batch;
            $(fn $method(&self, $($arg: $Arg),*) -> $Out {
                Distribution::$method(self, $($arg),*)
            })+
        }
    };
}

component! {
    batch_shape() -> P::Batch;
    event_dims() -> Vec<usize>;
    draw(rng: &mut Rng) -> P::Value;
    has_rsample() -> bool;
    log_prob(value: &P::Value) -> Tensor<P::Batch, E, D>;
    support() -> Support<E, D>;
    mean() -> Option<P::Value>;
    variance() -> Option<P::Value>;
    cdf(value: &P::Value) -> Option<Tensor<P::Batch, E, D>>;
    survival(value: &P::Value) -> Option<Tensor<P::Batch, E, D>>;
    log_cdf(value: &P::Value) -> Option<Tensor<P::Batch, E, D>>;
    log_survival(value: &P::Value) -> Option<Tensor<P::Batch, E, D>>;
    has_cdf() -> bool;
    check_parameters() -> Result<(), ParameterError>;
    parameters_at(element: usize) -> Vec<(&'static str, f64)>;
}

impl<P: Distribution<E, D>, E: Dtype, D: Backend<E>> Components<E, D> for Vec<P> {
    type Value = P::Value;
    type Batch = P::Batch;

    fn each<R>(&self, mut f: impl FnMut(&dyn Component<E, D, Value = P::Value, Batch = P::Batch>) -> R) -> Vec<R> {
        self.iter().map(|component| f(component)).collect()
    }
}

impl<P: Expand<R>, R: Shape> Expand<R> for Vec<P> {
    type Expanded = Vec<P::Expanded>;
    type ExpandedBatch = P::ExpandedBatch;

    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        self.iter().map(|component| component.expand(shape)).collect()
    }
}

macro_rules! tuples {
    ($($First:ident $($P:ident)+;)+) => {$(
        impl<$First, $($P,)+ E: Dtype, D: Backend<E>> Components<E, D> for ($First, $($P,)+)
        where
            $First: Distribution<E, D>,
            $($P: Distribution<E, D, Value = $First::Value, Batch = $First::Batch>,)+
        {
            type Value = $First::Value;
            type Batch = $First::Batch;

            #[allow(non_snake_case)]
            fn each<R>(
                &self,
                mut f: impl FnMut(&dyn Component<E, D, Value = Self::Value, Batch = Self::Batch>) -> R,
            ) -> Vec<R> {
                let ($First, $($P,)+) = self;
                vec![f($First), $(f($P)),+]
            }
        }

        impl<$First, $($P,)+ R: Shape> Expand<R> for ($First, $($P,)+)
        where
            $First: Expand<R>,
            $($P: Expand<R, ExpandedBatch = $First::ExpandedBatch>,)+
        {
            type Expanded = ($First::Expanded, $($P::Expanded,)+);
            type ExpandedBatch = $First::ExpandedBatch;

            #[allow(non_snake_case)]
            #[track_caller]
            fn expand(&self, shape: R) -> Self::Expanded {
                let ($First, $($P,)+) = self;
                ($First.expand(shape), $($P.expand(shape),)+)
            }
        }
    )+};
}

tuples! {
    P Q;
    P Q R1;
    P Q R1 R2;
    P Q R1 R2 R3;
    P Q R1 R2 R3 R4;
}
