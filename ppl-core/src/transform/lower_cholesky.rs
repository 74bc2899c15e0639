//! From real vectors onto Cholesky factors and positive-definite matrices.

use std::f64::consts::LN_2;

use super::cholesky;
use super::row::{Range, RowMap, transform_of_rows};

/// How many numbers a lower triangle has.
fn triangle(n: usize) -> usize {
    n * (n + 1) / 2
}

/// The place of row `i`, column `j ≤ i` in a packed lower triangle.
fn packed(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

/// A lower triangle, row by row, with its diagonal exponentiated.
fn unpack(x: &[f64], n: usize, l: &mut [f64], exp: impl Fn(f64) -> f64) {
    for i in 0..n {
        (0..i).for_each(|j| l[i * n + j] = x[packed(i, j)]);
        l[i * n + i] = exp(x[packed(i, i)]);
    }
}

/// What flows back through [`unpack`] where `l` is the factor.
fn unpack_pullback(l: &[f64], n: usize, upstream: &[f64], gradient: &mut [f64]) {
    for i in 0..n {
        (0..i).for_each(|j| gradient[packed(i, j)] += upstream[i * n + j]);
        gradient[packed(i, i)] += upstream[i * n + i] * l[i * n + i];
    }
}

/// The inverse of [`unpack`].
fn pack(l: &[f64], n: usize, x: &mut [f64]) {
    for i in 0..n {
        (0..i).for_each(|j| x[packed(i, j)] = l[i * n + j]);
        x[packed(i, i)] = l[i * n + i].ln();
    }
}

/// What flows back through [`pack`].
fn pack_pullback(l: &[f64], n: usize, upstream: &[f64], gradient: &mut [f64]) {
    for i in 0..n {
        (0..i).for_each(|j| gradient[i * n + j] += upstream[packed(i, j)]);
        gradient[i * n + i] += upstream[packed(i, i)] / l[i * n + i];
    }
}

/// n(n+1)/2 real numbers onto n × n lower-triangular matrices with a positive diagonal: the lower
/// triangle, row by row, with its diagonal exponentiated.
///
/// ln |det J| is that of the lower triangle. Reference: Stan Reference Manual, *Cholesky factors of
/// covariance matrices*.
#[derive(Clone, Copy, Debug)]
pub struct LowerCholesky {
    n: usize,
}

impl LowerCholesky {
    /// Onto n × n matrices.
    pub fn new(n: usize) -> Self {
        LowerCholesky { n }
    }
}

transform_of_rows!(LowerCholesky, bijective = true);

impl RowMap for LowerCholesky {
    fn lens(&self) -> (usize, usize) {
        (triangle(self.n), self.n * self.n)
    }
    fn forward(&self, x: &[f64], y: &mut [f64], range: Range) {
        unpack(x, self.n, y, |x| range.exp(x));
    }
    fn forward_pullback(&self, _: &[f64], y: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        unpack_pullback(y, self.n, upstream, gradient);
    }
    fn inverse(&self, y: &[f64], x: &mut [f64]) {
        pack(y, self.n, x);
    }
    fn inverse_pullback(&self, y: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        pack_pullback(y, self.n, upstream, gradient);
    }
    fn log_abs_det(&self, x: &[f64]) -> f64 {
        (0..self.n).map(|i| x[packed(i, i)]).sum()
    }
    fn log_abs_det_gradient(&self, _: &[f64], gradient: &mut [f64]) {
        (0..self.n).for_each(|i| gradient[packed(i, i)] += 1.0);
    }
}

/// n(n+1)/2 real numbers onto n × n symmetric positive-definite matrices: L Lᵀ of the factor that
/// [`LowerCholesky`] gives. An ill-conditioned product may round to a matrix that is not positive
/// definite.
///
/// ln |det J| is that of the lower triangle: n ln 2 + Σ (n − i + 2) xᵢᵢ for i = 1, …, n. Reference: Stan
/// Reference Manual, *Covariance matrices*.
#[derive(Clone, Copy, Debug)]
pub struct PositiveDefinite {
    n: usize,
}

impl PositiveDefinite {
    /// Onto n × n matrices.
    pub fn new(n: usize) -> Self {
        PositiveDefinite { n }
    }

    fn factor(&self, x: &[f64], exp: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut l = vec![0.0; self.n * self.n];
        unpack(x, self.n, &mut l, exp);
        l
    }

    /// NaN where the matrix has no factor.
    fn factor_of(&self, y: &[f64]) -> Vec<f64> {
        cholesky::factor(y, self.n).unwrap_or_else(|_| vec![f64::NAN; self.n * self.n])
    }
}

transform_of_rows!(PositiveDefinite, bijective = true);

impl RowMap for PositiveDefinite {
    fn lens(&self) -> (usize, usize) {
        (triangle(self.n), self.n * self.n)
    }
    fn forward(&self, x: &[f64], y: &mut [f64], range: Range) {
        // Twice the logarithm of the diagonal must stay within the dtype as well.
        let half = |x: f64| range.exp(2.0 * x).sqrt();
        cholesky::product(&self.factor(x, half), self.n, y);
        y.iter_mut().filter(|y| y.abs() > range.max).for_each(|y| *y = range.max.copysign(*y));
    }
    fn forward_pullback(&self, x: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        let l = self.factor(x, f64::exp);
        unpack_pullback(&l, self.n, &cholesky::product_pullback(&l, self.n, upstream), gradient);
    }
    fn inverse(&self, y: &[f64], x: &mut [f64]) {
        pack(&self.factor_of(y), self.n, x);
    }
    fn inverse_pullback(&self, y: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        let l = self.factor_of(y);
        let mut on_factor = vec![0.0; l.len()];
        pack_pullback(&l, self.n, upstream, &mut on_factor);
        cholesky::factor_pullback(&l, self.n, &on_factor, gradient);
    }
    fn log_abs_det(&self, x: &[f64]) -> f64 {
        let weighted = (0..self.n).map(|i| (self.n - i + 1) as f64 * x[packed(i, i)]);
        self.n as f64 * LN_2 + weighted.sum::<f64>()
    }
    fn log_abs_det_gradient(&self, _: &[f64], gradient: &mut [f64]) {
        (0..self.n).for_each(|i| gradient[packed(i, i)] += (self.n - i + 1) as f64);
    }
}
