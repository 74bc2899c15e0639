//! The one trait that inference overrides: what `sample!`, `param!` and `plate!` mean.
//!
//! A model's body calls its handler at every statement. A handler does its part and forwards to
//! the handler inside it; the innermost one draws from the prior. So composition is nesting, and a
//! new meaning is one small `impl`:
//!
//! ```
//! use ppl_core::{Dtype, backend::Backend, handler::Handler, site::SampleSite};
//!
//! /// Counts the latent sites of a run.
//! struct Count<'h, E: Dtype, D: Backend<E>> {
//!     inner: &'h mut dyn Handler<E, D>,
//!     latent: usize,
//! }
//!
//! impl<E: Dtype, D: Backend<E>> Handler<E, D> for Count<'_, E, D> {
//!     fn inner(&mut self) -> &mut dyn Handler<E, D> {
//!         self.inner
//!     }
//!
//!     fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
//!         self.latent += usize::from(!site.is_observed());
//!         self.inner.sample(site);
//!     }
//! }
//! ```

use std::sync::Arc;

use rand::RngCore;
use rand::seq::index;
use rustc_hash::FxHashMap;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::params::ParamSite;
use crate::plate::{Frame, Frames, Plate, PlateRows, Rows, Step, Steps};
use crate::rng::Rng;
use crate::site::SampleSite;

/// What inference overrides. Every method but [`Handler::inner`] forwards by default.
///
/// The protocol of a sample statement, in the order of events:
/// 1. the statement makes a site: name, distribution, perhaps an observed value, the plates' scale;
/// 2. parameters and shapes are checked, and the first error goes to the [`Context`];
/// 3. the outermost handler gets the site; it may set or forget the value, scale, mask, or hide it;
/// 4. it forwards to the handler inside it, and so on; what it does after that sees the value;
/// 5. the innermost handler draws the value if there is none;
/// 6. the statement returns the value to the model.
pub trait Handler<E: Dtype, D: Backend<E>> {
    /// The handler that this one forwards to. The innermost one, which answers every effect itself,
    /// returns itself.
    fn inner(&mut self) -> &mut dyn Handler<E, D>;

    /// A sample statement.
    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        self.inner().sample(site);
    }

    /// A parameter statement.
    fn param(&mut self, site: &mut dyn ParamSite<E, D>) {
        self.inner().param(site);
    }

    /// A plate begins; a handler may fix its rows.
    fn enter_plate(&mut self, plate: &mut Plate) {
        self.inner().enter_plate(plate);
    }

    /// A plate ends.
    fn exit_plate(&mut self, plate: &Plate) {
        self.inner().exit_plate(plate);
    }

    /// The state of the run, which the innermost handler holds.
    fn context(&mut self) -> &mut Context {
        self.inner().context()
    }
}

/// The state of one run: generator, scopes, plates, and the first error.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where randomness comes from.
    pub rng: Rng,
    /// Whether distributions' parameters are checked at every site.
    pub validate: bool,
    /// Where initial values of parameters come from that no store supplies; drawn at first use.
    param_seed: Option<u64>,
    scope: String,
    frames: Frames,
    /// What the log-density of the next sample statement is multiplied by.
    next_scale: f64,
    /// Whether the next sample statement is to be enumerated.
    next_enumerates: bool,
    steps: Steps,
    /// How many Markov chains have begun.
    chains: usize,
    /// Sizes and rows of the plates met so far: a plate has the same rows wherever it is entered.
    plates: FxHashMap<Arc<str>, (usize, Rows)>,
    error: Option<Error>,
}

impl Context {
    /// A fresh run. Parameters are checked in debug builds.
    pub fn new(rng: Rng) -> Self {
        Context {
            rng,
            validate: cfg!(debug_assertions),
            param_seed: None,
            scope: String::new(),
            frames: Frames::new(),
            next_scale: 1.0,
            next_enumerates: false,
            steps: Steps::new(),
            chains: 0,
            plates: FxHashMap::default(),
            error: None,
        }
    }

