//! Gradients against finite differences.

use ppl_core::ops::Triangle;
use ppl_core::{Axes3, Rank2, Rank3, Tensor};

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
    let t = a.permute::<(usize, usize, usize), Axes3<0, 2, 1>>();
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

#[test]
fn inverses_and_determinants() {
    for (batch, n) in [(1, 1), (2, 3), (1, 5)] {
        let a = well_conditioned(batch, n);
        let of = |x: &Vector| matrices(x, [batch, n, n]);
        check("inverse", [&a], Absolute, |[x]| weigh(&of(x).matrix_inverse()));
        check("slogdet", [&a], Absolute, |[x]| weigh(&of(x).slogdet().1));
        check("cholesky_inverse", [&a], Absolute, |[x]| weigh(&of(x).cholesky_inverse()));
        check("log_abs_det_triangular", [&a], Absolute, |[x]| weigh(&of(x).log_abs_det_triangular()));
        let b = irregular(batch * n);
        check("cholesky_solve", [&a, &b], Absolute, |[x, b]| {
            weigh(&of(x).cholesky_solve_vector(&b.clone().reshape_like(&(batch, n))))
        });
    }
}

#[test]
fn mahalanobis_distances() {
    // Covariances, vectors and locations: as many of each; one for all; two for every pair.
    for [l, x, loc] in [[2, 2, 2], [1, 4, 1], [1, 4, 4], [2, 2, 1]] {
        let inputs = [well_conditioned(l, 3), irregular(x * 3), irregular(loc * 3 + 1)[1..].to_vec()];
        check("mahalanobis", inputs.each_ref().map(Vec::as_slice), Absolute, |[a, b, c]| {
            let (b, c) = (b.clone().reshape_like(&(x, 3)), c.clone().reshape_like(&(loc, 3)));
            weigh(&matrices(a, [l, 3, 3]).mahalanobis(&b, &c))
        });
    }
    let x = irregular(3);
    check("x from itself", [&well_conditioned(1, 3), &x], Absolute, |[l, x]| {
        let x = x.clone().reshape_like(&(1, 3));
        weigh(&matrices(l, [1, 3, 3]).mahalanobis(&(&x * 2.0), &x))
    });
}

#[test]
fn products_with_vectors() {
    for (batch, of) in [(2, 2), (4, 1)] {
        check("matvec", [&irregular(of * 6), &irregular(batch * 3)], Absolute, |[a, x]| {
            let y: Tensor<(usize, usize), f64> =
                matrices(a, [of, 2, 3]).matvec_rectangular(&x.clone().reshape_like(&(batch, 3)));
            weigh(&y)
        });
    }
    check("outer", [&irregular(4), &irregular(6)], Absolute, |[x, y]| {
        let (x, y) = (x.clone().reshape::<Rank2<2, 2>>(), y.clone().reshape::<Rank2<2, 3>>());
        weigh(&Tensor::<Rank3<2, 2, 3>, f64>::outer(&x, &y))
    });
}

#[test]
fn rearrangements() {
    type Two = Tensor<Rank3<2, 3, 3>, f64>;
    let of = |x: &Vector| -> Two { x.clone().reshape() };
    let a = irregular(18);
    check("diagonal", [&a], Absolute, |[x]| weigh(&of(x).diagonal()));
    check("from_diagonal", [&irregular(6)], Absolute, |[x]| weigh(&Two::from_diagonal(&x.clone().reshape())));
    check("tril", [&a], Absolute, |[x]| weigh(&of(x).tril(-1)));
    check("triu", [&a], Absolute, |[x]| weigh(&of(x).triu(0)));
    check("symmetrise", [&a], Absolute, |[x]| weigh(&of(x).symmetrise()));
    check("transpose", [&a], Absolute, |[x]| weigh(&x.clone().reshape::<Rank3<3, 2, 3>>().transpose()));
}

/// The derivative along one direction, where a difference for each element would take too long.
fn along(name: &str, n: usize, f: impl Fn(&Tensor<(usize, usize), f64>) -> Tensor<(), f64>) {
    let a = well_conditioned(1, n);
    let a = a.iter().enumerate().map(|(e, v)| if e / n == e % n { v * n as f64 } else { *v });
    let a = Tensor::from_vec(a.collect(), (n, n));
    let direction = Tensor::from_vec(irregular(n * n + 7)[7..].to_vec(), (n, n));
    check(name, [&[0.0]], Absolute, |[s]| f(&(&a + &direction * s.at(0))));
}

#[test]
fn large_matrices() {
    for n in [15, 16, 40] {
        along("cholesky", n, |a| weigh(&(a.matmul(&a.transpose()) / (n * n) as f64 + 0.1).cholesky()));
        along("inverse", n, |a| weigh(&a.matrix_inverse()));
        along("slogdet", n, |a| a.slogdet().1);
        along("cholesky_inverse", n, |a| weigh(&a.cholesky_inverse()));
        for triangle in TRIANGLES {
            along(&format!("{triangle:?}"), n, |a| {
                weigh(&a.solve_triangular(&(a * 0.1), triangle))
                    + weigh(&a.solve_triangular_vector(&a.diagonal(), triangle))
            });
        }
    }
}
