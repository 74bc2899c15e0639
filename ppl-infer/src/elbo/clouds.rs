//! Draws of the guide and of the prior as points, and the discrepancy between the two clouds.

use std::ops::Range;

use ppl_core::shared::spread;

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

/// How many pairs a thread takes at least.
const PAIRS_OF_A_BLOCK: usize = 1 << 13;

/// The most blocks, each of which holds slopes of its own.
const MOST_BLOCKS: usize = 16;

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
    fn squared(self, points: &[&[f64]]) -> f64 {
        if let LengthScale::Fixed(l) = self {
            return l * l;
        }
        let some: Vec<&[f64]> = points.iter().copied().step_by(points.len().div_ceil(MOST).max(1)).collect();
        let pairs = some.iter().enumerate().flat_map(|(i, x)| some[..i].iter().map(move |y| (x, y)));
        let middle = median(&mut pairs.map(|(x, y)| square(x, y)).collect::<Vec<_>>());
        if middle > 0.0 && middle.is_finite() { middle } else { 1.0 }
    }
}

/// What a point was drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Guide,
    Prior,
}

/// Where a point comes from.
#[derive(Clone, Copy, Debug)]
struct Source {
    run: usize,
    origin: Origin,
    /// The place of its first number among those of its run.
    start: usize,
}

/// The draws of one site in several runs, as points of one width.
#[derive(Clone, Debug, Default)]
pub(super) struct Clouds {
    width: usize,
    /// Point after point.
    numbers: Vec<f64>,
    points: Vec<Source>,
    /// Of each run, which of its numbers count.
    runs: Vec<Vec<bool>>,
}

impl Clouds {
    /// Adds a run whose numbers are `draws` points, of the same width in every run. Numbers that do not count are 0,
    /// and a point of such alone is left out.
    pub(super) fn add(&mut self, origin: Origin, draws: usize, numbers: &[f64], counts: impl Fn(usize) -> bool) {
        self.width = numbers.len() / draws.max(1);
        let counts: Vec<bool> = (0..numbers.len()).map(counts).collect();
        for start in (0..draws).map(|draw| draw * self.width) {
            let range = start..start + self.width;
            if counts[range.clone()].contains(&true) {
                self.points.push(Source { run: self.runs.len(), origin, start });
                self.numbers.extend(range.map(|at| if counts[at] { numbers[at] } else { 0.0 }));
            }
        }
        self.runs.push(counts);
    }

    /// The squared discrepancy between the guide's points and the prior's, and its slopes in their numbers, point
    /// after point: the U-statistic over pairs of different runs.
    pub(super) fn discrepancy(&self, length_scale: LengthScale) -> (f64, Vec<f64>) {
        let points: Vec<&[f64]> = self.numbers.chunks_exact(self.width.max(1)).collect();
        let pairs = Pairs { squared: length_scale.squared(&points), weights: self.weights(), points };
        let (mut sum, mut slopes) = (0.0, vec![0.0; self.numbers.len()]);
        for (part, of_part) in spread(blocks(pairs.points.len()), |rows| self.part(&pairs, rows)) {
            sum += part;
            slopes.iter_mut().zip(of_part).for_each(|(slope, part)| *slope += part);
        }
        (sum, slopes)
    }

    /// The part of the pairs of each of these points with the points before it.
    fn part(&self, pairs: &Pairs<'_>, rows: Range<usize>) -> (f64, Vec<f64>) {
        let (mut sum, mut slopes) = (0.0, vec![0.0; rows.end * self.width]);
        for i in rows {
            let (before, own) = slopes.split_at_mut(i * self.width);
            for (j, other) in before.chunks_exact_mut(self.width.max(1)).enumerate() {
                let weight = pairs.weights.of(self.points[i], self.points[j]);
                if weight == 0.0 {
                    continue;
                }
                let (x, y) = (pairs.points[i], pairs.points[j]);
                let term = weight * (-0.5 * square(x, y) / pairs.squared).exp();
                sum += term;
                let slope = term / pairs.squared;
                for ((own, other), (x, y)) in own.iter_mut().zip(other).zip(x.iter().zip(y)) {
                    let along = slope * (y - x);
                    *own += along;
                    *other -= along;
                }
            }
        }
        (sum, slopes)
    }

    /// Slopes in the numbers of each run, of those in the points' numbers.
    pub(super) fn by_run(&self, slopes: &[f64]) -> Vec<Vec<f64>> {
        let mut found: Vec<Vec<f64>> = self.runs.iter().map(|counts| vec![0.0; counts.len()]).collect();
        for (point, slopes) in self.points.iter().zip(slopes.chunks_exact(self.width.max(1))) {
            let counts = &self.runs[point.run];
            for (at, slope) in (point.start..).zip(slopes) {
                found[point.run][at] = if counts[at] { *slope } else { 0.0 };
            }
        }
        found
    }

