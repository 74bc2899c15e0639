//! Latent values from draws.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Effect, Uncondition};
use ppl_core::{Dtype, Error};

use crate::draws::{Draws, Role, Variable};

use super::row::{Anew, FromRow};
use super::source::{Extent, Place, Source};

/// The values of draws, each of which is run once.
#[derive(Clone, Debug)]
pub struct FromDraws<'d> {
    draws: &'d Draws,
    /// The latent variables that the model must have.
    variables: Vec<Variable>,
    pub(super) anew: Anew,
    pub(super) step: usize,
}

impl<'d> FromDraws<'d> {
    pub(super) fn new(draws: &'d Draws) -> Self {
        let latent = |variable: &&Variable| variable.role == Role::Latent;
        let variables = draws.variables().iter().filter(latent).cloned().collect();
        FromDraws { draws, variables, anew: Anew::default(), step: 1 }
    }

    /// The draws.
    pub fn draws(&self) -> &'d Draws {
        self.draws
    }

    /// The model need not have these variables.
    pub(super) fn ignore(&mut self, names: &[String]) {
        self.variables.retain(|variable| !names.contains(&variable.name));
    }

    /// Runs the model at a draw, with its data.
    pub(super) fn run_with_data<E: Dtype, D: Backend<E>>(
        &self,
        place: Place,
        inner: &mut dyn Handler<E, D>,
        body: &mut dyn FnMut(&mut dyn Handler<E, D>),
    ) -> Result<(), Error> {
        self.run_at(place, &Anew::default(), inner, body)
    }

    fn run_at<E: Dtype, D: Backend<E>>(
        &self,
        place: Place,
        anew: &Anew,
        inner: &mut dyn Handler<E, D>,
        body: &mut dyn FnMut(&mut dyn Handler<E, D>),
    ) -> Result<(), Error> {
        let row = self.draws.chains()[place.chain].row(place.draw);
        let mut values = FromRow::new(&self.variables, row, anew, inner);
        body(&mut values);
        values.check_complete()
    }
}

impl<A, E: Dtype, D: Backend<E>> Source<A, E, D> for FromDraws<'_> {
    fn extent(&self) -> Extent {
        let draws = self.draws.num_draws().div_ceil(self.step);
        Extent { chains: self.draws.num_chains(), draws, step: self.step }
    }

    fn run(
        &self,
        place: Place,
        _: &A,
        inner: &mut dyn Handler<E, D>,
        body: &mut dyn FnMut(&mut dyn Handler<E, D>),
    ) -> Result<(), Error> {
        let mut result = Ok(());
        // The row sees a site first, and whether it is observed; the data are forgotten after it.
        Uncondition.around(inner, &mut |inner| result = self.run_at(place, &self.anew, inner, body));
        result
    }

    fn has(&self, name: &str, dims: &[usize]) -> bool {
        let is_it = |variable: &Variable| variable.name == name && variable.dims == dims;
        !self.anew.names.iter().any(|anew| anew == name) && self.variables.iter().any(is_it)
    }
}
