//! Draws of the guide and of the prior as points, and the discrepancy between the two clouds.

use super::points::square;
use crate::svgd::median;

/// The length scale of a kernel exp(−r² / (2 l²)).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum LengthScale {
    /// The median of the distances between the draws of both distributions (of 512 of them at most), for each site
    /// and step; 1 where it is 0. It is taken as a constant, so the gradient is that of the discrepancy under the
    /// step's kernel. Reference: Gretton and others 2012, section 8.
    #[default]
    Median,
    /// This positive number.
    Fixed(f64),
}

/// The most draws of which a median is taken.
const MOST: usize = 512;

impl LengthScale {
    /// # Panics
    /// If it is not positive and finite.
    #[track_caller]
    pub(super) fn check(self) {
        if let LengthScale::Fixed(l) = self {
            assert!(l > 0.0 && l.is_finite(), "a length scale is positive and finite, but it is {l}");
        }
    }

    /// l².
    fn squared(self, points: &[Point]) -> f64 {
        if let LengthScale::Fixed(l) = self {
            return l * l;
        }
        let some: Vec<&Point> = points.iter().step_by(points.len().div_ceil(MOST).max(1)).collect();
        let pairs = some.iter().enumerate().flat_map(|(i, x)| some[..i].iter().map(move |y| (x, y)));
        let middle = median(&mut pairs.map(|(x, y)| square(&x.numbers, &y.numbers)).collect::<Vec<_>>());
        if middle > 0.0 && middle.is_finite() { middle } else { 1.0 }
    }
}

/// What a point was drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Guide,
    Prior,
}

/// One draw.
#[derive(Clone, Debug)]
struct Point {
    run: usize,
    /// The place of its first number among those of its run.
    start: usize,
    numbers: Vec<f64>,
}

/// The draws of one site in several runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Clouds {
    points: Vec<Point>,
    /// Of each run: its origin, and which of its numbers count.
    runs: Vec<(Origin, Vec<bool>)>,
}

impl Clouds {
    /// Adds a run whose numbers are `draws` points. Numbers that do not count are 0, and a point of such alone is
    /// left out.
    pub(super) fn add(&mut self, origin: Origin, draws: usize, numbers: &[f64], counts: impl Fn(usize) -> bool) {
        let (run, width) = (self.runs.len(), numbers.len() / draws.max(1));
        let counts: Vec<bool> = (0..numbers.len()).map(counts).collect();
        for start in (0..draws).map(|draw| draw * width) {
            let range = start..start + width;
            if !counts[range.clone()].contains(&true) {
                continue;
            }
            let numbers = range.map(|at| if counts[at] { numbers[at] } else { 0.0 }).collect();
            self.points.push(Point { run, start, numbers });
        }
        self.runs.push((origin, counts));
    }

    /// The squared discrepancy between the guide's points and the prior's, and its slopes in each point's numbers:
    /// the U-statistic over pairs of different runs.
    pub(super) fn discrepancy(&self, length_scale: LengthScale) -> (f64, Vec<Vec<f64>>) {
        let (squared, weights) = (length_scale.squared(&self.points), self.weights());
        let mut slopes: Vec<Vec<f64>> = self.points.iter().map(|point| vec![0.0; point.numbers.len()]).collect();
        let mut sum = 0.0;
        for i in 0..self.points.len() {
            let (before, own) = slopes.split_at_mut(i);
            for (j, other) in before.iter_mut().enumerate() {
                let (x, y) = (&self.points[i], &self.points[j]);
                let weight = weights.of((self.runs[x.run].0, x.run), (self.runs[y.run].0, y.run));
                if weight == 0.0 {
                    continue;
                }
                let term = weight * (-0.5 * square(&x.numbers, &y.numbers) / squared).exp();
                sum += term;
                for (at, (x, y)) in x.numbers.iter().zip(&y.numbers).enumerate() {
                    let slope = term * (y - x) / squared;
                    own[0][at] += slope;
                    other[at] -= slope;
                }
            }
        }
        (sum, slopes)
    }

    /// Slopes in the numbers of each run, of those in each point's.
    pub(super) fn by_run(&self, slopes: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut found: Vec<Vec<f64>> = self.runs.iter().map(|(_, counts)| vec![0.0; counts.len()]).collect();
        for (point, slopes) in self.points.iter().zip(slopes) {
            let counts = &self.runs[point.run].1;
            for (at, slope) in (point.start..).zip(slopes) {
                found[point.run][at] = if counts[at] { *slope } else { 0.0 };
            }
        }
        found
    }

    fn weights(&self) -> Weights {
        let (mut within, mut sizes) = ([0.0; 2], [0.0; 2]);
        let mut points = vec![0.0_f64; self.runs.len()];
        self.points.iter().for_each(|point| points[point.run] += 1.0);
        for ((origin, _), count) in self.runs.iter().zip(points) {
            within[*origin as usize] -= count * count;
            sizes[*origin as usize] += count;
        }
        let inverse = |pairs: f64| if pairs > 0.0 { 2.0 / pairs } else { 0.0 };
        let of = |origin: Origin| inverse(within[origin as usize] + sizes[origin as usize].powi(2));
        Weights { guide: of(Origin::Guide), prior: of(Origin::Prior), across: -inverse(sizes[0] * sizes[1]) }
    }
}

/// What an unordered pair of points counts.
struct Weights {
    guide: f64,
    prior: f64,
    across: f64,
}

impl Weights {
    fn of(&self, x: (Origin, usize), y: (Origin, usize)) -> f64 {
        match (x.0, y.0) {
            _ if x.1 == y.1 => 0.0,
            (Origin::Guide, Origin::Guide) => self.guide,
            (Origin::Prior, Origin::Prior) => self.prior,
            _ => self.across,
        }
    }
}
