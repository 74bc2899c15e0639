//! The monotone rational-quadratic spline of one number, with its slope, its inverse and what flows back.

use crate::backend::{Backend, BlockFunction, Blocks};
use crate::dtype::Dtype;
use crate::tensor::Flat;

/// The least width and height of a bin, as fractions of the interval, and the least slope at a knot.
const LEAST: f64 = 1e-3;

/// The most bins: with more, the least widths would fill the interval.
pub(super) const MOST_BINS: usize = 500;

/// A spline of some bins on [−bound, bound], the identity outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spline {
    pub(super) bins: usize,
    pub(super) bound: f64,
}

/// Unnormalised widths and heights (`bins` a spline) and slopes at the inner knots (`bins` − 1).
pub(super) struct Shapes<E: Dtype, D: Backend<E>> {
    pub(super) widths: Flat<E, D>,
    pub(super) heights: Flat<E, D>,
    pub(super) slopes: Flat<E, D>,
}

impl Spline {
    /// The images (or, `backwards`, the origins) of `x` and the logarithms of the spline's slopes there.
    /// Number i goes through spline i modulo their number.
    pub(super) fn apply<E: Dtype, D: Backend<E>>(
        self,
        x: Flat<E, D>,
        shapes: &Shapes<E, D>,
        backwards: bool,
    ) -> (Flat<E, D>, Flat<E, D>) {
        let (count, splines) = (x.numel(), shapes.widths.numel() / self.bins);
        let args = [x, shapes.widths.clone(), shapes.heights.clone(), shapes.slopes.clone()];
        let blocks = Blocks { count, of: [count, splines, splines, splines] };
        let both = D::blocks(Piecewise { spline: self, backwards }, args, blocks);
        let half = |odd: usize| D::take(both.clone(), (0..count).map(|i| 2 * i + odd).collect());
        (half(0), half(1))
    }
}

/// Image and log-slope of a number, of arguments x, widths, heights and slopes.
#[derive(Clone, Copy, Debug)]
struct Piecewise {
    spline: Spline,
    backwards: bool,
}

