//! Optimised guides against exact posteriors.
//!
//! A pathwise gradient stays noisy at the optimum, so what is compared is the average of the
//! iterates of plain gradient descent after a start that is long against 1 / (rate · curvature)
//! (Polyak and Juditsky, *Acceleration of Stochastic Approximation by Averaging*, 1992). Its error is
//! estimated from 40 stretches of iterates, each long against that time, and so nearly independent.
//! What averaging leaves is the bias of a parameter in which the loss is not quadratic: for a
//! logarithm of a standard deviation it is minus its variance over the iterates, which is
//! rate · (gradient's variance) / (2 · curvature) = rate · (2 / particles) / 4.

use ppl::infer::{RunOptions, Sgd, Svi, TraceElbo};
use ppl::model::IntoArgs;
use ppl::prelude64::*;
use ppl::shared::Shared;

use crate::chain::Scalar;
use crate::estimate::Estimate;
use crate::grid::Grid;

/// Averages of the parameters' elements over 40 stretches of that many steps, after a start of four
/// of them.
fn averages<M, G, A>(
    svi: &mut Svi<M, G, Sgd<f64>, TraceElbo, f64, Cpu>,
    args: A,
    names: &[&str],
    stretch: usize,
) -> Vec<Estimate>
where
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
    G::Base: Guide<M::Base>,
    A: Clone + Shared + IntoArgs<Args = A>,
{
    for _ in 0..4 * stretch {
        svi.step(args.clone()).expect("finite terms");
    }
    let means: Vec<Vec<f64>> = (0..40).map(|_| stretch_mean(svi, &args, names, stretch)).collect();
    (0..means[0].len()).map(|i| Estimate::of(&means.iter().map(|m| m[i]).collect::<Vec<_>>())).collect()
}

fn stretch_mean<M, G, A>(
    svi: &mut Svi<M, G, Sgd<f64>, TraceElbo, f64, Cpu>,
    args: &A,
    names: &[&str],
    stretch: usize,
) -> Vec<f64>
where
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
    G::Base: Guide<M::Base>,
    A: Clone + Shared + IntoArgs<Args = A>,
{
    let mut sum = Vec::new();
    for _ in 0..stretch {
        svi.step(args.clone()).expect("finite terms");
        let now = names.iter().flat_map(|name| svi.params().constrained(name).expect("the guide has it").to_vec());
        for (i, value) in now.enumerate() {
            if i == sum.len() {
                sum.push(0.0);
            }
            sum[i] += value / stretch as f64;
        }
    }
    sum
}

/// mu ~ N(0, 2), 50 times x ~ N(mu, 1).
#[model]
fn normals(x: &Tensor<Rank1<50>>) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 2.0));
    plate!("data", 50, |_| {
        sample!("x", Normal::new(mu.broadcast::<Rank1<50>, _>(), 1.0), obs = x);
    });
}

#[guide(normals)]
fn normals_guide(_x: &Tensor<Rank1<50>>) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.0));
    let scale: Scalar = param!("scale", Scalar::scalar(1.0), constraint = Positive);
    sample!("mu", Normal::new(loc, scale));
}

#[test]
fn normal_normal_reaches_the_exact_posterior() {
    let data: [f64; 50] = std::array::from_fn(|i| 1.5 + (3.0 * i as f64).sin());
    let x = Tensor::from(data);
    let precision = 0.25 + 50.0;
    let (mean, sd) = (data.iter().sum::<f64>() / precision, 1.0 / precision.sqrt());
    let (rate, particles) = (0.01, 4);
    let mut svi = Svi::new(normals, normals_guide, Sgd::new(rate), TraceElbo::with_particles(particles)).seed(3);
    let found = averages(&mut svi, (&x,), &["loc", "scale"], 100);
    // Within a tenth of the posterior's standard deviation.
    found[0].agrees("mean", mean, 0.0, 0.1 * sd / 6.0);
    let bias = rate * (2.0 / particles as f64) / 4.0;
    found[1].agrees("standard deviation", sd, 2.0 * bias * sd, 0.1 * sd / 6.0);
}

const ROWS: usize = 20;

/// w ~ N(0, 1) twice, y ~ N(X w, 0.5) in 20 rows.
#[model]
fn regression(x: &Tensor<Rank2<ROWS, 2>>, y: &Tensor<Rank1<ROWS>>) {
    let w: Tensor<Rank1<2>> = sample!("w", Normal::standard());
    plate!("data", ROWS, |_| {
        sample!("y", Normal::new(x.matmul(&w), 0.5), obs = y);
    });
}

