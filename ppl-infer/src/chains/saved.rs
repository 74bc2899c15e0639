//! Saving all chains with what they drew, and going on from there bit for bit.

use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::checkpoint::{Checkpoint, CheckpointError, Stored, VERSION};
use crate::draws::{ChainDraws, DivergentStep, SampleStats};
use crate::mcmc::Sampler;

use super::chain::{Chain, Plan};
use super::{Mcmc, McmcError};

/// What is saved beside the draws.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
    dtype: String,
    warmup: usize,
    thin: usize,
    seed: u64,
    /// The names and sizes of the variables.
    variables: Vec<(String, Vec<usize>)>,
    chains: Vec<SavedChain>,
}

/// What is saved of a chain beside its draws.
#[derive(Debug, Serialize, Deserialize)]
struct SavedChain {
    iteration: usize,
    evaluations: u64,
    divergences: usize,
    stats: Vec<SampleStats>,
    diverging_draws: Vec<usize>,
    sampler: Value,
}

impl<S: Sampler> Mcmc<S> {
    /// Saves all chains, with the draws that are kept in memory, in the place of a file, atomically.
    ///
    /// # Errors
    /// If a file operation fails; a file that was there before is then untouched.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), McmcError<S::Error>> {
        let mut tensors = IndexMap::new();
        self.chains.iter().for_each(|chain| put_draws(chain, &mut tensors));
        let checkpoint = Checkpoint { header: self.header(), tensors };
        Ok(checkpoint.write(path.as_ref())?)
    }

    /// Goes on from where a saved run of the same model and options was; its draws come with it. The number of
    /// draws may differ. An open [stream](Mcmc::stream) is not told.
    ///
    /// # Errors
    /// If the file is not whole, or is of another model, sampler, seed, thinning, warm-up or number of chains;
    /// everything is then as it was.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<(), McmcError<S::Error>> {
        let path = path.as_ref();
        let mut checkpoint = Checkpoint::<f64, Header>::read(path)?;
        let wrong = |entry: &str, problem: String| CheckpointError::Entry {
            path: path.to_owned(),
            entry: entry.to_owned(),
            problem,
        };
        self.check(&checkpoint.header).map_err(|(entry, problem)| wrong(entry, problem))?;
        let width = self.variables().iter().map(|(_, dims)| dims.iter().product::<usize>()).sum();
        let saved = std::mem::take(&mut checkpoint.header.chains);
        let mut loaded = Vec::with_capacity(saved.len());
        for (number, chain) in saved.into_iter().enumerate() {
            let draws = take_draws(number, &chain, width, &checkpoint.tensors);
            loaded.push((draws.map_err(|(entry, problem)| wrong(&entry, problem))?, chain));
        }
        self.adopt(loaded).map_err(|(chain, problem)| wrong(&format!("chain {chain}"), problem).into())
    }

    fn header(&self) -> Header {
        let Plan { warmup, thin, seed, .. } = self.plan;
        let chains = self.chains.iter().map(|chain| SavedChain {
            iteration: chain.iteration,
            evaluations: chain.evaluations,
            divergences: chain.divergences,
            stats: chain.draws.stats().to_vec(),
            diverging_draws: chain.draws.divergences().iter().map(|d| d.draw).collect(),
            sampler: chain.sampler.save(),
        });
        let (variables, chains) = (self.variables(), chains.collect());
        Header { version: VERSION, dtype: "f64".to_owned(), warmup, thin, seed, variables, chains }
    }

    fn variables(&self) -> Vec<(String, Vec<usize>)> {
        let variables = self.chains.first().map_or(&[][..], |chain| chain.sampler.variables());
        variables.iter().map(|variable| (variable.name.clone(), variable.dims.clone())).collect()
    }

    /// What differs from this run: the entry, and how.
    fn check(&self, header: &Header) -> Result<(), (&'static str, String)> {
        let Plan { warmup, thin, seed, .. } = self.plan;
        let differs = |saved: &dyn std::fmt::Debug, here: &dyn std::fmt::Debug| {
            format!("it is {saved:?} in the file, but {here:?} in this run")
        };
        match header {
            h if h.seed != seed => Err(("seed", differs(&h.seed, &seed))),
            h if h.warmup != warmup => Err(("warmup", differs(&h.warmup, &warmup))),
            h if h.thin != thin => Err(("thin", differs(&h.thin, &thin))),
            h if h.chains.len() != self.chains.len() => Err(("chains", differs(&h.chains.len(), &self.chains.len()))),
            h if h.variables != self.variables() => Err(("variables", differs(&h.variables, &self.variables()))),
            _ => Ok(()),
        }
    }

    /// Takes over all chains, or none.
    fn adopt(&mut self, loaded: Vec<(ChainDraws, SavedChain)>) -> Result<(), (usize, String)> {
        let before: Vec<Value> = self.chains.iter().map(|chain| chain.sampler.save()).collect();
        for (number, (_, saved)) in loaded.iter().enumerate() {
            if let Err(problem) = self.chains[number].sampler.restore(saved.sampler.clone()) {
                for (chain, before) in self.chains.iter_mut().zip(before) {
                    // What was just saved here is of this sampler.
                    let _ = chain.sampler.restore(before);
                }
                return Err((number, problem));
            }
        }
        for (chain, (draws, saved)) in self.chains.iter_mut().zip(loaded) {
            (chain.iteration, chain.evaluations) = (saved.iteration, saved.evaluations);
            (chain.divergences, chain.draws) = (saved.divergences, draws);
        }
        Ok(())
    }
}

