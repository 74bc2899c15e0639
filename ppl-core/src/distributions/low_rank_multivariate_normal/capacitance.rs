//! Woodbury's identity: distances and determinants of W Wᵀ + diag(d) by the Cholesky factor L of the
//! small matrix K = I + Wᵀ diag(d)⁻¹ W, and draws.

use crate::backend::BlockFunction;
use crate::ops::{Triangle, dense};

/// The sizes of the factor W.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Its rows: the numbers of a value.
    pub(super) n: usize,
    /// Its columns.
    pub(super) rank: usize,
}

impl Sizes {
    fn rows<'a>(&self, w: &'a [f64]) -> std::slice::ChunksExact<'a, f64> {
        w.chunks_exact(self.rank)
    }

    /// L with L Lᵀ = K; NaN where there is none.
    fn factor(&self, w: &[f64], d: &[f64]) -> Vec<f64> {
        let r = self.rank;
        let mut k = vec![0.0; r * r];
        (0..r).for_each(|i| k[i * r + i] = 1.0);
        for (row, &d) in self.rows(w).zip(d) {
            // Only the lower triangle is read.
            (0..r).for_each(|i| dense::add_scaled(&mut k[i * r..][..i + 1], row[i] / d, row));
        }
        let mut l = vec![0.0; r * r];
        if dense::cholesky(&k, &mut l, r).is_err() {
            l.fill(f64::NAN);
        }
        l
    }
}

/// The z that makes |z|² + Σᵢ (yᵢ − (W z)ᵢ)² / dᵢ least, and what it leaves of y. The least value is
/// yᵀ Σ⁻¹ y: a sum of squares, where Woodbury's identity has a difference.
struct Split {
    /// The largest |yᵢ|, by which everything else is divided, so that nothing overflows.
    scale: f64,
    z: Vec<f64>,
    /// (y − W z) / d = Σ⁻¹ y.
    weighted: Vec<f64>,
    /// |z|² + Σ (y − W z)² / d.
    distance: f64,
}

impl Split {
    fn new(sizes: Sizes, l: &[f64], [w, d, x, loc]: [&[f64]; 4]) -> Split {
        let r = sizes.rank;
        let mut y: Vec<f64> = x.iter().zip(loc).map(|(x, loc)| x - loc).collect();
        let largest = y.iter().fold(0.0, |most: f64, y| most.max(y.abs()));
        let scale = if largest > 0.0 { largest } else { 1.0 };
        y.iter_mut().for_each(|y| *y /= scale);
        let mut z = vec![0.0; r];
        for ((row, y), d) in sizes.rows(w).zip(&y).zip(d) {
            dense::add_scaled(&mut z, y / d, row);
        }
        dense::substitute(l, Triangle::Lower, &mut z, [r, 1]);
        dense::substitute(l, Triangle::LowerTransposed, &mut z, [r, 1]);
        let mut distance = dense::dot(&z, &z);
        let weighted = sizes.rows(w).zip(&y).zip(d).map(|((row, y), d)| {
            let rest = y - dense::dot(row, &z);
            distance += rest / d * rest;
            rest / d
        });
        let weighted = weighted.collect();
        Split { scale, z, weighted, distance }
    }
}

/// (x − loc)ᵀ Σ⁻¹ (x − loc) + ln det Σ, of arguments W, d, x and loc; ∞ where x is infinite.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deviance(pub(super) Sizes);

impl BlockFunction<4> for Deviance {
    fn lengths(&self) -> ([usize; 4], usize) {
        let Sizes { n, rank } = self.0;
        ([n * rank, n, n, n], 1)
    }

    fn work(&self) -> usize {
        self.0.n * self.0.rank * self.0.rank
    }

