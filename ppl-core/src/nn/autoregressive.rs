//! The masked autoregressive network.

use dfdx::shapes::Shape;

use crate::Cpu;
use crate::autodiff::PerRecorder;
use crate::backend::{Activation, Backend, Product};
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::{Flat, Tensor};

use super::{Initialise, Linear};

/// A perceptron whose outputs for each variable depend only on the variables before it in an order:
/// weights that would carry later ones are held at 0 by masks (MADE).
///
/// It gives `outputs` numbers a variable; output k of variable v is column `k · len + v`. Hidden
/// units see the first 1, 2, …, len − 1 variables, spread evenly over a layer, so a layer of fewer
/// than len − 1 units leaves some dependencies out. Without hidden layers the outputs are linear in the
/// variables before.
///
/// ```
/// use ppl_core::{Tensor, nn::AutoregressiveNetwork, params::Init, rng::Rng};
/// let net = AutoregressiveNetwork::<f64>::new(&mut Init::new(Rng::seed(0)), 3, &[8], 1);
/// let at = |last: f64| net.forward(&Tensor::from_vec(vec![0.5, -1.0, last], (1, 3))).to_vec();
/// // The last variable moves no output.
/// assert_eq!(at(0.0), at(7.0));
/// ```
///
/// Reference: Germain, Gregor, Murray and Larochelle, *MADE: Masked Autoencoder for Distribution
/// Estimation*, ICML 2015. The masks are those of Pyro's `AutoRegressiveNN`.
#[derive(Clone, Debug)]
pub struct AutoregressiveNetwork<E: Dtype = f32, D: Backend<E> = Cpu> {
    layers: Vec<Linear<usize, usize, E, D>>,
    masks: Vec<Flat<E, D>>,
    skip: Option<Tensor<(usize, usize), E, D>>,
    skip_mask: Flat<E, D>,
    order: Vec<usize>,
    outputs: usize,
    activation: Activation,
    masked: PerRecorder<Masked<E, D>>,
}

/// The weights of the layers times their masks, and that which skips the hidden layers.
#[derive(Clone)]
struct Masked<E: Dtype, D: Backend<E>> {
    layers: Vec<Flat<E, D>>,
    skip: Option<Flat<E, D>>,
}

impl<E: Dtype, D: Backend<E>> AutoregressiveNetwork<E, D> {
    /// A network over `len` variables in their own order, with hidden layers of the given widths, relu
    /// behind each, and `outputs` numbers a variable; initial values as [`Linear::new`].
    pub fn new(init: &mut Init<E, D>, len: usize, hidden: &[usize], outputs: usize) -> Self {
        let widths: Vec<usize> = [len].into_iter().chain(hidden.iter().copied()).chain([len * outputs]).collect();
        let layers = widths.windows(2).map(|pair| Linear::new(init, pair[0], pair[1])).collect();
        let net = AutoregressiveNetwork {
            layers,
            masks: vec![],
            skip: None,
            skip_mask: Tensor::vector(vec![]),
            order: vec![],
            outputs,
            activation: Activation::Relu,
            masked: PerRecorder::new(),
        };
        net.with_order((0..len).collect())
    }

    /// The network for variables in another order: `order[i]` is the one that comes i-th.
    ///
    /// # Panics
    /// If it is not a permutation of all variables.
    #[must_use]
    #[track_caller]
    pub fn with_order(mut self, order: Vec<usize>) -> Self {
        let len = self.layers[0].sizes().0;
        let Some(place) = places(&order).filter(|_| order.len() == len) else {
            panic!("AutoregressiveNetwork: {order:?} is not an order of {len} variables");
        };
        let inputs: Vec<usize> = place.iter().map(|p| p + 1).collect();
        let mut degrees = vec![inputs.clone()];
        let hidden = self.layers.len() - 1;
        degrees.extend(self.layers[..hidden].iter().map(|layer| hidden_degrees(layer.sizes().1, len)));
        // An output sees what has a lower degree than its variable.
        let outputs = (0..self.outputs).flat_map(|_| inputs.iter().map(|degree| degree - 1)).collect();
        degrees.push(outputs);
        self.skip_mask = mask(&inputs, &degrees[hidden + 1]);
        self.masks = degrees.windows(2).map(|pair| mask(&pair[0], &pair[1])).collect();
        self.order = order;
        self.masked = PerRecorder::new();
        self
    }

