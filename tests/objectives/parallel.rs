//! Particles on threads: the same losses and gradients as in turn, whatever the number of threads.

use ppl::infer::{RunOptions, Sgd, Svi, TraceElbo};
use ppl::nn::Linear;
use ppl::prelude64::*;

use crate::chain::{chain, chain_guide, closed_form};
use crate::gradients::estimates;

type Rows = Tensor<Rank2<6, 3>>;

/// z ~ N(0, 1) twice a row, b a coin, x around a line of z, brighter by b.
#[model]
fn rows(x: &Rows) {
    let bright: Tensor<()> = sample!("bright", Bernoulli::filled((), 0.5));
    let decoder = module!("decoder", Linear::<Const<2>, Const<3>, f64>::build);
    plate!("rows", 6, |_| {
        let z: Tensor<Rank2<6, 2>> = sample!("z", Normal::standard());
        sample!("x", Normal::new(decoder.forward(&z) + bright, 0.5), obs = x);
    });
}

#[guide(rows)]
fn rows_guide(x: &Rows) {
    let encoder = module!("encoder", Linear::<Const<3>, Const<2>, f64>::build);
    let scale: Tensor<()> = param!("scale", Tensor::scalar(0.6), constraint = Positive);
    let logit: Tensor<()> = param!("logit", Tensor::scalar(0.2));
    sample!("bright", Bernoulli::from_logits(logit));
    plate!("rows", 6, |_| {
        sample!("z", Normal::new(encoder.forward(x), scale));
    });
}

/// Losses of five steps and all parameters after them.
fn run(objective: TraceElbo, threads: usize) -> (Vec<f64>, Vec<f64>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let x = Tensor::from_vec((0..18).map(|i| (i as f64).sin()).collect(), Default::default());
        let mut svi = Svi::new(rows, rows_guide, Sgd::new(0.02), objective).seed(9);
        let mut losses = svi.run(RunOptions::steps(5), &x).unwrap().losses;
        losses.push(svi.evaluate(&x).unwrap());
        let mut params = Vec::new();
        svi.params().each_tensor(|_, tensor| params.extend(tensor.to_vec()));
        (losses, params)
    })
}

#[test]
fn threads_give_the_numbers_of_one() {
    let objective = TraceElbo::with_particles(7);
    let (losses, params) = run(objective.clone(), 1);
    let [one, three] = [1, 3].map(|threads| run(objective.clone().in_parallel(), threads));
    assert_eq!(one, three);
    assert_eq!(one.0.len(), losses.len());
    assert_eq!(one.1.len(), params.len());
    for (found, expected) in one.0.iter().zip(&losses).chain(one.1.iter().zip(&params)) {
        assert!((found - expected).abs() < 1e-11 * (1.0 + expected.abs()), "{found}, not {expected}");
    }
}

#[test]
fn the_first_error_of_a_particle_comes_back() {
    let x = Tensor::from_vec(vec![f64::NAN; 18], Default::default());
    let error = |objective| Svi::new(rows, rows_guide, Sgd::new(0.1), objective).step(&x).unwrap_err().to_string();
    assert_eq!(error(TraceElbo::with_particles(3).in_parallel()), error(TraceElbo::with_particles(3)));
}

#[test]
fn particles_on_threads_estimate_the_closed_form() {
    let x = Tensor::<()>::scalar(2.0);
    let found = estimates((&chain, &chain_guide), (&x,), TraceElbo::with_particles(100).in_parallel(), 100);
    for (i, exact) in closed_form(2.0, 0.5, 0.8).into_iter().enumerate() {
        found[i].agrees(["loss", "d/d loc", "d/d ln scale"][i], exact, 0.0, 0.025);
    }
}
