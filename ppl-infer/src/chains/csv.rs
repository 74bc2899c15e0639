//! Draws streamed to disk in constant memory: a file of Stan's CSV for each chain.

use std::io;
use std::path::{Path, PathBuf};

use crate::draws::SampleStats;
use crate::export::{ExportError, InverseMass, StanCsv, StanRun};
use crate::mcmc::{Sampler, Tuning};

use super::chain::{Chain, DrawSink, Plan};
use super::{Mcmc, McmcError};

impl DrawSink for StanCsv {
    fn tuned(&mut self, tuning: &Tuning) -> io::Result<()> {
        self.adaptation(tuning.step_size, InverseMass::Diagonal(&tuning.inverse_mass)).map_err(io::Error::other)
    }

    fn draw(&mut self, row: &[f64], stats: &SampleStats) -> io::Result<()> {
        self.row(row, stats).map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sync().map_err(io::Error::other)
    }
}

impl<S: Sampler> Mcmc<S> {
    /// Sends the draws of each chain to a file of Stan's CSV in a folder, `chain_1.csv` and so on, which are
    /// returned. With [`keep`](super::McmcOptions::keep) off, memory does not grow with the number of draws.
    ///
    /// Of a run that was [loaded](Mcmc::load) among its draws, the files must be there: what they hold beyond the
    /// saved state is removed, and the draws go on behind it.
    ///
    /// # Errors
    /// If a file cannot be written, or holds fewer draws than the saved state has.
    pub fn stream_to_csv(
        &mut self,
        folder: impl AsRef<Path>,
        model: &str,
    ) -> Result<Vec<PathBuf>, McmcError<S::Error>> {
        let folder = folder.as_ref();
        let plan = self.plan.clone();
        let path = |chain: usize| folder.join(format!("chain_{}.csv", chain + 1));
        for chain in &mut self.chains {
            let opened = open(chain, &plan, &path(chain.number), model);
            let opened = opened.map_err(|error| chain.unwritten(io::Error::other(error)))?;
            chain.sink = Some(Box::new(opened));
        }
        Ok((0..self.chains.len()).map(path).collect())
    }
}

fn open<S: Sampler>(chain: &Chain<S>, plan: &Plan, path: &Path, model: &str) -> Result<StanCsv, ExportError> {
    let variables = chain.sampler.variables();
    let rows = plan.draws_at(chain.iteration);
    if rows > 0 {
        return StanCsv::resume(path, variables, rows);
    }
    let run = StanRun {
        model: model.to_owned(),
        chain: chain.number,
        seed: plan.seed,
        num_warmup: plan.warmup,
        num_samples: plan.draws,
        thin: plan.thin,
        ..StanRun::default()
    };
    StanCsv::create(path, variables, &run)
}
