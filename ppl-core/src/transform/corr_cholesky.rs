//! From real vectors onto correlation matrices and their Cholesky factors.

use super::cholesky;
use super::row::{Range, RowMap, transform_of_rows};
use super::tanh::{log_sech_squared, sech};

/// The place of row `i`, column `j < i` in a packed strict lower triangle.
fn packed(i: usize, j: usize) -> usize {
    i * i.saturating_sub(1) / 2 + j
}

/// Row `i` of the factor: tanh xⱼ times what the columns before have left of a unit row.
fn fill_row(x: &[f64], row: &mut [f64], tiny: f64) {
    let mut left = 1.0;
    for (l, &x) in row.iter_mut().zip(x) {
        *l = x.tanh() * left;
        left *= sech(x);
    }
    row[x.len()] = if left < tiny { tiny } else { left };
}

/// What flows back through [`fill_row`].
fn fill_row_pullback(x: &[f64], upstream: &[f64], gradient: &mut [f64]) {
    let left: Vec<f64> = x.iter().scan(1.0, |left, &x| Some(std::mem::replace(left, *left * sech(x)))).collect();
    let mut back = upstream[x.len()];
    for j in (0..x.len()).rev() {
        let (r, s) = (x[j].tanh(), sech(x[j]));
        gradient[j] += upstream[j] * left[j] * s * s - back * left[j] * s * r;
        back = upstream[j] * r + back * s;
    }
}

/// The inverse of [`fill_row`], from the end: sinh xⱼ is the entry over the norm of those after it.
fn empty_row(row: &[f64], x: &mut [f64]) {
    let mut after = row[x.len()];
    for j in (0..x.len()).rev() {
        x[j] = (row[j] / after).asinh();
        after = after.hypot(row[j]);
    }
}

/// What flows back through [`empty_row`].
fn empty_row_pullback(row: &[f64], upstream: &[f64], gradient: &mut [f64]) {
    let last = upstream.len();
    let mut after = vec![row[last]; last + 1];
    (0..last).rev().for_each(|j| after[j] = after[j + 1].hypot(row[j]));
    let mut back = 0.0;
    for j in 0..last {
        let (norm, rest) = (after[j], after[j + 1]);
        gradient[j] += (upstream[j] + back * row[j]) / norm;
        back = (back * rest - upstream[j] * (row[j] / rest)) / norm;
    }
    gradient[last] += back;
}

/// Σ weight(i, j) · ln sech² xᵢⱼ: what ln |det J| is made of.
fn weighted(n: usize, x: &[f64], weight: impl Fn(usize, usize) -> f64) -> f64 {
    let row = |i: usize| (0..i).map(|j| weight(i, j) * log_sech_squared(x[packed(i, j)])).sum::<f64>();
    (0..n).map(row).sum()
}

/// The gradient of [`weighted`].
fn weighted_gradient(n: usize, x: &[f64], weight: impl Fn(usize, usize) -> f64, gradient: &mut [f64]) {
    for i in 0..n {
        for j in 0..i {
            gradient[packed(i, j)] -= 2.0 * weight(i, j) * x[packed(i, j)].tanh();
        }
    }
}

/// The factor of a packed vector.
fn fill(n: usize, x: &[f64], l: &mut [f64], tiny: f64) {
    (0..n).for_each(|i| fill_row(&x[packed(i, 0)..][..i], &mut l[i * n..][..=i], tiny));
}

fn fill_pullback(n: usize, x: &[f64], upstream: &[f64], gradient: &mut [f64]) {
    for i in 0..n {
        let at = packed(i, 0);
        fill_row_pullback(&x[at..][..i], &upstream[i * n..][..=i], &mut gradient[at..][..i]);
    }
}

fn empty(n: usize, l: &[f64], x: &mut [f64]) {
    (0..n).for_each(|i| empty_row(&l[i * n..][..=i], &mut x[packed(i, 0)..][..i]));
}

fn empty_pullback(n: usize, l: &[f64], upstream: &[f64], gradient: &mut [f64]) {
    for i in 0..n {
        empty_row_pullback(&l[i * n..][..=i], &upstream[packed(i, 0)..][..i], &mut gradient[i * n..][..=i]);
    }
}

