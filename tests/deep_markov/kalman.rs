//! The Kalman filter, and the posterior of a latent given the one before it and all data from its step on.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use serde::Deserialize;

use crate::batch::Sequence;
use crate::matrix::{Matrix, dot, plus};

/// zₜ = A zₜ₋₁ + b + q · noise, xₜ = C zₜ + d + r · noise.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct World {
    pub(crate) a: Vec<Vec<f64>>,
    pub(crate) b: Vec<f64>,
    pub(crate) c: Vec<Vec<f64>>,
    pub(crate) d: Vec<f64>,
    pub(crate) log_q: Vec<f64>,
    pub(crate) log_r: Vec<f64>,
    pub(crate) z_0: Vec<f64>,
}

/// What `scripts/reference_deep_markov.py` wrote.
#[derive(Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) world: World,
    pub(crate) sequences: Vec<Sequence>,
    pub(crate) log_likelihoods: Vec<f64>,
    /// Of the sum of the log-likelihoods, by full name of the parameter.
    pub(crate) gradients: BTreeMap<String, Vec<f64>>,
}

pub(crate) fn reference() -> Reference {
    serde_json::from_str(include_str!("reference.json")).expect("what the script wrote")
}

/// zₜ given zₜ₋₁: a normal distribution with the mean `linear` · zₜ₋₁ + `shift` and a Cholesky factor.
#[derive(Clone, Debug)]
pub(crate) struct Conditional {
    pub(crate) linear: Matrix,
    pub(crate) shift: Vec<f64>,
    pub(crate) scale_tril: Matrix,
}

impl World {
    fn precisions(log_scales: &[f64]) -> Matrix {
        Matrix::diagonal(log_scales.iter().map(|log| (-2.0 * log).exp()))
    }

    fn covariance(log_scales: &[f64]) -> Matrix {
        Matrix::diagonal(log_scales.iter().map(|log| (2.0 * log).exp()))
    }

    /// ln p(x₁, …, x_T), forwards in time.
    pub(crate) fn log_likelihood(&self, sequence: &Sequence) -> f64 {
        let (a, c) = (Matrix(self.a.clone()), Matrix(self.c.clone()));
        let (mut mean, mut covariance) = (self.z_0.clone(), Matrix::zeros(self.a.len(), self.a.len()));
        let mut sum = 0.0;
        for x in sequence {
            mean = plus(&a.of(&mean), 1.0, &self.b);
            covariance = covariance.between(&a).plus(1.0, &Self::covariance(&self.log_q));
            let (precision, log_det) = covariance.between(&c).plus(1.0, &Self::covariance(&self.log_r)).inverse();
            let surprise = plus(&plus(x, -1.0, &c.of(&mean)), -1.0, &self.d);
            sum -= 0.5 * (x.len() as f64 * TAU.ln() + log_det + dot(&surprise, &precision.of(&surprise)));
            let gain = covariance.times(&c.transposed()).times(&precision);
            mean = plus(&mean, 1.0, &gain.of(&surprise));
            covariance = covariance.plus(-1.0, &gain.times(&c).times(&covariance));
        }
        sum
    }

    /// p(zₜ | zₜ₋₁, xₜ, …, x_T) for each t, backwards in time: with Λ and η such that p(xₜ, …, x_T | zₜ) is proportional
    /// to exp(−½ zₜᵀ Λ zₜ + zₜᵀ η), it has the precision q⁻² + Λ.
    pub(crate) fn posterior(&self, sequence: &Sequence) -> Vec<Conditional> {
        let (a, c) = (Matrix(self.a.clone()), Matrix(self.c.clone()));
        let (of_z, of_x) = (Self::precisions(&self.log_q), Self::precisions(&self.log_r));
        let n = self.a.len();
        let (mut lambda, mut eta, mut all) = (Matrix::zeros(n, n), vec![0.0; n], Vec::new());
        for x in sequence.iter().rev() {
            lambda = lambda.plus(1.0, &of_x.between(&c.transposed()));
            eta = plus(&eta, 1.0, &c.transposed().of(&of_x.of(&plus(x, -1.0, &self.d))));
            let (covariance, _) = of_z.plus(1.0, &lambda).inverse();
            let gain = covariance.times(&of_z);
            let shift = plus(&gain.of(&self.b), 1.0, &covariance.of(&eta));
            all.push(Conditional { linear: gain.times(&a), shift, scale_tril: covariance.cholesky() });
            // Of the step before, with zₜ integrated out.
            let left = of_z.plus(-1.0, &of_z.times(&gain));
            let moved = plus(&gain.transposed().of(&eta), -1.0, &left.of(&self.b));
            (lambda, eta) = (left.between(&a.transposed()), a.transposed().of(&moved));
        }
        all.reverse();
        all
    }
}

#[test]
fn the_filter_agrees_with_the_joint_distribution_of_all_data() {
    let reference = reference();
    for (x, expected) in reference.sequences.iter().zip(&reference.log_likelihoods) {
        let found = reference.world.log_likelihood(x);
        assert!((found / expected - 1.0).abs() < 1e-12, "{found}, not {expected}");
    }
}
