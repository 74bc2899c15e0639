//! The contract of a model unrolled in time: how a state begins, and how it goes on.

use ppl_core::backend::Backend;
use ppl_core::model::Model;
use ppl_core::shared::Shared;
use ppl_core::{Dtype, Error};

use super::weighted_run::{Setting, WeightedRun};

/// A model unrolled in time over states `X` and data `Y`: each state depends on the one before it.
///
/// [`Bootstrap`] and [`Guided`] make one of models; a system of one's own need not have any.
pub trait StateSpace<X, Y, E: Dtype, D: Backend<E>>: Shared {
    /// The state at time 0, and its weight.
    ///
    /// # Errors
    /// Those of the run.
    fn begin(&self, data: Y, setting: Setting<'_, E, D>) -> Result<WeightedRun<X, E, D>, Error>;

    /// The state at `time`, at least 1, after `before`, and the weight of the step.
    ///
    /// # Errors
    /// Those of the run.
    fn advance(
        &self,
        before: &X,
        time: usize,
        data: Y,
        setting: Setting<'_, E, D>,
    ) -> Result<WeightedRun<X, E, D>, Error>;
}

/// States drawn by the model itself: Gordon, Salmond and Smith's bootstrap filter (1993).
#[derive(Clone, Copy, Debug)]
pub struct Bootstrap<I, S> {
    pub(super) init: I,
    pub(super) step: S,
}

impl<X, Y, I, S, E, D> StateSpace<X, Y, E, D> for Bootstrap<I, S>
where
    I: Model<(Y,), E = E, D = D, Output = X>,
    S: for<'x> Model<(&'x X, usize, Y), E = E, D = D, Output = X>,
    E: Dtype,
    D: Backend<E>,
{
    fn begin(&self, data: Y, setting: Setting<'_, E, D>) -> Result<WeightedRun<X, E, D>, Error> {
        WeightedRun::from_prior(&self.init, (data,), setting)
    }

    fn advance(
        &self,
        before: &X,
        time: usize,
        data: Y,
        setting: Setting<'_, E, D>,
    ) -> Result<WeightedRun<X, E, D>, Error> {
        WeightedRun::from_prior(&self.step, (before, time, data), setting)
    }
}

/// States drawn by guides, which see the datum of their time.
#[derive(Clone, Copy, Debug)]
pub struct Guided<I, S, GI, GS> {
    pub(super) model: Bootstrap<I, S>,
    pub(super) init: GI,
    pub(super) step: GS,
}

impl<X, Y, I, S, GI, GS, E, D> StateSpace<X, Y, E, D> for Guided<I, S, GI, GS>
where
    Y: Clone,
    I: Model<(Y,), E = E, D = D, Output = X>,
    S: for<'x> Model<(&'x X, usize, Y), E = E, D = D, Output = X>,
    GI: Model<(Y,), E = E, D = D>,
    GS: for<'x> Model<(&'x X, usize, Y), E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    fn begin(&self, data: Y, setting: Setting<'_, E, D>) -> Result<WeightedRun<X, E, D>, Error> {
        WeightedRun::from_guide(&self.model.init, &self.init, (data,), setting)
    }

    fn advance(
        &self,
        before: &X,
        time: usize,
        data: Y,
        setting: Setting<'_, E, D>,
    ) -> Result<WeightedRun<X, E, D>, Error> {
        WeightedRun::from_guide(&self.model.step, &self.step, (before, time, data), setting)
    }
}
