//! Running: threads, thinning, observers, sinks and interruptions change no draw and lose none.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ppl_infer::chains::{DrawSink, McmcError, McmcStop};
use ppl_infer::draws::SampleStats;
use ppl_infer::mcmc::{DensitySampler, HmcOptions, Length, MetropolisOptions, Nuts, NutsOptions};
use ppl_infer::{Draws, InitStrategy, Mcmc, McmcOptions};

use crate::targets::{Funnel, Normals, short};

fn begun(options: McmcOptions) -> Mcmc<DensitySampler<f64, Normals, Nuts<f64>>> {
    Mcmc::of_target(&Normals, NutsOptions::default(), options).unwrap()
}

/// The draws of a whole run.
fn drawn(options: McmcOptions) -> Draws {
    let mut mcmc = begun(options);
    assert_eq!(mcmc.run().unwrap(), McmcStop::Finished);
    mcmc.into_draws()
}

#[test]
fn threads_change_nothing() {
    let alone = drawn(McmcOptions { threads: Some(1), ..short() });
    assert_eq!(alone.num_chains(), 3);
    assert_eq!(alone.num_draws(), 60);
    assert_eq!(drawn(McmcOptions { threads: Some(3), ..short() }), alone);
    let mut here = begun(short());
    assert_eq!(here.run_here(|_| ControlFlow::Continue(())).unwrap(), McmcStop::Finished);
    assert_eq!(here.draws(), alone);
    // The number of chains does not change the first ones, the seed changes all, and no two chains are equal.
    let two = drawn(McmcOptions { chains: 2, ..short() });
    assert_eq!(two.chains(), &alone.chains()[..2]);
    assert_ne!(drawn(McmcOptions { seed: 8, ..short() }), alone);
    assert_ne!(alone.chains()[0], alone.chains()[1]);
}

#[test]
fn thinning_keeps_every_third_draw() {
    let all = drawn(McmcOptions { draws: 180, ..short() });
    let third = drawn(McmcOptions { draws: 60, thin: 3, ..short() });
    for (all, third) in all.chains().iter().zip(third.chains()) {
        let expected: Vec<&[f64]> = all.rows().skip(2).step_by(3).collect();
        assert_eq!(third.rows().collect::<Vec<_>>(), expected);
        let expected: Vec<SampleStats> = all.stats().iter().skip(2).step_by(3).copied().collect();
        assert_eq!(third.stats(), expected);
    }
}

