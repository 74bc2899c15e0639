//! What it costs to sum out a hidden Markov chain of three states: microseconds of a gradient by the number of steps, one JSON line.
//!
//! `cargo bench --bench enumeration`

use std::time::Instant;

use ppl::autodiff::try_grad;
use ppl::handler::Handler;
use ppl::handlers::{Params, Prior};
use ppl::infer::enumeration::{Enumerated, Side};
use ppl::prelude64::*;
use ppl::rng::Rng;

type Scalar = Tensor<()>;
type Three = Tensor<Rank1<3>>;

const STEP: [[f64; 3]; 3] = [[0.7, 0.2, 0.1], [0.15, 0.6, 0.25], [0.05, 0.3, 0.65]];
const LEVELS: [f64; 3] = [-1.0, 0.4, 2.0];

#[model]
fn chain(y: &[f64]) {
    let stretch: Scalar = param!("stretch", Tensor::scalar(1.2));
    let mut probs = Three::from([0.5, 0.3, 0.2]);
    for t in markov!(0..y.len()) {
        let x: Tensor<(), usize> = sample!("x_{t}", Categorical::new(probs), enumerate);
        let state = x.to_vec()[0];
        probs = Three::from(STEP[state]);
        sample!("y_{t}", Normal::new(&stretch * LEVELS[state], 0.9), obs = Tensor::scalar(y[t]));
    }
}

/// One gradient of the log-evidence.
fn gradient(y: &[f64], store: &mut ParamStore<f64, Cpu>) -> f64 {
    let (_, value, _) = try_grad(|| {
        let all = Enumerated::of(&mut |_, wrap| {
            let mut prior = Prior::new(Rng::seed(0));
            let mut params = Params::new(store, &mut prior);
            wrap(Side::Model, &mut params, &mut |inner| chain.run(inner, (y,)));
            Handler::<f64, Cpu>::context(&mut params).finish(())
        })?;
        all.surrogate().map(|(value, surrogate)| (surrogate, value))
    })
    .expect("the chain can be enumerated");
    value
}

fn main() {
    let mut rows = Vec::new();
    for steps in [10, 30, 100, 300, 1000] {
        let y: Vec<f64> = (0..steps).map(|t| 1.4 * (1.7 * f64::from(t)).sin()).collect();
        let mut store = ParamStore::new(0);
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let start = Instant::now();
            std::hint::black_box(gradient(&y, &mut store));
            best = best.min(start.elapsed().as_secs_f64() * 1e6);
        }
        println!("{steps:>5} steps: {best:>9.0} µs, {:.1} µs a step", best / f64::from(steps));
        rows.push(serde_json::json!({ "steps": steps, "us": best }));
    }
    println!("{}", serde_json::json!({ "bench": "enumeration", "rows": rows }));
}