    /// Puts another generator, and another seed of parameters, in the place of the present ones,
    /// which are returned.
    pub(crate) fn exchange(&mut self, rng: Rng, param_seed: Option<u64>) -> (Rng, Option<u64>) {
        (std::mem::replace(&mut self.rng, rng), std::mem::replace(&mut self.param_seed, param_seed))
    }

    /// The seed of the parameters that no store supplies: one for the run, so that two statements of
    /// one name agree.
    pub(crate) fn param_seed(&mut self) -> u64 {
        *self.param_seed.get_or_insert_with(|| self.rng.next_u64())
    }

    /// Keeps an error if it is the first of the run.
    pub fn report(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// Keeps the error of a result, if it is the first of the run.
    pub fn check(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            self.report(error);
        }
    }

    /// The first error of the run, taken out.
    pub fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// The result of a run: its value, or the first error.
    ///
    /// # Errors
    /// The first error that was reported.
    pub fn finish<R>(&mut self, value: R) -> Result<R, Error> {
        self.take_error().map_or(Ok(value), Err)
    }

    /// The scopes of the submodels around the statement: empty, or ending in `/`.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The plates around the statement, outermost first.
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    /// The rows that the plate of that full name has in this run, once it was entered.
    pub fn rows(&self, plate: &str) -> Option<&Rows> {
        self.plates.get(plate).map(|(_, rows)| rows)
    }

    /// Multiplies the log-density of the next sample statement.
    pub(crate) fn scale_next(&mut self, factor: f64) {
        self.next_scale = factor;
    }

    /// What the log-density of this sample statement is multiplied by, taken out.
    pub(crate) fn take_scale(&mut self) -> f64 {
        std::mem::replace(&mut self.next_scale, 1.0)
    }

    /// Marks the next sample statement as one to be enumerated.
    pub(crate) fn enumerate_next(&mut self) {
        self.next_enumerates = true;
    }

    /// Whether this sample statement is to be enumerated; the mark is taken off.
    pub(crate) fn take_enumerates(&mut self) -> bool {
        std::mem::take(&mut self.next_enumerates)
    }

    /// The steps of Markov chains around the statement, outermost first.
    pub fn steps(&self) -> &Steps {
        &self.steps
    }

    /// Begins a Markov chain, in none of its steps yet; what it returns goes to [`Context::step`] and [`Context::end_chain`].
    pub(crate) fn begin_chain(&mut self, history: usize) -> (usize, Step) {
        self.chains += 1;
        (self.steps.len(), Step { chain: self.chains - 1, history, at: 0 })
    }

    /// The step of a chain begins, and whatever an early exit left open ends.
    pub(crate) fn step(&mut self, depth: usize, step: Step) {
        self.steps.truncate(depth);
        self.steps.push(step);
    }

    /// Ends a chain that stands in so many others.
    pub(crate) fn end_chain(&mut self, depth: usize) {
        self.steps.truncate(depth);
    }

    /// The next element of the loop over a plate.
    pub(crate) fn iterate(&mut self, plate: &str, at: usize) {
        if let Some(frame) = self.frames.iter_mut().rev().find(|frame| *frame.name == *plate) {
            frame.at = at;
        }
    }

    /// Enters a submodel: names of statements get this scope. What it returns goes to [`Context::leave`].
    pub fn enter(&mut self, scope: &str) -> Entered {
        let entered = Entered { scope: self.scope.len(), frames: self.frames.len(), steps: self.steps.len() };
        self.scope.push_str(scope);
        self.scope.push('/');
        entered
    }

    /// Leaves a submodel, with any plate that an early return left open.
    pub fn leave(&mut self, entered: Entered) {
        self.scope.truncate(entered.scope);
        self.frames.truncate(entered.frames);
        self.steps.truncate(entered.steps);
    }

