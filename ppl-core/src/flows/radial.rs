//! Radial flows.

use std::sync::Arc;

use crate::Cpu;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::{Function, RowFunction, apply, apply_rows};
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::{Flat, Tensor};

use super::bijection::{Bijection, flow};
use super::columns::repeated;
use super::memory::{Memory, Pair};

/// Points moved towards a centre or away from it: y = x + β / (α + r) · (x − x₀), r = |x − x₀|.
///
/// It is one to one for α > 0 and β > −α: so α = softplus(`alpha`) and β = softplus(`beta`) − α with
/// free parameters.
///
/// ln |det J| = (len − 1) ln(1 + β / (α + r)) + ln(1 + αβ / (α + r)²). The way back is the positive root
/// of a quadratic equation in r.
///
/// ```
/// use ppl_core::{Tensor, flows::Radial, params::Init, rng::Rng, transform::Transform};
/// let flow = Radial::<f64>::new(&mut Init::new(Rng::seed(0)), 3);
/// let x = Tensor::vector(vec![0.5, -1.0, 2.0]);
/// let back = flow.clone().inverse(flow.forward(x.clone()));
/// assert!((back - x).abs().to_vec().iter().all(|d| *d < 1e-12));
/// ```
///
/// Reference: Rezende and Mohamed, *Variational Inference with Normalizing Flows*, ICML 2015, sec. 4.1
/// and appendix A.2.
#[derive(Clone, Debug)]
pub struct Radial<E: Dtype = f32, D: Backend<E> = Cpu> {
    center: Tensor<(usize,), E, D>,
    alpha: Tensor<(usize,), E, D>,
    beta: Tensor<(usize,), E, D>,
    memory: Memory<E, D>,
}

impl<E: Dtype, D: Backend<E>> Radial<E, D> {
    /// A flow over rows of `len` numbers, all parameters uniform within ±1/√len, as in Pyro.
    ///
    /// # Panics
    /// If rows have no numbers.
    #[track_caller]
    pub fn new(init: &mut Init<E, D>, len: usize) -> Self {
        assert!(len > 0, "Radial: rows without numbers");
        let bound = (len as f64).sqrt().recip();
        let mut draw = |len| init.uniform((len,), bound);
        Radial { center: draw(len), alpha: draw(1), beta: draw(1), memory: Memory::new() }
    }

    /// α and α + β, both positive.
    fn positive(&self) -> [Flat<E, D>; 2] {
        [self.alpha.softplus(), self.beta.softplus()]
    }

    /// x − x₀ of each row.
    fn offsets(&self, x: &Flat<E, D>, rows: usize) -> Flat<E, D> {
        x - repeated(&self.center, rows)
    }

    /// The length of each row.
    fn lengths(&self, x: Flat<E, D>, rows: usize) -> Flat<E, D> {
        apply_rows(Arc::new(Length(self.center.numel())), x, rows)
    }

    /// The centre plus each row times a number of its own.
    fn around_center(&self, rows: Flat<E, D>, by: Flat<E, D>) -> Flat<E, D> {
        let (len, count) = (self.center.numel(), by.numel());
        let each = D::take(by, (0..count).flat_map(|row| std::iter::repeat_n(row, len)).collect());
        rows * each + repeated(&self.center, count)
    }

    fn log_det(&self, r: Flat<E, D>, [alpha, both]: [Flat<E, D>; 2]) -> Flat<E, D> {
        let shape = r.shape();
        apply(LogDet(self.center.numel()), [r, alpha, both], shape)
    }
}

/// The Euclidean length of a row, with gradient 0 at 0.
#[derive(Debug)]
struct Length(usize);

impl<E: Dtype> RowFunction<E> for Length {
    fn lens(&self) -> (usize, usize) {
        (self.0, 1)
    }
    fn value(&self, _: usize, x: &[E], y: &mut [E]) {
        // By the largest number, so that no square overflows or vanishes.
        let largest = x.iter().fold(0.0, |max: f64, v| max.max(v.wide().abs()));
        let unit = if largest > 0.0 && largest.is_finite() { largest } else { 1.0 };
        y[0] = E::of(unit * x.iter().map(|v| (v.wide() / unit).powi(2)).sum::<f64>().sqrt());
    }
    fn pullback(&self, _: usize, x: &[E], y: &[E], upstream: &[E], gradient: &mut [E]) {
        if y[0] > E::of(0.0) {
            gradient.iter_mut().zip(x).for_each(|(g, &x)| *g += upstream[0] * (x / y[0]));
        }
    }
}

/// (r + α + β) / (α + r): how far a point at distance r is moved, as a factor.
#[derive(Clone, Copy, Debug)]
struct Stretch;

