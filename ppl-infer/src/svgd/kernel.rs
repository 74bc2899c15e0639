//! Kernels of a squared distance.

/// How near two particles are, of their squared distance r² over the bandwidth h.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum SteinKernel {
    /// exp(−r²/h).
    Rbf(Bandwidth),
    /// (1 + r²/h)^power, the inverse multiquadric, with a power within (−1, 0). Its tails are heavy enough that
    /// the discrepancy it makes controls convergence: Gorham and Mackey, *Measuring Sample Quality with Kernels*
    /// (ICML 2017), where the power is −1/2.
    Imq(Bandwidth, f64),
}

/// What a squared distance is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Bandwidth {
    /// The median of the squared distances of all pairs, over ln(n + 1) of n particles, so that the nearness of a
    /// particle to all others adds up to about that to itself (Liu and Wang 2016, section 5). 1 where it is 0.
    Median,
    /// This positive number.
    Fixed(f64),
}

impl Default for SteinKernel {
    fn default() -> Self {
        SteinKernel::Rbf(Bandwidth::Median)
    }
}

impl SteinKernel {
    /// The inverse multiquadric with power −1/2 and the median's bandwidth.
    pub fn imq() -> Self {
        SteinKernel::Imq(Bandwidth::Median, -0.5)
    }

    /// # Panics
    /// If a bandwidth or power is out of its range.
    #[track_caller]
    pub(super) fn check(self) {
        let (SteinKernel::Rbf(bandwidth) | SteinKernel::Imq(bandwidth, _)) = self;
        if let Bandwidth::Fixed(h) = bandwidth {
            assert!(h > 0.0 && h.is_finite(), "a kernel's bandwidth is positive and finite, but it is {h}");
        }
        if let SteinKernel::Imq(_, power) = self {
            assert!(
                power > -1.0 && power < 0.0,
                "an inverse multiquadric's power is within (-1, 0), but it is {power}"
            );
        }
    }

    /// The bandwidth for particles with these squared distances of pairs.
    pub(super) fn bandwidth(self, particles: usize, mut squares: Vec<f64>) -> f64 {
        let (SteinKernel::Rbf(bandwidth) | SteinKernel::Imq(bandwidth, _)) = self;
        match bandwidth {
            Bandwidth::Fixed(h) => h,
            Bandwidth::Median => {
                let h = median(&mut squares) / (particles as f64 + 1.0).ln();
                if h > 0.0 && h.is_finite() { h } else { 1.0 }
            }
        }
    }

    /// The kernel and its derivative, at r²/h.
    pub(super) fn at(self, ratio: f64) -> (f64, f64) {
        match self {
            SteinKernel::Rbf(_) => ((-ratio).exp(), -(-ratio).exp()),
            SteinKernel::Imq(_, power) => {
                let k = (1.0 + ratio).powf(power);
                (k, power * k / (1.0 + ratio))
            }
        }
    }
}

/// The middle of some numbers, or the mean of the two in the middle; 0 of none.
pub(crate) fn median(numbers: &mut [f64]) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    let half = numbers.len() / 2;
    let even = numbers.len().is_multiple_of(2);
    let (below, &mut upper, _) = numbers.select_nth_unstable_by(half, f64::total_cmp);
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if even { 0.5 * (lower + upper) } else { upper }
}
