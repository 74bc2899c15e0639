//! Saving a Gibbs sampler, and going on from there bit for bit.

use ppl_core::Dtype;
use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::model::Model;
use ppl_core::rng::Rng;
use ppl_core::values::AnyValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::joint::{Joint, Source, changed_value};
use super::sampler::{GibbsSampler, Mover};
use super::tuned;

/// What is saved of a sampler.
#[derive(Serialize, Deserialize)]
struct Saved {
    dtype: String,
    /// The latent sites, with the numbers of their values.
    sites: Vec<(String, Vec<f64>)>,
    /// How often they moved.
    moves: u64,
    blocks: Vec<SavedBlock>,
}

/// What is saved of a block.
#[derive(Serialize, Deserialize)]
enum SavedBlock {
    /// State, step size, metric and warm-up.
    Tuned(Value),
    /// Of each unit, whether its elements were found to depend on one another.
    Enumerated(Vec<bool>),
    /// The same of each site.
    Proposed(Vec<bool>),
    /// What the kernel saved.
    Own(Value),
}

impl<A, M, E, D> GibbsSampler<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    pub(super) fn saved(&self) -> Value {
        let numbers = |at: usize| self.values.get(at).to_f64s().unwrap_or_default();
        let sites = self.latents.iter().enumerate().map(|(at, latent)| (latent.name.clone(), numbers(at)));
        let block = |block: &Mover<E>| match block {
            Mover::Tuned(block) => SavedBlock::Tuned(serde_json::to_value(block.saved()).unwrap_or(Value::Null)),
            Mover::Enumerated(units) => SavedBlock::Enumerated(units.iter().map(|unit| unit.coupled).collect()),
            Mover::Proposed(sites) => SavedBlock::Proposed(sites.iter().map(|site| site.coupled).collect()),
            Mover::Own { kernel, .. } => SavedBlock::Own(kernel.save()),
        };
        let saved = Saved {
            dtype: E::NAME.to_owned(),
            sites: sites.collect(),
            moves: self.values.moves,
            blocks: self.blocks.iter().map(block).collect(),
        };
        // Fields and finite numbers have a form in JSON; what is not finite is `null`, and is refused on the way back.
        serde_json::to_value(saved).unwrap_or(Value::Null)
    }

    /// # Errors
    /// If it was not saved by a sampler like this one; this one is then as it was.
    pub(super) fn go_on_from(&mut self, saved: Value) -> Result<(), String> {
        let saved: Saved = serde_json::from_value(saved).map_err(|error| error.to_string())?;
        if saved.dtype != E::NAME {
            return Err(format!("it was saved as {}, but the model is in {}", saved.dtype, E::NAME));
        }
        if !saved.sites.iter().map(|(name, _)| name).eq(self.latents.iter().map(|latent| &latent.name)) {
            let names = saved.sites.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(format!("it was saved with the latent sites {names}, which are not the model's"));
        }
        if saved.blocks.len() != self.blocks.len() {
            return Err(format!("it was saved with {} blocks, but has {}", saved.blocks.len(), self.blocks.len()));
        }
        let values = self.typed(&saved.sites)?;
        let blocks = self.blocks.iter().zip(saved.blocks).enumerate();
        let blocks = blocks.map(|(number, (block, saved))| {
            restored(block, saved).map_err(|problem| format!("block {number}: {problem}"))
        });
        let blocks = blocks.collect::<Result<Vec<Mover<E>>, String>>()?;
        let before = (self.values.clone(), self.row.clone());
        self.values.set(values);
        self.values.moves = saved.moves;
        if let Err(error) = self.write() {
            (self.values, self.row) = before;
            return Err(error.to_string());
        }
        self.blocks = blocks;
        Ok(())
    }

    /// The values with these numbers.
    fn typed(&mut self, sites: &[(String, Vec<f64>)]) -> Result<Vec<(usize, Box<dyn AnyValue>)>, String> {
        let sources: Vec<Source<'_>> = sites.iter().map(|(_, numbers)| Source::Numbers(numbers)).collect();
        let mut joint = Joint { runs: &mut self.program, latents: &self.latents, values: &mut self.values };
        let mut values = Vec::new();
        let run = no_grad(|| {
            joint.run(&mut Rng::seed(0), &sources, None, &mut |site, place, _| {
                values.extend(changed_value(site, place, &sources));
                Ok(())
            })
        });
        run.map_err(|error| error.to_string())?;
        Ok(values)
    }
}

/// A block that goes on from what was saved.
fn restored<E: Dtype>(block: &Mover<E>, saved: SavedBlock) -> Result<Mover<E>, String> {
    let mut block = block.clone();
    match (&mut block, saved) {
        (Mover::Tuned(block), SavedBlock::Tuned(saved)) => {
            let saved: tuned::Saved<E> = serde_json::from_value(saved).map_err(|error| error.to_string())?;
            block.check(&saved)?;
            block.restore(saved);
        }
        (Mover::Enumerated(units), SavedBlock::Enumerated(coupled)) if units.len() == coupled.len() => {
            units.iter_mut().zip(coupled).for_each(|(unit, coupled)| unit.coupled = coupled);
        }
        (Mover::Proposed(sites), SavedBlock::Proposed(coupled)) if sites.len() == coupled.len() => {
            sites.iter_mut().zip(coupled).for_each(|(site, coupled)| site.coupled = coupled);
        }
        (Mover::Own { kernel, .. }, SavedBlock::Own(saved)) => kernel.restore(saved)?,
        _ => return Err("it was saved of a block with other kernels or sites".into()),
    }
    Ok(block)
}
