//! Many steps, with a progress bar, callbacks and a reason to stop.

use std::ops::ControlFlow;
use std::path::PathBuf;

use ppl_core::backend::Backend;
use ppl_core::model::{Guide, IntoArgs, Model, Program};
use ppl_core::shared::Shared;
use ppl_core::{Dtype, Error};

use super::Svi;
use super::convergence::{Convergence, Watch};
use crate::diagnostics::moving_average;
use crate::elbo::Objective;
use crate::optim::Optimizer;

/// How [`Svi::run`] goes on and when it stops.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// The most steps it takes.
    pub steps: u64,
    /// When the loss counts as settled; by default it never does.
    pub convergence: Option<Convergence>,
    /// Where and how often the run saves itself; by default it does not.
    pub checkpoints: Option<Checkpoints>,
    /// Whether to draw a progress bar on stderr (with the feature `progress`, on a terminal).
    pub progress: bool,
}

impl RunOptions {
    /// That many steps, and no other end.
    pub fn steps(steps: u64) -> Self {
        RunOptions { steps, ..Self::default() }
    }
}

/// Checkpoints of a run, each in the place of the one before, as [`Svi::save`] writes them; one at the end too, whatever
/// ended the run. They hold the parameters of the last step, also where a run that was validated then goes back to the best ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    /// The file.
    pub path: PathBuf,
    /// Steps from one to the next, at least one.
    pub every: u64,
}

/// One step, as a callback sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepInfo {
    /// The number of the step, from 1, over all runs.
    pub step: u64,
    /// The estimated loss before it.
    pub loss: f64,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum StopReason {
    /// The loss settled.
    Converged,
    /// All steps were taken.
    Budget,
    /// A distribution's parameter left its domain, or a log-density or a gradient was not finite; the
    /// error names it. The parameters are those before the failing step, but for a gradient: then
    /// all elements with a finite one have been updated.
    Diverged(Error),
    /// A callback asked for the end.
    Callback,
    /// The validation loss no longer fell.
    Validation,
    /// A checkpoint could not be written, for this reason; nothing of the run is lost, and it can go on.
    Unsaved(String),
}

/// What a run did.
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    /// Why it ended.
    pub stop: StopReason,
    /// The estimated loss before each step.
    pub losses: Vec<f64>,
    /// Validation losses with the number of the step after which they were found.
    pub validation: Vec<(u64, f64)>,
    /// The step with the lowest validation loss, and that loss.
    pub best: Option<(u64, f64)>,
}

impl RunReport {
    /// The mean of each loss and those before it, `window` of them where there are as many.
    ///
    /// # Panics
    /// If the window is 0.
    pub fn smoothed(&self, window: usize) -> Vec<f64> {
        moving_average(&self.losses, window)
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
    /// Takes many steps on the same arguments.
    ///
    /// # Errors
    /// Errors that the caller must mend: a guide that does not fit, wrong shapes. Numbers that go
    /// astray are a [`StopReason`].
    pub fn run<A>(&mut self, options: RunOptions, args: impl IntoArgs<Args = A>) -> Result<RunReport, Error>
    where
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
        A: Clone + Shared + IntoArgs<Args = A>,
    {
        let args = args.into_args();
        self.run_with(options, |_| args.clone(), |_| ControlFlow::Continue(()))
    }

    /// Takes many steps: `batch` gives the arguments of each (numbered from 0 within this run), and
    /// `each` hears of it and may end the run.
    ///
    /// # Errors
    /// Errors that the caller must mend: a guide that does not fit, wrong shapes. Numbers that go
    /// astray are a [`StopReason`].
    pub fn run_with<A: Clone + Shared, B: IntoArgs<Args = A>>(
        &mut self,
        options: RunOptions,
        batch: impl FnMut(u64) -> B,
        mut each: impl FnMut(StepInfo) -> ControlFlow<()>,
    ) -> Result<RunReport, Error>
    where
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        self.drive(options, batch, |_, info| {
            Ok(match each(info) {
                ControlFlow::Continue(()) => ControlFlow::Continue(()),
                ControlFlow::Break(()) => ControlFlow::Break(StopReason::Callback),
            })
        })
    }

    /// The loop of all runs: `each` sees the run after every step.
    pub(super) fn drive<A: Clone + Shared, B: IntoArgs<Args = A>>(
        &mut self,
        options: RunOptions,
        mut batch: impl FnMut(u64) -> B,
        mut each: impl FnMut(&mut Self, StepInfo) -> Result<ControlFlow<StopReason>, Error>,
    ) -> Result<RunReport, Error>
    where
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        let bar = Bar::new(&options);
        let mut watch = options.convergence.map(Watch::new);
        let mut losses = Vec::new();
        let mut stop = StopReason::Budget;
        for number in 0..options.steps {
            let loss = match self.step(batch(number)) {
                Ok(loss) => loss,
                Err(error) if is_divergence(&error) => {
                    stop = StopReason::Diverged(error);
                    break;
                }
                Err(error) => return Err(error),
            };
            losses.push(loss);
            bar.step(loss);
            let is_due = |c: &&Checkpoints| (number + 1).is_multiple_of(c.every.max(1));
            let saved = options.checkpoints.as_ref().filter(is_due).map(|c| self.save(&c.path));
            let info = StepInfo { step: self.step, loss };
            if let ControlFlow::Break(reason) = each(self, info)? {
                stop = reason;
            } else if let Some(Err(error)) = saved {
                stop = StopReason::Unsaved(error.to_string());
            } else if watch.as_mut().is_some_and(|watch| watch.settled(&losses)) {
                stop = StopReason::Converged;
            } else {
                continue;
            }
            break;
        }
        // Whatever ended the run, its last step is kept.
        if let Some(Checkpoints { path, .. }) = options.checkpoints.filter(|_| !matches!(stop, StopReason::Unsaved(_)))
            && let Err(error) = self.save(path)
        {
            stop = StopReason::Unsaved(error.to_string());
        }
        Ok(RunReport { stop, losses, validation: Vec::new(), best: None })
    }
}

/// Whether the numbers went astray, as against a program that is wrong. Where sites are validated, a
/// parameter outside its domain is found before the log-density that it would spoil.
fn is_divergence(error: &Error) -> bool {
    matches!(error, Error::Parameter { .. } | Error::NonFinite { .. } | Error::NonFiniteGradient { .. })
}

/// A progress bar, or nothing.
struct Bar {
    #[cfg(feature = "progress")]
    bar: indicatif::ProgressBar,
}

#[cfg(feature = "progress")]
impl Bar {
    fn new(options: &RunOptions) -> Self {
        let bar = if options.progress {
            indicatif::ProgressBar::new(options.steps)
        } else {
            indicatif::ProgressBar::hidden()
        };
        let style = indicatif::ProgressStyle::with_template("{wide_bar} {pos}/{len} {per_sec} {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Bar { bar }
    }

    fn step(&self, loss: f64) {
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("loss {loss:.4}"));
        }
        self.bar.inc(1);
    }
}

#[cfg(feature = "progress")]
impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(not(feature = "progress"))]
impl Bar {
    fn new(_: &RunOptions) -> Self {
        Bar {}
    }

    fn step(&self, _: f64) {}
}
