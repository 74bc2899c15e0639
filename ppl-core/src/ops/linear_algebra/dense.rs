//! Products, factorisations and substitutions of single row-major matrices in `f64`.
//!
//! From [`LARGE`] rows on they are faer's, on one thread (a batch is shared among threads, so that
//! results do not depend on them); below it, plain loops. Measured in microseconds, loops against
//! faer: the factor of n = 3: 0.02, 0.1; 10: 0.28, 0.27; 20: 1.5, 0.8; 50: 12, 5.4; 200: 419, 95. The
//! product of n = 3: 0.03, 0.03; 10: 0.31, 0.12; 50: 24, 5.6; 200: 1392, 284. Substitution in one
//! vector takes the same time in both at every size. LU factors are faer's at every size: n = 3: 0.1
//! (loops 0.02), 200: 284 (1921).

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::lu::partial_pivoting as lu;
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_unit_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Accum, MatMut, MatRef, Par};

use super::triangular::Triangle;

/// The size from which faer is faster than loops.
const LARGE: usize = 16;

/// Σ aᵢ·bᵢ, in eight sums side by side so that it is vector code.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut left, mut right) = (a.chunks_exact(8), b.chunks_exact(8));
    let mut sums = [0.0; 8];
    for (a, b) in (&mut left).zip(&mut right) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b).sum();
    rest + sums.iter().sum::<f64>()
}

/// `y += factor · x`.
pub(crate) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += factor * x);
}

/// `out += factor · a · b` for `a` of m × k and `b` of k × n.
pub(crate) fn add_product(out: &mut [f64], factor: f64, a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) {
    if m.min(k).min(n) >= LARGE {
        let (a, b) = (MatRef::from_row_major_slice(a, m, k), MatRef::from_row_major_slice(b, k, n));
        let out = MatMut::from_row_major_slice_mut(out, m, n);
        return faer::linalg::matmul::matmul(out, Accum::Add, a, b, factor, Par::Seq);
    }
    for i in 0..m {
        for l in 0..k {
            add_scaled(&mut out[i * n..][..n], factor * a[i * k + l], &b[l * n..][..n]);
        }
    }
}

/// The transpose of a matrix of so many rows and columns.
pub(crate) fn transposed(a: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..rows * columns).map(|e| a[e % rows * columns + e / rows]).collect()
}

/// A pivot that a Cholesky factorisation cannot take the root of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pivot {
    pub(crate) index: usize,
    pub(crate) value: f64,
}

/// Writes the lower Cholesky factor of `a` into `l`, which holds zeros; reads the lower triangle.
pub(crate) fn cholesky(a: &[f64], l: &mut [f64], n: usize) -> Result<(), Pivot> {
    if n >= LARGE && cholesky_by_blocks(a, l, n) {
        return Ok(());
    }
    // Where faer finds no factor the loops say at which pivot.
    cholesky_by_rows(a, l, n)
}

/// faer's factorisation, which prefers columns; whether there is a factor.
fn cholesky_by_blocks(a: &[f64], l: &mut [f64], n: usize) -> bool {
    let mut columns = transposed(a, n, n);
    let mut memory = MemBuffer::new(llt::factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default()));
    let matrix = MatMut::from_column_major_slice_mut(&mut columns, n, n);
    let stack = MemStack::new(&mut memory);
    let found = llt::factor::cholesky_in_place(matrix, Default::default(), Par::Seq, stack, Default::default());
    let is_sound = found.is_ok() && (0..n).all(|i| columns[i * n + i] > 0.0 && columns[i * n + i].is_finite());
    if is_sound {
        for i in 0..n {
            (0..=i).for_each(|j| l[i * n + j] = columns[j * n + i]);
        }
    }
    is_sound
}

