//! Densities, moments and draws of one multivariate Student's t distribution of n numbers.

use crate::backend::BlockFunction;
use crate::functions::gamma_function::{HALF_LN_TWO_PI, digamma_difference, ln_gamma_ratio, trigamma};
use crate::functions::incomplete_gamma::excess_over_log1p;
use crate::ops::{Triangle, dense};

use super::super::standard_gamma::log_standard_gamma_slope;

/// ½ df; NaN where that is not positive.
fn half_of(df: f64) -> f64 {
    if df > 0.0 { 0.5 * df } else { f64::NAN }
}

/// The log-density, of arguments x, df, loc and L; −∞ where x is infinite.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogProb {
    pub(super) n: usize,
}

/// L⁻¹ (x − loc) as a length times a vector, so that nothing overflows.
struct Whitened {
    scale: f64,
    z: Vec<f64>,
    /// |z|².
    square: f64,
}

impl Whitened {
    fn new([x, _, loc, l]: [&[f64]; 4], n: usize) -> Self {
        let mut z: Vec<f64> = x.iter().zip(loc).map(|(x, loc)| x - loc).collect();
        let largest = z.iter().fold(0.0, |most: f64, z| most.max(z.abs()));
        let scale = if largest > 0.0 { largest } else { 1.0 };
        z.iter_mut().for_each(|z| *z /= scale);
        dense::substitute(l, Triangle::Lower, &mut z, [n, 1]);
        let square = dense::dot(&z, &z);
        Whitened { scale, z, square }
    }

    /// ln(1 + q/df) for the squared distance q, and q/(df + q).
    fn tail(&self, df: f64) -> (f64, f64) {
        let ratio = self.scale * self.square / df * self.scale;
        if ratio < 1e300 && ratio > 1e-300 {
            return (ratio.ln_1p(), ratio / (1.0 + ratio));
        }
        let log = 2.0 * self.scale.ln() + self.square.ln() - df.ln();
        if log > 0.0 { (log, 1.0) } else { (log.exp(), log.exp()) }
    }
}

impl BlockFunction<4> for LogProb {
    fn lengths(&self) -> ([usize; 4], usize) {
        ([self.n, 1, self.n, self.n * self.n], 1)
    }

    fn work(&self) -> usize {
        self.n * self.n + 100
    }

    fn value(&self, args: [&[f64]; 4], out: &mut [f64]) {
        let ([x, df, loc, l], n) = (args, self.n);
        let (own, half) = (half_of(df[0]), 0.5 * n as f64);
        let volume: f64 = (0..n).map(|i| l[i * n + i].ln() + HALF_LN_TWO_PI).sum();
        let constant = ln_gamma_ratio(own, half) - half * own.ln() - volume;
        let is_far = x.iter().any(|x| x.is_infinite()) && !x.iter().chain(loc).any(|v| v.is_nan());
        if is_far && constant.is_finite() {
            out[0] = f64::NEG_INFINITY;
            return;
        }
        out[0] = constant - (own + half) * Whitened::new(args, n).tail(df[0]).0;
    }

    /// With u = L⁻ᵀ z and p = (df + n) / (df + q): −p u for x, p u for loc, p u zᵀ − diag(1 / Lᵢᵢ) for L. 0 at
    /// infinity, where the density is 0.
    fn pullback(&self, args: [&[f64]; 4], out: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; 4]) {
        if out[0] == f64::NEG_INFINITY {
            return;
        }
        let ([_, df, _, l], n, upstream) = (args, self.n, upstream[0]);
        let (df, all) = (df[0], df[0] + n as f64);
        let whitened = Whitened::new(args, n);
        let (scale, z) = (whitened.scale, &whitened.z);
        let mut u = z.clone();
        dense::substitute(l, Triangle::LowerTransposed, &mut u, [n, 1]);
        let [to_x, to_df, to_loc, to_l] = gradients;
        // p times the scale, and times its square, without its overflows.
        let pull = upstream * all / (df / scale + scale * whitened.square);
        if let Some(to_x) = to_x {
            dense::add_scaled(to_x, -pull, &u);
        }
        if let Some(to_loc) = to_loc {
            dense::add_scaled(to_loc, pull, &u);
        }
        if let Some(to_df) = to_df {
            let (log, share) = whitened.tail(df);
            // share − log, which cancels for small ones: −ln(1 − share) is the logarithm.
            let excess = if share < 0.5 { -excess_over_log1p(-share) } else { share - log };
            let along = digamma_difference(half_of(df), 0.5 * n as f64) - n as f64 / df;
            to_df[0] += 0.5 * upstream * (along + excess + n as f64 * share / df);
        }
        if let Some(to_l) = to_l {
            let pull = upstream * all / (df / scale / scale + whitened.square);
            for i in 0..n {
                dense::add_scaled(&mut to_l[i * n..][..i + 1], pull * u[i], z);
                to_l[i * n + i] -= upstream / l[i * n + i];
            }
        }
    }
}

