//! Matrices in slices, and their product through the `gemm` crate.

use crate::dtype::Dtype;

/// A matrix in a slice: rows, columns, and the strides of both.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, E> {
    data: &'a [E],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, E> Matrix<'a, E> {
    /// A row-major matrix.
    pub(super) fn new(data: &'a [E], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a matrix of {rows} × {columns}");
        Matrix { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same data, transposed.
    pub(super) fn t(self) -> Self {
        Matrix {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// Rows and columns.
    pub(super) fn sizes(self) -> (usize, usize) {
        (self.rows, self.columns)
    }
}

impl<E: Copy> Matrix<'_, E> {
    /// One element.
    pub(super) fn at(self, row: usize, column: usize) -> E {
        self.data[row * self.row_stride + column * self.column_stride]
    }
}

/// Products below this many multiplications are not worth a second thread.
const THREADED: usize = 1 << 18;

/// `out += a · b`, or `out = a · b` where `add` is false; `out` is row-major.
pub(super) fn multiply<E: Dtype>(a: Matrix<'_, E>, b: Matrix<'_, E>, out: &mut [E], add: bool) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert_eq!(k, b.rows, "inner sizes of a matrix product");
    assert_eq!(out.len(), m * n, "output of a matrix product");
    if m * n == 0 {
        return;
    }
    if k == 0 {
        if !add {
            out.fill(E::of(0.0));
        }
        return;
    }
    let threads = if m * n * k < THREADED { gemm::Parallelism::None } else { gemm::Parallelism::Rayon(0) };
    // SAFETY: `gemm` reads m × k and k × n elements at the strides of `a` and `b`, which
    // `Matrix::new` has checked to lie within their slices (transposing swaps sizes and strides
    // together), and writes m × n elements of `out`, whose length is checked above and which,
    // being borrowed exclusively, overlaps neither.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            add,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            E::of(1.0),
            E::of(1.0),
            false,
            false,
            false,
            threads,
        );
    }
}