impl<E: Dtype> Function<E, 3> for Stretch {
    fn name(&self) -> &'static str {
        "Radial"
    }
    fn value(&self, args: [E; 3]) -> E {
        let [r, alpha, both] = args.map(E::wide);
        E::of(if r.is_infinite() { 1.0 } else { (r + both) / (r + alpha) })
    }
    fn partials(&self, args: [E; 3], stretch: E) -> [E; 3] {
        let [r, alpha, both] = args.map(E::wide);
        let below = 1.0 / (r + alpha);
        [E::of((alpha - both) * below * below), E::of(-stretch.wide() * below), E::of(below)]
    }
}

/// (r + α) / (r + α + β), the way back.
#[derive(Clone, Copy, Debug)]
struct Shrink;

impl<E: Dtype> Function<E, 3> for Shrink {
    fn name(&self) -> &'static str {
        "Radial"
    }
    fn value(&self, [r, alpha, both]: [E; 3]) -> E {
        Stretch.value([r, both, alpha])
    }
    fn partials(&self, [r, alpha, both]: [E; 3], shrink: E) -> [E; 3] {
        let [to_r, to_both, to_alpha] = Stretch.partials([r, both, alpha], shrink);
        [to_r, to_alpha, to_both]
    }
}

/// ln |det J| at distance r, for rows of that many numbers.
#[derive(Clone, Copy, Debug)]
struct LogDet(usize);

impl<E: Dtype> Function<E, 3> for LogDet {
    fn name(&self) -> &'static str {
        "Radial"
    }
    fn value(&self, args: [E; 3]) -> E {
        let [r, alpha, both] = args.map(E::wide);
        if r.is_infinite() {
            return E::of(0.0);
        }
        let (below, across) = (r + alpha, self.0 as f64 - 1.0);
        // 1 + αβ / (α + r)², with β = both − α, as a sum of positive terms.
        let outward = (r / below) * ((r + 2.0 * alpha) / below) + (alpha / below) * (both / below);
        E::of(across * ((r + both) / below).ln() + outward.ln())
    }
    fn partials(&self, args: [E; 3], _: E) -> [E; 3] {
        let [r, alpha, both] = args.map(E::wide);
        let (below, above, across) = (r + alpha, r + both, self.0 as f64 - 1.0);
        let sum = r * (r + 2.0 * alpha) + alpha * both;
        [
            E::of(across * (1.0 / above - 1.0 / below) + 2.0 * below / sum - 2.0 / below),
            E::of(-across / below + (2.0 * r + both) / sum - 2.0 / below),
            E::of(across / above + alpha / sum),
        ]
    }
}

/// The distance r ≥ 0 whose image is ρ: r (r + α + β) = ρ (r + α).
#[derive(Clone, Copy, Debug)]
struct Distance;

impl<E: Dtype> Function<E, 3> for Distance {
    fn name(&self) -> &'static str {
        "Radial"
    }
    fn value(&self, args: [E; 3]) -> E {
        let [image, alpha, both] = args.map(E::wide);
        let gap = image - both;
        let root = gap.hypot(2.0 * (alpha * image).sqrt());
        E::of(if gap >= 0.0 { 0.5 * (gap + root) } else { 2.0 * alpha * image / (root - gap) })
    }
    fn partials(&self, args: [E; 3], r: E) -> [E; 3] {
        let ([image, alpha, both], r) = (args.map(E::wide), r.wide());
        let slope = (image - both).hypot(2.0 * (alpha * image).sqrt());
        [E::of((r + alpha) / slope), E::of(image / slope), E::of(-r / slope)]
    }
}

impl<E: Dtype, D: Backend<E>> Bijection<E, D> for Radial<E, D> {
    const NAME: &'static str = "Radial";

    fn row_len(&self) -> usize {
        self.center.numel()
    }
    fn memory(&self) -> &Memory<E, D> {
        &self.memory
    }
    fn push(&self, x: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let ([alpha, both], from) = (self.positive(), self.offsets(&x, rows));
        let r = self.lengths(from.clone(), rows);
        let by = apply(Stretch, [r.clone(), alpha.clone(), both.clone()], (rows,));
        Pair { x, y: self.around_center(from, by), log_det: self.log_det(r, [alpha, both]) }
    }
    fn pull(&self, y: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let ([alpha, both], from) = (self.positive(), self.offsets(&y, rows));
        let image = self.lengths(from.clone(), rows);
        let r = apply(Distance, [image, alpha.clone(), both.clone()], (rows,));
        let by = apply(Shrink, [r.clone(), alpha.clone(), both.clone()], (rows,));
        Pair { x: self.around_center(from, by), y, log_det: self.log_det(r, [alpha, both]) }
    }
}

flow!(Radial);

impl<E: Dtype, D: Backend<E>> Module<E, D> for Radial<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("center", &self.center);
        visitor.field("alpha", &self.alpha);
        visitor.field("beta", &self.beta);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.memory.clear();
        visitor.field("center", &mut self.center);
        visitor.field("alpha", &mut self.alpha);
        visitor.field("beta", &mut self.beta);
    }
}
