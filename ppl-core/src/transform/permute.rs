//! Picking and reordering the numbers of a row.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Tensor;

use super::{Flat, Transform};

/// yₖ = x at the k-th place of a permutation, in each row.
#[derive(Clone, Debug)]
pub struct Permute {
    order: Vec<usize>,
}

impl Permute {
    /// A permutation of 0, 1, …, n−1; `None` if `order` is none.
    pub fn new(order: Vec<usize>) -> Option<Self> {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted.iter().enumerate().all(|(i, &p)| i == p).then_some(Permute { order })
    }

    /// Where each number comes from in the way back.
    fn back(&self) -> Vec<usize> {
        let mut back = vec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(to, &from)| back[from] = to);
        back
    }
}

/// The numbers at `order` of each row of `len`.
///
/// # Panics
/// If there are no whole rows, with both sizes.
#[track_caller]
fn pick<E: Dtype, D: Backend<E>>(x: Flat<E, D>, order: &[usize], len: usize) -> Flat<E, D> {
    let found = x.numel();
    let rows = found.checked_div(len).unwrap_or(0);
    assert!(found == rows * len, "{found} numbers are not whole rows of {len}");
    D::take(x, (0..rows).flat_map(|row| order.iter().map(move |at| row * len + at)).collect())
}

/// A zero for each row.
fn zeros<E: Dtype, D: Backend<E>>(x: &Flat<E, D>, len: usize) -> Flat<E, D> {
    Tensor::full_like(E::of(0.0), (x.numel().checked_div(len).unwrap_or(0),))
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for Permute {
    fn name(&self) -> &'static str {
        "Permute"
    }
    fn event_lens(&self) -> (usize, usize) {
        (self.order.len(), self.order.len())
    }
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        pick(x, &self.order, self.order.len())
    }
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        pick(y, &self.back(), self.order.len())
    }
    fn log_abs_det(&self, x: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        zeros(x, self.order.len())
    }
}

/// The lower triangle of an n × n matrix, row by row, with or without its diagonal: from as many
/// numbers as a matrix has to as many as count. The other numbers are free, so it is not one to one:
/// its inverse has zeros there, and its Jacobian is that of the numbers that are kept.
#[derive(Clone, Copy, Debug)]
pub struct LowerTriangle {
    n: usize,
    diagonal: bool,
}

impl LowerTriangle {
    /// The triangle of n × n matrices with its diagonal.
    pub fn new(n: usize) -> Self {
        LowerTriangle { n, diagonal: true }
    }

    /// The triangle below the diagonal.
    pub fn strict(n: usize) -> Self {
        LowerTriangle { n, diagonal: false }
    }

    fn kept(&self) -> Vec<usize> {
        let end = |i: usize| if self.diagonal { i + 1 } else { i };
        (0..self.n).flat_map(|i| (0..end(i)).map(move |j| i * self.n + j)).collect()
    }
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for LowerTriangle {
    fn name(&self) -> &'static str {
        "LowerTriangle"
    }
    fn event_lens(&self) -> (usize, usize) {
        (self.n * self.n, self.kept().len())
    }
    fn is_bijective(&self) -> bool {
        false
    }
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        pick(x, &self.kept(), self.n * self.n)
    }
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        let (kept, found) = (self.kept(), y.numel());
        let rows = found.checked_div(kept.len()).unwrap_or(0);
        assert!(found == rows * kept.len(), "{found} numbers are not whole triangles of {}", kept.len());
        // A zero stands behind all numbers, for those that are not kept.
        let mut order = vec![None; self.n * self.n];
        kept.iter().enumerate().for_each(|(from, &to)| order[to] = Some(from));
        let place = |row: usize, from: Option<usize>| from.map_or(found, |from| row * kept.len() + from);
        let positions = (0..rows).flat_map(|row| order.iter().map(move |&from| place(row, from))).collect();
        D::take(D::join(vec![y, Flat::vector(vec![E::of(0.0)])]), positions)
    }
    fn log_abs_det(&self, x: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        zeros(x, self.n * self.n)
    }
}
