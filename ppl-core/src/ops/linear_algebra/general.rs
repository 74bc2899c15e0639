//! Inverses and determinants of general square matrices, by their LU factors.

use dfdx::shapes::Shape;

use super::{Batch, Matrices, count, dense, shaped};
use crate::backend::{Backend, BlockFunction, Blocks};
use crate::dtype::Dtype;
use crate::tensor::Tensor;

/// A⁻¹; NaN where A is singular.
#[derive(Clone, Copy, Debug)]
struct Inverse {
    n: usize,
}

impl BlockFunction<1> for Inverse {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([self.n * self.n], self.n * self.n)
    }

    fn work(&self) -> usize {
        self.n.pow(3)
    }

    fn value(&self, [a]: [&[f64]; 1], out: &mut [f64]) {
        match dense::factorise(a, self.n) {
            Some(lu) => out.copy_from_slice(&lu.inverse()),
            None => out.fill(f64::NAN),
        }
    }

    /// −A⁻ᵀ · G · A⁻ᵀ.
    fn pullback(&self, _: [&[f64]; 1], inverse: &[f64], upstream: &[f64], [to_a]: [Option<&mut [f64]>; 1]) {
        let n = self.n;
        let Some(to_a) = to_a else { return };
        let transposed = dense::transposed(inverse, n, n);
        let mut left = vec![0.0; n * n];
        dense::add_product(&mut left, -1.0, &transposed, upstream, [n, n, n]);
        dense::add_product(to_a, 1.0, &left, &transposed, [n, n, n]);
    }
}

/// The sign of det A, and ln |det A|.
#[derive(Clone, Copy, Debug)]
struct SignAndLog {
    n: usize,
}

impl BlockFunction<1> for SignAndLog {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([self.n * self.n], 2)
    }

    fn work(&self) -> usize {
        self.n.pow(3) / 3
    }

    fn value(&self, [a]: [&[f64]; 1], out: &mut [f64]) {
        let (sign, log) = dense::factorise(a, self.n).map_or((0.0, f64::NEG_INFINITY), |lu| lu.determinant());
        out.copy_from_slice(&[sign, log]);
    }

    /// A⁻ᵀ for the logarithm and 0 for the sign; 0 where A is singular.
    fn pullback(&self, [a]: [&[f64]; 1], _: &[f64], upstream: &[f64], [to_a]: [Option<&mut [f64]>; 1]) {
        if let (Some(to_a), Some(lu)) = (to_a, dense::factorise(a, self.n)) {
            dense::add_scaled(to_a, upstream[1], &dense::transposed(&lu.inverse(), self.n, self.n));
        }
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Tensor<M, E, D> {
    /// The inverses of square matrices (.., n, n); NaN where one is singular. For symmetric positive
    /// definite ones see [`Tensor::cholesky_inverse`]; to solve equations, a factor is more accurate.
    ///
    /// # Panics
    /// If the matrices are not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn matrix_inverse(&self) -> Self {
        let (batch, n) = Matrices::square("matrix_inverse", &self.dims());
        D::blocks(Inverse { n }, [self.flat()], Blocks::equal(count(&batch))).reshape_like(&self.shape())
    }

    /// The sign of each determinant (1, −1 or 0) and ln |det|, which is −∞ with gradient 0 where a
    /// matrix is singular. The sign is a constant.
    ///
    /// ```
    /// use ppl_core::Tensor;
    /// let (sign, log) = Tensor::<_, f64>::from([[0.0, 2.0], [4.0, 0.0]]).slogdet();
    /// assert_eq!((sign.item(), log.item()), (-1.0, 8.0_f64.ln()));
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn slogdet(&self) -> (Tensor<Batch<M>, E, D>, Tensor<Batch<M>, E, D>) {
        let (batch, n) = Matrices::square("slogdet", &self.dims());
        let count = count(&batch);
        let both = D::blocks(SignAndLog { n }, [self.flat()], Blocks::equal(count));
        let part = |first: usize| D::take(both.clone(), (0..count).map(|i| 2 * i + first).collect());
        (shaped(part(0).detach(), &batch), shaped(part(1), &batch))
    }
}
