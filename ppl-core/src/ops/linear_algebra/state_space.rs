//! Linear state space models with normal noise, one sequence a block: the Kalman filter and draws.
//!
//! A hidden state z of n numbers moves and is seen as x of d numbers, both as rows times matrices:
//! z₀ = m₀ + ε, zₜ = zₜ₋₁ F + b + ε, xₜ = zₜ H + c + ε, where each ε is a lower factor times standard
//! normal noise. The arguments of a block are, in this order, what is seen (or the noise), m₀ and its
//! factor, then F, b and its factor, H, c and its factor; the last six are of each step or of all.

use super::dense;

// The density of a sequence and the final state given it.
mod filter;
// A sequence from noise.
mod trajectory;
// Variances of what is seen.
mod variances;

pub(crate) use filter::KalmanFilter;
pub(crate) use trajectory::Trajectory;
pub(crate) use variances::Variances;

/// The sizes of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateSpace {
    pub(crate) steps: usize,
    pub(crate) hidden: usize,
    pub(crate) seen: usize,
    /// Whether each of the last six arguments is one for each step.
    pub(crate) per_step: [bool; 6],
}

/// The parameters of one step, or places for their gradients.
struct Step<T> {
    moves: T,
    shift: T,
    noise: T,
    looks: T,
    offset: T,
    error: T,
}

impl StateSpace {
    /// The lengths of the last six arguments at one step.
    fn step_lengths(&self) -> [usize; 6] {
        let (n, d) = (self.hidden, self.seen);
        [n * n, n, n * n, n * d, d, d * d]
    }

    /// The lengths of all arguments; `first` is that of the first.
    pub(crate) fn lengths(&self, first: usize) -> [usize; 9] {
        let (n, mut all) = (self.hidden, [0; 9]);
        all[..3].copy_from_slice(&[first, n, n * n]);
        for (i, len) in self.step_lengths().into_iter().enumerate() {
            all[3 + i] = if self.per_step[i] { self.steps * len } else { len };
        }
        all
    }

    /// Multiplications of one sequence.
    fn work(&self) -> usize {
        let (n, d) = (self.hidden, self.seen);
        8 * self.steps * (n + d).pow(3)
    }

    /// Where the parameters of a step lie within the last six arguments.
    fn ranges(&self, step: usize) -> [std::ops::Range<usize>; 6] {
        let lengths = self.step_lengths();
        std::array::from_fn(|i| {
            let start = if self.per_step[i] { step * lengths[i] } else { 0 };
            start..start + lengths[i]
        })
    }

    fn step<'a>(&self, args: &[&'a [f64]; 9], step: usize) -> Step<&'a [f64]> {
        let ranges = self.ranges(step);
        let at = |i: usize| &args[3 + i][ranges[i].clone()];
        Step { moves: at(0), shift: at(1), noise: at(2), looks: at(3), offset: at(4), error: at(5) }
    }
}

impl StateSpace {
    /// The covariance of z₀.
    fn first_covariance(&self, args: &[&[f64]; 9]) -> Vec<f64> {
        let (n, factor) = (self.hidden, lower(args[2], self.hidden));
        product_with_transposed(&factor, &factor, [n, n, n])
    }

    /// The covariance one step later: Fᵀ P F + Q.
    fn next_covariance(&self, step: &Step<&[f64]>, before: &[f64]) -> Vec<f64> {
        let (n, noise) = (self.hidden, lower(step.noise, self.hidden));
        let mut after = product_with_transposed(&noise, &noise, [n, n, n]);
        let half = product_transposed(step.moves, before, [n, n, n]);
        dense::add_product(&mut after, 1.0, &half, step.moves, [n, n, n]);
        symmetric(&after, n)
    }

    /// Takes the gradient of that covariance to the one of the covariance before, and adds to those of F
    /// and of the noise.
    fn pull_covariance(&self, step: &Step<&[f64]>, before: &[f64], flow: &[f64], to: Step<&mut [f64]>) -> Vec<f64> {
        let n = self.hidden;
        add_factor(to.noise, flow, step.noise, n);
        let moved = product(before, step.moves, [n, n, n]);
        dense::add_product(to.moves, 2.0, &moved, flow, [n, n, n]);
        sandwich(step.moves, flow, [n, n])
    }
}

/// The gradients of all arguments of a block, wanted or not.
struct Gradients {
    all: [Vec<f64>; 9],
}

impl Gradients {
    fn zeros(lengths: [usize; 9]) -> Self {
        Gradients { all: lengths.map(|len| vec![0.0; len]) }
    }

    fn step(&mut self, model: &StateSpace, step: usize) -> Step<&mut [f64]> {
        let [moves, shift, noise, looks, offset, error] = model.ranges(step);
        let [_, _, _, f, b, q, h, c, r] = &mut self.all;
        Step {
            moves: &mut f[moves],
            shift: &mut b[shift],
            noise: &mut q[noise],
            looks: &mut h[looks],
            offset: &mut c[offset],
            error: &mut r[error],
        }
    }

    fn add_to(&self, gradients: [Option<&mut [f64]>; 9]) {
        for (from, to) in self.all.iter().zip(gradients) {
            if let Some(to) = to {
                dense::add_scaled(to, 1.0, from);
            }
        }
    }
}

/// a · b for a of m × k and b of k × n.
fn product(a: &[f64], b: &[f64], sizes: [usize; 3]) -> Vec<f64> {
    let mut out = vec![0.0; sizes[0] * sizes[2]];
    dense::add_product(&mut out, 1.0, a, b, sizes);
    out
}

/// aᵀ · b for a of k × m and b of k × n.
fn product_transposed(a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    product(&dense::transposed(a, k, m), b, [m, k, n])
}

/// a · bᵀ for a of m × k and b of n × k.
fn product_with_transposed(a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    product(a, &dense::transposed(b, n, k), [m, k, n])
}

/// `out += factor · x · yᵀ`.
fn add_outer(out: &mut [f64], factor: f64, x: &[f64], y: &[f64]) {
    out.chunks_exact_mut(y.len()).zip(x).for_each(|(row, x)| dense::add_scaled(row, factor * x, y));
}

/// The lower triangle of an n × n matrix; zeros above.
fn lower(a: &[f64], n: usize) -> Vec<f64> {
    a.iter().enumerate().map(|(e, &v)| if e % n <= e / n { v } else { 0.0 }).collect()
}

/// ½ (a + aᵀ).
fn symmetric(a: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|e| 0.5 * (a[e] + a[e % n * n + e / n])).collect()
}

/// a · s · aᵀ for a of m × n.
fn sandwich(a: &[f64], s: &[f64], [m, n]: [usize; 2]) -> Vec<f64> {
    product_with_transposed(&product(a, s, [m, n, n]), a, [m, n, m])
}

/// Adds to the gradient of a lower factor L what that of L Lᵀ makes of it.
fn add_factor(to: &mut [f64], of_product: &[f64], factor: &[f64], n: usize) {
    let both = product(&symmetric(of_product, n), &lower(factor, n), [n, n, n]);
    dense::add_scaled(to, 2.0, &lower(&both, n));
}
