//! A rational-quadratic spline for each variable.

use crate::Cpu;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::{Flat, Tensor};

use super::bijection::{Bijection, flow};
use super::columns::row_sums;
use super::memory::{Memory, Pair};
use super::rational_quadratic::{self as rational, MOST_BINS, Shapes};

/// Each variable through an increasing spline of its own: ratios of quadratics on [−bound, bound], the
/// identity outside, where the spline goes on with slope 1.
///
/// Free parameters are a softmax's arguments for widths and heights of bins, of which each is at least a
/// thousandth of the interval, and a softplus's for the slopes at inner knots, at least 0.001. All are
/// (variables, bins), the slopes (variables, bins − 1). (Pyro's spline has slope 0.999 at its ends.)
///
/// ```
/// use ppl_core::{Tensor, flows::Spline, params::Init, rng::Rng, transform::Transform};
/// let flow = Spline::<f64>::new(&mut Init::new(Rng::seed(0)), 3);
/// let x = Tensor::vector(vec![0.5, -1.0, 20.0]);
/// let y = flow.forward(x.clone());
/// assert_eq!(y.at(2).item(), 20.0);
/// let back = flow.clone().inverse(y);
/// assert!((back - x).abs().to_vec().iter().all(|d| *d < 1e-12));
/// ```
///
/// Reference: Durkan, Bekasov, Murray and Papamakarios, *Neural Spline Flows*, NeurIPS 2019, sec. 3.1.
#[derive(Clone, Debug)]
pub struct Spline<E: Dtype = f32, D: Backend<E> = Cpu> {
    widths: Tensor<(usize, usize), E, D>,
    heights: Tensor<(usize, usize), E, D>,
    slopes: Tensor<(usize, usize), E, D>,
    spline: rational::Spline,
    memory: Memory<E, D>,
}

impl<E: Dtype, D: Backend<E>> Spline<E, D> {
    /// Splines of 8 bins on [−3, 3], as in Pyro.
    ///
    /// # Panics
    /// If rows have no numbers.
    #[track_caller]
    pub fn new(init: &mut Init<E, D>, len: usize) -> Self {
        Self::with_bins(init, len, 8, 3.0)
    }

    /// Splines of that many bins on [−bound, bound]: near the identity at first, but for noise with
    /// standard deviation 0.1 on all free parameters.
    ///
    /// # Panics
    /// If rows have no numbers, or as [`SplineAutoregressive::with_bins`](super::SplineAutoregressive::with_bins).
    #[track_caller]
    pub fn with_bins(init: &mut Init<E, D>, len: usize, bins: usize, bound: f64) -> Self {
        assert!(len > 0, "Spline: rows without numbers");
        let spline = checked(bins, bound);
        let mut noise = |bins: usize| init.normal((len, bins), 0.1);
        // ln(e − 1): a slope of about 1.
        let one = E::of(1f64.exp_m1().ln());
        let (widths, heights, slopes) = (noise(bins), noise(bins), noise(bins - 1) + one);
        Spline { widths, heights, slopes, spline, memory: Memory::new() }
    }

    fn shapes(&self) -> Shapes<E, D> {
        Shapes { widths: self.widths.flat(), heights: self.heights.flat(), slopes: self.slopes.flat() }
    }
}

/// A spline whose sizes make sense.
#[track_caller]
pub(super) fn checked(bins: usize, bound: f64) -> rational::Spline {
    assert!((2..=MOST_BINS).contains(&bins), "Spline: {bins} bins instead of 2 to {MOST_BINS}");
    assert!(bound > 0.0 && bound.is_finite(), "Spline: the bound is {bound}");
    rational::Spline { bins, bound }
}

impl<E: Dtype, D: Backend<E>> Bijection<E, D> for Spline<E, D> {
    const NAME: &'static str = "Spline";

    fn row_len(&self) -> usize {
        self.widths.shape().0
    }
    fn memory(&self) -> &Memory<E, D> {
        &self.memory
    }
    fn push(&self, x: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let (y, log_slopes) = self.spline.apply(x.clone(), &self.shapes(), false);
        Pair { x, y, log_det: row_sums(log_slopes, rows, self.row_len()) }
    }
    fn pull(&self, y: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let (x, log_slopes) = self.spline.apply(y.clone(), &self.shapes(), true);
        Pair { x, y, log_det: row_sums(log_slopes, rows, self.row_len()) }
    }
}

flow!(Spline);

impl<E: Dtype, D: Backend<E>> Module<E, D> for Spline<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("widths", &self.widths);
        visitor.field("heights", &self.heights);
        visitor.field("slopes", &self.slopes);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.memory.clear();
        visitor.field("widths", &mut self.widths);
        visitor.field("heights", &mut self.heights);
        visitor.field("slopes", &mut self.slopes);
    }
}
