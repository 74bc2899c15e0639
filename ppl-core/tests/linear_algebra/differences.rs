//! Gradients against finite differences.

use ppl_core::Tensor;
use ppl_core::ops::Triangle;

use crate::finite_differences::Step::Absolute;
use crate::finite_differences::{Vector, check, irregular, weigh};

type Matrices = Tensor<(usize, usize, usize), f64>;

const TRIANGLES: [Triangle; 4] =
    [Triangle::Lower, Triangle::LowerTransposed, Triangle::Upper, Triangle::UpperTransposed];

/// `irregular` matrices with larger diagonals.
fn well_conditioned(batch: usize, n: usize) -> Vec<f64> {
    let mut a = irregular(batch * n * n);
    a.iter_mut().enumerate().filter(|(e, _)| e / n % n == e % n).for_each(|(_, v)| *v += 4.0 * v.signum());
    a
}

fn matrices(x: &Vector, shape: [usize; 3]) -> Matrices {
    x.clone().reshape_like(&(shape[0], shape[1], shape[2]))
}

/// A · Aᵀ + 1, whose entries on both sides of the diagonal move together.
fn symmetric(x: &Vector, batch: usize, n: usize) -> Matrices {
    let a = matrices(x, [batch, n, n]);
    let t = a.permute::<(usize, usize, usize), ppl_core::Axes3<0, 2, 1>>();
    a.matmul(&t) + 1.0
}

#[test]
fn cholesky_factors() {
    for (batch, n) in [(1, 1), (2, 3), (1, 6)] {
        check("cholesky", [&well_conditioned(batch, n)], Absolute, |[x]| weigh(&symmetric(x, batch, n).cholesky()));
        check("logdet", [&well_conditioned(batch, n)], Absolute, |[x]| weigh(&symmetric(x, batch, n).logdet()));
    }
}

#[test]
fn triangular_systems() {
    for triangle in TRIANGLES {
        for (batch, n, m) in [(1, 1, 1), (2, 3, 1), (2, 3, 2)] {
            let (t, b) = (well_conditioned(batch, n), irregular(batch * n * m));
            check(&format!("{triangle:?}"), [&t, &b], Absolute, |[t, b]| {
                weigh(&matrices(t, [batch, n, n]).solve_triangular(&matrices(b, [batch, n, m]), triangle))
            });
        }
        check("one matrix, many vectors", [&well_conditioned(1, 3), &irregular(12)], Absolute, |[t, b]| {
            let b = b.clone().reshape_like(&(4, 3));
            weigh(&t.clone().reshape_like(&(3, 3)).solve_triangular_vector(&b, triangle))
        });
    }
}