/// w = loc + L noise, with the diagonal of L as exponentials.
#[guide(regression)]
fn regression_guide(_x: &Tensor<Rank2<ROWS, 2>>, _y: &Tensor<Rank1<ROWS>>) {
    let loc: Tensor<Rank1<2>> = param!("loc", Tensor::zeros());
    let raw: Tensor<Rank2<2, 2>> = param!("raw", Tensor::full(-1.0));
    let noise: Tensor<Rank1<2>> = sample!("noise", Normal::standard(), auxiliary);
    let diagonal = [true, false, false, true];
    let factor = raw.exp().select(&diagonal, 0.0) + raw.select(&[false, false, true, false], 0.0);
    let ln_det = raw.select(&diagonal, 0.0).sum_all();
    sample!("w", Delta::new(loc + factor.matmul(&noise), -ln_det));
}

/// Mean and Cholesky factor (by rows) of the exact posterior, in closed form for two weights.
fn regression_posterior(x: &[f64], y: &[f64]) -> ([f64; 2], [f64; 3]) {
    let sum = |f: &dyn Fn(usize) -> f64| (0..ROWS).map(f).sum::<f64>() / 0.25;
    let (a, b, c) =
        (1.0 + sum(&|i| x[2 * i].powi(2)), sum(&|i| x[2 * i] * x[2 * i + 1]), 1.0 + sum(&|i| x[2 * i + 1].powi(2)));
    let (u, v) = (sum(&|i| x[2 * i] * y[i]), sum(&|i| x[2 * i + 1] * y[i]));
    let det = a * c - b * b;
    let (aa, bb, cc) = (c / det, -b / det, a / det);
    let l = aa.sqrt();
    ([aa * u + bb * v, bb * u + cc * v], [l, bb / l, (cc - bb * bb / aa).sqrt()])
}

#[test]
fn linear_regression_reaches_the_exact_posterior() {
    let x: Tensor<Rank2<ROWS, 2>> = Tensor::from(std::array::from_fn(|i| [1.0, i as f64 / 10.0 - 0.4]));
    let y: Tensor<Rank1<ROWS>> =
        Tensor::from(std::array::from_fn(|i| 0.8 * (i as f64 / 10.0) - 1.0 + (5.0 * i as f64).sin()));
    let (mean, factor) = regression_posterior(&x.to_vec(), &y.to_vec());
    let (rate, particles) = (0.005, 10);
    let elbo = TraceElbo::with_particles(particles);
    let mut svi = Svi::new(regression, regression_guide, Sgd::new(rate), elbo).seed(5);
    let found = averages(&mut svi, (&x, &y), &["loc", "raw"], 150);
    let bias = 2.0 * rate * (2.0 / particles as f64) / 4.0;
    // Within a tenth of the posterior's (conditional) standard deviations.
    for i in 0..2 {
        found[i].agrees("mean", mean[i], 0.0, 0.1 * factor[2 * i] / 6.0);
    }
    found[2].agrees("ln of the first diagonal element", factor[0].ln(), bias, 0.1 / 6.0);
    found[4].agrees("the element below it", factor[1], bias * factor[1].abs(), 0.1 * factor[2] / 6.0);
    found[5].agrees("ln of the second diagonal element", factor[2].ln(), bias, 0.1 / 6.0);
}

/// A probability on a grid, with a prior proportional to itself (a Beta(2, 1) in five points); seven
/// heads in ten tosses.
#[model]
fn tosses() {
    let prior = Tensor::from(GRID.map(f64::ln));
    let point: usize = sample!("p", Grid(prior));
    let (heads, tails) = (GRID[point].ln(), (1.0 - GRID[point]).ln());
    factor!("tosses", Scalar::scalar(7.0 * heads + 3.0 * tails));
}

const GRID: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

#[guide(tosses)]
fn tosses_guide() {
    let logits: Tensor<Rank1<5>> = param!("logits", Tensor::zeros());
    sample!("p", Grid(logits));
}

#[test]
fn beta_bernoulli_on_a_grid_reaches_the_exact_posterior() {
    let mut svi = Svi::new(tosses, tosses_guide, Sgd::new(0.5), TraceElbo::with_particles(4)).seed(2);
    let report = svi.run(RunOptions::steps(4_000), ()).unwrap();
    let weights = GRID.map(|p| p * p.powi(7) * (1.0 - p).powi(3));
    let evidence = weights.iter().sum::<f64>() / GRID.iter().sum::<f64>();
    let logits = svi.params().constrained("logits").unwrap().to_vec();
    let total: f64 = logits.iter().map(|l| l.exp()).sum();
    // At the exact posterior every draw has the same ELBO, the evidence, and with the baseline the
    // gradient has no noise left: no draw can be unlucky there.
    for (logit, weight) in logits.iter().zip(weights) {
        let (found, exact) = (logit.exp() / total, weight / weights.iter().sum::<f64>());
        assert!((found - exact).abs() < 1e-3, "{found} {exact}");
    }
    assert!((report.losses.last().unwrap() + evidence.ln()).abs() < 1e-2);
}
