//! Products of batches of matrices with vectors, and of vectors with one another.

use dfdx::shapes::Shape;

use super::{Matrices, Vectors, count, dense, serving};
use crate::backend::{Backend, BlockFunction, Blocks};
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::tensor::{Tensor, shape_from_dims};

/// A · x for A of m × n.
#[derive(Clone, Copy, Debug)]
struct MatVec {
    m: usize,
    n: usize,
}

impl BlockFunction<2> for MatVec {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.m * self.n, self.n], self.m)
    }

    fn work(&self) -> usize {
        self.m * self.n
    }

    fn value(&self, [a, x]: [&[f64]; 2], out: &mut [f64]) {
        out.iter_mut().enumerate().for_each(|(i, y)| *y = dense::dot(&a[i * self.n..][..self.n], x));
    }

    /// g · xᵀ for A and Aᵀ · g for x.
    fn pullback(&self, [a, x]: [&[f64]; 2], _: &[f64], upstream: &[f64], [to_a, to_x]: [Option<&mut [f64]>; 2]) {
        let n = self.n;
        if let Some(to_a) = to_a {
            upstream.iter().enumerate().for_each(|(i, &g)| dense::add_scaled(&mut to_a[i * n..][..n], g, x));
        }
        if let Some(to_x) = to_x {
            upstream.iter().enumerate().for_each(|(i, &g)| dense::add_scaled(to_x, g, &a[i * n..][..n]));
        }
    }
}

/// x · yᵀ for x of m and y of n elements.
#[derive(Clone, Copy, Debug)]
struct Outer {
    m: usize,
    n: usize,
}

impl BlockFunction<2> for Outer {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.m, self.n], self.m * self.n)
    }

    fn work(&self) -> usize {
        self.m * self.n
    }

    fn value(&self, [x, y]: [&[f64]; 2], out: &mut [f64]) {
        let rows = out.chunks_exact_mut(self.n).zip(x);
        rows.for_each(|(row, x)| row.iter_mut().zip(y).for_each(|(out, y)| *out = x * y));
    }

    /// G · y for x and Gᵀ · x for y.
    fn pullback(&self, [x, y]: [&[f64]; 2], _: &[f64], upstream: &[f64], [to_x, to_y]: [Option<&mut [f64]>; 2]) {
        let rows = || upstream.chunks_exact(self.n);
        if let Some(to_x) = to_x {
            to_x.iter_mut().zip(rows()).for_each(|(g, row)| *g += dense::dot(row, y));
        }
        if let Some(to_y) = to_y {
            x.iter().zip(rows()).for_each(|(&x, row)| dense::add_scaled(to_y, x, row));
        }
    }
}

/// The tensor of these sizes, which the type may contradict.
#[track_caller]
fn result<R: Shape, E: Dtype, D: Backend<E>>(
    operation: &'static str,
    flat: Tensor<(usize,), E, D>,
    dims: &[usize],
    shapes: [Vec<usize>; 2],
) -> Tensor<R, E, D> {
    let Some(shape) = shape_from_dims::<R>(dims) else {
        let [left, right] = shapes;
        panic!("{}", ShapeError { operation, problem: "they do not give the result's type", left, right });
    };
    flat.reshape_like(&shape)
}

impl<M: Shape, E: Dtype, D: Backend<E>> Tensor<M, E, D> {
    /// The product of each matrix with a vector, summed in `f64`, as vectors of the same type.
    ///
    /// Shapes: this tensor (.., n, n), x and the result (.., n). The batch of the matrices is that of
    /// x, its last axes, or one matrix for all.
    ///
    /// # Panics
    /// If the shapes do not fit, with both.
    #[must_use]
    #[track_caller]
    pub fn matvec<V: Shape>(&self, x: &Tensor<V, E, D>) -> Tensor<V, E, D> {
        self.matvec_rectangular(x)
    }

    /// Like [`Tensor::matvec`] for matrices (.., m, n), vectors (.., n) and results (.., m), whose type
    /// is read from what they are given to: `let y: Tensor<Rank1<2>> = a.matvec_rectangular(&x)`.
    ///
    /// # Panics
    /// If the shapes do not fit, with both.
    #[must_use]
    #[track_caller]
    pub fn matvec_rectangular<V: Shape, R: Shape>(&self, x: &Tensor<V, E, D>) -> Tensor<R, E, D> {
        let [a_dims, x_dims] = [self.dims(), x.dims()];
        let Matrices { batch, rows: m, columns: n } = Matrices::of("matvec", &a_dims);
        assert!(x_dims.last() == Some(&n), "matvec: the sizes differ (shapes {a_dims:?} and {x_dims:?})");
        let whole = &x_dims[..x_dims.len() - 1];
        let of = serving("matvec", &batch, whole, [&a_dims, &x_dims]);
        let blocks = Blocks { count: count(whole), of: [of, count(whole)] };
        let flat = D::blocks(MatVec { m, n }, [self.flat(), x.flat()], blocks);
        result("matvec", flat, &[whole, &[m]].concat(), [a_dims, x_dims.clone()])
    }

    /// The matrices x · yᵀ, (.., m, n), of vectors x (.., m) and y (.., n) of one batch.
    ///
    /// ```
    /// use ppl_core::{Rank2, Tensor};
    /// let matrix = Tensor::<Rank2<2, 3>, f64>::outer(&Tensor::from([1.0, 2.0]), &Tensor::from([3.0, 4.0, 5.0]));
    /// assert_eq!(matrix.array(), [[3.0, 4.0, 5.0], [6.0, 8.0, 10.0]]);
    /// ```
    ///
    /// # Panics
    /// If the batches differ or the matrices' type fixes other sizes, with both shapes.
    #[must_use]
    #[track_caller]
    pub fn outer<Y: Shape>(x: &Tensor<Vectors<M>, E, D>, y: &Tensor<Y, E, D>) -> Self {
        let shapes = [x.dims(), y.dims()];
        let ([x_batch @ .., m], [y_batch @ .., n]) = (shapes[0].as_slice(), shapes[1].as_slice()) else {
            panic!("outer: a vector has an axis (shapes {:?} and {:?})", shapes[0], shapes[1]);
        };
        assert!(x_batch == y_batch, "outer: the batches differ (shapes {:?} and {:?})", shapes[0], shapes[1]);
        let flat = D::blocks(Outer { m: *m, n: *n }, [x.flat(), y.flat()], Blocks::equal(count(x_batch)));
        result("outer", flat, &[x_batch, &[*m, *n]].concat(), shapes.clone())
    }
}