/// The names of a chain's tensors.
fn names(chain: usize) -> [String; 4] {
    ["draws", "divergent values", "divergent positions", "energy errors"].map(|what| format!("chain {chain}/{what}"))
}

fn put_draws<S>(chain: &Chain<S>, tensors: &mut IndexMap<String, Stored<f64>>) {
    let (draws, divergences) = (&chain.draws, chain.draws.divergences());
    let rows: Vec<f64> = draws.rows().flatten().copied().collect();
    let values: Vec<f64> = divergences.iter().flat_map(|d| d.values.iter().copied()).collect();
    let positions: Vec<f64> = divergences.iter().flat_map(|d| d.from.iter().chain(&d.to).copied()).collect();
    let errors: Vec<f64> = divergences.iter().map(|d| d.energy_error).collect();
    let [count, dim] = [divergences.len(), divergences.first().map_or(0, |d| d.from.len())];
    let dims = [vec![draws.len(), draws.width()], vec![count, draws.width()], vec![count, 2, dim], vec![count]];
    for ((name, dims), numbers) in names(chain.number).into_iter().zip(dims).zip([rows, values, positions, errors]) {
        tensors.insert(name, (dims, numbers));
    }
}

fn take_draws(
    number: usize,
    saved: &SavedChain,
    width: usize,
    tensors: &IndexMap<String, Stored<f64>>,
) -> Result<ChainDraws, (String, String)> {
    let [rows, values, positions, errors] = names(number);
    let get = |name: &String| tensors.get(name).ok_or_else(|| (name.clone(), "it is missing".to_owned()));
    let fits = |name: &String, found: &[usize], expected: &[usize]| match found == expected {
        true => Ok(()),
        false => Err((name.clone(), format!("its sizes are {found:?}, expected {expected:?}"))),
    };
    let (row_dims, row_numbers) = get(&rows)?;
    fits(&rows, row_dims, &[saved.stats.len(), width])?;
    let mut draws = ChainDraws::new(width);
    saved.stats.iter().enumerate().for_each(|(at, stats)| draws.push(&row_numbers[at * width..][..width], *stats));
    let count = saved.diverging_draws.len();
    let (value_dims, value_numbers) = get(&values)?;
    let (position_dims, position_numbers) = get(&positions)?;
    let (error_dims, error_numbers) = get(&errors)?;
    fits(&values, value_dims, &[count, width])?;
    fits(&errors, error_dims, &[count])?;
    let dim = position_dims.get(2).copied().unwrap_or(0);
    fits(&positions, position_dims, &[count, 2, dim])?;
    for (at, &draw) in saved.diverging_draws.iter().enumerate() {
        let position = &position_numbers[at * 2 * dim..][..2 * dim];
        draws.push_divergence(DivergentStep {
            draw,
            values: value_numbers[at * width..][..width].to_vec(),
            from: position[..dim].to_vec(),
            to: position[dim..].to_vec(),
            energy_error: error_numbers[at],
        });
    }
    Ok(draws)
}
