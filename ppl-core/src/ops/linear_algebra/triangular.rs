//! Systems of equations with a triangular matrix, and its determinant.

use dfdx::shapes::Shape;

use super::{Batch, Matrices, count, dense, serving, shaped};
use crate::backend::{Backend, BlockFunction, Blocks, Layers, Reduction};
use crate::dtype::Dtype;
use crate::functions::Function;
use crate::tensor::{Flat, Tensor};

/// Which triangle of a matrix T is read (the other is taken as zero), and whether it is transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Triangle {
    /// T · x = b with the lower triangle.
    Lower,
    /// Tᵀ · x = b with the lower triangle.
    LowerTransposed,
    /// T · x = b with the upper triangle.
    Upper,
    /// Tᵀ · x = b with the upper triangle.
    UpperTransposed,
}

impl Triangle {
    pub(super) fn is_transposed(self) -> bool {
        matches!(self, Triangle::LowerTransposed | Triangle::UpperTransposed)
    }

    /// The same triangle, transposed.
    pub(super) fn flipped(self) -> Self {
        match self {
            Triangle::Lower => Triangle::LowerTransposed,
            Triangle::LowerTransposed => Triangle::Lower,
            Triangle::Upper => Triangle::UpperTransposed,
            Triangle::UpperTransposed => Triangle::Upper,
        }
    }

    /// The columns of row `i` that belong to the triangle.
    fn columns(self, i: usize, n: usize) -> std::ops::Range<usize> {
        if matches!(self, Triangle::Lower | Triangle::LowerTransposed) { 0..i + 1 } else { i..n }
    }
}

/// x with T · x = b, for T of n × n and b of n × m.
#[derive(Clone, Copy, Debug)]
struct Solve {
    n: usize,
    m: usize,
    triangle: Triangle,
}

impl BlockFunction<2> for Solve {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.n * self.n, self.n * self.m], self.n * self.m)
    }

    fn work(&self) -> usize {
        self.n * self.n * self.m
    }

    fn value(&self, [t, b]: [&[f64]; 2], out: &mut [f64]) {
        out.copy_from_slice(b);
        dense::substitute(t, self.triangle, out, [self.n, self.m]);
    }

    /// With g the gradient of x and h = T⁻ᵀ · g: that of b is h, and that of T is −h · xᵀ within the
    /// triangle (its transpose where Tᵀ was solved). Giles, *An extended collection of matrix
    /// derivative results for forward and reverse mode algorithmic differentiation*, 2.3.1.
    fn pullback(&self, [t, _]: [&[f64]; 2], x: &[f64], upstream: &[f64], [to_t, to_b]: [Option<&mut [f64]>; 2]) {
        let Solve { n, m, triangle } = *self;
        let mut h = upstream.to_vec();
        dense::substitute(t, triangle.flipped(), &mut h, [n, m]);
        if let Some(to_t) = to_t {
            let (left, right) = if triangle.is_transposed() { (x, h.as_slice()) } else { (h.as_slice(), x) };
            for i in 0..n {
                for j in triangle.columns(i, n) {
                    to_t[i * n + j] -= dense::dot(&left[i * m..][..m], &right[j * m..][..m]);
                }
            }
        }
        if let Some(to_b) = to_b {
            dense::add_scaled(to_b, 1.0, &h);
        }
    }
}

/// ln |x|.
#[derive(Clone, Copy, Debug)]
struct LnAbs;

impl<E: Dtype> Function<E, 1> for LnAbs {
    fn name(&self) -> &'static str {
        "ln_abs"
    }

    fn value(&self, [x]: [E; 1]) -> E {
        x.abs().ln()
    }

    fn partials(&self, [x]: [E; 1], _: E) -> [E; 1] {
        [x.recip()]
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Tensor<M, E, D> {
    /// Solves T · X = B (or Tᵀ · X = B) for matrices X, with this tensor's triangular matrices T.
    ///
    /// Shapes: T (.., n, n), B and X (.., n, m). The batch of T is that of B, its last axes, or one
    /// matrix for all of B. Entries outside the triangle are not read. Where T has a zero on its
    /// diagonal the solution is infinite or NaN.
    ///
    /// ```
    /// use ppl_core::{Tensor, ops::Triangle};
    /// let l = Tensor::<_, f64>::from([[2.0, 0.0], [1.0, 4.0]]);
    /// let x = l.solve_triangular(&Tensor::<_, f64>::from([[2.0], [5.0]]), Triangle::Lower);
    /// assert_eq!(x.array(), [[1.0], [1.0]]);
    /// ```
    ///
    /// # Panics
    /// If T is not square or the shapes do not fit, with the shapes.
    #[must_use]
    #[track_caller]
    pub fn solve_triangular<R: Shape>(&self, b: &Tensor<R, E, D>, triangle: Triangle) -> Tensor<R, E, D> {
        let right = Matrices::of("solve_triangular", &b.dims());
        solve(self, b, &right, triangle)
    }

    /// Like [`Tensor::solve_triangular`] for vectors: T (.., n, n), b and x (.., n).
    ///
    /// # Panics
    /// If T is not square or the shapes do not fit, with the shapes.
    #[must_use]
    #[track_caller]
    pub fn solve_triangular_vector<V: Shape>(&self, b: &Tensor<V, E, D>, triangle: Triangle) -> Tensor<V, E, D> {
        let dims = [b.dims(), vec![1]].concat();
        let right = Matrices::of("solve_triangular_vector", &dims);
        solve(self, b, &right, triangle)
    }

    /// ln |det T| = Σ ln |Tᵢᵢ| of triangular matrices, one number a matrix; −∞ where one is singular.
    ///
    /// # Panics
    /// If the matrices are not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn log_abs_det_triangular(&self) -> Tensor<Batch<M>, E, D> {
        let (batch, n) = Matrices::square("log_abs_det_triangular", &self.dims());
        let count = count(&batch);
        let diagonal = self.diagonal().into_flat();
        let logs = D::elementwise(LnAbs, [diagonal], count * n);
        let layers = Layers { outer: count, axis: n, inner: 1 };
        shaped(D::reduce(logs, layers, Reduction::Sum), &batch)
    }
}

#[track_caller]
fn solve<M: Shape, R: Shape, E: Dtype, D: Backend<E>>(
    t: &Tensor<M, E, D>,
    b: &Tensor<R, E, D>,
    right: &Matrices,
    triangle: Triangle,
) -> Tensor<R, E, D> {
    let shapes = [t.dims(), b.dims()];
    let (batch, n) = Matrices::square("solve_triangular", &shapes[0]);
    assert!(n == right.rows, "solve_triangular: the sizes differ (shapes {:?} and {:?})", shapes[0], shapes[1]);
    let of = serving("solve_triangular", &batch, &right.batch, [&shapes[0], &shapes[1]]);
    let blocks = Blocks { count: count(&right.batch), of: [of, count(&right.batch)] };
    solve_flat(t.flat(), b.flat(), [n, right.columns], triangle, blocks).reshape_like(&b.shape())
}

/// The solutions for flat batches of matrices.
pub(super) fn solve_flat<E: Dtype, D: Backend<E>>(
    t: Flat<E, D>,
    b: Flat<E, D>,
    [n, m]: [usize; 2],
    triangle: Triangle,
    blocks: Blocks<2>,
) -> Flat<E, D> {
    D::blocks(Solve { n, m, triangle }, [t, b], blocks)
}
