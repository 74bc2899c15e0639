//! Saving and loading: a run that goes on from a file draws what an unbroken one draws, bit for bit.

use std::ops::ControlFlow;
use std::path::Path;

use ppl_core::Dtype;
use ppl_infer::chains::{ChainStep, McmcError, McmcStop};
use ppl_infer::mcmc::{DensitySampler, HmcOptions, KernelOptions, MetropolisOptions, NutsOptions, Sampler, Tunable};
use ppl_infer::{Draws, Mcmc, McmcOptions};

use crate::targets::{Funnel, Normals, short, with_each_metric};

type Of<E, K> = Mcmc<DensitySampler<E, Normals, <K as KernelOptions<E>>::Kernel>>;

fn begun<E: Dtype, K: KernelOptions<E> + Copy>(kernel: K, options: &McmcOptions) -> Of<E, K>
where
    K::Kernel: Tunable<E, Normals>,
{
    Mcmc::of_target(&Normals, kernel, options.clone()).unwrap()
}

/// Stops after an iteration of the first chain; those after it have then not begun.
fn run_until<S: Sampler>(mcmc: &mut Mcmc<S>, last: usize) {
    let observe =
        |step: ChainStep<'_>| if step.iteration == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    assert_eq!(mcmc.run_here(observe).unwrap(), McmcStop::Interrupted);
}

fn resumes_anywhere<E: Dtype, K: KernelOptions<E> + Copy>(kernel: K, options: &McmcOptions, file: &Path)
where
    K::Kernel: Tunable<E, Normals>,
{
    let whole = {
        let mut mcmc = begun::<E, K>(kernel, options);
        mcmc.run_here(|_| ControlFlow::Continue(())).unwrap();
        mcmc.into_draws()
    };
    // In the first stage, in a window, at the end of the warm-up, among the draws, and at the end.
    for last in [3, 50, 119, 150, 179] {
        let mut before = begun::<E, K>(kernel, options);
        run_until(&mut before, last);
        before.save(file).unwrap();
        let so_far = before.draws();
        let mut after = begun::<E, K>(kernel, options);
        after.load(file).unwrap();
        assert_eq!(after.draws(), so_far);
        assert_eq!(after.evaluations(), before.evaluations());
        after.run_here(|_| ControlFlow::Continue(())).unwrap();
        assert_eq!(after.draws(), whole, "saved after iteration {last}");
    }
}

#[test]
fn every_kernel_and_metric_goes_on_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chains.safetensors");
    for options in with_each_metric() {
        resumes_anywhere::<f64, _>(NutsOptions::default(), &options, &file);
    }
    resumes_anywhere::<f32, _>(NutsOptions::default(), &short(), &file);
    resumes_anywhere::<f64, _>(HmcOptions { jitter: 0.1, ..HmcOptions::default() }, &short(), &file);
    resumes_anywhere::<f32, _>(MetropolisOptions, &short(), &file);
}

#[test]
fn divergences_come_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chains.safetensors");
    let begun = || Mcmc::of_target(&Funnel, NutsOptions::default(), McmcOptions { draws: 300, ..short() }).unwrap();
    let mut mcmc = begun();
    mcmc.run().unwrap();
    mcmc.save(&file).unwrap();
    let mut loaded = begun();
    loaded.load(&file).unwrap();
    let draws: Draws = loaded.draws();
    assert!(draws.sampler_figures().divergences > 0);
    assert_eq!(draws, mcmc.draws());
}

#[test]
fn what_does_not_fit_is_refused_by_name_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chains.safetensors");
    let mut saved = begun::<f64, _>(NutsOptions::default(), &short());
    saved.run().unwrap();
    saved.save(&file).unwrap();

    let refused = |options: McmcOptions, text: &str| {
        let mut mcmc = begun::<f64, _>(NutsOptions::default(), &options);
        let error = mcmc.load(&file).unwrap_err().to_string();
        assert!(error.contains(text) && error.contains("chains.safetensors"), "{error}");
        mcmc.run().unwrap();
        let mut fresh = begun::<f64, _>(NutsOptions::default(), &options);
        fresh.run().unwrap();
        assert_eq!(mcmc.draws(), fresh.draws());
    };
    refused(McmcOptions { seed: 8, ..short() }, "entry `seed`: it is 7 in the file, but 8 in this run");
    refused(McmcOptions { thin: 2, ..short() }, "entry `thin`: it is 1 in the file, but 2 in this run");
    refused(McmcOptions { warmup: 100, ..short() }, "entry `warmup`: it is 120");
    refused(McmcOptions { chains: 2, ..short() }, "entry `chains`: it is 3");

    let mut single = begun::<f32, _>(NutsOptions::default(), &short());
    let error = single.load(&file).unwrap_err();
    assert!(matches!(error, McmcError::Checkpoint(_)), "{error:?}");
    assert!(error.to_string().contains("it was saved as f64, but the model is in f32"), "{error}");
    let mut funnel = Mcmc::of_target(&Funnel, NutsOptions::default(), short()).unwrap();
    assert!(funnel.load(&file).unwrap_err().to_string().contains("entry `variables`"));

    let bytes = std::fs::read(&file).unwrap();
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..length]).unwrap();
        let mut mcmc = begun::<f64, _>(NutsOptions::default(), &short());
        let error = mcmc.load(&file).unwrap_err().to_string();
        assert!(error.contains("not a whole checkpoint"), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    let error = begun::<f64, _>(NutsOptions::default(), &short()).load(&file).unwrap_err().to_string();
    assert!(error.contains("reading"), "{error}");
}