/// Fractions of the interval: a softmax held above [`LEAST`]; and the softmax.
fn fractions(free: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let max = free.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = free.iter().map(|v| (v - max).exp()).collect();
    let sum: f64 = powers.iter().sum();
    let soft: Vec<f64> = powers.into_iter().map(|p| p / sum).collect();
    let rest = 1.0 - LEAST * free.len() as f64;
    (soft.iter().map(|s| LEAST + rest * s).collect(), soft)
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One bin.
struct Bin {
    index: usize,
    /// Left, width, bottom, height, slope on the left, slope on the right.
    sizes: [f64; 6],
}

impl Piecewise {
    /// The bin that holds `at`, a place on the axis of images if the map goes backwards.
    fn bin(&self, at: f64, [widths, heights, slopes]: [&[f64]; 3]) -> Bin {
        let Spline { bins, bound } = self.spline;
        let (widths, heights) = (fractions(widths).0, fractions(heights).0);
        let size = |fraction: f64| 2.0 * bound * fraction;
        let (mut index, mut left, mut bottom) = (0, -bound, -bound);
        while index + 1 < bins {
            let (right, top) = (left + size(widths[index]), bottom + size(heights[index]));
            let is_below = at < if self.backwards { top } else { right };
            if is_below {
                break;
            }
            (index, left, bottom) = (index + 1, right, top);
        }
        // Slopes are 1 at the ends, where the identity goes on.
        let slope = |knot: usize| {
            if knot == 0 || knot == bins { 1.0 } else { LEAST + softplus(slopes[knot - 1]) }
        };
        let sizes = [left, size(widths[index]), bottom, size(heights[index]), slope(index), slope(index + 1)];
        Bin { index, sizes }
    }

    fn is_inside(&self, at: f64) -> bool {
        at > -self.spline.bound && at < self.spline.bound
    }
}

impl Bin {
    /// The point whose image is `y` (Durkan et al., eq. 6–8).
    fn origin(&self, y: f64) -> f64 {
        let [left, width, bottom, height, d0, d1] = self.sizes;
        let (steepness, up) = (height / width, (y - bottom).max(0.0).min(height));
        let bend = up * (d1 + d0 - 2.0 * steepness);
        let (a, b, c) = (height * (steepness - d0) + bend, height * d0 - bend, -steepness * up);
        let xi = 2.0 * c / (-b - (b * b - 4.0 * a * c).max(0.0).sqrt());
        left + width * xi.clamp(0.0, 1.0)
    }

    /// Image and log-slope at `x`, with their derivatives in x and the bin's sizes (eq. 4 and 5).
    fn at(&self, x: f64) -> [Jet; 2] {
        let [left, width, bottom, height, d0, d1] = std::array::from_fn(|i| Jet::variable(self.sizes[i], i + 1));
        let xi = (Jet::variable(x, 0) - left) / width;
        let rest = Jet::constant(1.0) - xi;
        let steepness = height / width;
        let both = xi * rest;
        let below = steepness + (d1 + d0 - steepness - steepness) * both;
        let y = bottom + height * (steepness * xi * xi + d0 * both) / below;
        let above = d1 * xi * xi + (steepness + steepness) * both + d0 * rest * rest;
        let ratio = steepness / below;
        [y, (ratio * ratio * above).ln()]
    }
}

impl BlockFunction<4> for Piecewise {
    fn lengths(&self) -> ([usize; 4], usize) {
        let bins = self.spline.bins;
        ([1, bins, bins, bins - 1], 2)
    }

    fn work(&self) -> usize {
        64 * self.spline.bins
    }

    fn value(&self, [x, widths, heights, slopes]: [&[f64]; 4], out: &mut [f64]) {
        let at = x[0];
        if !self.is_inside(at) {
            // NaN stays NaN, also in the slope.
            out.copy_from_slice(&[at, if at.is_nan() { at } else { 0.0 }]);
            return;
        }
        let bin = self.bin(at, [widths, heights, slopes]);
        let point = if self.backwards { bin.origin(at) } else { at };
        let [y, log_slope] = bin.at(point);
        out[0] = if self.backwards { point } else { y.value };
        out[1] = log_slope.value;
    }

    fn pullback(
        &self,
        [x, widths, heights, slopes]: [&[f64]; 4],
        _: &[f64],
        upstream: &[f64],
        [to_x, to_widths, to_heights, to_slopes]: [Option<&mut [f64]>; 4],
    ) {
        let at = x[0];
        if !self.is_inside(at) {
            to_x.into_iter().for_each(|g| g[0] += upstream[0]);
            return;
        }
        let bin = self.bin(at, [widths, heights, slopes]);
        let point = if self.backwards { bin.origin(at) } else { at };
        let own = self.gradient(bin.at(point), upstream);
        let bins = self.spline.bins;
        to_x.into_iter().for_each(|g| g[0] += own[0]);
        if let Some(g) = to_widths {
            self.back_to_free(widths, bin.index, [own[1], own[2]], g);
        }
        if let Some(g) = to_heights {
            self.back_to_free(heights, bin.index, [own[3], own[4]], g);
        }
        if let Some(g) = to_slopes {
            for (knot, own) in [(bin.index, own[5]), (bin.index + 1, own[6])] {
                if knot > 0 && knot < bins {
                    g[knot - 1] += own * sigmoid(slopes[knot - 1]);
                }
            }
        }
    }
}

impl Piecewise {
    /// The gradient in the number that is mapped and in the bin's sizes.
    fn gradient(&self, [y, log_slope]: [Jet; 2], upstream: &[f64]) -> [f64; 7] {
        if !self.backwards {
            return std::array::from_fn(|i| upstream[0] * y.slopes[i] + upstream[1] * log_slope.slopes[i]);
        }
        // x moves so that y stays: dx/dy = 1 / y', dx/dp = −(dy/dp) / y'.
        let to_point = (upstream[0] + upstream[1] * log_slope.slopes[0]) / y.slopes[0];
        std::array::from_fn(|i| match i {
            0 => to_point,
            _ => upstream[1] * log_slope.slopes[i] - to_point * y.slopes[i],
        })
    }

    /// From a bin's beginning and size to the free numbers that make all sizes.
    fn back_to_free(&self, free: &[f64], index: usize, [begin, size]: [f64; 2], gradient: &mut [f64]) {
        let soft = fractions(free).1;
        let scale = 2.0 * self.spline.bound * (1.0 - LEAST * free.len() as f64);
        let own = |i: usize| if i < index { begin } else { size * f64::from(u8::from(i == index)) };
        let mean: f64 = soft.iter().enumerate().map(|(i, s)| s * own(i)).sum();
        gradient.iter_mut().enumerate().for_each(|(i, g)| *g += scale * soft[i] * (own(i) - mean));
    }
}

/// A number with its derivatives in x and the six sizes of a bin.
#[derive(Clone, Copy, Debug)]
struct Jet {
    value: f64,
    slopes: [f64; 7],
}

impl Jet {
    fn constant(value: f64) -> Self {
        Jet { value, slopes: [0.0; 7] }
    }

    fn variable(value: f64, place: usize) -> Self {
        Jet { value, slopes: std::array::from_fn(|i| f64::from(u8::from(i == place))) }
    }

    /// A function of two jets, by its partial derivatives.
    fn of(value: f64, (a, by_a): (Jet, f64), (b, by_b): (Jet, f64)) -> Self {
        Jet { value, slopes: std::array::from_fn(|i| by_a * a.slopes[i] + by_b * b.slopes[i]) }
    }

    fn ln(self) -> Self {
        Jet::of(self.value.ln(), (self, 1.0 / self.value), (self, 0.0))
    }
}

impl std::ops::Add for Jet {
    type Output = Jet;
    fn add(self, b: Jet) -> Jet {
        Jet::of(self.value + b.value, (self, 1.0), (b, 1.0))
    }
}

impl std::ops::Sub for Jet {
    type Output = Jet;
    fn sub(self, b: Jet) -> Jet {
        Jet::of(self.value - b.value, (self, 1.0), (b, -1.0))
    }
}

impl std::ops::Mul for Jet {
    type Output = Jet;
    fn mul(self, b: Jet) -> Jet {
        Jet::of(self.value * b.value, (self, b.value), (b, self.value))
    }
}

impl std::ops::Div for Jet {
    type Output = Jet;
    fn div(self, b: Jet) -> Jet {
        let value = self.value / b.value;
        Jet::of(value, (self, 1.0 / b.value), (b, -value / b.value))
    }
}
