//! Many steps, with a progress bar, callbacks and a reason to stop.

use std::ops::ControlFlow;

use ppl_core::backend::Backend;
use ppl_core::model::{Guide, IntoArgs, Model, Program};
use ppl_core::shared::Shared;
use ppl_core::{Dtype, Error};

use super::Svi;
use crate::elbo::Objective;
use crate::optim::Optimizer;

/// How [`Svi::run`] goes on and when it stops.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// The most steps it takes.
    pub steps: u64,
    /// When the loss counts as settled; by default it never does.
    pub convergence: Option<Convergence>,
    /// Whether to draw a progress bar on stderr (with the feature `progress`, on a terminal).
    pub progress: bool,
}

impl RunOptions {
    /// That many steps, and no other end.
    pub fn steps(steps: u64) -> Self {
        RunOptions { steps, ..Self::default() }
    }
}

/// The loss counts as settled when its mean over one window of steps is not below that over the
/// window before by more than a share of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convergence {
    /// Steps in a window.
    pub window: usize,
    /// The share of the mean (in magnitude) by which the loss must still fall.
    pub tolerance: f64,
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
}

/// What a run did.
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    /// Why it ended.
    pub stop: StopReason,
    /// The estimated loss before each step.
    pub losses: Vec<f64>,
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
        mut batch: impl FnMut(u64) -> B,
        mut each: impl FnMut(StepInfo) -> ControlFlow<()>,
    ) -> Result<RunReport, Error>
    where
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        let bar = Bar::new(options);
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
            if each(StepInfo { step: self.step, loss }).is_break() {
                stop = StopReason::Callback;
                break;
            }
            if options.convergence.is_some_and(|c| c.holds(&losses)) {
                stop = StopReason::Converged;
                break;
            }
        }
        Ok(RunReport { stop, losses })
    }
}

/// Whether the numbers went astray, as against a program that is wrong. Where sites are validated, a
/// parameter outside its domain is found before the log-density that it would spoil.
fn is_divergence(error: &Error) -> bool {
    matches!(error, Error::Parameter { .. } | Error::NonFinite { .. } | Error::NonFiniteGradient { .. })
}

impl Convergence {
    /// Looked at once a window.
    fn holds(self, losses: &[f64]) -> bool {
        let n = self.window.max(1);
        if losses.len() < 2 * n || !losses.len().is_multiple_of(n) {
            return false;
        }
        let mean = |window: &[f64]| window.iter().sum::<f64>() / n as f64;
        let last = mean(&losses[losses.len() - n..]);
        let before = mean(&losses[losses.len() - 2 * n..losses.len() - n]);
        before - last <= self.tolerance * before.abs()
    }
}

/// A progress bar, or nothing.
struct Bar {
    #[cfg(feature = "progress")]
    bar: indicatif::ProgressBar,
}

#[cfg(feature = "progress")]
impl Bar {
    fn new(options: RunOptions) -> Self {
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
    fn new(_: RunOptions) -> Self {
        Bar {}
    }

    fn step(&self, _: f64) {}
}
