//! One flow after another, and backwards.

use crate::Cpu;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::params::{ErasedModule, Module, Visitor, VisitorMut};
use crate::tensor::{Flat, Tensor};
use crate::transform::Transform;

use super::Flow;
use super::bijection::{Bijection, flow};
use super::memory::{Memory, Pair};

/// A flow whose type is known only at run time.
#[derive(Debug)]
pub struct Layer<E: Dtype, D: Backend<E>>(Box<dyn Flow<E, D>>);

impl<E: Dtype, D: Backend<E>> Clone for Layer<E, D> {
    fn clone(&self) -> Self {
        Layer(self.0.copied())
    }
}

impl<E: Dtype, D: Backend<E>> Module<E, D> for Layer<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        let module: &dyn ErasedModule<E, D> = &*self.0;
        module.each("", &mut |name, tensor| visitor.named(name, tensor));
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        let module: &mut dyn ErasedModule<E, D> = &mut *self.0;
        module.each_mut("", &mut |name, tensor| visitor.named(name, tensor));
    }
}

/// Flows one after the other, the first one first. Their tensors are named by the place of their
/// flow: `"0.network.layers.0.weight"`.
///
/// Flows have rows of one length; maps of single numbers, such as [`Exp`](crate::transform::Exp), take
/// part through [`Compose`](crate::transform::Compose).
#[derive(Clone, Debug)]
pub struct Stack<E: Dtype = f32, D: Backend<E> = Cpu> {
    layers: Vec<Layer<E, D>>,
    memory: Memory<E, D>,
}

impl<E: Dtype, D: Backend<E>> Stack<E, D> {
    /// No flows: the identity.
    pub fn new() -> Self {
        Stack { layers: Vec::new(), memory: Memory::new() }
    }

    /// The stack with one more flow behind its last.
    ///
    /// # Panics
    /// If its rows have another length than those of the flows before, with both.
    #[must_use]
    #[track_caller]
    pub fn then(mut self, flow: impl Flow<E, D>) -> Self {
        let (found, expected) = (flow.event_lens(), self.event_lens());
        assert!(
            self.layers.is_empty() || found == expected,
            "Stack: {} has rows of {} numbers, the flows before it of {}",
            flow.name(),
            found.0,
            expected.0
        );
        self.layers.push(Layer(Box::new(flow)));
        self.memory.clear();
        self
    }

    /// How many flows there are.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

impl<E: Dtype, D: Backend<E>> Default for Stack<E, D> {
    fn default() -> Self {
        Stack::new()
    }
}

impl<E: Dtype, D: Backend<E>> Module<E, D> for Stack<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        self.layers.visit(visitor);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.memory.clear();
        self.layers.visit_mut(visitor);
    }
}

impl<E: Dtype, D: Backend<E>> Stack<E, D> {
    /// The sum of ln |det J| over the flows, at the points between them.
    fn sum(&self, points: &[Flat<E, D>], rows: usize) -> Flat<E, D> {
        let none = Tensor::full_like(E::of(0.0), (rows,));
        let each = self.layers.iter().zip(points.windows(2));
        each.fold(none, |sum, (layer, ends)| sum + layer.0.log_abs_det(&ends[0], &ends[1]))
    }
}

impl<E: Dtype, D: Backend<E>> Bijection<E, D> for Stack<E, D> {
    const NAME: &'static str = "Stack";

    fn row_len(&self) -> usize {
        self.layers.first().map_or(1, |layer| layer.0.event_lens().0)
    }
    fn memory(&self) -> &Memory<E, D> {
        &self.memory
    }
    fn push(&self, x: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let mut points = vec![x.clone()];
        for (i, layer) in self.layers.iter().enumerate() {
            points.push(layer.0.forward(points[i].clone()));
        }
        Pair { x, y: points[self.layers.len()].clone(), log_det: self.sum(&points, rows) }
    }
    fn pull(&self, y: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let mut points = vec![y.clone()];
        for (i, layer) in self.layers.iter().rev().enumerate() {
            points.push(layer.0.inverse(points[i].clone()));
        }
        points.reverse();
        Pair { x: points[0].clone(), y, log_det: self.sum(&points, rows) }
    }
    fn train(&mut self, training: bool) {
        self.memory.clear();
        self.layers.iter_mut().for_each(|layer| layer.0.set_training(training));
    }
    fn observe(&mut self, y: &Flat<E, D>) {
        self.memory.clear();
        let mut y = y.clone();
        for layer in self.layers.iter_mut().rev() {
            let x = layer.0.inverse(y.clone());
            layer.0.update_statistics(&y);
            y = x;
        }
    }
}

flow!(Stack);

/// A flow backwards: what was its way back is forward.
///
/// ```
/// use ppl_core::{Tensor, flows::{AffineAutoregressive, Inverse}, params::Init, rng::Rng, transform::Transform};
/// let iaf = AffineAutoregressive::<f64>::new(&mut Init::new(Rng::seed(0)), 2, &[8]);
/// let maf = Inverse(iaf.clone());
/// let x = Tensor::vector(vec![0.5, -1.0]);
/// let back = maf.forward(iaf.forward(x));
/// assert!((back.at(0).item() - 0.5).abs() < 1e-12 && (back.at(1).item() + 1.0).abs() < 1e-12);
/// ```
#[derive(Clone, Debug)]
pub struct Inverse<F>(pub F);

impl<E: Dtype, D: Backend<E>, F: Module<E, D>> Module<E, D> for Inverse<F> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        self.0.visit(visitor);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.0.visit_mut(visitor);
    }
}

impl<E: Dtype, D: Backend<E>, F: Transform<E, D>> Transform<E, D> for Inverse<F> {
    fn name(&self) -> &'static str {
        "Inverse"
    }
    fn event_lens(&self) -> (usize, usize) {
        let (from, to) = self.0.event_lens();
        (to, from)
    }
    fn is_bijective(&self) -> bool {
        self.0.is_bijective()
    }
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        self.0.inverse(x)
    }
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        self.0.forward(y)
    }
    fn log_abs_det(&self, x: &Flat<E, D>, y: &Flat<E, D>) -> Flat<E, D> {
        -self.0.log_abs_det(y, x)
    }
}

impl<E: Dtype, D: Backend<E>, F: Flow<E, D> + Module<E, D>> Flow<E, D> for Inverse<F> {
    fn copied(&self) -> Box<dyn Flow<E, D>> {
        Box::new(self.clone())
    }
    fn set_training(&mut self, training: bool) {
        self.0.set_training(training);
    }
    fn update_statistics(&mut self, y: &Flat<E, D>) {
        // The values are what the flow itself starts from.
        let image = self.0.forward(y.clone());
        self.0.update_statistics(&image);
    }
}
