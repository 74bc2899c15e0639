//! A linear regression on two covariates with known noise: a normal posterior of three correlated numbers.

use ppl::infer::optim::Schedule;
use ppl::infer::{Adam, RunOptions, Svi, TraceElbo};
use ppl::prelude64::*;

pub(crate) type Vector = Tensor<(usize,)>;
pub(crate) type Args<'a> = (&'a Vector, &'a Vector, &'a Vector);

const X: [f64; 6] = [-1.0, 0.5, 1.0, 2.0, 3.5, 1.5];
const W: [f64; 6] = [0.3, 1.2, -0.4, 1.5, 2.0, 0.1];
const Y: [f64; 6] = [-0.2, 0.4, 2.3, 2.1, 4.4, 1.9];
const NOISE: f64 = 0.8;
const PRIOR: [f64; 3] = [2.0, 1.0, 1.0];

#[model]
pub(crate) fn plane(x: &Vector, w: &Vector, y: &Vector) {
    let a: Tensor<()> = sample!("a", Normal::new(0.0, PRIOR[0]));
    let b: Tensor<()> = sample!("b", Normal::new(0.0, PRIOR[1]));
    let c: Tensor<()> = sample!("c", Normal::new(0.0, PRIOR[2]));
    sample!("y", Normal::new(x * b + w * c + a, NOISE), obs = y);
}

pub(crate) fn data() -> (Vector, Vector, Vector) {
    (Tensor::vector(X.to_vec()), Tensor::vector(W.to_vec()), Tensor::vector(Y.to_vec()))
}

pub(crate) type Matrix = Vec<Vec<f64>>;

/// The inverse and the determinant, by elimination; of a positive definite matrix, so without pivots.
pub(crate) fn inverse(matrix: &Matrix) -> (Matrix, f64) {
    let n = matrix.len();
    let mut rows: Matrix = matrix.clone();
    rows.iter_mut().enumerate().for_each(|(i, row)| row.extend((0..n).map(|j| f64::from(u8::from(i == j)))));
    let mut det = 1.0;
    for i in 0..n {
        let pivot = rows[i][i];
        det *= pivot;
        rows[i].iter_mut().for_each(|x| *x /= pivot);
        let own = rows[i].clone();
        for row in rows.iter_mut().enumerate().filter(|(j, _)| *j != i).map(|(_, row)| row) {
            let factor = row[i];
            row.iter_mut().zip(&own).for_each(|(x, o)| *x -= factor * o);
        }
    }
    (rows.into_iter().map(|row| row[n..].to_vec()).collect(), det)
}

/// The posterior's precision, mean and covariance, and the log-evidence.
pub(crate) struct Exact {
    pub(crate) precision: Matrix,
    pub(crate) mean: Vec<f64>,
    pub(crate) covariance: Matrix,
    pub(crate) log_evidence: f64,
}

/// Of Bayesian linear regression (Bishop, *Pattern Recognition and Machine Learning*, 3.3).
pub(crate) fn exact() -> Exact {
    let (beta, n) = (NOISE.powi(-2), Y.len());
    let features: Vec<[f64; 3]> = (0..n).map(|i| [1.0, X[i], W[i]]).collect();
    let product = |i: usize, j: usize| beta * features.iter().map(|f| f[i] * f[j]).sum::<f64>();
    let prior = |i: usize, j: usize| if i == j { PRIOR[i].powi(-2) } else { 0.0 };
    let precision: Matrix = (0..3).map(|i| (0..3).map(|j| prior(i, j) + product(i, j)).collect()).collect();
    let (covariance, det) = inverse(&precision);
    let b: Vec<f64> = (0..3).map(|i| beta * features.iter().zip(Y).map(|(f, y)| f[i] * y).sum::<f64>()).collect();
    let mean: Vec<f64> = covariance.iter().map(|row| row.iter().zip(&b).map(|(s, b)| s * b).sum()).collect();
    // ln p(y) = ln p(y | θ) + ln p(θ) − ln p(θ | y), at the mean.
    let fitted = |f: &[f64; 3]| f.iter().zip(&mean).map(|(f, m)| f * m).sum::<f64>();
    let residual: f64 = features.iter().zip(Y).map(|(f, y)| (y - fitted(f)).powi(2)).sum();
    let ln_2pi = std::f64::consts::TAU.ln();
    let likelihood = -0.5 * (n as f64 * (ln_2pi - beta.ln()) + beta * residual);
    let log_prior: f64 = (0..3).map(|i| -0.5 * (ln_2pi + 2.0 * PRIOR[i].ln() + (mean[i] / PRIOR[i]).powi(2))).sum();
    let log_posterior = -0.5 * (3.0 * ln_2pi - det.ln());
    Exact { precision, mean, covariance, log_evidence: likelihood + log_prior - log_posterior }
}

/// Fits a guide, and returns its parameters and its ELBO with its standard error.
pub(crate) fn fit<G>(guide: G) -> (ParamStore<f64, Cpu>, f64, f64)
where
    G: for<'a> Model<Args<'a>, E = f64, D = Cpu>,
    G::Base: Guide<plane>,
{
    let (x, w, y) = data();
    let adam = Adam::new(0.03).schedule(Schedule::Cosine { warmup: 0, steps: 1600, floor: 2e-4 });
    let mut svi = Svi::new(plane, guide, adam, TraceElbo::with_particles(24)).seed(3);
    svi.run(RunOptions::steps(1600), (&x, &w, &y)).expect("the guide fits");
    let loss = svi.estimate((&x, &w, &y), 500).expect("a finite ELBO");
    (svi.into_params(), -loss.mean, loss.standard_error)
}

/// Locations within 0.05 standard deviations, covariances within 4 %: what Adam's last small steps leave. The
/// seed is fixed, so that there is no false alarm but by a change of the program.
#[track_caller]
pub(crate) fn close(loc: &[f64], found: &Matrix, mean: &[f64], covariance: &Matrix) {
    for i in 0..mean.len() {
        let sd = covariance[i][i].sqrt();
        assert!((loc[i] - mean[i]).abs() < 0.05 * sd, "{loc:?} for {mean:?}");
        for j in 0..mean.len() {
            let error = (found[i][j] - covariance[i][j]).abs() / (sd * covariance[j][j].sqrt());
            assert!(error < 0.04, "{found:?} for {covariance:?}");
        }
    }
}
