//! Densities of draws: Gaussian kernels, reflected where the draws end.

use std::f64::consts::{PI, SQRT_2};

use crate::diagnostics::{Chains, DiagnosticsError, quantile, sd};

/// How many bandwidths away a kernel still counts: e⁻³² is below the last digit.
const REACH: f64 = 8.0;

/// The density of draws, smoothed by Gaussian kernels of Silverman's bandwidth, 0.9 min(s, q / 1.34) n^(−1/5) for the
/// standard deviation s and the distance q between quartiles.
///
/// It is a density on the interval from the least draw to the greatest: what a kernel has beyond an end is reflected
/// into it, as ArviZ does, so that a density that ends there, such as that of a scale near 0, does not sink.
///
/// References: Silverman, *Density Estimation for Statistics and Data Analysis*, 1986, equation 3.31; Boneva, Kendall,
/// Stefanov, *Spline transformations*, 1971 (reflection).
#[derive(Clone, Debug, PartialEq)]
pub struct KernelDensity {
    sorted: Vec<f64>,
    bandwidth: f64,
}

impl KernelDensity {
    /// The density of these draws; `None` if they are all equal, or one is not finite.
    ///
    /// # Errors
    /// If there are no draws.
    pub fn new(draws: &[f64]) -> Result<Option<Self>, DiagnosticsError> {
        let chains = Chains::new(&[draws])?;
        let sd = sd(&chains);
        let quartiles = quantile(&chains, 0.75) - quantile(&chains, 0.25);
        let scale = if quartiles > 0.0 { sd.min(quartiles / 1.34) } else { sd };
        let bandwidth = 0.9 * scale * (draws.len() as f64).powf(-0.2);
        let mut sorted = draws.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Ok((bandwidth > 0.0 && bandwidth.is_finite()).then_some(KernelDensity { sorted, bandwidth }))
    }

    /// The least and the greatest draw: between them is all of the density.
    pub fn support(&self) -> [f64; 2] {
        [self.sorted[0], self.sorted[self.sorted.len() - 1]]
    }

    /// The standard deviation of a kernel.
    pub fn bandwidth(&self) -> f64 {
        self.bandwidth
    }

    /// The density at a place; 0 beyond the draws.
    pub fn density(&self, x: f64) -> f64 {
        let [low, high] = self.support();
        if !(low..=high).contains(&x) {
            return 0.0;
        }
        // Reflected at both ends, the draws repeat with this period.
        let period = 2.0 * (high - low);
        let images = (REACH * self.bandwidth / period).ceil() as i32 + 1;
        let places =
            (-images..=images).flat_map(|k| [f64::from(k) * period + x, f64::from(k) * period + 2.0 * low - x]);
        let total: f64 = places.map(|place| self.kernels(place)).sum();
        total / (self.sorted.len() as f64 * self.bandwidth * SQRT_2 * PI.sqrt())
    }

    /// The sum of all kernels at a place, without their normaliser.
    fn kernels(&self, x: f64) -> f64 {
        let reach = REACH * self.bandwidth;
        let from = self.sorted.partition_point(|&draw| draw < x - reach);
        let near = self.sorted[from..].iter().take_while(|&&draw| draw <= x + reach);
        near.map(|draw| (-0.5 * ((x - draw) / self.bandwidth).powi(2)).exp()).sum()
    }

    /// The density at so many places from end to end, both ends among them.
    pub fn curve(&self, places: usize) -> Vec<(f64, f64)> {
        let [low, high] = self.support();
        let steps = places.saturating_sub(1).max(1) as f64;
        let place = |i: usize| (low + (high - low) * (i as f64 / steps)).clamp(low, high);
        (0..places).map(|i| (place(i), self.density(place(i)))).collect()
    }
}
