//! Pareto smoothed importance sampling.
//!
//! References: Vehtari, Simpson, Gelman, Yao, Gabry, *Pareto smoothed importance sampling*, JMLR 25, 2024,
//! <https://arxiv.org/abs/1507.02646>; Zhang, Stephens, *A new and efficient estimation method for the
//! generalized Pareto distribution*, Technometrics 51, 2009.

use super::log_likelihood::log_sum_exp;

/// Smoothed log-weights whose exponentials add up to 1, in the order of the raw ones, and the tail's Pareto
/// shape k: the weights have a variance where k < 1/2 and a mean where k < 1; up to 0.7 the sampling works.
///
/// The largest min(S/5, 3 √(S / reff)) of S weights take the place of the order statistics of a generalised
/// Pareto distribution that is fitted to them; none is above the largest raw weight. `reff` is the relative
/// efficiency of the draws, 1 for independent ones; one that is not positive stands for the longest tail.
///
/// Where fewer than five weights are in the tail nothing is smoothed and k is ∞; a log-weight that is NaN
/// or ∞ makes all NaN, and k ∞. Weights of −∞ are zeros.
pub fn psislw(log_weights: &[f64], reff: f64) -> (Vec<f64>, f64) {
    let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() || log_weights.iter().any(|w| w.is_nan()) {
        return (vec![f64::NAN; log_weights.len()], f64::INFINITY);
    }
    let mut weights: Vec<f64> = log_weights.iter().map(|w| w - largest).collect();
    let k = smooth_tail(&mut weights, reff);
    let total = log_sum_exp(&weights);
    weights.iter_mut().for_each(|w| *w -= total);
    (weights, k)
}

/// Smooths the tail of log-weights whose largest is 0, and returns its shape.
fn smooth_tail(weights: &mut [f64], reff: f64) -> f64 {
    let size = weights.len();
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&a, &b| weights[a].total_cmp(&weights[b]));
    let cutoff = weights[order[size.saturating_sub(longest_tail(size, reff) + 1)]].max(f64::MIN_POSITIVE.ln());
    let tail = &order[order.partition_point(|&i| weights[i] <= cutoff)..];
    if tail.len() <= 4 {
        return f64::INFINITY;
    }
    let base = cutoff.exp();
    let excesses: Vec<f64> = tail.iter().map(|&i| weights[i].exp() - base).collect();
    let fit = GeneralizedPareto::fit(&excesses);
    if fit.shape.is_finite() {
        for (rank, &i) in tail.iter().enumerate() {
            let p = (rank as f64 + 0.5) / tail.len() as f64;
            weights[i] = (fit.quantile(p) + base).ln().min(0.0);
        }
    }
    fit.shape
}

/// How many weights may belong to the tail.
fn longest_tail(size: usize, reff: f64) -> usize {
    let fifth = size as f64 / 5.0;
    let root = 3.0 * (size as f64 / reff).sqrt();
    // In this order a NaN is left out.
    fifth.min(root).ceil() as usize
}

/// The distribution of excesses with survival (1 + shape · x / scale)^(−1 / shape).
#[derive(Clone, Copy, Debug)]
struct GeneralizedPareto {
    shape: f64,
    scale: f64,
}

impl GeneralizedPareto {
    /// The empirical Bayes estimate of Zhang and Stephens from excesses in ascending order, with their
    /// shape drawn towards 1/2 by the weight of ten observations, as PSIS has it. NaN where the excesses
    /// tell nothing.
    fn fit(excesses: &[f64]) -> Self {
        const PRIOR: f64 = 10.0;
        let n = excesses.len() as f64;
        let candidates = Self::candidates(excesses);
        let log_likelihoods: Vec<f64> = candidates
            .iter()
            .map(|&b| {
                let k = mean_log(b, excesses);
                n * ((-(b / k)).ln() - k - 1.0)
            })
            .collect();
        let b = posterior_mean(&candidates, &log_likelihoods);
        let k = mean_log(b, excesses);
        let scale = -k / b;
        let shape = if scale > 0.0 { (n * k + PRIOR * 0.5) / (n + PRIOR) } else { f64::NAN };
        GeneralizedPareto { shape, scale }
    }

