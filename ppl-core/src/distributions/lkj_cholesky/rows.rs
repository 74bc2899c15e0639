//! Rows of Cholesky factors of LKJ correlation matrices.
//!
//! The rows are independent. Row i = 1, …, n − 1 has i numbers w in the unit ball before the diagonal √(1 − |w|²),
//! with density (1 − |w|²)^(a − 1) Γ(a + i/2) / (π^(i/2) Γ(a)) for a = concentration + (n − 1 − i) / 2. So the square
//! of its diagonal has the beta distribution of a and i/2, and w has no direction.

use std::f64::consts::PI;

use crate::backend::BlockFunction;
use crate::constraint::unit_row_slack;
use crate::dtype::Dtype;
use crate::functions::gamma_function::{digamma_difference, ln_gamma_ratio, polynomial, trigamma};

use super::super::standard_gamma::log_standard_gamma_slope;

/// a of row `i`; NaN for a concentration that is not positive.
pub(super) fn share(concentration: f64, n: usize, i: usize) -> f64 {
    if concentration > 0.0 { concentration + 0.5 * (n - 1 - i) as f64 } else { f64::NAN }
}

/// The log-density, of a factor and the concentration.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogProb {
    n: usize,
    /// How far the squares of a row may be from adding up to 1.
    slack: f64,
}

impl LogProb {
    pub(super) fn new<E: Dtype>(n: usize) -> Self {
        LogProb { n, slack: unit_row_slack::<E>(n) }
    }

    fn is_factor(&self, l: &[f64]) -> bool {
        l.chunks_exact(self.n).enumerate().all(|(i, row)| {
            let norm: f64 = row.iter().map(|v| v * v).sum();
            row[i] > 0.0 && row[i + 1..].iter().all(|&v| v == 0.0) && (norm - 1.0).abs() <= self.slack
        })
    }
}

impl BlockFunction<2> for LogProb {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.n * self.n, 1], 1)
    }

    fn work(&self) -> usize {
        self.n * self.n + 100 * self.n
    }

    fn value(&self, [l, concentration]: [&[f64]; 2], out: &mut [f64]) {
        let n = self.n;
        if l.iter().any(|v| v.is_nan()) {
            out[0] = f64::NAN;
        } else if !self.is_factor(l) {
            out[0] = f64::NEG_INFINITY;
        } else {
            let row = |i: usize| {
                let (a, half) = (share(concentration[0], n, i), 0.5 * i as f64);
                (2.0 * a - 2.0) * l[i * n + i].ln() + ln_gamma_ratio(a, half) - half * PI.ln()
            };
            out[0] = (1..n).map(row).sum();
        }
    }

    fn pullback(
        &self,
        [l, concentration]: [&[f64]; 2],
        out: &[f64],
        upstream: &[f64],
        [mut to_l, mut to_concentration]: [Option<&mut [f64]>; 2],
    ) {
        if out[0] == f64::NEG_INFINITY {
            return;
        }
        let n = self.n;
        for i in 1..n {
            let (a, diagonal) = (share(concentration[0], n, i), l[i * n + i]);
            if let Some(to_l) = &mut to_l {
                to_l[i * n + i] += upstream[0] * (2.0 * a - 2.0) / diagonal;
            }
            if let Some(to) = &mut to_concentration {
                to[0] += upstream[0] * (2.0 * diagonal.ln() + digamma_difference(a, 0.5 * i as f64));
            }
        }
    }
}

/// The entropy, of the concentration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entropy {
    pub(super) n: usize,
}

impl BlockFunction<1> for Entropy {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([1], 1)
    }

    fn work(&self) -> usize {
        100 * self.n
    }

    fn value(&self, [concentration]: [&[f64]; 1], out: &mut [f64]) {
        let row = |i: usize| {
            let (a, half) = (share(concentration[0], self.n, i), 0.5 * i as f64);
            half * PI.ln() - ln_gamma_ratio(a, half) + (a - 1.0) * digamma_difference(a, half)
        };
        out[0] = (1..self.n).map(row).sum();
    }

    fn pullback(&self, [concentration]: [&[f64]; 1], _: &[f64], upstream: &[f64], [to]: [Option<&mut [f64]>; 1]) {
        let row = |i: usize| {
            let a = share(concentration[0], self.n, i);
            (a - 1.0) * (trigamma(a + 0.5 * i as f64) - trigamma(a))
        };
        if let Some(to) = to {
            to[0] += upstream[0] * (1..self.n).map(row).sum::<f64>();
        }
    }
}

/// From here on [`root_correction`] has all digits.
const LARGE: f64 = 20.0;

/// ln Γ(a + ½) − ln Γ(a) − ½ ln a for a ≥ [`LARGE`], by its asymptotic series.
///
/// Source: Luke, *The Special Functions and Their Approximations* I, 2.11.
fn root_correction(a: f64) -> f64 {
    let r = 1.0 / a;
    r * polynomial(r * r, &[-1.0 / 8.0, 1.0 / 192.0, -1.0 / 640.0, 17.0 / 14336.0, -31.0 / 18432.0])
}

