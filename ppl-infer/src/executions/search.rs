//! Runs, until there is nothing left or the budget is spent.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::{Dtype, Error};

use super::frontier::Frontier;
use super::run::{End, Escape, Run};

/// How a search goes.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) best_first: bool,
    pub(super) budget: usize,
    pub(super) until: f64,
    pub(super) longest: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { best_first: true, budget: 100_000, until: 1e-12, longest: 1_000 }
    }
}

/// What a search came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    pub(super) runs: usize,
    pub(super) executions: usize,
    pub(super) unexplored: f64,
}

/// A search under way.
pub(super) struct Search<'s, E: Dtype, D: Backend<E>> {
    model: &'static str,
    settings: &'s Settings,
    params: &'s mut ParamStore<E, D>,
    frontier: Frontier,
    report: Report,
    /// The first site at which data were impossible, or an execution was left.
    problem: Option<(End, String)>,
}

impl<'s, E: Dtype, D: Backend<E>> Search<'s, E, D> {
    pub(super) fn new(model: &'static str, settings: &'s Settings, params: &'s mut ParamStore<E, D>) -> Self {
        let frontier = Frontier::new(settings.best_first);
        Search { model, settings, params, frontier, report: Report::default(), problem: None }
    }

    /// Runs the model until an execution is complete; ln of its joint density, or `None` at the end of the search.
    ///
    /// # Errors
    /// As [`Executions::explore`](super::Executions::explore).
    pub(super) fn next(&mut self, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) -> Result<Option<f64>, Error> {
        loop {
            let seen = self.report.unexplored + self.frontier.mass() <= self.settings.until;
            if self.report.runs >= self.settings.budget || seen {
                return Ok(None);
            }
            let Some(node) = self.frontier.take() else { return Ok(None) };
            self.report.runs += 1;
            let start = Rng::seed(0);
            let mut prior = Prior::new(start.clone());
            let mut params = Params::new(self.params, &mut prior);
            let mut run = Run::new(node, self.settings.longest, &mut self.frontier, &mut params);
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| body(&mut run)))
                && !payload.is::<Escape>()
            {
                resume_unwind(payload);
            }
            let (end, weight, probability, at) = (run.end, run.weight, run.node.probability(), run.at.take());
            let missed = run.missed().map(str::to_owned);
            let context = params.context();
            context.finish(())?;
            if let Some(site) = missed {
                let problem = "another run with the same values before it came to it: a model must be the same when it is repeated";
                return Err(Error::Site { site, problem: problem.into() });
            }
            if end == End::Complete && context.rng != start {
                let problem = "something in it draws at random that is no site of its executions, such as a site that `block` hides";
                return Err(Error::Site { site: self.model.into(), problem: problem.into() });
            }
            if let Some(at) = at.filter(|_| self.problem.as_ref().is_none_or(|(known, _)| *known == End::Left)) {
                self.problem = Some((end, at));
            }
            match end {
                End::Complete => {
                    self.report.executions += 1;
                    return Ok(Some(weight));
                }
                End::TooLong => self.report.unexplored += probability,
                End::Left | End::Impossible => {}
            }
        }
    }

    /// What the search came to.
    ///
    /// # Errors
    /// If no execution is possible, or none was complete.
    pub(super) fn report(mut self) -> Result<Report, Error> {
        self.report.unexplored += self.frontier.exact_mass();
        if self.report.executions > 0 {
            return Ok(self.report);
        }
        let runs = self.report.runs;
        let (problem, site) = match self.problem {
            Some((End::Impossible, site)) => {
                (format!("the data are impossible in all {runs} runs; here in the first one"), site)
            }
            Some((End::TooLong, site)) => {
                (format!("no execution has so few choices as {}", self.settings.longest), site)
            }
            Some((_, site)) => (format!("no execution ended within {runs} runs; one was left here"), site),
            None => (format!("no execution ended within {runs} runs"), self.model.to_owned()),
        };
        Err(Error::Site { site, problem })
    }
}
