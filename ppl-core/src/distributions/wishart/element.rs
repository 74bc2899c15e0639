//! Densities and draws of one matrix of the Wishart distribution.

use std::f64::consts::LN_2;

use crate::backend::BlockFunction;
use crate::ops::{Triangle, dense};

use super::super::bartlett::{self, Rounding, Weights, between_inverses, value_factor};

/// What the change from A to the entries of X adds to the density.
pub(super) fn weights(n: usize) -> Weights {
    Weights { each: 0.5 * (1.0 - n as f64) }
}

/// The log-density, of arguments X, df and L: with X = C Cᵀ it is that of Bartlett's A = L⁻¹ C.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogProb {
    pub(super) n: usize,
    /// How far X may be from its transpose.
    pub(super) slack: f64,
}

/// L⁻¹ · C.
fn whitened(l: &[f64], c: &[f64], n: usize) -> Vec<f64> {
    let mut a = c.to_vec();
    dense::substitute(l, Triangle::Lower, &mut a, [n, n]);
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

    fn value(&self, [x, df, l]: [&[f64]; 3], out: &mut [f64]) {
        let n = self.n;
        if x.iter().any(|v| v.is_nan()) {
            out[0] = f64::NAN;
            return;
        }
        let Some(c) = value_factor(x, n, self.slack) else {
            out[0] = f64::NEG_INFINITY;
            return;
        };
        let volume: f64 = (0..n).map(|i| l[i * n + i].ln()).sum();
        let per_axis = (n + 1) as f64 * (volume + 0.5 * n as f64 * LN_2);
        out[0] = bartlett::log_density(&whitened(l, &c, n), df[0], n, weights(n)) - per_axis;
    }

    /// ½ C⁻ᵀ ((df − n − 1) I − Aᵀ A) C⁻¹ for X, and the lower triangle of L⁻ᵀ A Aᵀ − df diag(1 / Lᵢᵢ) for L.
    fn pullback(
        &self,
        [x, df, l]: [&[f64]; 3],
        out: &[f64],
        upstream: &[f64],
        [to_x, to_df, to_l]: [Option<&mut [f64]>; 3],
    ) {
        let (n, df) = (self.n, df[0]);
        let Some(c) = value_factor(x, n, self.slack).filter(|_| out[0] > f64::NEG_INFINITY) else { return };
        let a = whitened(l, &c, n);
        if let Some(to_df) = to_df {
            to_df[0] += upstream[0] * bartlett::log_density_along_df(&a, df, n);
        }
        let transposed = dense::transposed(&a, n, n);
        if let Some(to_x) = to_x {
            let mut inner = vec![0.0; n * n];
            dense::add_product(&mut inner, -1.0, &transposed, &a, [n, n, n]);
            (0..n).for_each(|i| inner[i * n + i] += df - n as f64 - 1.0);
            dense::add_scaled(to_x, 0.5 * upstream[0], &between_inverses(&c, inner, n));
        }
        if let Some(to_l) = to_l {
            let mut outer = vec![0.0; n * n];
            dense::add_product(&mut outer, 1.0, &a, &transposed, [n, n, n]);
            dense::substitute(l, Triangle::LowerTransposed, &mut outer, [n, n]);
            for i in 0..n {
                dense::add_scaled(&mut to_l[i * n..][..i + 1], upstream[0], &outer[i * n..][..i + 1]);
                to_l[i * n + i] -= upstream[0] * df / l[i * n + i];
            }
        }
    }
}

/// L A Aᵀ Lᵀ, of arguments df, L and the noise of A.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    pub(super) n: usize,
    pub(super) rounding: Rounding,
}

/// L · A of lower triangles.
fn product(l: &[f64], a: &[f64], n: usize) -> Vec<f64> {
    let mut product = vec![0.0; n * n];
    for i in 0..n {
        (0..=i).for_each(|k| dense::add_scaled(&mut product[i * n..][..k + 1], l[i * n + k], &a[k * n..][..k + 1]));
    }
    product
}

impl BlockFunction<3> for Draw {
    fn lengths(&self) -> ([usize; 3], usize) {
        let size = self.n * self.n;
        ([1, size, size], size)
    }

    fn work(&self) -> usize {
        2 * self.n.pow(3)
    }

    fn value(&self, [df, l, noise]: [&[f64]; 3], out: &mut [f64]) {
        let n = self.n;
        let factor = product(l, &bartlett::factor(df[0], noise, n), n);
        dense::add_product(out, 1.0, &factor, &dense::transposed(&factor, n, n), [n, n, n]);
        self.rounding.keep_positive_definite(out, n);
    }

    /// With T = L A and H = (G + Gᵀ) T: the lower triangle of H Aᵀ for L, and Lᵀ H for A.
    fn pullback(
        &self,
        [df, l, noise]: [&[f64]; 3],
        _: &[f64],
        upstream: &[f64],
        [to_df, to_l, _]: [Option<&mut [f64]>; 3],
    ) {
        let n = self.n;
        let a = bartlett::factor(df[0], noise, n);
        let mut both = dense::transposed(upstream, n, n);
        dense::add_scaled(&mut both, 1.0, upstream);
        let mut h = vec![0.0; n * n];
        dense::add_product(&mut h, 1.0, &both, &product(l, &a, n), [n, n, n]);
        if let Some(to_df) = to_df {
            let to_diagonal = |i: usize| (i..n).map(|k| l[k * n + i] * h[k * n + i]).sum();
            to_df[0] += bartlett::factor_pullback(df[0], noise, n, to_diagonal);
        }
        if let Some(to_l) = to_l {
            for i in 0..n {
                (0..=i).for_each(|j| to_l[i * n + j] += dense::dot(&h[i * n..][..j + 1], &a[j * n..][..j + 1]));
            }
        }
    }
}