/// A moment of each entry, for this many rows, of the concentration.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    Mean(usize),
    Variance(usize),
}

/// The mean of the diagonal √b for b of the beta distribution of a and `half`, and its slope in a.
fn diagonal_mean(a: f64, half: f64) -> (f64, f64) {
    let mean = (ln_gamma_ratio(a, 0.5) - ln_gamma_ratio(a + half, 0.5)).exp();
    (mean, mean * (digamma_difference(a, 0.5) - digamma_difference(a + half, 0.5)))
}

/// The variance of the same, and its slope in a. For large a the square of the mean is the mean of the
/// square times the exponential of a difference, which is what matters.
fn diagonal_variance(a: f64, half: f64) -> (f64, f64) {
    let (whole, (mean, slope)) = (a + half, diagonal_mean(a, half));
    let square = a / whole;
    let variance = if a >= LARGE {
        -square * (2.0 * (root_correction(a) - root_correction(whole))).exp_m1()
    } else {
        square - mean * mean
    };
    (variance, half / (whole * whole) - 2.0 * mean * slope)
}

impl Moment {
    fn n(self) -> usize {
        let (Moment::Mean(n) | Moment::Variance(n)) = self;
        n
    }

    /// The moment of entry (i, j), and its slope in the concentration.
    fn at(self, concentration: f64, i: usize, j: usize) -> (f64, f64) {
        let (a, half) = (share(concentration, self.n(), i), 0.5 * i as f64);
        match self {
            Moment::Mean(_) if i == j => diagonal_mean(a, half),
            Moment::Variance(_) if i == j && i > 0 => diagonal_variance(a, half),
            Moment::Variance(_) if j < i => (0.5 / (a + half), -0.5 / (a + half).powi(2)),
            _ => (0.0, 0.0),
        }
    }
}

impl BlockFunction<1> for Moment {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([1], self.n() * self.n())
    }

    fn work(&self) -> usize {
        20 * self.n() * self.n()
    }

    fn value(&self, [concentration]: [&[f64]; 1], out: &mut [f64]) {
        let n = self.n();
        out.iter_mut().enumerate().for_each(|(e, out)| *out = self.at(concentration[0], e / n, e % n).0);
    }

    fn pullback(&self, [concentration]: [&[f64]; 1], _: &[f64], upstream: &[f64], [to]: [Option<&mut [f64]>; 1]) {
        let (Some(to), n) = (to, self.n()) else { return };
        let slopes = upstream.iter().enumerate().map(|(e, u)| u * self.at(concentration[0], e / n, e % n).1);
        to[0] += slopes.sum::<f64>();
    }
}

/// A draw, of the concentration and noise: below the diagonal normal numbers z, on it ln(g / a) for g of the
/// gamma distribution with concentration a. Row i is z and √(2g), divided by the length of both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    pub(super) n: usize,
    /// What the diagonal is raised to where it would be 0.
    pub(super) smallest: f64,
}

impl BlockFunction<2> for Draw {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([1, self.n * self.n], self.n * self.n)
    }

    fn work(&self) -> usize {
        4 * self.n * self.n
    }

    fn value(&self, [concentration, noise]: [&[f64]; 2], out: &mut [f64]) {
        let n = self.n;
        out[0] = 1.0;
        for i in 1..n {
            let (a, noise) = (share(concentration[0], n, i), &noise[i * n..][..i + 1]);
            let root = (2.0 * a).sqrt() * (0.5 * noise[i]).exp();
            let length = noise[..i].iter().fold(root, |length, z| length.hypot(*z));
            let row = &mut out[i * n..][..i + 1];
            row.iter_mut().zip(noise).for_each(|(l, z)| *l = z / length);
            row[i] = root / length;
            if row[i] < self.smallest {
                row[i] = self.smallest;
            }
        }
    }

    /// With s the slope of ln g in a: −½ Lᵢⱼ Lᵢᵢ² s below the diagonal, and ½ Lᵢᵢ (1 − Lᵢᵢ²) s on it.
    fn pullback(
        &self,
        [concentration, noise]: [&[f64]; 2],
        l: &[f64],
        upstream: &[f64],
        [to, _]: [Option<&mut [f64]>; 2],
    ) {
        let (Some(to), n) = (to, self.n) else { return };
        for i in 1..n {
            let a = share(concentration[0], n, i);
            let slope = log_standard_gamma_slope(noise[i * n + i] + a.ln(), a);
            let (row, upstream, diagonal) = (&l[i * n..][..i], &upstream[i * n..][..i + 1], l[i * n + i]);
            let along: f64 =
                row.iter().zip(upstream).map(|(l, u)| diagonal * l * (u * diagonal - upstream[i] * l)).sum();
            to[0] -= 0.5 * along * slope;
        }
    }
}