#[test]
fn an_interruption_keeps_what_was_drawn_and_the_next_run_goes_on() {
    let whole = drawn(short());
    let mut mcmc = begun(short());
    let mut runs = 0;
    loop {
        runs += 1;
        let seen = AtomicUsize::new(0);
        let stop = mcmc.run_with(|_| match seen.fetch_add(1, Ordering::Relaxed) {
            100 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        let (stop, draws) = (stop.unwrap(), mcmc.draws());
        for (so_far, whole) in draws.chains().iter().zip(whole.chains()) {
            let expected: Vec<&[f64]> = whole.rows().take(so_far.len()).collect();
            assert_eq!(so_far.rows().collect::<Vec<_>>(), expected);
        }
        if stop == McmcStop::Finished {
            break;
        }
        assert!(draws.num_draws() < 60, "a run that was interrupted is not done");
    }
    // 540 iterations, of which each run does at least 101 and, on three threads, at most 103.
    assert_eq!(runs, 6);
    assert_eq!(mcmc.draws(), whole);
    assert_eq!(mcmc.run().unwrap(), McmcStop::Finished);
    assert_eq!(mcmc.draws(), whole, "a run that is done does nothing more");
    mcmc.set_draws(100);
    assert_eq!(mcmc.run().unwrap(), McmcStop::Finished);
    assert_eq!(mcmc.draws(), drawn(McmcOptions { draws: 100, ..short() }));
}

#[test]
fn an_observer_sees_each_iteration_once_with_its_draw() {
    let seen = Mutex::new(Vec::new());
    let mut mcmc = begun(McmcOptions { thin: 2, ..short() });
    let stop = mcmc.run_with(|step| {
        let values = step.values.map(<[f64]>::to_vec);
        seen.lock().unwrap().push((step.chain, step.iteration, step.warmup, *step.stats, values));
        ControlFlow::Continue(())
    });
    assert_eq!(stop.unwrap(), McmcStop::Finished);
    let mut seen = seen.into_inner().unwrap();
    seen.sort_by_key(|(chain, iteration, ..)| (*chain, *iteration));
    let expected: Vec<(usize, usize)> = (0..3).flat_map(|chain| (0..240).map(move |at| (chain, at))).collect();
    assert_eq!(seen.iter().map(|(chain, at, ..)| (*chain, *at)).collect::<Vec<_>>(), expected);
    assert!(seen.iter().all(|(_, at, warmup, ..)| *warmup == (*at < 120)));
    let evaluations: u64 = seen.iter().map(|(.., stats, _)| u64::from(stats.evaluations)).sum();
    assert_eq!(mcmc.evaluations(), evaluations);
    let draws = mcmc.into_draws();
    for (number, chain) in draws.chains().iter().enumerate() {
        let of_chain: Vec<_> = seen.iter().filter(|(of, .., values)| *of == number && values.is_some()).collect();
        assert_eq!(of_chain.len(), 60);
        for ((.., stats, values), (row, kept)) in of_chain.into_iter().zip(chain.rows().zip(chain.stats())) {
            assert_eq!((values.as_deref(), stats), (Some(row), kept));
        }
    }
}

/// Keeps rows, and fails at one of them.
struct Rows {
    rows: Arc<Mutex<Vec<Vec<f64>>>>,
    flushed: Arc<AtomicUsize>,
    fails_at: usize,
}

impl DrawSink for Rows {
    fn draw(&mut self, row: &[f64], _: &SampleStats) -> io::Result<()> {
        let mut rows = self.rows.lock().unwrap();
        if rows.len() == self.fails_at {
            return Err(io::Error::other("the disk is full"));
        }
        rows.push(row.to_vec());
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn sinks_take_what_memory_would() {
    let kept = drawn(short());
    let mut mcmc = begun(McmcOptions { keep: false, ..short() });
    let files: Vec<Arc<Mutex<Vec<Vec<f64>>>>> = (0..3).map(|_| Arc::default()).collect();
    let flushed = Arc::new(AtomicUsize::new(0));
    let open = |chain: usize| Rows { rows: files[chain].clone(), flushed: flushed.clone(), fails_at: usize::MAX };
    mcmc.stream(|chain, _| Ok(open(chain))).unwrap();
    mcmc.run().unwrap();
    for (file, kept) in files.iter().zip(kept.chains()) {
        assert_eq!(*file.lock().unwrap(), kept.rows().map(<[f64]>::to_vec).collect::<Vec<_>>());
    }
    assert_eq!(flushed.load(Ordering::Relaxed), 3);
    assert_eq!(mcmc.draws().num_draws(), 0);
}

#[test]
fn a_sink_that_fails_is_named_and_the_draws_stay() {
    let mut mcmc = begun(McmcOptions { chains: 1, ..short() });
    let open = || Rows { rows: Arc::default(), flushed: Arc::default(), fails_at: 20 };
    mcmc.stream(|_, _| Ok(open())).unwrap();
    let error = mcmc.run().unwrap_err();
    assert!(matches!(error, McmcError::Sink { chain: 0, iteration: 140, .. }), "{error:?}");
    assert_eq!(error.to_string(), "chain 0, iteration 140: the draw could not be written: the disk is full");
    assert_eq!(mcmc.draws().num_draws(), 21);
}

#[test]
fn divergences_have_their_places() {
    let options = McmcOptions { draws: 400, init: InitStrategy::Uniform(1.0), ..short() };
    let mut mcmc = Mcmc::of_target(&Funnel, NutsOptions::default(), options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.draws();
    let found = draws.sampler_figures().divergences;
    assert!(found > 0, "the funnel has steps that diverge");
    let kept: Vec<_> =
        draws.chains().iter().flat_map(|chain| chain.divergences().iter().map(move |d| (chain, d))).collect();
    assert_eq!(kept.len(), found);
    for (chain, divergence) in kept {
        assert!(chain.stats()[divergence.draw].diverging);
        assert_eq!(divergence.values, divergence.from);
        assert_ne!(divergence.from, divergence.to);
        assert!(divergence.energy_error.is_nan() || divergence.energy_error > 1000.0, "{}", divergence.energy_error);
    }
    // The report is the table with a line for each warning.
    let text = draws.report().unwrap().to_string();
    let table = draws.summary().unwrap().to_string();
    let warnings: String = draws.warnings().unwrap().iter().map(|warning| format!("\n{warning}")).collect();
    assert!(warnings.contains("diverged"), "{warnings}");
    assert_eq!(text, table + &warnings);
}

#[test]
fn every_kernel_has_the_moments_of_its_target() {
    let options = McmcOptions { chains: 2, draws: 2000, warmup: 1000, ..short() };
    // The default time, 2π, is the period of a normal whose metric is known: its trajectories come back to where they began.
    let quarter = HmcOptions { length: Length::Time(1.6), ..HmcOptions::default() };
    let hmc = Mcmc::of_target(&Normals, quarter, options.clone());
    let walk = McmcOptions { target_accept: 0.234, draws: 40_000, thin: 4, ..options.clone() };
    let mut walk: Mcmc<DensitySampler<f64, _, _>> = Mcmc::of_target(&Normals, MetropolisOptions, walk).unwrap();
    let mut hmc: Mcmc<DensitySampler<f64, _, _>> = hmc.unwrap();
    walk.run().unwrap();
    hmc.run().unwrap();
    for draws in [drawn(options), hmc.into_draws(), walk.into_draws()] {
        for (i, row) in draws.summary().unwrap().rows.iter().enumerate() {
            assert_eq!(row.name, format!("x[{i}]"));
            // Six standard errors: a false alarm in fewer than one of 10⁷ runs for all 18 figures together.
            let sd = 1.0 + i as f64;
            assert!(row.mean.abs() < 6.0 * row.mcse_mean && row.mcse_mean < 0.1 * sd, "{row:?}");
            assert!((row.sd - sd).abs() < 6.0 * row.mcse_sd && row.mcse_sd < 0.1 * sd, "{row:?}");
        }
    }
}