    /// Puts a plate around what follows, with the rows that are fixed or drawn now.
    pub(crate) fn open(&mut self, plate: &mut Plate) {
        let asked = self.rows_of(plate);
        let rows = self.within(plate, asked);
        let name = self.remember(plate, &rows);
        if self.frames.iter().any(|frame| frame.name == name) {
            self.report(wrong_plate(plate, "it stands within itself; give each its own name or index".into()));
        }
        self.frames.push(Frame { name, size: plate.size, len: rows.len(), is_loop: plate.is_loop, at: 0 });
        plate.rows = Some(rows);
    }

    /// Removes a plate and any that an early exit left open inside it.
    pub(crate) fn close(&mut self, plate: &Plate) {
        if let Some(at) = self.frames.iter().rposition(|f| *f.name == *plate.address.as_str()) {
            self.frames.truncate(at);
        }
    }

    /// The rows that a handler has fixed or the statement asks for.
    fn rows_of(&mut self, plate: &mut Plate) -> Rows {
        match (plate.rows.take(), &plate.ask) {
            (Some(fixed), PlateRows::Given(given)) if !fixed.same_as(given) => {
                let problem = "the statement gives its rows, but a replay or another handler has fixed other ones";
                self.report(wrong_plate(plate, problem.into()));
                given.clone()
            }
            (Some(fixed), _) => fixed,
            (None, PlateRows::All) => Rows::all(plate.size),
            (None, PlateRows::Given(rows)) => rows.clone(),
            (None, &PlateRows::Subsample(n)) => self.subsample(plate, n),
        }
    }

    /// The subsample that the plate has had in this run, or a new one.
    fn subsample(&mut self, plate: &Plate, n: usize) -> Rows {
        match self.plates.get(plate.address.as_str()) {
            Some((size, rows)) if *size == plate.size && rows.len() == n => rows.clone(),
            _ if n >= 1 && n <= plate.size => Rows::some(index::sample(&mut self.rng, plate.size, n).into_vec()),
            _ => {
                let problem = format!("a subsample of {n} cannot be drawn from {} elements", plate.size);
                self.report(wrong_plate(plate, problem));
                Rows::all(plate.size)
            }
        }
    }

    /// The rows, if they are the plate's; others are reported and replaced by as many that are, since
    /// the model may pick data by them.
    fn within(&mut self, plate: &Plate, rows: Rows) -> Rows {
        let size = plate.size;
        if rows.is_empty() && size > 0 {
            self.report(wrong_plate(plate, "no rows were given".into()));
        }
        let Some(beyond) = rows.iter().find(|&row| row >= size) else { return rows };
        self.report(wrong_plate(plate, format!("row {beyond} was given, but the plate has {size} elements")));
        if size == 0 { Rows::all(0) } else { Rows::some(rows.iter().map(|row| row % size).collect::<Vec<_>>()) }
    }

    /// Compares the plate with what it was before in this run; returns its name.
    fn remember(&mut self, plate: &Plate, rows: &Rows) -> Arc<str> {
        let Some((name, (size, before))) = self.plates.get_key_value(plate.address.as_str()) else {
            let name: Arc<str> = plate.address.as_str().into();
            self.plates.insert(name.clone(), (plate.size, rows.clone()));
            return name;
        };
        let (name, size, same) = (name.clone(), *size, before.same_as(rows));
        if size != plate.size {
            let problem = format!("it has {size} elements in one place and {} in another", plate.size);
            self.report(wrong_plate(plate, problem + "; give each its own name or index"));
        } else if !same {
            let problem = "it has other rows in one place than in another; give each its own name or index";
            self.report(wrong_plate(plate, problem.into()));
        }
        name
    }
}

fn wrong_plate(plate: &Plate, problem: String) -> Error {
    Error::Plate { plate: plate.address.to_string(), problem }
}

/// Where a run stood when it entered a submodel.
#[derive(Debug)]
pub struct Entered {
    scope: usize,
    frames: usize,
    steps: usize,
}
