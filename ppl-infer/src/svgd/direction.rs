//! The direction of steepest descent of the divergence, in the kernel's space of functions.

use super::kernel::SteinKernel;

/// Of which coordinates a kernel sees the distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coordinates {
    /// Of all together: one kernel (Pyro's `multivariate`).
    #[default]
    Joint,
    /// Of each on its own: a kernel and a bandwidth for each (Pyro's `univariate`). It repels better in many
    /// dimensions, where all particles are about as far from one another.
    Each,
}

/// The direction of each particle, 1/n · Σⱼ (k(xⱼ, xᵢ) ∇ ln p(xⱼ) + ∇ k(xⱼ, xᵢ)), the last gradient by xⱼ:
/// particle after particle, of `dim` numbers each, as `positions` and the gradients `scores` are.
/// Liu and Wang 2016, equation (8).
///
/// # Panics
/// If `scores` is not as long as `positions`.
pub fn direction(
    kernel: SteinKernel,
    coordinates: Coordinates,
    dim: usize,
    positions: &[f64],
    scores: &[f64],
) -> Vec<f64> {
    assert_eq!(positions.len(), scores.len(), "numbers of positions and of their gradients");
    let mut found = vec![0.0; positions.len()];
    match coordinates {
        Coordinates::Joint => add(kernel, (dim, 0..dim), positions, scores, &mut found),
        Coordinates::Each => (0..dim).for_each(|at| add(kernel, (dim, at..at + 1), positions, scores, &mut found)),
    }
    found
}

/// Adds the direction of the coordinates in a range, by the distance in these coordinates.
fn add(
    kernel: SteinKernel,
    (dim, range): (usize, std::ops::Range<usize>),
    positions: &[f64],
    scores: &[f64],
    found: &mut [f64],
) {
    let count = positions.len().checked_div(dim).unwrap_or(0);
    let row = |of: usize| of * dim + range.start..of * dim + range.end;
    let square = |i: usize, j: usize| -> f64 {
        positions[row(i)].iter().zip(&positions[row(j)]).map(|(a, b)| (a - b).powi(2)).sum()
    };
    let pairs: Vec<f64> = (0..count).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| square(i, j)).collect();
    let h = kernel.bandwidth(count, pairs.clone());
    let share = 1.0 / count as f64;
    for i in 0..count {
        let (near, _) = kernel.at(0.0);
        for at in row(i) {
            found[at] += share * near * scores[at];
        }
        for j in 0..i {
            let (near, slope) = kernel.at(pairs[i * (i - 1) / 2 + j] / h);
            for (a, b) in row(i).zip(row(j)) {
                let apart = 2.0 * slope / h * (positions[b] - positions[a]);
                found[a] += share * (near * scores[b] + apart);
                found[b] += share * (near * scores[a] - apart);
            }
        }
    }
}
