//! Products, factorisations and substitutions of single row-major matrices in `f64`.

use super::triangular::Triangle;

/// Σ aᵢ·bᵢ, in eight sums side by side so that it is vector code.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
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
pub(super) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += factor * x);
}

/// `out += factor · a · b` for `a` of m × k and `b` of k × n.
pub(super) fn add_product(out: &mut [f64], factor: f64, a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) {
    for i in 0..m {
        for l in 0..k {
            add_scaled(&mut out[i * n..][..n], factor * a[i * k + l], &b[l * n..][..n]);
        }
    }
}

/// The transpose of a matrix of so many rows and columns.
pub(super) fn transposed(a: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..rows * columns).map(|e| a[e % rows * columns + e / rows]).collect()
}

/// A pivot that a Cholesky factorisation cannot take the root of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pivot {
    pub(super) index: usize,
    pub(super) value: f64,
}

/// Writes the lower Cholesky factor of `a` into `l`, which holds zeros; reads the lower triangle.
///
/// Row by row, as Cholesky and Banachiewicz: Golub and Van Loan, *Matrix Computations*, 4.2.
pub(super) fn cholesky(a: &[f64], l: &mut [f64], n: usize) -> Result<(), Pivot> {
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
pub(super) fn substitute(t: &[f64], triangle: Triangle, b: &mut [f64], [n, m]: [usize; 2]) {
    if n * m == 0 {
        return;
    }
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
