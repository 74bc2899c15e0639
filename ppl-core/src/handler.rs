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

use rand::seq::index;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::params::ParamSite;
use crate::plate::{Frame, Frames, Plate, PlateRows, Rows};
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
    scope: String,
    frames: Frames,
    error: Option<Error>,
}

impl Context {
    /// A fresh run. Parameters are checked in debug builds.
    pub fn new(rng: Rng) -> Self {
        Context { rng, validate: cfg!(debug_assertions), scope: String::new(), frames: Frames::new(), error: None }
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

    /// Enters a submodel; what it returns goes to [`Context::leave`].
    pub(crate) fn enter(&mut self, scope: &str) -> Entered {
        let entered = Entered { scope: self.scope.len(), frames: self.frames.len() };
        self.scope.push_str(scope);
        self.scope.push('/');
        entered
    }

    /// Leaves a submodel, with any plate that an early return left open.
    pub(crate) fn leave(&mut self, entered: Entered) {
        self.scope.truncate(entered.scope);
        self.frames.truncate(entered.frames);
    }

    /// Puts a plate around what follows, with the rows that are fixed or drawn now.
    pub(crate) fn open(&mut self, plate: &mut Plate) {
        let rows = plate.rows.take().unwrap_or_else(|| self.rows_of(plate));
        let name: Arc<str> = plate.address.as_str().into();
        self.frames.push(Frame { name, size: plate.size, len: rows.len(), is_loop: plate.is_loop });
        plate.rows = Some(rows);
    }

    /// Removes a plate and any that an early exit left open inside it.
    pub(crate) fn close(&mut self, plate: &Plate) {
        if let Some(at) = self.frames.iter().rposition(|f| *f.name == *plate.address.as_str()) {
            self.frames.truncate(at);
        }
    }

    fn rows_of(&mut self, plate: &Plate) -> Rows {
        let wrong = |problem: String| Error::Plate { plate: plate.address.to_string(), problem };
        match &plate.ask {
            PlateRows::All => Rows::all(plate.size),
            PlateRows::Subsample(n) if *n >= 1 && *n <= plate.size => {
                Rows::some(index::sample(&mut self.rng, plate.size, *n).into_vec())
            }
            PlateRows::Subsample(n) => {
                self.report(wrong(format!("a subsample of {n} cannot be drawn from {} elements", plate.size)));
                Rows::all(plate.size)
            }
            PlateRows::Given(rows) => {
                if let Some(row) = rows.iter().find(|&row| row >= plate.size) {
                    self.report(wrong(format!("row {row} was given, but the plate has {} elements", plate.size)));
                } else if rows.is_empty() && plate.size > 0 {
                    self.report(wrong("no rows were given".into()));
                }
                rows.clone()
            }
        }
    }
}

/// Where a run stood when it entered a submodel.
#[derive(Debug)]
pub(crate) struct Entered {
    scope: usize,
    frames: usize,
}
