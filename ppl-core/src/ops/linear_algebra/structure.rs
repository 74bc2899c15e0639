//! Diagonals, triangles, transposes and identities: matrices made by putting elements elsewhere.

use dfdx::shapes::{ConstShape, Dim, Shape};

use super::{Matrices, Vectors, count, shaped};
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Tensor;

/// Shapes of matrices, with or without a batch before them, and their transposes.
#[diagnostic::on_unimplemented(message = "`{Self}` is not the shape of matrices: it has fewer than two axes")]
pub trait MatrixShape: Shape {
    /// The shape with its last two axes exchanged.
    type Transposed: Shape;
}

macro_rules! matrix_shapes {
    ($(($($batch:ident),*));+) => {$(
        impl<$($batch: Dim,)* M: Dim, N: Dim> MatrixShape for ($($batch,)* M, N) {
            type Transposed = ($($batch,)* N, M);
        }
    )+};
}

matrix_shapes!((); (A); (A, B); (A, B, C); (A, B, C, F));

impl<M: Shape, E: Dtype, D: Backend<E>> Tensor<M, E, D> {
    /// The diagonals of square matrices (.., n, n), as vectors (.., n).
    ///
    /// # Panics
    /// If the matrices are not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn diagonal(&self) -> Tensor<Vectors<M>, E, D> {
        let (batch, n) = Matrices::square("diagonal", &self.dims());
        let positions: Vec<usize> = (0..count(&batch) * n).map(|e| e * n + e % n).collect();
        shaped(D::take(self.flat(), positions.into()), &[batch, vec![n]].concat())
    }

    /// The diagonal matrices (.., n, n) of vectors (.., n).
    ///
    /// ```
    /// use ppl_core::{Rank2, Tensor};
    /// let matrix = Tensor::<Rank2<2, 2>, f64>::from_diagonal(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(matrix.array(), [[1.0, 0.0], [0.0, 2.0]]);
    /// ```
    ///
    /// # Panics
    /// If the matrices' type fixes other sizes, with both shapes.
    #[must_use]
    #[track_caller]
    pub fn from_diagonal(diagonal: &Tensor<Vectors<M>, E, D>) -> Self {
        let dims = diagonal.dims();
        let n = *dims.last().unwrap_or(&1);
        let shape = [dims, vec![n]].concat();
        let on_diagonal = |e: usize| (e / n % n == e % n).then_some(e / n);
        diagonal.put(on_diagonal, &shape)
    }

    /// The lower triangles: zero above diagonal number `diagonal`, of which 0 is the main one and
    /// −1 the one below it.
    ///
    /// # Panics
    /// If there are fewer than two axes, with the shape.
    #[must_use]
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Self {
        self.keep("tril", |i, j| j - i <= diagonal)
    }

    /// The upper triangles: zero below diagonal number `diagonal`, of which 0 is the main one and 1
    /// the one above it.
    ///
    /// # Panics
    /// If there are fewer than two axes, with the shape.
    #[must_use]
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Self {
        self.keep("triu", |i, j| j - i >= diagonal)
    }

    /// The mean of square matrices and their transposes, with equal elements on both sides.
    ///
    /// # Panics
    /// If the matrices are not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn symmetrise(&self) -> Self {
        let (_, n) = Matrices::square("symmetrise", &self.dims());
        (self + self.exchanged(n, n, self.shape())) * E::of(0.5)
    }

    /// The rows as columns: (.., m, n) becomes (.., n, m).
    #[must_use]
    pub fn transpose(&self) -> Tensor<M::Transposed, E, D>
    where
        M: MatrixShape,
    {
        let mut dims = self.dims();
        let Matrices { rows, columns, .. } = Matrices::of("transpose", &dims);
        let last = dims.len() - 1;
        dims.swap(last, last - 1);
        let flat = self.exchanged(rows, columns, (self.numel(),));
        shaped(flat, &dims)
    }

    /// Identity matrices of the given shape, (.., n, n).
    ///
    /// # Panics
    /// If it is not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn eye_like(shape: M) -> Self {
        let dims: Vec<usize> = shape.concrete().into();
        let (_, n) = Matrices::square("eye", &dims);
        let element = |e: usize| E::of(f64::from(e / n % n == e % n));
        Tensor::from_vec((0..shape.num_elements()).map(element).collect(), shape)
    }

    /// Identity matrices of a shape known at compile time.
    ///
    /// # Panics
    /// If it is not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn eye() -> Self
    where
        M: ConstShape,
    {
        Tensor::eye_like(M::default())
    }

    /// The transposed matrices of so many rows and columns, in a shape of as many elements.
    fn exchanged<R: Shape>(&self, rows: usize, columns: usize, shape: R) -> Tensor<R, E, D> {
        let size = rows * columns;
        let from = |e: usize| e / size * size + e % rows * columns + e % size / rows;
        D::take(self.flat(), (0..self.numel()).map(from).collect()).reshape_like(&shape)
    }

    /// The elements whose row and column pass; zero elsewhere, whatever stands there.
    #[track_caller]
    fn keep(&self, name: &'static str, passes: impl Fn(isize, isize) -> bool) -> Self {
        let dims = self.dims();
        let Matrices { rows, columns, .. } = Matrices::of(name, &dims);
        let from = |e: usize| passes((e / columns % rows) as isize, (e % columns) as isize).then_some(e);
        self.put(from, &dims)
    }

    /// A tensor of these sizes whose element `e` is this one's element `from(e)`, or zero.
    #[track_caller]
    fn put<R: Shape>(&self, from: impl Fn(usize) -> Option<usize>, dims: &[usize]) -> Tensor<R, E, D> {
        let zero = self.numel();
        let positions = (0..count(dims)).map(|e| from(e).unwrap_or(zero)).collect();
        let with_zero = D::join(vec![self.flat(), Tensor::vector(vec![E::of(0.0)])]);
        D::take(with_zero, positions).realize_as(dims)
    }

    /// Like `reshape_like` for sizes that the type may contradict.
    #[track_caller]
    fn realize_as<R: Shape>(self, dims: &[usize]) -> Tensor<R, E, D> {
        match crate::tensor::shape_from_dims::<R>(dims) {
            Some(shape) => self.reshape_like(&shape),
            None => panic!(
                "the sizes are not those of the result's type (shapes {dims:?} and {:?})",
                crate::tensor::type_sizes::<R>()
            ),
        }
    }
}
