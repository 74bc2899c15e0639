//! The divergence between two normal distributions over vectors given by means and covariances, one
//! block of each: for pairs in which a covariance is a sum, so that its factor is not at hand.
//!
//! Source of the gradients: Petersen and Pedersen, *The Matrix Cookbook*, 2012, ch. 2.

use crate::backend::BlockFunction;
use crate::ops::{Triangle, dense};

/// L Lᵀ for the lower triangle L of an n × n matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfFactor {
    /// Its size.
    pub(super) n: usize,
}

/// The lower triangle of a square matrix.
fn lower(matrix: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|e| if e % n <= e / n { matrix[e] } else { 0.0 }).collect()
}

impl BlockFunction<1> for OfFactor {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([self.n * self.n], self.n * self.n)
    }

    fn work(&self) -> usize {
        self.n.pow(3)
    }

    fn value(&self, [factor]: [&[f64]; 1], out: &mut [f64]) {
        let n = self.n;
        let l = lower(factor, n);
        dense::add_product(out, 1.0, &l, &dense::transposed(&l, n, n), [n; 3]);
    }

    fn pullback(&self, [factor]: [&[f64]; 1], _: &[f64], upstream: &[f64], [gradient]: [Option<&mut [f64]>; 1]) {
        let n = self.n;
        let mut of_factor = vec![0.0; n * n];
        add_both_sides(&mut of_factor, upstream, &lower(factor, n), [n, n]);
        if let Some(gradient) = gradient {
            dense::add_scaled(gradient, 1.0, &lower(&of_factor, n));
        }
    }
}

/// Adds (G + Gᵀ) W, what flows back to W of W Wᵀ, for G of n × n and W of n × r.
fn add_both_sides(gradient: &mut [f64], g: &[f64], w: &[f64], [n, r]: [usize; 2]) {
    dense::add_product(gradient, 1.0, g, w, [n, n, r]);
    dense::add_product(gradient, 1.0, &dense::transposed(g, n, n), w, [n, n, r]);
}

/// W Wᵀ + diag(d) for a factor of n × r and n numbers d.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfLowRank {
    /// The size of the matrix.
    pub(super) n: usize,
    /// The columns of its factor.
    pub(super) rank: usize,
}

impl BlockFunction<2> for OfLowRank {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.n * self.rank, self.n], self.n * self.n)
    }

    fn work(&self) -> usize {
        self.n * self.n * self.rank
    }

    fn value(&self, [w, d]: [&[f64]; 2], out: &mut [f64]) {
        let OfLowRank { n, rank } = *self;
        dense::add_product(out, 1.0, w, &dense::transposed(w, n, rank), [n, rank, n]);
        (0..n).for_each(|i| out[i * n + i] += d[i]);
    }

    fn pullback(&self, [w, _]: [&[f64]; 2], _: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; 2]) {
        let [of_factor, of_diagonal] = gradients;
        if let Some(gradient) = of_factor {
            add_both_sides(gradient, upstream, w, [self.n, self.rank]);
        }
        if let Some(gradient) = of_diagonal {
            (0..self.n).for_each(|i| gradient[i] += upstream[i * self.n + i]);
        }
    }
}

/// ½ (tr Σq⁻¹ Σp + δᵀ Σq⁻¹ δ + ln det Σq − ln det Σp − n) with δ = μp − μq, of μp, Σp, μq, Σq.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divergence {
    /// The size of the vectors.
    pub(super) n: usize,
}

impl Divergence {
    /// The Cholesky factor; NaN where there is none.
    fn factor(&self, covariance: &[f64]) -> Vec<f64> {
        let mut l = vec![0.0; self.n * self.n];
        if dense::cholesky(covariance, &mut l, self.n).is_err() {
            l.fill(f64::NAN);
        }
        l
    }

    /// The inverse of the matrix with this Cholesky factor.
    fn inverse(&self, l: &[f64]) -> Vec<f64> {
        let n = self.n;
        let mut inverse: Vec<f64> = (0..n * n).map(|e| f64::from(e % n == e / n)).collect();
        dense::substitute(l, Triangle::Lower, &mut inverse, [n, n]);
        dense::substitute(l, Triangle::LowerTransposed, &mut inverse, [n, n]);
        inverse
    }

    fn log_det(&self, l: &[f64]) -> f64 {
        (0..self.n).map(|i| l[i * self.n + i].ln()).sum()
    }
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

impl BlockFunction<4> for Divergence {
    fn lengths(&self) -> ([usize; 4], usize) {
        let (n, square) = (self.n, self.n * self.n);
        ([n, square, n, square], 1)
    }

    fn work(&self) -> usize {
        2 * self.n.pow(3)
    }

    fn value(&self, [loc, covariance, other_loc, other]: [&[f64]; 4], out: &mut [f64]) {
        let n = self.n;
        let (l, l_other) = (self.factor(covariance), self.factor(other));
        // The sum of squares of Lq⁻¹ Lp, and the length of Lq⁻¹ δ.
        let (mut ratio, mut delta) = (l.clone(), difference(loc, other_loc));
        dense::substitute(&l_other, Triangle::Lower, &mut ratio, [n, n]);
        dense::substitute(&l_other, Triangle::Lower, &mut delta, [n, 1]);
        let squares = dense::dot(&ratio, &ratio) + dense::dot(&delta, &delta);
        out[0] = 0.5 * (squares - n as f64) + self.log_det(&l_other) - self.log_det(&l);
    }

    fn pullback(
        &self,
        [loc, covariance, other_loc, other]: [&[f64]; 4],
        _: &[f64],
        upstream: &[f64],
        gradients: [Option<&mut [f64]>; 4],
    ) {
        let n = self.n;
        let [of_loc, of_covariance, of_other_loc, of_other] = gradients;
        let (inverse, precision) = (self.inverse(&self.factor(covariance)), self.inverse(&self.factor(other)));
        let delta = difference(loc, other_loc);
        let mut pull = vec![0.0; n];
        dense::add_product(&mut pull, upstream[0], &precision, &delta, [n, n, 1]);
        if let Some(gradient) = of_loc {
            dense::add_scaled(gradient, 1.0, &pull);
        }
        if let Some(gradient) = of_other_loc {
            dense::add_scaled(gradient, -1.0, &pull);
        }
        let half = 0.5 * upstream[0];
        if let Some(gradient) = of_covariance {
            dense::add_scaled(gradient, half, &difference(&precision, &inverse));
        }
        if let Some(gradient) = of_other {
            // Σq⁻¹ − Σq⁻¹ (Σp + δ δᵀ) Σq⁻¹
            let mut spread = covariance.to_vec();
            dense::add_product(&mut spread, 1.0, &delta, &delta, [n, 1, n]);
            let mut left = vec![0.0; n * n];
            dense::add_product(&mut left, 1.0, &precision, &spread, [n; 3]);
            dense::add_product(gradient, -half, &left, &precision, [n; 3]);
            dense::add_scaled(gradient, half, &precision);
        }
    }
}
