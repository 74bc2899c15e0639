//! ln q of what a guide with flows drew is the base's log-density at the point behind it, minus ln |det J| of a dense
//! Jacobian.

use std::f64::consts::TAU;

use ppl::autodiff::grad;
use ppl::flows::Stack;
use ppl::nn::Direction;
use ppl::prelude64::*;
use ppl::transform::Transform;

use crate::batch::{Batch, Sequence};
use crate::chain::{Combiner, Given, LATENT, Recurrent, Rows, amortised, step};
use crate::kalman::reference;
use crate::matrix::Matrix;
use crate::weights::{values, weigh};

type Vector = Tensor<(usize,)>;

/// Row i: the derivatives of the i-th image, by the tape.
fn taped(flows: &Stack<f64>, x: &Vector) -> Matrix {
    let row = |i: usize| {
        let leaf = x.detach().tracked();
        let (_, grads) = grad(|| flows.clone().forward(leaf.clone()).at(i));
        grads.get(&leaf).expect("a leaf").to_vec()
    };
    Matrix((0..LATENT).map(row).collect())
}

/// The same by differences over five points.
fn differences(flows: &Stack<f64>, x: &[f64]) -> Matrix {
    const STEP: f64 = 1e-4;
    let column = |along: usize| -> Vec<f64> {
        let at = |by: f64| {
            let mut x = x.to_vec();
            x[along] += by;
            flows.clone().forward(Vector::vector(x)).to_vec()
        };
        let (near, far) = ([at(STEP), at(-STEP)], [at(2.0 * STEP), at(-2.0 * STEP)]);
        (0..LATENT).map(|k| (8.0 * (near[0][k] - near[1][k]) - (far[0][k] - far[1][k])) / (12.0 * STEP)).collect()
    };
    Matrix((0..LATENT).map(column).collect()).transposed()
}

/// ln q(z) for a z that base and flows made.
fn log_density(flows: &Stack<f64>, z: &[f64], loc: &[f64], scale: &[f64]) -> f64 {
    let x = flows.clone().inverse(Vector::vector(z.to_vec()));
    let image = flows.clone().forward(x.detach()).to_vec();
    assert!(image.iter().zip(z).all(|(a, b)| (a - b).abs() < 1e-12), "{image:?}, not {z:?}");
    let (jacobian, x) = (taped(flows, &x), x.to_vec());
    let gaps = jacobian.plus(-1.0, &differences(flows, &x));
    assert!(gaps.0.iter().flatten().all(|gap| gap.abs() < 1e-8), "{gaps:?}");
    let base = |i: usize| -0.5 * ((x[i] - loc[i]) / scale[i]).powi(2) - scale[i].ln() - 0.5 * TAU.ln();
    let (_, log_det) = jacobian.inverse();
    assert!(log_det.abs() > 1e-3, "hardly a flow: {log_det}");
    (0..LATENT).map(base).sum::<f64>() - log_det
}

#[test]
fn densities_of_draws_have_the_jacobian_of_the_flows() {
    let reference = reference();
    let sequences: Vec<&Sequence> = reference.sequences.iter().collect();
    let batch = Batch::new(&sequences, 0.0);
    for flows in 1..3 {
        let given = Given { flows, ..Given::new(&reference.world) };
        let mut params = ParamStore::new(8);
        let run = weigh(&amortised, (&batch, &given, 1.0), &mut params, 9);
        let flows: Stack<f64> = params.get("iafs").expect("the guide has them");
        let rnn: Recurrent = params.get("rnn").expect("the guide has it");
        let combiner: Combiner = params.get("combiner").expect("the guide has it");
        let [mut before, h_0]: [Rows; 2] = ["z_q_0", "h_0"].map(|name| {
            let row: Vector = params.get(name).expect("the guide has it");
            Tensor::from_vec(row.to_vec().repeat(4), (4, row.numel()))
        });
        let states = rnn.forward(&batch.steps, &h_0, batch.lengths.clone(), Direction::Backward);
        for t in 0..batch.longest() {
            let (loc, scale) = combiner.forward(&before, &step(&states, t));
            let (loc, scale) = (loc.to_vec(), scale.to_vec());
            before = values(&run.drawn, t);
            for (i, z) in before.to_vec().chunks(LATENT).enumerate() {
                let row = i * LATENT..(i + 1) * LATENT;
                let is_there = batch.mask(t)[i];
                let expected = if is_there { log_density(&flows, z, &loc[row.clone()], &scale[row]) } else { 0.0 };
                let found = run.log_q[&format!("z_{t}")][i];
                assert!((found - expected).abs() < 1e-10, "{t}, {i}: {found}, not {expected}");
            }
        }
    }
}