/// n(n−1)/2 real numbers onto the n × n Cholesky factors of correlation matrices: lower-triangular,
/// with unit rows and a positive diagonal. Partial correlations are tanh x, row by row.
///
/// ln |det J| is that of the strict lower triangle. Reference: Stan Reference Manual, *Cholesky factors
/// of correlation matrices*; `CorrCholeskyTransform` of torch.
#[derive(Clone, Copy, Debug)]
pub struct CorrCholesky {
    n: usize,
}

impl CorrCholesky {
    /// Onto n × n matrices.
    pub fn new(n: usize) -> Self {
        CorrCholesky { n }
    }
}

/// The slope of tanh, and what each later column of the row loses.
fn weight(i: usize, j: usize) -> f64 {
    1.0 + 0.5 * (i - 1 - j) as f64
}

transform_of_rows!(CorrCholesky, bijective = true);

impl RowMap for CorrCholesky {
    fn lens(&self) -> (usize, usize) {
        (packed(self.n, 0), self.n * self.n)
    }
    fn forward(&self, x: &[f64], y: &mut [f64], range: Range) {
        fill(self.n, x, y, range.tiny);
    }
    fn forward_pullback(&self, x: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        fill_pullback(self.n, x, upstream, gradient);
    }
    fn inverse(&self, y: &[f64], x: &mut [f64]) {
        empty(self.n, y, x);
    }
    fn inverse_pullback(&self, y: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        empty_pullback(self.n, y, upstream, gradient);
    }
    fn log_abs_det(&self, x: &[f64]) -> f64 {
        weighted(self.n, x, weight)
    }
    fn log_abs_det_gradient(&self, x: &[f64], gradient: &mut [f64]) {
        weighted_gradient(self.n, x, weight, gradient);
    }
}

/// n(n−1)/2 real numbers onto n × n correlation matrices: L Lᵀ of the factor that [`CorrCholesky`] gives.
/// Correlations next to ±1 may round to a matrix that is not positive definite.
///
/// ln |det J| is that of the strict lower triangle: the factor's, and Σ (n − i) ln Lᵢᵢ for i = 2, …, n.
/// Reference: Stan Reference Manual, *Correlation matrices*.
#[derive(Clone, Copy, Debug)]
pub struct CorrMatrix {
    n: usize,
}

impl CorrMatrix {
    /// Onto n × n matrices.
    pub fn new(n: usize) -> Self {
        CorrMatrix { n }
    }

    fn factor(&self, x: &[f64]) -> Vec<f64> {
        let mut l = vec![0.0; self.n * self.n];
        fill(self.n, x, &mut l, 0.0);
        l
    }

    /// NaN where the matrix has no factor.
    fn factor_of(&self, y: &[f64]) -> Vec<f64> {
        cholesky::factor(y, self.n).unwrap_or_else(|_| vec![f64::NAN; self.n * self.n])
    }

    fn weight(&self, i: usize, j: usize) -> f64 {
        weight(i, j) + 0.5 * (self.n - 1 - i) as f64
    }
}

transform_of_rows!(CorrMatrix, bijective = true);

impl RowMap for CorrMatrix {
    fn lens(&self) -> (usize, usize) {
        (packed(self.n, 0), self.n * self.n)
    }
    fn forward(&self, x: &[f64], y: &mut [f64], _: Range) {
        cholesky::product(&self.factor(x), self.n, y);
        // Exactly, but for a NaN.
        y.iter_mut().step_by(self.n + 1).filter(|d| !d.is_nan()).for_each(|d| *d = 1.0);
    }
    fn forward_pullback(&self, x: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        let l = self.factor(x);
        fill_pullback(self.n, x, &cholesky::product_pullback(&l, self.n, upstream), gradient);
    }
    fn inverse(&self, y: &[f64], x: &mut [f64]) {
        empty(self.n, &self.factor_of(y), x);
    }
    fn inverse_pullback(&self, y: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        let l = self.factor_of(y);
        let mut on_factor = vec![0.0; l.len()];
        empty_pullback(self.n, &l, upstream, &mut on_factor);
        cholesky::factor_pullback(&l, self.n, &on_factor, gradient);
    }
    fn log_abs_det(&self, x: &[f64]) -> f64 {
        weighted(self.n, x, |i, j| self.weight(i, j))
    }
    fn log_abs_det_gradient(&self, x: &[f64], gradient: &mut [f64]) {
        weighted_gradient(self.n, x, |i, j| self.weight(i, j), gradient);
    }
}