    /// Values of −shape / scale to average over, from the quartile and the largest of the excesses.
    fn candidates(excesses: &[f64]) -> Vec<f64> {
        const PRIOR: f64 = 3.0;
        let n = excesses.len() as f64;
        let count = 30.0 + n.sqrt().floor();
        let quartile = excesses[(n / 4.0 + 0.5) as usize - 1];
        let largest = excesses[excesses.len() - 1];
        let at = |j: f64| (1.0 - (count / (j - 0.5)).sqrt()) / (PRIOR * quartile) + 1.0 / largest;
        (1..=count as usize).map(|j| at(j as f64)).collect()
    }

    fn quantile(self, p: f64) -> f64 {
        let exponential = -(-p).ln_1p();
        let standard = if self.shape.abs() < f64::EPSILON {
            exponential
        } else {
            (self.shape * exponential).exp_m1() / self.shape
        };
        self.scale * standard
    }
}

/// The mean of ln (1 − b x): the shape, given b.
fn mean_log(b: f64, excesses: &[f64]) -> f64 {
    excesses.iter().map(|x| (-b * x).ln_1p()).sum::<f64>() / excesses.len() as f64
}

/// The mean of candidates with these log-likelihoods; those with negligible weight are left out.
fn posterior_mean(candidates: &[f64], log_likelihoods: &[f64]) -> f64 {
    let total = log_sum_exp(log_likelihoods);
    let weights = log_likelihoods.iter().map(|l| (l - total).exp());
    let (mut sum, mut mass) = (0.0, 0.0);
    for (candidate, weight) in candidates.iter().zip(weights) {
        if weight >= 10.0 * f64::EPSILON {
            sum += candidate * weight;
            mass += weight;
        }
    }
    sum / mass
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order statistics of a generalised Pareto distribution, as plotting positions.
    fn sample(shape: f64, scale: f64, n: usize) -> Vec<f64> {
        let law = GeneralizedPareto { shape, scale };
        (0..n).map(|i| law.quantile((i as f64 + 0.5) / n as f64)).collect()
    }

    #[test]
    fn the_fit_finds_the_shape_again() {
        for shape in [-0.3, 0.0, 0.4, 0.9] {
            let n = 20_000;
            let fit = GeneralizedPareto::fit(&sample(shape, 2.5, n));
            // Plotting positions are no random sample: what is left is the discretised tail and the prior.
            assert!((fit.shape - shape).abs() < 0.01, "{shape}: {fit:?}");
            assert!((fit.scale / 2.5 - 1.0).abs() < 0.01, "{shape}: {fit:?}");
        }
    }

    #[test]
    fn weights_add_up_to_one_and_keep_their_order() {
        let raw: Vec<f64> =
            (0..200).map(|i| (f64::from(i * i) * 0.618_033_988_749_894_9).fract() * 6.0 + 700.0).collect();
        let (smooth, k) = psislw(&raw, 1.0);
        assert!(k.is_finite() && log_sum_exp(&smooth).abs() < 1e-14);
        let mut order: Vec<usize> = (0..200).collect();
        order.sort_by(|&a, &b| raw[a].total_cmp(&raw[b]));
        assert!(order.windows(2).all(|pair| smooth[pair[0]] <= smooth[pair[1]]));
    }

    #[test]
    fn hostile_weights() {
        for (raw, expected) in [(vec![0.0; 50], f64::INFINITY), (vec![1.0], f64::INFINITY), (vec![], f64::INFINITY)] {
            assert_eq!(psislw(&raw, 1.0).1, expected);
        }
        let nan = psislw(&[0.0, f64::NAN, 1.0], 1.0);
        assert!(nan.0.iter().all(|w| w.is_nan()) && nan.1 == f64::INFINITY);
        assert!(psislw(&[0.0, f64::INFINITY], 1.0).0[0].is_nan());
        let mut raw: Vec<f64> = (0..100).map(f64::from).collect();
        raw[0] = f64::NEG_INFINITY;
        for reff in [1.0, 0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
            let (weights, _) = psislw(&raw, reff);
            assert!(weights[0] == f64::NEG_INFINITY && weights[1..].iter().all(|w| w.is_finite()), "reff {reff}");
        }
        // Three weights so alike that their differences vanish beside the largest.
        let alike: Vec<f64> = (0..40).map(|i| 1.0 + f64::from(i % 3) * f64::EPSILON).collect();
        assert!(psislw(&alike, 1.0).0.iter().all(|w| w.is_finite()));
    }
}
