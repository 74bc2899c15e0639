//! Subsampled plates: over many steps, loss and gradient are those of all rows.

use ppl::infer::TraceElbo;
use ppl::prelude64::*;

use crate::chain::Scalar;
use crate::gradients::estimates;
use crate::scored::Scored;

const X: [f64; 6] = [-3.0, 1.0, 4.0, 0.5, 2.0, -1.0];
const LOCS: [f64; 6] = [0.5, 1.0, 1.5, -1.0, 0.0, 2.0];

/// mu ~ N(0, 1); for each of six rows, two of which are in a run: z ~ N(mu, 1), x ~ N(z, 1).
#[model]
fn rows_of(x: &Tensor<Rank1<6>>) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 1.0));
    plate!("data", 6, subsample = 2, |rows| {
        let z: Tensor<(usize,)> = sample!("z", Normal::new(mu.spread((rows.len(),)), 1.0));
        sample!("x", Normal::new(z, 1.0), obs = x.gather::<(usize,)>(&rows.to_vec()));
    });
}

#[guide(rows_of)]
fn pathwise(_x: &Tensor<Rank1<6>>) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.3));
    let scale: Scalar = param!("scale", Scalar::scalar(0.7), constraint = Positive);
    let locs: Tensor<Rank1<6>> = param!("locs", Tensor::from(LOCS));
    sample!("mu", Normal::new(loc, scale));
    plate!("data", 6, subsample = 2, |rows| {
        sample!("z", Normal::new(locs.gather::<(usize,)>(&rows.to_vec()), 0.5));
    });
}

#[guide(rows_of)]
fn scored(_x: &Tensor<Rank1<6>>) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.3));
    let scale: Scalar = param!("scale", Scalar::scalar(0.7), constraint = Positive);
    let locs: Tensor<Rank1<6>> = param!("locs", Tensor::from(LOCS));
    sample!("mu", Scored(Normal::new(loc, scale)));
    plate!("data", 6, subsample = 2, |rows| {
        sample!("z", Scored(Normal::new(locs.gather::<(usize,)>(&rows.to_vec()), 0.5)));
    });
}

/// −ELBO over all rows, and its derivatives with respect to loc, ln scale and the rows' locs.
fn closed_form() -> Vec<f64> {
    let (m, s, t, n) = (0.3_f64, 0.7_f64, 0.5_f64, 6.0);
    let ln_two_pi = (2.0 * std::f64::consts::PI).ln();
    let rows = X.iter().zip(LOCS);
    let row_losses = rows.clone().map(|(x, l)| 0.5 * ((l - m).powi(2) + t * t + s * s + (x - l).powi(2) + t * t));
    let entropies = 0.5 + s.ln() + n * (0.5 + t.ln());
    let loss = 0.5 * (m * m + s * s) + row_losses.sum::<f64>() - entropies + 0.5 * n * ln_two_pi;
    let d_loc = m - LOCS.iter().map(|l| l - m).sum::<f64>();
    let d_ln_scale = s * s * (1.0 + n) - 1.0;
    [loss, d_loc, d_ln_scale].into_iter().chain(rows.map(|(x, l)| (l - m) - (x - l))).collect()
}

#[test]
fn pathwise_gradients_of_a_subsample_are_those_of_all_rows() {
    let x = Tensor::from(X);
    let found = estimates((&rows_of, &pathwise), (&x,), TraceElbo::with_particles(50), 200);
    for (i, exact) in closed_form().into_iter().enumerate() {
        found[i].agrees(&format!("number {i}"), exact, 0.0, 0.12);
    }
}

#[test]
fn scores_in_a_subsample_are_not_scaled_by_its_plate() {
    let x = Tensor::from(X);
    let found = estimates((&rows_of, &scored), (&x,), TraceElbo::with_particles(60), 400);
    // Scaled scores would treble the rows' derivatives, five of which are larger than 1.
    for (i, exact) in closed_form().into_iter().enumerate() {
        found[i].agrees(&format!("number {i}"), exact, 0.0, 0.2);
    }
}
