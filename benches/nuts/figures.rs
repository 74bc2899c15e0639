//! What came of a run: its times and steps, and the effective draws of every quantity that the model names.

use std::any::Any;

use ppl::backend::Backend;
use ppl::infer::ModelDensity;
use ppl::infer::diagnostics::{Chains, ess_bulk, rhat};
use ppl::model::Model;
use ppl::site::SiteKind;
use ppl::{Cpu, Dtype, Rank1, Shape, Tensor};
use serde_json::{Value, json};

/// The numbers of a value: a tensor in one of the shapes that the models' values have.
fn numbers<E: Dtype>(value: &dyn Any) -> Vec<E>
where
    Cpu: Backend<E>,
{
    fn of<S: Shape, E: Dtype>(value: &dyn Any) -> Option<Vec<E>>
    where
        Cpu: Backend<E>,
    {
        value.downcast_ref::<Tensor<S, E>>().map(Tensor::to_vec)
    }
    let shapes = [of::<(), E>, of::<(usize,), E>, of::<Rank1<8>, E>, of::<Rank1<100>, E>];
    shapes.into_iter().find_map(|of| of(value)).expect("a tensor of a known shape")
}

fn of_slices(chains: &[Vec<f64>]) -> Chains<'_> {
    let chains: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
    Chains::new(&chains).expect("draws that are finite")
}

/// Four chains.
#[derive(Default)]
pub(crate) struct Run<E> {
    /// The positions of each chain.
    pub(crate) chains: Vec<Vec<Vec<E>>>,
    /// The time of all warm-ups, and of all draws.
    pub(crate) warmup_seconds: f64,
    pub(crate) seconds: f64,
    /// How often the density was evaluated in either.
    pub(crate) warmup_steps: u64,
    pub(crate) steps: u64,
    /// The draws that diverged.
    pub(crate) divergences: u64,
}

impl<E: Dtype> Run<E>
where
    Cpu: Backend<E>,
{
    /// The least bulk effective size of the quantities, and their geometric mean.
    pub(crate) fn effective<M: Model<A, E = E, D = Cpu>, A: Clone>(
        &self,
        density: &mut ModelDensity<M, A, E, Cpu>,
    ) -> [f64; 2] {
        let quantities = self.quantities(density);
        let sizes: Vec<f64> = quantities.iter().map(|(_, chains)| ess_bulk(&of_slices(chains))).collect();
        let mean_log = sizes.iter().map(|size| size.ln()).sum::<f64>() / sizes.len() as f64;
        [sizes.into_iter().fold(f64::INFINITY, f64::min), mean_log.exp()]
    }

    /// Adds the run's figures to a line.
    pub(crate) fn report<M: Model<A, E = E, D = Cpu>, A: Clone>(
        &self,
        density: &mut ModelDensity<M, A, E, Cpu>,
        line: &mut Value,
    ) {
        let quantities = self.quantities(density);
        let figures = quantities.iter().map(|(name, chains)| {
            let chains = of_slices(chains);
            (name, ess_bulk(&chains), rhat(&chains))
        });
        let figures: Vec<_> = figures.collect();
        let (worst, ess, _) = figures.iter().min_by(|a, b| a.1.total_cmp(&b.1)).expect("a quantity");
        let r_hat = figures.iter().map(|(.., r_hat)| *r_hat).fold(1.0, f64::max);
        let (wall, steps) = (self.seconds + self.warmup_seconds, self.steps + self.warmup_steps);
        let more = json!({
            "warmup_s": self.warmup_seconds, "sample_s": self.seconds,
            "gradients": steps, "mean_steps": self.steps as f64 / self.draws(),
            "warmup_mean_steps": self.warmup_steps as f64 / (self.chains.len() * crate::WARMUP) as f64,
            "us_per_grad": wall * 1e6 / steps as f64,
            "min_bulk_ess": ess, "min_bulk_ess_of": worst, "max_rhat": r_hat,
            "ess_per_s": ess / wall, "ess_per_sample_s": ess / self.seconds,
            "ess_per_grad": ess / self.steps as f64, "ess_per_grad_of_all": ess / steps as f64,
            "divergences": self.divergences,
        });
        let (Value::Object(line), Value::Object(more)) = (line, more) else { unreachable!("both are objects") };
        line.extend(more);
    }

    fn draws(&self) -> f64 {
        self.chains.iter().map(Vec::len).sum::<usize>() as f64
    }

    /// Each element of each latent and each deterministic site, chain by chain.
    fn quantities<M: Model<A, E = E, D = Cpu>, A: Clone>(
        &self,
        density: &mut ModelDensity<M, A, E, Cpu>,
    ) -> Vec<(String, Vec<Vec<f64>>)> {
        let mut quantities: Vec<(String, Vec<Vec<f64>>)> = Vec::new();
        for (chain, positions) in self.chains.iter().enumerate() {
            for position in positions {
                let trace = density.trace(position).expect("a sound model");
                let named = trace.sites().filter(|site| site.is_latent() || site.kind == SiteKind::Deterministic);
                let mut at = 0;
                for site in named {
                    for (i, x) in numbers::<E>(site.value.as_any()).into_iter().enumerate() {
                        if at == quantities.len() {
                            quantities.push((format!("{}[{i}]", site.address), vec![Vec::new(); self.chains.len()]));
                        }
                        quantities[at].1[chain].push(x.wide());
                        at += 1;
                    }
                }
            }
        }
        quantities
    }
}
