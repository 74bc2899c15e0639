//! Cholesky factors of small symmetric matrices, row-major in `f64`, with what flows back.
//!
//! Reference: Murray (2016), *Differentiation of the Cholesky decomposition*.

/// The lower-triangular L with L Lᵀ = A, of which the symmetric part counts; or the row whose pivot
/// is not positive.
pub(crate) fn factor(a: &[f64], n: usize) -> Result<Vec<f64>, usize> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            // Halved first, so that the largest numbers do not overflow.
            let rest = 0.5 * a[i * n + j] + 0.5 * a[j * n + i] - known;
            if j < i {
                l[i * n + j] = rest / l[j * n + j];
            } else if rest > 0.0 && rest.is_finite() {
                l[i * n + i] = rest.sqrt();
            } else {
                return Err(i);
            }
        }
    }
    Ok(l)
}

/// A = L Lᵀ, exactly symmetric.
pub(super) fn product(l: &[f64], n: usize, a: &mut [f64]) {
    for i in 0..n {
        for j in 0..=i {
            let sum = (0..=j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            a[i * n + j] = sum;
            a[j * n + i] = sum;
        }
    }
}

/// What flows back to L from `upstream` on L Lᵀ: the lower triangle of (U + Uᵀ) L.
pub(super) fn product_pullback(l: &[f64], n: usize, upstream: &[f64]) -> Vec<f64> {
    let mut back = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let both = |k: usize| upstream[i * n + k] + upstream[k * n + i];
            back[i * n + j] = (j..n).map(|k| both(k) * l[k * n + j]).sum();
        }
    }
    back
}

/// What flows back to A from `upstream` on L, added to `gradient`: the symmetric part of
/// L⁻ᵀ Φ(Lᵀ U) L⁻¹, where Φ takes the lower triangle and half of the diagonal.
pub(super) fn factor_pullback(l: &[f64], n: usize, upstream: &[f64], gradient: &mut [f64]) {
    let mut s = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (i..n).map(|k| l[k * n + i] * upstream[k * n + j]).sum();
            s[i * n + j] = if i == j { 0.5 * sum } else { sum };
        }
    }
    // L⁻ᵀ from the left, column by column, then L⁻¹ from the right, row by row.
    for j in 0..n {
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| l[k * n + i] * s[k * n + j]).sum();
            s[i * n + j] = (s[i * n + j] - known) / l[i * n + i];
        }
    }
    for i in 0..n {
        for j in (0..n).rev() {
            let known: f64 = (j + 1..n).map(|k| s[i * n + k] * l[k * n + j]).sum();
            s[i * n + j] = (s[i * n + j] - known) / l[j * n + j];
        }
    }
    for i in 0..n {
        for j in 0..n {
            gradient[i * n + j] += 0.5 * (s[i * n + j] + s[j * n + i]);
        }
    }
}
