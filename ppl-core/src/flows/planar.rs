//! Planar flows.

use crate::Cpu;
use crate::backend::{Activation, Backend, Product};
use crate::dtype::Dtype;
use crate::functions::{Function, apply};
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::{Flat, Tensor};

use super::bijection::{Bijection, flow};
use super::memory::{Memory, Pair};

/// Points moved along one direction, depending on their place along another:
/// y = x + û · tanh(w·x + b).
///
/// It is one to one as long as w·û > −1. So û = u + (softplus(w·u) − 1 − w·u) w / |w|² with a free
/// `u`, which makes w·û = softplus(w·u) − 1.
///
/// ln |det J| = ln(1 + (1 − tanh²(w·x + b)) w·û). The way back solves one increasing equation in one
/// number a row by Newton steps within a bracket; its gradient is that of the implicit function.
///
/// ```
/// use ppl_core::{Tensor, flows::Planar, params::Init, rng::Rng, transform::Transform};
/// let flow = Planar::<f64>::new(&mut Init::new(Rng::seed(0)), 3);
/// let x = Tensor::vector(vec![0.5, -1.0, 2.0]);
/// let back = flow.clone().inverse(flow.forward(x.clone()));
/// assert!((back - x).abs().to_vec().iter().all(|d| *d < 1e-12));
/// ```
///
/// Reference: Rezende and Mohamed, *Variational Inference with Normalizing Flows*, ICML 2015, sec. 4.1
/// and appendix A.1.
#[derive(Clone, Debug)]
pub struct Planar<E: Dtype = f32, D: Backend<E> = Cpu> {
    w: Tensor<(usize,), E, D>,
    u: Tensor<(usize,), E, D>,
    bias: Tensor<(usize,), E, D>,
    memory: Memory<E, D>,
}

/// The parameters, and softplus(w·u) = w·û + 1.
struct Push<E: Dtype, D: Backend<E>> {
    along: Flat<E, D>,
    gain: Flat<E, D>,
}

impl<E: Dtype, D: Backend<E>> Planar<E, D> {
    /// A flow over rows of `len` numbers, all parameters uniform within ±1/√len, as in Pyro.
    ///
    /// # Panics
    /// If rows have no numbers.
    #[track_caller]
    pub fn new(init: &mut Init<E, D>, len: usize) -> Self {
        assert!(len > 0, "Planar: rows without numbers");
        let bound = (len as f64).sqrt().recip();
        let mut draw = |len| init.uniform((len,), bound);
        Planar { w: draw(len), u: draw(len), bias: draw(1), memory: Memory::new() }
    }

    fn direction(&self) -> Push<E, D> {
        let dot = (&self.w * &self.u).sum_all();
        let gain = dot.softplus();
        // Where w = 0, û is u.
        let square = self.w.square().sum_all().maximum(Tensor::scalar(E::min_positive_value().wide()));
        let along = &self.u + &self.w * ((&gain - &dot - E::of(1.0)) / square);
        Push { along, gain: gain.into_flat() }
    }

    /// w · x + b of each row.
    fn places(&self, x: &Flat<E, D>, rows: usize) -> Flat<E, D> {
        let sizes = Product { batch: 1, m: rows, k: self.w.numel(), n: 1, shared_right: true };
        D::linear(x.clone(), self.w.clone(), self.bias.clone(), sizes, Activation::Identity)
    }

    /// û times a number for each row.
    fn steps(&self, push: &Push<E, D>, by: Flat<E, D>, rows: usize) -> Flat<E, D> {
        D::matmul(by, push.along.clone(), Product { batch: 1, m: rows, k: 1, n: self.w.numel(), shared_right: true })
    }
}

/// ln(1 + (1 − tanh² a)(g − 1)), where g > 0: a sum of positive terms.
#[derive(Clone, Copy, Debug)]
struct LogSlope;

impl<E: Dtype> Function<E, 2> for LogSlope {
    fn name(&self) -> &'static str {
        "Planar"
    }
    fn value(&self, args: [E; 2]) -> E {
        let [a, gain] = args.map(E::wide);
        E::of(slope(a, gain).ln())
    }
    fn partials(&self, args: [E; 2], _: E) -> [E; 2] {
        let [a, gain] = args.map(E::wide);
        let (flat, t, slope) = (flatness(a), a.tanh(), slope(a, gain));
        [E::of(-2.0 * t * flat * (gain - 1.0) / slope), E::of(flat / slope)]
    }
}

/// 1 − tanh² a, without cancellation.
fn flatness(a: f64) -> f64 {
    let e = (-2.0 * a.abs()).exp();
    4.0 * e / ((1.0 + e) * (1.0 + e))
}

/// The derivative of a + (g − 1) tanh a.
fn slope(a: f64, gain: f64) -> f64 {
    let t = a.tanh();
    t * t + flatness(a) * gain
}

/// The a with a + (g − 1) tanh a = c, for g > 0.
#[derive(Clone, Copy, Debug)]
struct Root;

/// More than halvings of a bracket of doubles take: the search ends, whatever the numbers.
const STEPS: usize = 200;

fn root(c: f64, gain: f64) -> f64 {
    let reach = (gain - 1.0).abs();
    let (mut low, mut high) = (c - reach, c + reach);
    let mut a = c;
    for _ in 0..STEPS {
        let off = a + (gain - 1.0) * a.tanh() - c;
        if off == 0.0 {
            break;
        }
        if off > 0.0 {
            high = a;
        } else {
            low = a;
        }
        let newton = a - off / slope(a, gain);
        let next = if newton > low && newton < high { newton } else { low + 0.5 * (high - low) };
        if next == a || next.is_nan() {
            break;
        }
        a = next;
    }
    a
}

impl<E: Dtype> Function<E, 2> for Root {
    fn name(&self) -> &'static str {
        "Planar"
    }
    fn value(&self, args: [E; 2]) -> E {
        let [c, gain] = args.map(E::wide);
        E::of(root(c, gain))
    }
    fn partials(&self, [_, gain]: [E; 2], a: E) -> [E; 2] {
        let (a, gain) = (a.wide(), gain.wide());
        let slope = slope(a, gain);
        [E::of(1.0 / slope), E::of(-a.tanh() / slope)]
    }
}

impl<E: Dtype, D: Backend<E>> Bijection<E, D> for Planar<E, D> {
    const NAME: &'static str = "Planar";

    fn row_len(&self) -> usize {
        self.w.numel()
    }
    fn memory(&self) -> &Memory<E, D> {
        &self.memory
    }
    fn push(&self, x: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let (push, place) = (self.direction(), self.places(&x, rows));
        let y = &x + self.steps(&push, place.tanh(), rows);
        Pair { x, y, log_det: apply(LogSlope, [place, push.gain], (rows,)) }
    }
    fn pull(&self, y: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let push = self.direction();
        let place = apply(Root, [self.places(&y, rows), push.gain.clone()], (rows,));
        let x = &y - self.steps(&push, place.tanh(), rows);
        Pair { x, y, log_det: apply(LogSlope, [place, push.gain], (rows,)) }
    }
}

flow!(Planar);

impl<E: Dtype, D: Backend<E>> Module<E, D> for Planar<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("w", &self.w);
        visitor.field("u", &self.u);
        visitor.field("bias", &self.bias);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.memory.clear();
        visitor.field("w", &mut self.w);
        visitor.field("u", &mut self.u);
        visitor.field("bias", &mut self.bias);
    }
}
