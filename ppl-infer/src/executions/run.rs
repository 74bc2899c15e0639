//! One run: repeats the choices of a node, and goes on as long as it is the best to follow.

use std::panic::resume_unwind;
use std::rc::Rc;

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::plate::{Plate, PlateRows};
use ppl_core::site::SampleSite;
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error};

use super::frontier::{Choice, Frontier, Node, in_order};
use super::values::{Values, is_count};
use crate::drawn::log_density_of_draw;

/// What unwinds the stack of a run that is left early.
pub(super) struct Escape;

/// What is left of a site's counts is rounding where it is less than this, and a count has less than [`RELATIVE`] of it: no
/// tail is so heavy.
const ROUNDING: f64 = 1e-5;
const RELATIVE: f64 = 1e-9;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It came to the end of the model.
    Complete,
    /// Other executions are to be followed first.
    Left,
    /// Its data are impossible.
    Impossible,
    /// It has too many choices.
    TooLong,
}

/// The handler of a run.
pub(super) struct Run<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    frontier: &'h mut Frontier,
    longest: usize,
    choices: Vec<Rc<Choice>>,
    repeated: usize,
    /// Where it stands.
    pub(super) node: Node,
    /// ln of the joint density so far.
    pub(super) weight: f64,
    pub(super) end: End,
    /// The site at which it ended early.
    pub(super) at: Option<String>,
}

impl<'h, E: Dtype, D: Backend<E>> Run<'h, E, D> {
    pub(super) fn new(
        node: Node,
        longest: usize,
        frontier: &'h mut Frontier,
        inner: &'h mut dyn Handler<E, D>,
    ) -> Self {
        let (choices, weight) = (in_order(&node.path), node.weight);
        Run { inner, frontier, longest, choices, repeated: 0, node, weight, end: End::Complete, at: None }
    }

    /// The choices that the run has not come to, though it should have.
    pub(super) fn missed(&self) -> Option<&str> {
        self.choices.get(self.repeated).filter(|_| self.end == End::Complete).map(|choice| &*choice.site)
    }

    /// Leaves the run. Where panics abort, it goes on with draws, which nobody hears of.
    fn leave(&mut self, end: End, site: &str) {
        self.end = end;
        self.at = Some(site.to_owned());
        if cfg!(panic = "unwind") {
            resume_unwind(Box::new(Escape));
        }
    }

    /// Sets the value that the site has in the node.
    fn repeat(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        let choice = &self.choices[self.repeated];
        self.repeated += 1;
        if *choice.site != *site.name() {
            let problem = format!(
                "`{}` stood in its place in another run with the same values before it: a model must be the same when it is repeated",
                choice.site
            );
            return Err(Error::Site { site: site.name().to_owned(), problem });
        }
        site.set_value(&*choice.value, "enumerate")
    }

    /// Puts all values of a new site into the queue, and goes on with one of them if that is the next to follow.
    fn branch(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        if self.node.length >= self.longest {
            self.leave(End::TooLong, site.name());
            return Ok(());
        }
        if in_order(&self.node.path).iter().any(|choice| *choice.site == *site.name()) {
            return Err(Error::DuplicateSite(site.name().to_owned()));
        }
        let (mark, name): (u64, Rc<str>) = (self.frontier.mark(), site.name().into());
        let mut from = self.node.from;
        match Values::of(site)? {
            Values::Counts(first) => self.next_count(site, &name, from.unwrap_or(first))?,
            // The first of equal ones is followed first: the last that is put.
            Values::All(values) => {
                values.iter().rev().try_for_each(|value| self.put(site, &name, &**value).map(drop))?
            }
        }
        while let Some(node) = self.frontier.take_since(mark) {
            from = node.from;
            self.node = node;
            match (from, &self.node.path) {
                (Some(count), _) => self.next_count(site, &name, count)?,
                (None, Some(choice)) => {
                    self.weight = self.node.weight;
                    return site.set_value(&*choice.value, "enumerate");
                }
                (None, None) => break,
            }
        }
        // Where nothing was put, no value is possible.
        self.leave(if self.frontier.mark() == mark { End::Impossible } else { End::Left }, &name);
        Ok(())
    }

    /// Puts a count, and what is left of the site, into the queue.
    fn next_count(&mut self, site: &mut dyn SampleSite<E, D>, name: &Rc<str>, count: usize) -> Result<(), Error> {
        site.set_numbers(&[count as f64], "enumerate")?;
        let probability = log_density_of_draw(site).exp();
        let left = self.node.left - probability;
        if left > 0.0 && is_count(site, count + 1) {
            let rest = Node { from: Some(count + 1), left, ..self.node.clone() };
            match left < ROUNDING && probability < RELATIVE * left {
                true => self.frontier.lose(&rest),
                false => self.frontier.put(rest, self.weight + left.ln()),
            }
        }
        let value = site.value().map(AnyValue::boxed);
        value.map_or(Ok(()), |value| self.put(site, name, &*value))
    }

    /// Puts a value into the queue.
    fn put(&mut self, site: &mut dyn SampleSite<E, D>, name: &Rc<str>, value: &dyn AnyValue) -> Result<(), Error> {
        site.set_value(value, "enumerate")?;
        let (own, joint) = (log_density_of_draw(site), site.log_prob_sum().item().wide());
        if own.is_nan() || joint.is_nan() || joint == f64::INFINITY {
            return Err(site.explain_non_finite());
        }
        let weight = self.weight + joint;
        if own == f64::NEG_INFINITY || weight == f64::NEG_INFINITY {
            return Ok(());
        }
        let choice = Choice { before: self.node.path.clone(), site: name.clone(), value: value.boxed() };
        let (length, mass) = (self.node.length + 1, self.node.mass + own);
        let node = Node { path: Some(Rc::new(choice)), length, mass, weight, from: None, left: 1.0 };
        self.frontier.put(node, weight);
        Ok(())
    }

    /// Counts the density of a site that is not chosen.
    fn score(&mut self, site: &mut dyn SampleSite<E, D>) {
        // What comes before the last choice is in the node's weight.
        if self.end != End::Complete || self.repeated < self.choices.len() || !site.state().is_scored() {
            return;
        }
        let log_prob = site.log_prob_sum().item().wide();
        if log_prob.is_nan() || log_prob == f64::INFINITY {
            self.inner.context().report(site.explain_non_finite());
            return;
        }
        self.weight += log_prob;
        if log_prob == f64::NEG_INFINITY {
            self.leave(End::Impossible, site.name());
        }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Run<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        let is_chosen = !site.has_value() && site.state().is_random() && self.end == End::Complete;
        if !is_chosen {
            self.inner.sample(site);
            return self.score(site);
        }
        let set = if self.repeated < self.choices.len() { self.repeat(site) } else { self.branch(site) };
        if let Err(error) = set {
            self.inner.context().report(error);
            self.leave(End::Left, site.name());
        }
        self.inner.sample(site);
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        if let (PlateRows::Subsample(_), None) = (&plate.ask, &plate.rows) {
            let problem =
                "it draws a subsample, which is no part of an execution; fix its rows with `subsample`".into();
            self.inner.context().report(Error::Plate { plate: plate.address.to_string(), problem });
        }
        self.inner.enter_plate(plate);
    }
}