/// Row by row, as Cholesky and Banachiewicz: Golub and Van Loan, *Matrix Computations*, 4.2.
fn cholesky_by_rows(a: &[f64], l: &mut [f64], n: usize) -> Result<(), Pivot> {
    for i in 0..n {
        let (above, row) = l.split_at_mut(i * n);
        for j in 0..i {
            let other = &above[j * n..][..n];
            row[j] = (a[i * n + j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let value = a[i * n + i] - dot(&row[..i], &row[..i]);
        if !(value > 0.0 && value.is_finite()) {
            return Err(Pivot { index: i, value });
        }
        row[i] = value.sqrt();
    }
    Ok(())
}

/// Replaces the n × m matrix `b` by the solution x of T · x = b, or Tᵀ · x = b.
pub(crate) fn substitute(t: &[f64], triangle: Triangle, b: &mut [f64], [n, m]: [usize; 2]) {
    if n >= LARGE && m > 1 {
        let (t, b) = (MatRef::from_row_major_slice(t, n, n), MatMut::from_row_major_slice_mut(b, n, m));
        return match triangle {
            Triangle::Lower => solve_lower_triangular_in_place(t, b, Par::Seq),
            Triangle::LowerTransposed => solve_upper_triangular_in_place(t.transpose(), b, Par::Seq),
            Triangle::Upper => solve_upper_triangular_in_place(t, b, Par::Seq),
            Triangle::UpperTransposed => solve_lower_triangular_in_place(t.transpose(), b, Par::Seq),
        };
    }
    if n * m > 0 {
        substitute_by_rows(t, triangle, b, [n, m]);
    }
}

/// The same in plain loops.
fn substitute_by_rows(t: &[f64], triangle: Triangle, b: &mut [f64], [n, m]: [usize; 2]) {
    let forward = matches!(triangle, Triangle::Lower | Triangle::UpperTransposed);
    let transposed = triangle.is_transposed();
    for step in 0..n {
        let i = if forward { step } else { n - 1 - step };
        // The unknowns that are known by now.
        let known = if forward { 0..i } else { i + 1..n };
        if m == 1 && !transposed {
            b[i] = (b[i] - dot(&t[i * n..][known.clone()], &b[known])) / t[i * n + i];
            continue;
        }
        let (before, rest) = b.split_at_mut(i * m);
        let (row, after) = rest.split_at_mut(m);
        if !transposed {
            for k in known {
                let other = if forward { &before[k * m..][..m] } else { &after[(k - i - 1) * m..][..m] };
                add_scaled(row, -t[i * n + k], other);
            }
            row.iter_mut().for_each(|x| *x /= t[i * n + i]);
            continue;
        }
        // Row i of T is column i of Tᵀ: each unknown goes at once into the equations still to come.
        row.iter_mut().for_each(|x| *x /= t[i * n + i]);
        let (still, first) = if forward { (after, i + 1) } else { (before, 0) };
        for (k, other) in still.chunks_exact_mut(m).enumerate() {
            add_scaled(other, -t[i * n + first + k], row);
        }
    }
}

/// A general matrix as P · A · 2ᵏ = L · U, with the scale chosen so that nothing overflows.
pub(super) struct Lu {
    n: usize,
    /// L below the diagonal (its own is 1), U on and above it.
    factors: Vec<f64>,
    /// The row of A in each place.
    rows: Vec<usize>,
    /// The sign of the permutation.
    sign: f64,
    /// The power of two that A was multiplied by.
    scale: f64,
}

/// faer's factorisation with partial pivoting; `None` where the matrix is singular.
pub(super) fn factorise(a: &[f64], n: usize) -> Option<Lu> {
    let largest = a.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    // Within 2^±1000, so that neither it nor its inverse overflows.
    let exponent = if largest > 0.0 && largest.is_finite() { -largest.log2().floor() } else { 0.0 };
    let scale = exponent.clamp(-1000.0, 1000.0).exp2();
    let mut factors: Vec<f64> = a.iter().map(|v| v * scale).collect();
    let (mut rows, mut places) = (vec![0usize; n], vec![0usize; n]);
    let scratch = lu::factor::lu_in_place_scratch::<usize, f64>(n, n, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(scratch);
    let matrix = MatMut::from_row_major_slice_mut(&mut factors, n, n);
    let stack = MemStack::new(&mut memory);
    let (info, _) = lu::factor::lu_in_place(matrix, &mut rows, &mut places, Par::Seq, stack, Default::default());
    let sign = if info.transposition_count % 2 == 0 { 1.0 } else { -1.0 };
    let is_singular = (0..n).any(|i| factors[i * n + i] == 0.0 || factors[i * n + i].is_nan());
    (!is_singular || a.iter().any(|v| !v.is_finite())).then_some(Lu { n, factors, rows, sign, scale })
}

impl Lu {
    /// The sign of the determinant and the logarithm of its absolute value.
    pub(super) fn determinant(&self) -> (f64, f64) {
        let diagonal = || (0..self.n).map(|i| self.factors[i * self.n + i]);
        let logs: f64 = diagonal().map(|u| u.abs().ln()).sum();
        let sign = diagonal().fold(self.sign, |sign, u| if u.is_nan() { u } else { sign * u.signum() });
        (sign, logs - self.n as f64 * self.scale.ln())
    }

    /// The inverse of A.
    pub(super) fn inverse(&self) -> Vec<f64> {
        let n = self.n;
        let mut inverse = vec![0.0; n * n];
        self.rows.iter().enumerate().for_each(|(i, &row)| inverse[i * n + row] = 1.0);
        let factors = MatRef::from_row_major_slice(&self.factors, n, n);
        let mut out = MatMut::from_row_major_slice_mut(&mut inverse, n, n);
        solve_unit_lower_triangular_in_place(factors, out.as_mut(), Par::Seq);
        solve_upper_triangular_in_place(factors, out, Par::Seq);
        inverse.iter_mut().for_each(|v| *v *= self.scale);
        inverse
    }
}
