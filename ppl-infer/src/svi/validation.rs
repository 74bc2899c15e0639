//! Runs that watch a loss on other data, and end where it no longer falls.

use std::ops::ControlFlow;

use ppl_core::backend::Backend;
use ppl_core::model::{Guide, IntoArgs, Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::shared::Shared;
use ppl_core::{Dtype, Error};

use super::Svi;
use super::run::{RunOptions, RunReport, StopReason};
use crate::elbo::Objective;
use crate::optim::Optimizer;

/// When a run ends because of its validation loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    /// Steps from one validation to the next, at least one.
    pub every: u64,
    /// How many validations in a row may bring no better loss before the run ends.
    pub patience: u64,
    /// By how much a loss must be lower than the best so far to count as better; the standard error of the
    /// validation loss is a good choice.
    pub min_delta: f64,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        EarlyStopping { every: 100, patience: 5, min_delta: 0.0 }
    }
}

impl<M, G, O, L, E, D> Svi<M, G, O, L, E, D>
where
    M: Program,
    G: Program,
    G::Base: Guide<M::Base>,
    O: Optimizer<E, D>,
    L: Objective<E, D>,
    E: Dtype,
    D: Backend<E>,
{
    /// [`Svi::run_with`] that asks `validate` for a loss on other data (`|svi| svi.evaluate(&held_out)`) every so many steps
    /// and ends, with [`StopReason::Validation`], when it has not fallen for a while. Whatever ends the run, the parameters
    /// are then those with the lowest validation loss; the optimiser's state is that of the last step. The report has the
    /// validation losses and the best step.
    ///
    /// # Errors
    /// As [`Svi::run_with`], and those of `validate`.
    pub fn run_validated<A: Clone + Shared, B: IntoArgs<Args = A>>(
        &mut self,
        options: RunOptions,
        early: EarlyStopping,
        batch: impl FnMut(u64) -> B,
        mut validate: impl FnMut(&mut Self) -> Result<f64, Error>,
    ) -> Result<RunReport, Error>
    where
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        let (every, first) = (early.every.max(1), self.steps());
        let (mut history, mut waited) = (Vec::new(), 0);
        let mut best: Option<(u64, f64, ParamStore<E, D>)> = None;
        let mut report = self.drive(options, batch, |svi, info| {
            if !(info.step - first).is_multiple_of(every) {
                return Ok(ControlFlow::Continue(()));
            }
            let loss = validate(svi)?;
            history.push((info.step, loss));
            if best.as_ref().is_none_or(|(_, least, _)| loss < *least - early.min_delta) {
                (best, waited) = (Some((info.step, loss, svi.params.clone())), 0);
            } else {
                waited += 1;
            }
            Ok(if waited > early.patience {
                ControlFlow::Break(StopReason::Validation)
            } else {
                ControlFlow::Continue(())
            })
        })?;
        report.validation = history;
        if let Some((step, loss, params)) = best {
            report.best = Some((step, loss));
            self.params = params;
        }
        Ok(report)
    }
}