    fn weights(&self) -> Weights {
        let of = |origin: Origin| {
            let points = || self.points.iter().filter(move |point| point.origin == origin);
            let mut by_run = vec![0.0_f64; self.runs.len()];
            points().for_each(|point| by_run[point.run] += 1.0);
            let count: f64 = by_run.iter().sum();
            (count, count * count - by_run.iter().map(|count| count * count).sum::<f64>())
        };
        let ((guide, guide_pairs), (prior, prior_pairs)) = (of(Origin::Guide), of(Origin::Prior));
        let twice_inverse = |pairs: f64| if pairs > 0.0 { 2.0 / pairs } else { 0.0 };
        Weights {
            guide: twice_inverse(guide_pairs),
            prior: twice_inverse(prior_pairs),
            across: -twice_inverse(guide * prior),
        }
    }
}

/// What all pairs of points have in common.
struct Pairs<'a> {
    points: Vec<&'a [f64]>,
    /// The squared length scale.
    squared: f64,
    weights: Weights,
}

/// Ranges of points with about as many pairs each of a point and one before it; what they are depends on the number of
/// points alone, so that threads do not change sums.
fn blocks(points: usize) -> Vec<Range<usize>> {
    let count = (points * points / 2 / PAIRS_OF_A_BLOCK).clamp(1, MOST_BLOCKS);
    let end = |block: usize| (points as f64 * (block as f64 / count as f64).sqrt()).round() as usize;
    (0..count).map(|block| end(block)..end(block + 1)).collect()
}

/// What an unordered pair of points of different runs counts.
struct Weights {
    guide: f64,
    prior: f64,
    across: f64,
}

impl Weights {
    fn of(&self, x: Source, y: Source) -> f64 {
        match (x.origin, y.origin) {
            _ if x.run == y.run => 0.0,
            (Origin::Guide, Origin::Guide) => self.guide,
            (Origin::Prior, Origin::Prior) => self.prior,
            _ => self.across,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clouds(shift: f64) -> Clouds {
        let mut clouds = Clouds::default();
        for run in 0..4 {
            let mut numbers: Vec<f64> = (0..300).map(|at| f64::from(at * 7 + run * 13).sin()).collect();
            numbers[200] += if run == 1 { shift } else { 0.0 };
            let origin = if run < 2 { Origin::Guide } else { Origin::Prior };
            clouds.add(origin, 60, &numbers, |at| at / 5 != 3);
        }
        clouds
    }

    #[test]
    fn blocks_cover_all_points() {
        for points in [0, 1, 2, 100, 128, 129, 1000, 20_000] {
            let blocks = blocks(points);
            assert!(blocks.windows(2).all(|pair| pair[0].end == pair[1].start), "{blocks:?}");
            assert_eq!((blocks[0].start, blocks[blocks.len() - 1].end), (0, points));
        }
    }

    /// 236 points in three blocks, against the definition; slopes against differences.
    #[test]
    fn the_parts_of_blocks_add_up() {
        let found = clouds(0.0);
        assert_eq!((found.points.len(), blocks(236).len()), (236, 3));
        let near = |i: usize, j: usize| {
            (-0.5 * square(&found.numbers[5 * i..5 * i + 5], &found.numbers[5 * j..5 * j + 5]) / 0.49).exp()
        };
        let mut expected = 0.0;
        for (i, j) in (0..236).flat_map(|i| (0..236).map(move |j| (i, j))) {
            let (x, y) = (found.points[i], found.points[j]);
            if x.origin != y.origin {
                expected -= near(i, j) / (118.0 * 118.0);
            } else if x.run != y.run {
                expected += near(i, j) / (2.0 * 59.0 * 59.0);
            }
        }
        let length = LengthScale::Fixed(0.7);
        let (sum, slopes) = found.discrepancy(length);
        assert!((sum - expected).abs() < 1e-14, "{sum}, not {expected}");
        let slope = (clouds(1e-5).discrepancy(length).0 - clouds(-1e-5).discrepancy(length).0) / 2e-5;
        let by_run = found.by_run(&slopes);
        assert!((by_run[1][200] - slope).abs() < 1e-9, "{}, not {slope}", by_run[1][200]);
        assert_eq!(by_run[1][15..20], [0.0; 5]);
    }
}
