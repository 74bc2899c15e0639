//! The exact posterior of radon: of both standard deviations all else is normal, and of these two a grid is summed over.

use ppl::infer::Draws;
use ppl::infer::draws::DrawsError;

use super::homes::Homes;

/// The places of a grid in each direction.
const PLACES: usize = 120;

/// What the homes of a county add up to: features are 1, the county's uranium, and the floor.
#[derive(Clone, Default)]
struct County {
    homes: f64,
    features: [f64; 3],
    products: [[f64; 3]; 3],
    radon: f64,
    feature_radon: [f64; 3],
    squares: f64,
}

/// The range of a variable's draws, and a little more: where the posterior has all but nothing of its mass.
///
/// # Errors
/// If there is no such variable.
pub(crate) fn range(draws: &Draws, name: &str) -> Result<[f64; 2], DrawsError> {
    let all = draws.quantity(name)?.concat();
    let (low, high) = all.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &x| (low.min(x), high.max(x)));
    let margin = 0.3 * (high - low);
    Ok([(low - margin).max(1e-3), high + margin])
}

/// Mean and standard deviation of the mean, the slopes of uranium and floor, and both standard deviations, which lie in
/// these ranges: of all counties, and of the homes in one.
pub(crate) fn posterior(homes: &Homes, between: [f64; 2], within: [f64; 2]) -> [[f64; 2]; 5] {
    let counties = counties(homes);
    let place = |[low, high]: [f64; 2], at: usize| low + (high - low) * (at as f64 + 0.5) / PLACES as f64;
    let mut found = Vec::with_capacity(PLACES * PLACES);
    for i in 0..PLACES {
        for j in 0..PLACES {
            let (between, within) = (place(between, i), place(within, j));
            let (log_weight, means, variances) = given(&counties, between, within);
            let [mean, uranium, floor] = means;
            found.push((log_weight, [mean, uranium, floor, between, within], variances));
        }
    }
    let greatest = found.iter().map(|(log_weight, ..)| *log_weight).fold(f64::NEG_INFINITY, f64::max);
    let mut sums = [[0.0; 2]; 5];
    let mut total = 0.0;
    for (log_weight, means, variances) in &found {
        let weight = (log_weight - greatest).exp();
        total += weight;
        for k in 0..5 {
            let variance = variances.get(k).copied().unwrap_or(0.0);
            sums[k][0] += weight * means[k];
            sums[k][1] += weight * (variance + means[k] * means[k]);
        }
    }
    sums.map(|[first, second]| {
        let mean = first / total;
        [mean, (second / total - mean * mean).sqrt()]
    })
}

fn counties(homes: &Homes) -> Vec<County> {
    let (uranium, floor, radon) = (homes.uranium.to_vec(), homes.floor.to_vec(), homes.radon.to_vec());
    let mut counties = vec![County::default(); uranium.len()];
    for (home, &number) in homes.county.iter().enumerate() {
        let features = [1.0, uranium[number], floor[home]];
        let county = &mut counties[number];
        county.homes += 1.0;
        county.radon += radon[home];
        county.squares += radon[home] * radon[home];
        for k in 0..3 {
            county.features[k] += features[k];
            county.feature_radon[k] += features[k] * radon[home];
            (0..3).for_each(|l| county.products[k][l] += features[k] * features[l]);
        }
    }
    counties
}

/// Of two standard deviations: the log of their posterior, up to a constant, and means and variances of the three slopes.
fn given(counties: &[County], between: f64, within: f64) -> (f64, [f64; 3], [f64; 3]) {
    // The priors: half-normal with scales 1 and 2; slopes with variance 25.
    let mut log_weight = -0.5 * between * between - within * within / 8.0;
    let mut precision = [[0.0; 3]; 3];
    (0..3).for_each(|k| precision[k][k] = 1.0 / 25.0);
    let mut pull = [0.0; 3];
    for county in counties {
        // Homes of one county have the covariance within²·1 + between²·11ᵀ.
        let (inner, n) = (within * within, county.homes);
        let share = between * between / (inner + n * between * between);
        log_weight -= 0.5 * ((n - 1.0) * inner.ln() + (inner + n * between * between).ln());
        log_weight -= 0.5 * (county.squares - share * county.radon * county.radon) / inner;
        for k in 0..3 {
            pull[k] += (county.feature_radon[k] - share * county.features[k] * county.radon) / inner;
            let own = |l: usize| (county.products[k][l] - share * county.features[k] * county.features[l]) / inner;
            precision[k].iter_mut().enumerate().for_each(|(l, sum)| *sum += own(l));
        }
    }
    let (inverse, log_det) = inverse(precision);
    let means: [f64; 3] = std::array::from_fn(|k| (0..3).map(|l| inverse[k][l] * pull[l]).sum());
    log_weight += 0.5 * means.iter().zip(&pull).map(|(m, p)| m * p).sum::<f64>() - 0.5 * log_det;
    (log_weight, means, std::array::from_fn(|k| inverse[k][k]))
}

/// The inverse of a positive definite matrix, and the log of its determinant.
fn inverse(m: [[f64; 3]; 3]) -> ([[f64; 3]; 3], f64) {
    let minor = |i: usize, j: usize| {
        let (a, b) = ((i + 1) % 3, (i + 2) % 3);
        let (c, d) = ((j + 1) % 3, (j + 2) % 3);
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    let det: f64 = (0..3).map(|j| m[0][j] * minor(0, j)).sum();
    (std::array::from_fn(|i| std::array::from_fn(|j| minor(j, i) / det)), det.ln())
}
