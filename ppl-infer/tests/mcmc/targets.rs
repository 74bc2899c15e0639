//! Targets whose moments are known, with log-densities and gradients written by hand.

use std::convert::Infallible;

use ppl_core::Dtype;
use ppl_infer::LogDensity;

/// A density given by a function of position and gradient, in f64.
pub(crate) struct Target<F> {
    pub(crate) dim: usize,
    pub(crate) evaluate: F,
    /// How often it was evaluated.
    pub(crate) evaluations: u64,
    wide: [Vec<f64>; 2],
}

impl<F: FnMut(&[f64], &mut [f64]) -> f64> Target<F> {
    pub(crate) fn new(dim: usize, evaluate: F) -> Self {
        Target { dim, evaluate, evaluations: 0, wide: [vec![0.0; dim], vec![0.0; dim]] }
    }
}

impl<E: Dtype, F: FnMut(&[f64], &mut [f64]) -> f64> LogDensity<E> for Target<F> {
    type Error = Infallible;

    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&mut self, position: &[E], gradient: &mut [E]) -> Result<f64, Infallible> {
        self.evaluations += 1;
        let [at, slope] = &mut self.wide;
        at.iter_mut().zip(position).for_each(|(at, x)| *at = x.wide());
        let log_density = (self.evaluate)(at, slope);
        gradient.iter_mut().zip(slope).for_each(|(g, slope)| *g = E::of(*slope));
        Ok(log_density)
    }
}

/// Independent standard normals.
pub(crate) fn standard_normal(x: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.iter_mut().zip(x).for_each(|(g, x)| *g = -x);
    -0.5 * x.iter().map(|x| x * x).sum::<f64>()
}

/// A normal chain: x₀ ~ N(1, 1), xᵢ ~ N(ρ·xᵢ₋₁, sᵢ²) with sᵢ = 1 + i. Its means and covariances follow by hand.
pub(crate) struct NormalChain {
    pub(crate) dim: usize,
    pub(crate) correlation: f64,
}

impl NormalChain {
    pub(crate) fn log_density(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut log_density = 0.0;
        for i in 0..self.dim {
            let (mean, slope) = if i == 0 { (1.0, 0.0) } else { (self.correlation * x[i - 1], self.correlation) };
            let precision = ((1 + i) as f64).powi(-2);
            let error = x[i] - mean;
            log_density -= 0.5 * precision * error * error;
            gradient[i] -= precision * error;
            if i > 0 {
                gradient[i - 1] += slope * precision * error;
            }
        }
        log_density
    }

    pub(crate) fn mean(&self) -> Vec<f64> {
        (0..self.dim).map(|i| self.correlation.powi(i as i32)).collect()
    }

    pub(crate) fn covariance(&self, i: usize, j: usize) -> f64 {
        let (low, high) = (i.min(j), i.max(j));
        let variance = (0..=low).fold(0.0, |v, k| self.correlation.powi(2) * v + ((1 + k) as f64).powi(2));
        self.correlation.powi((high - low) as i32) * variance
    }
}

/// The logarithms of Gamma(shape, rate 1) variables: shape·x − eˣ, of which shape·x has +1·x from the Jacobian.
pub(crate) fn log_gamma(shape: f64) -> impl Fn(&[f64], &mut [f64]) -> f64 {
    move |x, gradient| {
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g = shape - x.exp());
        x.iter().map(|x| shape * x - x.exp()).sum()
    }
}

/// Neal's funnel: v ~ N(0, 3²), x ~ N(0, eᵛ).
pub(crate) fn funnel(at: &[f64], gradient: &mut [f64]) -> f64 {
    let (v, x) = (at[0], at[1]);
    let square = x * x * (-v).exp();
    (gradient[0], gradient[1]) = (-v / 9.0 - 0.5 + 0.5 * square, -x * (-v).exp());
    -v * v / 18.0 - 0.5 * v - 0.5 * square
}

/// Quartic wells, coupled: −Σ xᵢ⁴/4 − ½·Σ (xᵢ − xᵢ₊₁)².
pub(crate) fn quartic(x: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.iter_mut().zip(x).for_each(|(g, x)| *g = -x.powi(3));
    let mut log_density = -0.25 * x.iter().map(|x| x.powi(4)).sum::<f64>();
    for i in 1..x.len() {
        let step = x[i - 1] - x[i];
        log_density -= 0.5 * step * step;
        gradient[i - 1] -= step;
        gradient[i] += step;
    }
    log_density
}