    /// The network with weights, without bias, straight from the variables to the outputs, beside the
    /// hidden layers; initial values as [`Linear::new`].
    #[must_use]
    pub fn with_skip(mut self, init: &mut Init<E, D>) -> Self {
        let (i, o) = (self.order.len(), self.order.len() * self.outputs);
        self.skip = Some(Initialise::Uniform.draw(init, (i, o), i, o));
        self.masked = PerRecorder::new();
        self
    }

    /// The network with another activation behind its hidden layers.
    #[must_use]
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// The network with all weights and biases drawn anew, but for those that skip the hidden layers.
    #[must_use]
    pub fn initialised(mut self, init: &mut Init<E, D>, weight: Initialise, bias: Initialise) -> Self {
        self.layers = self.layers.into_iter().map(|layer| layer.initialised(init, weight, bias)).collect();
        self.masked = PerRecorder::new();
        self
    }

    /// The variable that comes i-th, for each i.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// How many outputs each variable has.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The outputs, (rows, outputs · variables), for rows of variables.
    ///
    /// # Panics
    /// If the rows have another number of variables, with both shapes.
    #[must_use]
    #[track_caller]
    pub fn forward(&self, x: &Tensor<(usize, usize), E, D>) -> Tensor<(usize, usize), E, D> {
        let ((rows, found), len) = (x.shape(), self.order.len());
        if found != len {
            let problem = "the input's last axis is not the number of variables";
            let error = ShapeError {
                operation: "AutoregressiveNetwork",
                problem,
                left: x.shape().concrete().into(),
                right: vec![rows, len],
            };
            panic!("{error}");
        }
        self.apply(x.flat(), rows).reshape_like(&(rows, len * self.outputs))
    }

    /// The outputs, row after row, for `rows` rows of variables.
    pub(crate) fn apply(&self, x: Flat<E, D>, rows: usize) -> Flat<E, D> {
        let last = self.layers.len() - 1;
        let product = |rows, k, n| Product { batch: 1, m: rows, k, n, shared_right: true };
        let masked = self.masked.get_or(|| self.masked_weights());
        let skipped = masked.skip.zip(self.skip.as_ref()).map(|(weight, skip)| {
            let (k, n) = skip.shape();
            D::matmul(x.clone(), weight, product(rows, k, n))
        });
        let out = self.layers.iter().zip(masked.layers).enumerate().fold(x, |x, (i, (layer, weight))| {
            let (k, n) = layer.sizes();
            let activation = if i == last { Activation::Identity } else { self.activation };
            D::linear(x, weight, layer.bias.flat(), product(rows, k, n), activation)
        });
        skipped.map_or(out.clone(), |skipped| out + skipped)
    }

    fn masked_weights(&self) -> Masked<E, D> {
        Masked {
            layers: self.layers.iter().zip(&self.masks).map(|(layer, mask)| layer.weight.flat() * mask).collect(),
            skip: self.skip.as_ref().map(|skip| skip.flat() * &self.skip_mask),
        }
    }
}

/// The place of each variable in an order; `None` if it is not an order of 0, 1, …
fn places(order: &[usize]) -> Option<Vec<usize>> {
    let mut places = vec![None; order.len()];
    for (place, &variable) in order.iter().enumerate() {
        *places.get_mut(variable)? = Some(place);
    }
    places.into_iter().collect()
}

/// Up to which variable, counted from 1, each unit of a hidden layer sees: 1 to `len` − 1, evenly
/// spaced and rounded.
fn hidden_degrees(width: usize, len: usize) -> Vec<usize> {
    let (last, gaps) = (len.saturating_sub(1).max(1) as f64, width.saturating_sub(1).max(1) as f64);
    (0..width).map(|i| (1.0 + (last - 1.0) * i as f64 / gaps).round_ties_even() as usize).collect()
}

/// 1 where a unit may read another: its degree is at least as high.
fn mask<E: Dtype, D: Backend<E>>(from: &[usize], to: &[usize]) -> Flat<E, D> {
    let one = |a: &usize, b: &usize| E::of(if b >= a { 1.0 } else { 0.0 });
    Tensor::vector(from.iter().flat_map(|a| to.iter().map(move |b| one(a, b))).collect())
}

impl<E: Dtype, D: Backend<E>> Module<E, D> for AutoregressiveNetwork<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("layers", &self.layers);
        visitor.field("skip", &self.skip);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.masked = PerRecorder::new();
        visitor.field("layers", &mut self.layers);
        visitor.field("skip", &mut self.skip);
    }
}
