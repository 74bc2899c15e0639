//! Density and draw of one row of relaxed categories, in `f64`.

use crate::backend::BlockFunction;
use crate::distributions::proportions::off_simplex;
use crate::distributions::weights::Form;
use crate::functions::gamma_function::ln_gamma;

/// What the numbers of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Coordinates of the simplex.
    Simplex,
    /// Their logarithms.
    Logarithms,
}

/// The logarithm of a weight, up to a constant of its row.
fn logit(form: Form, weight: f64) -> f64 {
    match form {
        Form::Probs => weight.ln(),
        Form::Logits => weight,
    }
}

/// The slope of [`logit`].
fn logit_slope(form: Form, weight: f64) -> f64 {
    match form {
        Form::Probs => weight.recip(),
        Form::Logits => 1.0,
    }
}

/// ln Σ eˢ, and each share of the sum.
fn softmax(scores: &[f64]) -> (f64, Vec<f64>) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|s| (s - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    (largest + sum.ln(), powers.iter().map(|p| p / sum).collect())
}

/// The log-density of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogProb {
    pub(super) form: Form,
    pub(super) len: usize,
    pub(super) scale: Scale,
    /// How far a row's sum may be from 1.
    pub(super) slack: f64,
}

impl LogProb {
    /// The value of the log-density where it is not that of the formula: outside the support, at its
    /// edge, and for no number.
    fn special(&self, x: &[f64], temperature: f64) -> Option<f64> {
        if self.scale == Scale::Logarithms {
            let infinite = x.iter().any(|v| v.is_infinite()) && !x.iter().any(|v| v.is_nan());
            return infinite.then_some(f64::NEG_INFINITY);
        }
        let outside = off_simplex(x, self.slack);
        if outside.is_some() {
            return outside;
        }
        // Where j coordinates are ε the density is of order ε^(τ (K − j) − j).
        let zeros = x.iter().filter(|v| **v == 0.0).count();
        let order = temperature * (self.len - zeros) as f64 - zeros as f64;
        (zeros > 0).then_some(if order < 0.0 { f64::INFINITY } else { f64::NEG_INFINITY })
    }

    fn logarithm(&self, x: f64) -> f64 {
        if self.scale == Scale::Simplex { x.ln() } else { x }
    }

    /// ln p − τ ln x of each category.
    fn scores(&self, x: &[f64], temperature: f64, weights: &[f64]) -> Vec<f64> {
        let score = |(&x, &w): (&f64, &f64)| logit(self.form, w) - temperature * self.logarithm(x);
        x.iter().zip(weights).map(score).collect()
    }
}

impl BlockFunction<3> for LogProb {
    fn lengths(&self) -> ([usize; 3], usize) {
        ([self.len, 1, self.len], 1)
    }

    fn work(&self) -> usize {
        30 * self.len
    }

    fn value(&self, [x, temperature, weights]: [&[f64]; 3], out: &mut [f64]) {
        let temperature = temperature[0];
        if let Some(special) = self.special(x, temperature) {
            out[0] = special;
            return;
        }
        let scores = self.scores(x, temperature, weights);
        if scores.contains(&f64::NEG_INFINITY) {
            out[0] = f64::NEG_INFINITY;
            return;
        }
        let (total, count) = (softmax(&scores).0, self.len as f64);
        let jacobian: f64 = if self.scale == Scale::Simplex { x.iter().map(|x| x.ln()).sum() } else { 0.0 };
        let terms: f64 = scores.iter().map(|s| s - total).sum();
        out[0] = ln_gamma(count) + (count - 1.0) * temperature.ln() + terms - jacobian;
    }

    fn pullback(
        &self,
        [x, temperature, weights]: [&[f64]; 3],
        out: &[f64],
        upstream: &[f64],
        [to_x, to_temperature, to_weights]: [Option<&mut [f64]>; 3],
    ) {
        if out[0].is_infinite() || upstream[0] == 0.0 {
            return;
        }
        let (temperature, count, u) = (temperature[0], self.len as f64, upstream[0]);
        let shares = softmax(&self.scores(x, temperature, weights)).1;
        let along: Vec<f64> = shares.iter().map(|share| u * (1.0 - count * share)).collect();
        if let Some(to) = to_x {
            for k in 0..self.len {
                to[k] += match self.scale {
                    Scale::Simplex => (-temperature * along[k] - u) / x[k],
                    Scale::Logarithms => -temperature * along[k],
                };
            }
        }
        if let Some(to) = to_temperature {
            let scores: f64 = x.iter().zip(&along).map(|(&x, a)| self.logarithm(x) * a).sum();
            to[0] += u * (count - 1.0) / temperature - scores;
        }
        if let Some(to) = to_weights {
            (0..self.len).for_each(|k| to[k] += along[k] * logit_slope(self.form, weights[k]));
        }
    }
}

/// A draw, from noise, temperature and weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    pub(super) form: Form,
    pub(super) len: usize,
    pub(super) scale: Scale,
    /// The smallest coordinate.
    pub(super) tiny: f64,
}

impl Draw {
    fn scores(&self, noise: &[f64], temperature: f64, weights: &[f64]) -> Vec<f64> {
        noise.iter().zip(weights).map(|(g, &w)| (logit(self.form, w) + g) / temperature).collect()
    }
}

impl BlockFunction<3> for Draw {
    fn lengths(&self) -> ([usize; 3], usize) {
        ([self.len, 1, self.len], self.len)
    }

    fn work(&self) -> usize {
        20 * self.len
    }

    fn value(&self, [noise, temperature, weights]: [&[f64]; 3], out: &mut [f64]) {
        let scores = self.scores(noise, temperature[0], weights);
        let (total, shares) = softmax(&scores);
        for k in 0..self.len {
            out[k] = match self.scale {
                Scale::Simplex if shares[k] < self.tiny => self.tiny,
                Scale::Simplex => shares[k],
                Scale::Logarithms => scores[k] - total,
            };
        }
    }

    fn pullback(
        &self,
        [noise, temperature, weights]: [&[f64]; 3],
        _: &[f64],
        upstream: &[f64],
        [_, to_temperature, to_weights]: [Option<&mut [f64]>; 3],
    ) {
        let scores = self.scores(noise, temperature[0], weights);
        let shares = softmax(&scores).1;
        // What flows back to the logarithms, and from there to the scores.
        let factor = |k: usize| if self.scale == Scale::Simplex { shares[k] } else { 1.0 };
        let logarithms: Vec<f64> = (0..self.len).map(|k| upstream[k] * factor(k)).collect();
        let all: f64 = logarithms.iter().sum();
        let along = |k: usize| (logarithms[k] - shares[k] * all) / temperature[0];
        if let Some(to) = to_temperature {
            to[0] -= (0..self.len).map(|k| along(k) * scores[k]).sum::<f64>();
        }
        if let Some(to) = to_weights {
            (0..self.len).for_each(|k| to[k] += along(k) * logit_slope(self.form, weights[k]));
        }
    }
}