/// The entropy for L = I, less n/2 ln π, of the argument df.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entropy {
    pub(super) n: usize,
}

impl BlockFunction<1> for Entropy {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([1], 1)
    }

    fn work(&self) -> usize {
        100
    }

    fn value(&self, [df]: [&[f64]; 1], out: &mut [f64]) {
        let (own, half) = (half_of(df[0]), 0.5 * self.n as f64);
        out[0] = (own + half) * digamma_difference(own, half) - (ln_gamma_ratio(own, half) - half * df[0].ln());
    }

    fn pullback(&self, [df]: [&[f64]; 1], _: &[f64], upstream: &[f64], [to_df]: [Option<&mut [f64]>; 1]) {
        let (own, half) = (half_of(df[0]), 0.5 * self.n as f64);
        let along = 0.5 * (own + half) * (trigamma(own + half) - trigamma(own)) + half / df[0];
        if let Some(to_df) = to_df {
            to_df[0] += upstream[0] * along;
        }
    }
}

/// loc where the mean exists, of arguments df and loc.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    pub(super) n: usize,
}

impl BlockFunction<2> for Mean {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([1, self.n], self.n)
    }

    fn work(&self) -> usize {
        self.n
    }

    fn value(&self, [df, loc]: [&[f64]; 2], out: &mut [f64]) {
        if df[0] > 1.0 {
            out.copy_from_slice(loc);
        } else {
            out.fill(f64::NAN);
        }
    }

    fn pullback(&self, [df, _]: [&[f64]; 2], _: &[f64], upstream: &[f64], [_, to_loc]: [Option<&mut [f64]>; 2]) {
        if let (Some(to_loc), true) = (to_loc, df[0] > 1.0) {
            dense::add_scaled(to_loc, 1.0, upstream);
        }
    }
}

/// v · df / (df − 2) where it is finite, of arguments df and v.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) n: usize,
}

impl BlockFunction<2> for Stretch {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([1, self.n], self.n)
    }

    fn work(&self) -> usize {
        self.n
    }

    fn value(&self, [df, v]: [&[f64]; 2], out: &mut [f64]) {
        let df = df[0];
        if df > 2.0 {
            dense::add_scaled(out, df / (df - 2.0), v);
        } else {
            out.fill(if df > 1.0 { f64::INFINITY } else { f64::NAN });
        }
    }

    fn pullback(&self, [df, v]: [&[f64]; 2], _: &[f64], upstream: &[f64], [to_df, to_v]: [Option<&mut [f64]>; 2]) {
        let df = df[0];
        if df <= 2.0 {
            return;
        }
        if let Some(to_df) = to_df {
            to_df[0] -= 2.0 / (df - 2.0) / (df - 2.0) * dense::dot(upstream, v);
        }
        if let Some(to_v) = to_v {
            dense::add_scaled(to_v, df / (df - 2.0), upstream);
        }
    }
}

/// loc + L z · e^(−e/2), of arguments df, loc, L and the noise: z, then e = ln(g / ½ df) for g of the gamma
/// distribution with concentration ½ df.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    pub(super) n: usize,
    /// The largest number of the dtype.
    pub(super) largest: f64,
}

impl Draw {
    /// L z, entry by entry.
    fn stretched(self, l: &[f64], noise: &[f64], i: usize) -> f64 {
        dense::dot(&l[i * self.n..][..i + 1], &noise[..i + 1])
    }
}

impl BlockFunction<4> for Draw {
    fn lengths(&self) -> ([usize; 4], usize) {
        ([1, self.n, self.n * self.n, self.n + 1], self.n)
    }

    fn work(&self) -> usize {
        self.n * self.n
    }

    fn value(&self, [_, loc, l, noise]: [&[f64]; 4], out: &mut [f64]) {
        let length = (-0.5 * noise[self.n]).exp();
        for (i, out) in out.iter_mut().enumerate() {
            let x = loc[i] + self.stretched(l, noise, i) * length;
            *out = if x.is_nan() { x } else { x.clamp(-self.largest, self.largest) };
        }
    }

    fn pullback(
        &self,
        [df, _, l, noise]: [&[f64]; 4],
        _: &[f64],
        upstream: &[f64],
        [to_df, to_loc, to_l, _]: [Option<&mut [f64]>; 4],
    ) {
        let n = self.n;
        let length = (-0.5 * noise[n]).exp();
        if let Some(to_df) = to_df {
            let half = 0.5 * df[0];
            // That of e in df.
            let slope = 0.5 * (log_standard_gamma_slope(noise[n] + half.ln(), half) - 1.0 / half);
            let along: f64 = (0..n).map(|i| upstream[i] * self.stretched(l, noise, i)).sum();
            to_df[0] -= 0.5 * slope * length * along;
        }
        if let Some(to_loc) = to_loc {
            dense::add_scaled(to_loc, 1.0, upstream);
        }
        if let Some(to_l) = to_l {
            (0..n).for_each(|i| dense::add_scaled(&mut to_l[i * n..][..i + 1], upstream[i] * length, noise));
        }
    }
}