    fn value(&self, args: [&[f64]; 4], out: &mut [f64]) {
        let [w, d, x, loc] = args;
        let l = self.0.factor(w, d);
        let logs: f64 = (0..self.0.rank).map(|i| l[i * self.0.rank + i].ln()).sum();
        let log_det = 2.0 * logs + d.iter().map(|d| d.ln()).sum::<f64>();
        let steps = || x.iter().zip(loc).map(|(x, loc)| x - loc);
        if steps().any(f64::is_infinite) && !steps().any(f64::is_nan) && log_det.is_finite() {
            out[0] = f64::INFINITY;
            return;
        }
        let split = Split::new(self.0, &l, args);
        out[0] = log_det + (split.scale * split.distance.sqrt()).powi(2);
    }

    /// With u = Σ⁻¹ (x − loc): 2u for x, −2u for loc, −2u · zᵀ + 2 Σ⁻¹ W for W, and −uᵢ² + (Σ⁻¹)ᵢᵢ for d,
    /// where Σ⁻¹ W = diag(d)⁻¹ W K⁻¹. 0 at infinity, where the density is 0.
    fn pullback(&self, args: [&[f64]; 4], out: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; 4]) {
        if out[0] == f64::INFINITY {
            return;
        }
        let ([w, d, _, _], Sizes { n, rank }) = (args, self.0);
        let l = self.0.factor(w, d);
        let split = Split::new(self.0, &l, args);
        let u: Vec<f64> = split.weighted.iter().map(|u| u * split.scale).collect();
        let [to_w, to_d, to_x, to_loc] = gradients;
        if to_w.is_some() || to_d.is_some() {
            // L⁻¹ Wᵀ diag(d)⁻¹, with a row for each number of a value.
            let mut half = vec![0.0; rank * n];
            (0..n * rank).for_each(|e| half[e % rank * n + e / rank] = w[e] / d[e / rank]);
            dense::substitute(&l, Triangle::Lower, &mut half, [rank, n]);
            if let Some(to_d) = to_d {
                for i in 0..n {
                    let taken: f64 = (0..rank).map(|k| half[k * n + i].powi(2)).sum();
                    to_d[i] += upstream[0] * (1.0 / d[i] - taken - u[i] * u[i]);
                }
            }
            if let Some(to_w) = to_w {
                dense::substitute(&l, Triangle::LowerTransposed, &mut half, [rank, n]);
                let along = |i: usize, k: usize| half[k * n + i] - u[i] * split.z[k] * split.scale;
                (0..n * rank).for_each(|e| to_w[e] += 2.0 * upstream[0] * along(e / rank, e % rank));
            }
        }
        if let Some(to_x) = to_x {
            dense::add_scaled(to_x, 2.0 * upstream[0], &u);
        }
        if let Some(to_loc) = to_loc {
            dense::add_scaled(to_loc, -2.0 * upstream[0], &u);
        }
    }
}

/// W ε + √d · δ, of arguments W, d and the noise: ε, then δ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw(pub(super) Sizes);

impl BlockFunction<3> for Draw {
    fn lengths(&self) -> ([usize; 3], usize) {
        let Sizes { n, rank } = self.0;
        ([n * rank, n, n + rank], n)
    }

    fn work(&self) -> usize {
        self.0.n * self.0.rank
    }

    fn value(&self, [w, d, noise]: [&[f64]; 3], out: &mut [f64]) {
        let (wide, own) = noise.split_at(self.0.rank);
        for (i, (out, row)) in out.iter_mut().zip(self.0.rows(w)).enumerate() {
            *out = dense::dot(row, wide) + d[i].sqrt() * own[i];
        }
    }

    fn pullback(
        &self,
        [_, d, noise]: [&[f64]; 3],
        _: &[f64],
        upstream: &[f64],
        [to_w, to_d, _]: [Option<&mut [f64]>; 3],
    ) {
        let (wide, own) = noise.split_at(self.0.rank);
        if let Some(to_w) = to_w {
            let rows = to_w.chunks_exact_mut(self.0.rank).zip(upstream);
            rows.for_each(|(row, &u)| dense::add_scaled(row, u, wide));
        }
        if let Some(to_d) = to_d {
            to_d.iter_mut().enumerate().for_each(|(i, g)| *g += 0.5 * upstream[i] * own[i] / d[i].sqrt());
        }
    }
}
