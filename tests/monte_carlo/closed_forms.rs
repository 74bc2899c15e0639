//! Models of one mean with their evidence and posteriors in closed form.

use ppl::prelude64::*;

pub(crate) type Scalar = Tensor<()>;
pub(crate) type Points = Tensor<Rank1<3>>;

pub(crate) const PRIOR: [f64; 2] = [0.3, 1.5];
pub(crate) const NOISE: f64 = 0.8;

#[model]
pub(crate) fn mean_of(x: &Points) {
    let mu: Scalar = sample!("mu", Normal::new(0.3, 1.5));
    plate!("data", 3, |_| {
        sample!("x", Normal::new(mu.broadcast::<Rank1<3>, _>(), 0.8), obs = x);
    });
}

pub(crate) fn points() -> Points {
    Tensor::from([0.7, 1.9, 0.4])
}

pub(crate) fn normal(x: f64, mean: f64, sd: f64) -> f64 {
    -0.5 * ((x - mean) / sd).powi(2) - sd.ln() - 0.5 * std::f64::consts::TAU.ln()
}

/// Mean and standard deviation of a normal mean with this prior and these data of variance `NOISE`².
pub(crate) fn posterior([mean, sd]: [f64; 2], x: &[f64]) -> [f64; 2] {
    let precision = sd.powi(-2) + x.len() as f64 * NOISE.powi(-2);
    let loc = (mean / sd.powi(2) + x.iter().sum::<f64>() / NOISE.powi(2)) / precision;
    [loc, precision.recip().sqrt()]
}

/// ln p(x): prior · likelihood / posterior, at any place.
pub(crate) fn log_evidence(prior: [f64; 2], x: &[f64]) -> f64 {
    let [loc, sd] = posterior(prior, x);
    let likelihood: f64 = x.iter().map(|&x| normal(x, loc, NOISE)).sum();
    normal(loc, prior[0], prior[1]) + likelihood - normal(loc, loc, sd)
}
