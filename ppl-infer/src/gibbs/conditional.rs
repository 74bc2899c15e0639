//! The conditional of a block as kernels of users see it.

use ppl_core::backend::Backend;
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error};

use crate::model_density::handler::wrong;

use super::block_kernel::Conditional;
use super::joint::{Joint, Source};

/// The conditional of some sites.
pub(super) struct BlockConditional<'b, 'r, E: Dtype, D: Backend<E>> {
    joint: &'b mut Joint<'r, E, D>,
    sites: &'b [usize],
    /// The values that were judged last, so that moving to them takes no run.
    judged: Option<Judged>,
}

struct Judged {
    values: Vec<(usize, Vec<f64>)>,
    log_density: f64,
    typed: Vec<(usize, Box<dyn AnyValue>)>,
}

impl<'b, 'r, E: Dtype, D: Backend<E>> BlockConditional<'b, 'r, E, D> {
    pub(super) fn new(joint: &'b mut Joint<'r, E, D>, sites: &'b [usize]) -> Self {
        BlockConditional { joint, sites, judged: None }
    }

    /// # Errors
    /// If a site is not in the block.
    fn placed(&self, values: &[(&str, &[f64])]) -> Result<Vec<(usize, Vec<f64>)>, Error> {
        let place = |&(name, numbers): &(&str, &[f64])| {
            let at = self.sites.iter().copied().find(|&at| self.joint.latents[at].name == name);
            let problem = "a kernel gives it a value, but it is not in the kernel's block";
            Ok((at.ok_or_else(|| wrong(name.to_owned(), problem))?, numbers.to_vec()))
        };
        values.iter().map(place).collect()
    }

    fn judge(&mut self, values: &[(&str, &[f64])]) -> Result<&Judged, Error> {
        let values = self.placed(values)?;
        let judged = match self.judged.take().filter(|judged| judged.values == values) {
            Some(judged) => judged,
            None => {
                let mut sources = self.joint.held();
                values.iter().for_each(|(at, numbers)| sources[*at] = Source::Numbers(numbers));
                let (log_density, typed) = self.joint.score(&sources)?;
                Judged { values, log_density, typed }
            }
        };
        Ok(self.judged.insert(judged))
    }
}

impl<E: Dtype, D: Backend<E>> Conditional for BlockConditional<'_, '_, E, D> {
    fn sites(&self) -> Vec<&str> {
        self.sites.iter().map(|&at| self.joint.latents[at].name.as_str()).collect()
    }

    fn value(&self, site: &str) -> Result<Vec<f64>, Error> {
        let at = self.joint.latents.iter().position(|latent| latent.name == site);
        self.joint.numbers(at.ok_or_else(|| wrong(site.to_owned(), "the model has no such latent site"))?)
    }

    fn log_density(&mut self, values: &[(&str, &[f64])]) -> Result<f64, Error> {
        Ok(self.judge(values)?.log_density)
    }

    fn set(&mut self, values: &[(&str, &[f64])]) -> Result<(), Error> {
        let log_density = self.judge(values)?.log_density;
        if !log_density.is_finite() {
            let (name, numbers) = values.first().map_or(("", &[][..]), |&(name, numbers)| (name, numbers));
            let problem = format!("a kernel moved to {numbers:?}, where the log-density is {log_density}");
            return Err(wrong(name.to_owned(), &problem));
        }
        if let Some(judged) = self.judged.take() {
            self.joint.values.set(judged.typed);
        }
        Ok(())
    }
}
