//! Small dense matrices in plain loops.

/// Rows of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Matrix(pub(crate) Vec<Vec<f64>>);

impl Matrix {
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Matrix(vec![vec![0.0; columns]; rows])
    }

    pub(crate) fn diagonal(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let mut matrix = Self::zeros(values.len(), values.len());
        values.into_iter().enumerate().for_each(|(i, v)| matrix.0[i][i] = v);
        matrix
    }

    pub(crate) fn transposed(&self) -> Self {
        Matrix((0..self.0[0].len()).map(|j| self.0.iter().map(|row| row[j]).collect()).collect())
    }

    pub(crate) fn times(&self, other: &Matrix) -> Self {
        let columns = other.transposed();
        Matrix(self.0.iter().map(|row| columns.0.iter().map(|column| dot(row, column)).collect()).collect())
    }

    /// The product with a vector.
    pub(crate) fn of(&self, x: &[f64]) -> Vec<f64> {
        self.0.iter().map(|row| dot(row, x)).collect()
    }

    /// self + factor · other.
    pub(crate) fn plus(&self, factor: f64, other: &Matrix) -> Self {
        Matrix(self.0.iter().zip(&other.0).map(|(a, b)| plus(a, factor, b)).collect())
    }

    /// M · self · Mᵀ.
    pub(crate) fn between(&self, m: &Matrix) -> Self {
        m.times(self).times(&m.transposed())
    }

    /// The inverse and ln |det|, by elimination with pivots.
    pub(crate) fn inverse(&self) -> (Self, f64) {
        let n = self.0.len();
        let mut left = self.0.clone();
        let mut right = Matrix::diagonal(vec![1.0; n]).0;
        let mut log_det = 0.0;
        for k in 0..n {
            let pivot = (k..n).max_by(|&i, &j| left[i][k].abs().total_cmp(&left[j][k].abs())).expect("a row");
            left.swap(k, pivot);
            right.swap(k, pivot);
            log_det += left[k][k].abs().ln();
            let by = 1.0 / left[k][k];
            left[k].iter_mut().chain(&mut right[k]).for_each(|v| *v *= by);
            for i in (0..n).filter(|&i| i != k) {
                let factor = -left[i][k];
                left[i] = plus(&left[i], factor, &left[k]);
                right[i] = plus(&right[i], factor, &right[k]);
            }
        }
        (Matrix(right), log_det)
    }

    /// The lower factor L of self = L · Lᵀ.
    pub(crate) fn cholesky(&self) -> Self {
        let n = self.0.len();
        let mut l = Matrix::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let rest = self.0[i][j] - dot(&l.0[i][..j], &l.0[j][..j]);
                l.0[i][j] = if i == j { rest.sqrt() } else { rest / l.0[j][j] };
            }
        }
        l
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// a + factor · b.
pub(crate) fn plus(a: &[f64], factor: f64, b: &[f64]) -> Vec<f64> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a + factor * b).collect()
}
