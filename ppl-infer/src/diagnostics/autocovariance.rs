//! Autocovariance and autocorrelation of chains, by fast Fourier transforms.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

use super::chains::Draws;
use super::moments::{Standardised, average};

/// The autocovariance of one chain at each lag: Σ (xᵢ − x̄)(xᵢ₊ₜ − x̄) / n for t = 0, …, n − 1 (the
/// denominator is n at each lag). NaN throughout where a draw is not finite.
pub fn autocov(chain: &[f64]) -> Vec<f64> {
    with_deviations(chain, |covariances, scale| covariances.iter_mut().for_each(|c| *c *= scale * scale))
}

/// The autocorrelation of one chain at each lag: its autocovariance over that at lag 0. NaN throughout
/// where a draw is not finite or all are equal.
pub fn autocorr(chain: &[f64]) -> Vec<f64> {
    with_deviations(chain, |covariances, _| {
        let variance = covariances[0];
        covariances.iter_mut().for_each(|c| *c /= variance);
    })
}

fn with_deviations(chain: &[f64], finish: impl Fn(&mut [f64], f64)) -> Vec<f64> {
    if chain.is_empty() || !chain.iter().all(|x| x.is_finite()) {
        return vec![f64::NAN; chain.len()];
    }
    let standardised = Standardised::of(&Draws { values: chain.to_vec(), len: chain.len() });
    let mut covariances = Correlator::default().mean_autocovariance(&standardised.deviations);
    finish(&mut covariances, standardised.scale);
    covariances
}

/// Transforms, planned once for each length.
#[derive(Default)]
pub(super) struct Correlator {
    planner: Option<RealFftPlanner<f64>>,
}

impl Correlator {
    /// The autocovariance at each lag, averaged over the chains.
    ///
    /// It is the transform of the averaged power spectrum (Wiener and Khinchin); zeros behind each chain
    /// keep its end from meeting its beginning.
    pub(super) fn mean_autocovariance(&mut self, draws: &Draws) -> Vec<f64> {
        let planner = self.planner.get_or_insert_with(RealFftPlanner::new);
        let padded = (2 * draws.len).next_power_of_two();
        let (forward, inverse) = (planner.plan_fft_forward(padded), planner.plan_fft_inverse(padded));
        let (mut signal, mut spectrum) = (forward.make_input_vec(), forward.make_output_vec());
        let mut scratch = vec![Complex::default(); forward.get_scratch_len().max(inverse.get_scratch_len())];
        let mut power = forward.make_output_vec();
        for chain in draws.chains() {
            let middle = average(chain);
            signal.fill(0.0);
            signal.iter_mut().zip(chain).for_each(|(s, x)| *s = x - middle);
            forward.process_with_scratch(&mut signal, &mut spectrum, &mut scratch).expect("lengths are the plan's");
            power.iter_mut().zip(&spectrum).for_each(|(p, s)| p.re += s.norm_sqr());
        }
        inverse.process_with_scratch(&mut power, &mut signal, &mut scratch).expect("a power spectrum is real");
        let total = padded as f64 * draws.values.len() as f64;
        signal[..draws.len].iter().map(|s| s / total).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, as a sum.
    fn direct(chain: &[f64]) -> Vec<f64> {
        let n = chain.len();
        let middle = chain.iter().sum::<f64>() / n as f64;
        let sum = |lag: usize| (lag..n).map(|i| (chain[i] - middle) * (chain[i - lag] - middle)).sum::<f64>();
        (0..n).map(|lag| sum(lag) / n as f64).collect()
    }

    #[test]
    fn transforms_equal_sums_at_every_length() {
        for n in (1..70).chain([127, 128, 129, 500]) {
            // Neither periodic nor symmetric: fractional parts of squares.
            let chain: Vec<f64> = (0..n).map(|i| (f64::from(i * i) * 0.618_033_988_749_894_9).fract()).collect();
            let expected = direct(&chain);
            let found = autocov(&chain);
            assert_eq!(found.len(), expected.len());
            let error = found.iter().zip(&expected).fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
            assert!(error < 1e-15, "{n} draws: off by {error:e}");
        }
    }

    #[test]
    fn correlation_starts_at_one_and_has_no_unit() {
        let chain = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0];
        let tiny = chain.map(|x| x * 1e-200);
        let (here, there) = (autocorr(&chain), autocorr(&tiny));
        assert!(here[0] == 1.0 && here.iter().zip(&there).all(|(a, b)| (a - b).abs() < 1e-14));
    }

    #[test]
    fn hostile_chains_give_no_numbers() {
        assert!(autocov(&[]).is_empty());
        assert!(autocov(&[1.0, f64::NAN, 2.0]).iter().chain(&autocorr(&[1.0, f64::INFINITY])).all(|c| c.is_nan()));
        assert!(autocorr(&[3.0, 3.0]).iter().all(|c| c.is_nan()));
    }
}
