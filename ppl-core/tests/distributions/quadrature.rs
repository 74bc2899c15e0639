//! Integrals of densities, by Gauss–Legendre quadrature on stretches that are halved until they agree.

use std::f64::consts::PI;
use std::sync::LazyLock;

use ppl_core::Cpu;
use ppl_core::rng::Rng;

use crate::families::{Family, Univariate, row, wide};

/// How many points of each stretch are evaluated.
const NODES: usize = 24;

/// Nodes and weights on [−1, 1], by Newton's method on the Legendre polynomial.
static RULE: LazyLock<[(f64, f64); NODES]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let mut x = (PI * (i as f64 + 0.75) / (NODES as f64 + 0.5)).cos();
        let mut slope = 0.0;
        for _ in 0..20 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=NODES {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = NODES as f64 * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    })
});

/// A stretch of the line.
#[derive(Clone, Copy)]
struct Stretch {
    from: f64,
    to: f64,
}

impl Stretch {
    /// The sign of a stretch so far from its size to zero that the logarithm is its coordinate:
    /// there a density may be a power of x.
    fn logarithmic(self) -> Option<f64> {
        let Stretch { from, to } = self;
        let far = |near: f64, far: f64| near > 0.0 && far > 4.0 * near;
        if far(from, to) { Some(1.0) } else { far(-to, -from).then_some(-1.0) }
    }

    /// Points and weights.
    fn nodes(self) -> [(f64, f64); NODES] {
        let sign = self.logarithmic();
        let (from, to) = sign.map_or((self.from, self.to), |s| (s * (s * self.from).ln(), s * (s * self.to).ln()));
        let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
        RULE.map(|(x, weight)| {
            let (at, weight) = (middle + half * x, half * weight);
            sign.map_or((at, weight), |s| (s * (s * at).exp(), weight * (s * at).exp()))
        })
    }

    /// The two halves, if there is a number between.
    fn halves(self) -> Option<[Stretch; 2]> {
        let Stretch { from, to } = self;
        let middle = match self.logarithmic() {
            Some(sign) => sign * (sign * from).sqrt() * (sign * to).sqrt(),
            None => 0.5 * from + 0.5 * to,
        };
        (from < middle && middle < to).then_some([Stretch { from, to: middle }, Stretch { from: middle, to }])
    }
}

/// The integral over each stretch.
fn integrals(stretches: &[Stretch], f: &dyn Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let (points, weights): (Vec<f64>, Vec<f64>) = stretches.iter().flat_map(|s| s.nodes()).unzip();
    let terms: Vec<f64> = f(&points).iter().zip(&weights).map(|(y, w)| y * w).collect();
    terms.chunks(NODES).map(|terms| terms.iter().sum()).collect()
}

/// The integral over each stretch between breaks of a function of many points at once.
pub(crate) fn between(breaks: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    /// Halves agree with their whole when they differ by less.
    const CLOSE: f64 = 1e-13;
    let whole: Vec<Stretch> = breaks.windows(2).map(|w| Stretch { from: w[0], to: w[1] }).collect();
    let mut totals = vec![0.0; whole.len()];
    let mut open: Vec<(usize, Stretch, f64)> =
        whole.iter().zip(integrals(&whole, &f)).enumerate().map(|(i, (s, total))| (i, *s, total)).collect();
    for _ in 0..60 {
        let (mut parts, mut owners) = (Vec::new(), Vec::new());
        for (owner, stretch, total) in open {
            match stretch.halves() {
                Some(halves) => {
                    parts.extend(halves);
                    owners.push((owner, total));
                }
                None => totals[owner] += total,
            }
        }
        open = Vec::new();
        if parts.is_empty() {
            break;
        }
        let found = integrals(&parts, &f);
        for (i, (owner, total)) in owners.into_iter().enumerate() {
            let (left, right) = (found[2 * i], found[2 * i + 1]);
            if (left + right - total).abs() <= CLOSE {
                totals[owner] += left + right;
            } else {
                open.extend([(owner, parts[2 * i], left), (owner, parts[2 * i + 1], right)]);
            }
        }
    }
    open.iter().for_each(|(owner, _, total)| totals[*owner] += total);
    totals
}

/// The place of a number in the order of all floats, and the way back.
fn place(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN - bits } else { bits }
}

fn at_place(place: i64) -> f64 {
    f64::from_bits(if place < 0 { i64::MIN - place } else { place } as u64)
}

/// The smallest numbers whose cdf reaches probabilities, by bisection over all floats.
pub(crate) fn quantiles(family: &Family<f64, Cpu>, parameters: &[f64], probabilities: &[f64]) -> Vec<f64> {
    let distribution = family.filled(parameters, probabilities.len());
    let mut low = vec![place(-f64::MAX); probabilities.len()];
    let mut high = vec![place(f64::MAX); probabilities.len()];
    while low.iter().zip(&high).any(|(l, h)| h - 1 > *l) {
        let middle: Vec<i64> = low.iter().zip(&high).map(|(l, h)| (l & h) + ((l ^ h) >> 1)).collect();
        let values: Vec<f64> = middle.iter().map(|&m| at_place(m)).collect();
        let reached = wide(&distribution.cdf(&row(&values)).expect("a cdf"));
        for (i, (place, reached)) in middle.into_iter().zip(reached).enumerate() {
            let side = if reached >= probabilities[i] { &mut high } else { &mut low };
            side[i] = place;
        }
    }
    high.into_iter().map(at_place).collect()
}

/// Numbers that cut the line into stretches on which a density is smooth, except at kinks and
/// edges: quantiles at equal steps of the log-odds; where there is no cdf, draws and powers of ten.
pub(crate) fn cuts(family: &Family<f64, Cpu>, parameters: &[f64]) -> Vec<f64> {
    let probabilities: Vec<f64> = (-27..=27).map(|l| 1.0 / (1.0 + f64::from(-l).exp())).collect();
    let distribution = family.filled(parameters, probabilities.len());
    let mut cuts = if let Some(quantiles) = distribution.icdf(&row(&probabilities)) {
        wide(&quantiles)
    } else if distribution.cdf(&row(&probabilities)).is_some() {
        quantiles(family, parameters, &probabilities)
    } else {
        let mut cuts = wide(&distribution.draw(&mut Rng::seed(99)));
        let (low, high) = family.period.map_or((f64::NEG_INFINITY, f64::INFINITY), |period| period(parameters));
        cuts.extend((-37..=37).flat_map(|k| [10_f64.powi(8 * k), -(10_f64.powi(8 * k))]));
        cuts.extend([0.0, 1.0, low, high].into_iter().filter(|c| c.is_finite()));
        cuts.retain(|c| (low..=high).contains(c));
        cuts
    };
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    cuts
}

/// A distribution's density at many points.
pub(crate) fn density(family: &Family<f64, Cpu>, parameters: &[f64], points: &[f64]) -> Vec<f64> {
    let filled: Box<dyn Univariate<f64, Cpu>> = family.filled(parameters, points.len());
    wide(&filled.log_prob(&row(points))).into_iter().map(f64::exp).collect()
}
