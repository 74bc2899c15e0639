//! Draws streamed to disk: the same as in memory, gone on with after a kill, and in memory that does not grow.

#[path = "chains/targets.rs"]
mod targets;

use std::ops::ControlFlow;
use std::path::Path;

use ppl_infer::chains::McmcStop;
use ppl_infer::export::read_stan_csv;
use ppl_infer::mcmc::{DensitySampler, Nuts, NutsOptions};
use ppl_infer::{Draws, Mcmc, McmcOptions};

use targets::{Funnel, Normals, short, with_each_metric};

type NormalsMcmc = Mcmc<DensitySampler<f64, Normals, Nuts<f64>>>;

fn begun(options: McmcOptions) -> NormalsMcmc {
    Mcmc::of_target(&Normals, NutsOptions::default(), options).unwrap()
}

/// Rows and figures; files have no places of divergences.
fn content(draws: &Draws) -> Vec<(Vec<Vec<f64>>, Vec<ppl_infer::draws::SampleStats>)> {
    let of =
        |chain: &ppl_infer::draws::ChainDraws| (chain.rows().map(<[f64]>::to_vec).collect(), chain.stats().to_vec());
    draws.chains().iter().map(of).collect()
}

#[test]
fn files_hold_the_draws_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    for options in with_each_metric() {
        let mut mcmc = begun(options);
        let files = mcmc.stream_to_csv(folder.path(), "normals").unwrap();
        mcmc.run().unwrap();
        let read = read_stan_csv(&files).unwrap();
        assert_eq!(read.variables(), mcmc.draws().variables());
        assert_eq!(content(&read), content(&mcmc.draws()));
    }
    let mut mcmc = Mcmc::of_target(&Funnel, NutsOptions::default(), McmcOptions { thin: 2, ..short() }).unwrap();
    let files = mcmc.stream_to_csv(folder.path(), "funnel").unwrap();
    mcmc.run().unwrap();
    assert_eq!(content(&read_stan_csv(&files).unwrap()), content(&mcmc.draws()));
}

#[test]
fn after_a_kill_the_files_go_on_behind_the_saved_state() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.safetensors");
    let options = || McmcOptions { chains: 1, keep: false, ..short() };
    let mut whole = begun(McmcOptions { keep: true, ..options() });
    whole.run().unwrap();
    let interrupted = |mcmc: &mut NormalsMcmc, last: usize| {
        let stop = mcmc
            .run_here(|step| if step.iteration == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        assert_eq!(stop.unwrap(), McmcStop::Interrupted);
    };
    // Saved in the warm-up, at its end, and among the draws; killed some draws later, in the middle of a line.
    for (saved, killed) in [(60, 150), (119, 130), (140, 170)] {
        let mut mcmc = begun(options());
        let files = mcmc.stream_to_csv(folder.path(), "normals").unwrap();
        interrupted(&mut mcmc, saved);
        mcmc.save(&state).unwrap();
        interrupted(&mut mcmc, killed);
        drop(mcmc);
        let bytes = std::fs::read(&files[0]).unwrap();
        std::fs::write(&files[0], &bytes[..bytes.len() - 7]).unwrap();

        let mut mcmc = begun(options());
        mcmc.load(&state).unwrap();
        let files = mcmc.stream_to_csv(folder.path(), "normals").unwrap();
        assert_eq!(mcmc.run().unwrap(), McmcStop::Finished);
        assert_eq!(content(&read_stan_csv(&files).unwrap()), content(&whole.draws()), "saved after {saved}");
    }
    // A file that lacks draws of the saved state is refused.
    let file = folder.path().join("chain_1.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).take(5).collect();
    std::fs::write(&file, rows.join("\n") + "\n").unwrap();
    let mut mcmc = begun(options());
    mcmc.load(&state).unwrap();
    let error = mcmc.stream_to_csv(folder.path(), "normals").unwrap_err().to_string();
    assert!(error.contains("it has 4 whole rows, but 21 are to be kept"), "{error}");
}

/// The memory that this process has in use, in kB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
#[ignore = "draws a million times"]
fn fast_memory_is_flat_over_a_million_draws() {
    let folder = tempfile::tempdir().unwrap();
    let options = McmcOptions { chains: 1, draws: 1_000_000, keep: false, ..short() };
    let mut mcmc = begun(options);
    let files = mcmc.stream_to_csv(folder.path(), "normals").unwrap();
    let measured = std::cell::RefCell::new(Vec::new());
    let stop = mcmc.run_here(|step| {
        if step.iteration % 100_000 == 99_999 {
            measured.borrow_mut().push(resident());
        }
        ControlFlow::Continue(())
    });
    assert_eq!(stop.unwrap(), McmcStop::Finished);
    let rows = std::fs::read(&files[0]).unwrap().iter().filter(|&&byte| byte == b'\n').count();
    assert!(rows > 1_000_000);
    let Some(measured) = measured.into_inner().into_iter().collect::<Option<Vec<u64>>>() else {
        eprintln!("skipped: this system does not tell how much memory a process uses");
        return;
    };
    println!("resident kB after each 100,000 draws: {measured:?}");
    // The draws alone would take 32 MB in memory by the last measurement.
    assert!(measured[9] < measured[0] + 1024, "{measured:?}");
}
