//! The sample statement of a guide: its value must fit the model's site of that name.
//!
//! The expansion calls `(&Probe::<Model, Name, Arguments>::NEW).guide_sample(..)`. Where the model has
//! such a site for such arguments, that is [`SiteOfModel::guide_sample`], which checks the type.
//! Otherwise method lookup goes on to [`AnySite::guide_sample`], which checks nothing: an unknown
//! name and foreign arguments have an error of their own, and one mistake makes one message.

use std::marker::PhantomData;

use crate::address::Address;
use crate::backend::Backend;
use crate::checks::{Fits, HasSite};
use crate::distribution::Distribution;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::model::Model;
use crate::primitives::sample;

/// The site of the name `K` in the model `M` with the arguments `A`, if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Probe<M, K, A>(PhantomData<fn(M, K, A)>);

impl<M, K, A> Probe<M, K, A> {
    /// The only value.
    pub const NEW: Self = Probe(PhantomData);
}

/// A site that the model has.
pub trait SiteOfModel {
    /// The type of its value in the model.
    type Expected;

    /// `sample!(name, dist)`, with values that fit the model's.
    fn guide_sample<E, D, P>(&self, h: &mut dyn Handler<E, D>, name: Address, dist: P) -> P::Value
    where
        E: Dtype,
        D: Backend<E>,
        P: Distribution<E, D>,
        P::Value: Fits<Self::Expected>;
}

impl<M: HasSite<K, A>, K, A> SiteOfModel for Probe<M, K, A> {
    type Expected = M::Value;

    fn guide_sample<E, D, P>(&self, h: &mut dyn Handler<E, D>, name: Address, dist: P) -> P::Value
    where
        E: Dtype,
        D: Backend<E>,
        P: Distribution<E, D>,
        P::Value: Fits<Self::Expected>,
    {
        sample(h, name, dist)
    }
}

/// A site of which nothing is known.
pub trait AnySite {
    /// `sample!(name, dist)`, unchecked.
    fn guide_sample<E, D, P>(&self, h: &mut dyn Handler<E, D>, name: Address, dist: P) -> P::Value
    where
        E: Dtype,
        D: Backend<E>,
        P: Distribution<E, D>;
}

impl<M, K, A> AnySite for &Probe<M, K, A> {
    fn guide_sample<E, D, P>(&self, h: &mut dyn Handler<E, D>, name: Address, dist: P) -> P::Value
    where
        E: Dtype,
        D: Backend<E>,
        P: Distribution<E, D>,
    {
        sample(h, name, dist)
    }
}

/// What a guide shares with its model: dtype and device.
#[diagnostic::on_unimplemented(
    message = "the model runs on `{Self}`, but its guide on `{Guide}`",
    label = "a guide has the dtype and device of its model",
    note = "`#[guide(model, dtype = E, device = D)]` sets them; without it they are those of the prelude in use"
)]
pub trait SameAs<Guide> {}

impl<T> SameAs<T> for T {}

/// Compiles only if the model `M` takes the arguments `A` of its guide, on the same dtype and device.
pub fn same_arguments<M, A, E, D>()
where
    M: Model<A>,
    M::E: SameAs<E>,
    M::D: SameAs<D>,
{
}
