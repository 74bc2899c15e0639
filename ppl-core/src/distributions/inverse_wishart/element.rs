//! Densities and draws of one matrix of the inverse Wishart distribution.

use crate::backend::BlockFunction;
use crate::ops::{Triangle, dense};

use super::super::bartlett::{self, Rounding, Weights, between_inverses, value_factor};

/// What the change from A to the entries of X adds to the density.
pub(super) const WEIGHTS: Weights = Weights { each: 1.0 };

/// The log-density, of arguments X, df and S with Ψ = S Sᵀ: with X = C Cᵀ it is that of Bartlett's A = C⁻¹ S.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogProb {
    pub(super) n: usize,
    /// How far X may be from its transpose.
    pub(super) slack: f64,
}

/// C⁻¹ · S, of the lower triangle of S.
fn whitened(s: &[f64], c: &[f64], n: usize) -> Vec<f64> {
    let mut a: Vec<f64> = (0..n * n).map(|e| if e % n > e / n { 0.0 } else { s[e] }).collect();
    dense::substitute(c, Triangle::Lower, &mut a, [n, n]);
    a
}

impl BlockFunction<3> for LogProb {
    fn lengths(&self) -> ([usize; 3], usize) {
        let size = self.n * self.n;
        ([size, 1, size], 1)
    }

    fn work(&self) -> usize {
        self.n.pow(3) + 100 * self.n
    }

    fn value(&self, [x, df, s]: [&[f64]; 3], out: &mut [f64]) {
        let n = self.n;
        if x.iter().any(|v| v.is_nan()) {
            out[0] = f64::NAN;
            return;
        }
        let Some(c) = value_factor(x, n, self.slack) else {
            out[0] = f64::NEG_INFINITY;
            return;
        };
        let volume: f64 = (0..n).map(|i| c[i * n + i].ln()).sum();
        out[0] = bartlett::log_density(&whitened(s, &c, n), df[0], n, WEIGHTS) - (n + 1) as f64 * volume;
    }

    /// ½ C⁻ᵀ (A Aᵀ − (df + n + 1) I) C⁻¹ for X, and the lower triangle of df diag(1 / Sᵢᵢ) − C⁻ᵀ A for S.
    fn pullback(
        &self,
        [x, df, s]: [&[f64]; 3],
        out: &[f64],
        upstream: &[f64],
        [to_x, to_df, to_s]: [Option<&mut [f64]>; 3],
    ) {
        let (n, df) = (self.n, df[0]);
        let Some(c) = value_factor(x, n, self.slack).filter(|_| out[0] > f64::NEG_INFINITY) else { return };
        let a = whitened(s, &c, n);
        if let Some(to_df) = to_df {
            to_df[0] += upstream[0] * bartlett::log_density_along_df(&a, df, n);
        }
        if let Some(to_x) = to_x {
            let mut inner = vec![0.0; n * n];
            dense::add_product(&mut inner, 1.0, &a, &dense::transposed(&a, n, n), [n, n, n]);
            (0..n).for_each(|i| inner[i * n + i] -= df + n as f64 + 1.0);
            dense::add_scaled(to_x, 0.5 * upstream[0], &between_inverses(&c, inner, n));
        }
        if let Some(to_s) = to_s {
            let mut along = a;
            dense::substitute(&c, Triangle::LowerTransposed, &mut along, [n, n]);
            for i in 0..n {
                dense::add_scaled(&mut to_s[i * n..][..i + 1], -upstream[0], &along[i * n..][..i + 1]);
                to_s[i * n + i] += upstream[0] * df / s[i * n + i];
            }
        }
    }
}

/// T Tᵀ with T = S A⁻ᵀ, of arguments df, S and the noise of A.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    pub(super) n: usize,
    pub(super) rounding: Rounding,
}

/// Tᵀ = A⁻¹ Sᵀ, of the lower triangle of S.
fn draw_factor(s: &[f64], a: &[f64], n: usize) -> Vec<f64> {
    let mut t: Vec<f64> = (0..n * n).map(|e| if e / n > e % n { 0.0 } else { s[e % n * n + e / n] }).collect();
    dense::substitute(a, Triangle::Lower, &mut t, [n, n]);
    t
}

impl BlockFunction<3> for Draw {
    fn lengths(&self) -> ([usize; 3], usize) {
        let size = self.n * self.n;
        ([1, size, size], size)
    }

    fn work(&self) -> usize {
        2 * self.n.pow(3)
    }

    fn value(&self, [df, s, noise]: [&[f64]; 3], out: &mut [f64]) {
        let n = self.n;
        let factor = draw_factor(s, &bartlett::factor(df[0], noise, n), n);
        dense::add_product(out, 1.0, &dense::transposed(&factor, n, n), &factor, [n, n, n]);
        self.rounding.keep_positive_definite(out, n);
    }

    /// With H = A⁻ᵀ Tᵀ (G + Gᵀ): the lower triangle of Hᵀ for S, and −H T for A.
    fn pullback(
        &self,
        [df, s, noise]: [&[f64]; 3],
        _: &[f64],
        upstream: &[f64],
        [to_df, to_s, _]: [Option<&mut [f64]>; 3],
    ) {
        let n = self.n;
        let a = bartlett::factor(df[0], noise, n);
        let factor = draw_factor(s, &a, n);
        let mut both = dense::transposed(upstream, n, n);
        dense::add_scaled(&mut both, 1.0, upstream);
        let mut h = vec![0.0; n * n];
        dense::add_product(&mut h, 1.0, &factor, &both, [n, n, n]);
        dense::substitute(&a, Triangle::LowerTransposed, &mut h, [n, n]);
        if let Some(to_df) = to_df {
            let to_diagonal = |i: usize| -dense::dot(&h[i * n..][..n], &factor[i * n..][..n]);
            to_df[0] += bartlett::factor_pullback(df[0], noise, n, to_diagonal);
        }
        if let Some(to_s) = to_s {
            for i in 0..n {
                (0..=i).for_each(|j| to_s[i * n + j] += h[j * n + i]);
            }
        }
    }
}
