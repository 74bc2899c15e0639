//! Fused layers against the same maps written out of single operations on tensors: values and gradients, in `f32` and `f64`.

use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::nn::{Activation, AutoregressiveNetwork, Direction, Initialise, Linear, Rnn};
use ppl_core::ops::stack;
use ppl_core::params::{ErasedModule, Init, Module, Visitor, VisitorMut};
use ppl_core::rng::Rng;
use ppl_core::{Axis, Cpu, Dtype, Tensor};

type Matrix<E> = Tensor<(usize, usize), E>;

const ACTIVATIONS: [Activation; 5] =
    [Activation::Identity, Activation::Relu, Activation::Softplus, Activation::Tanh, Activation::Sigmoid];

fn activated<E: Dtype>(x: &Matrix<E>, activation: Activation) -> Matrix<E>
where
    Cpu: Backend<E>,
{
    match activation {
        Activation::Identity => x.clone(),
        Activation::Relu => x.relu(),
        Activation::Softplus => x.softplus(),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => x.sigmoid(),
    }
}

/// x · weight + bias, in three operations.
fn affine<E: Dtype>(x: &Matrix<E>, weight: &Matrix<E>, bias: &Tensor<(usize,), E>) -> Matrix<E>
where
    Cpu: Backend<E>,
{
    let product: Matrix<E> = x.matmul(weight);
    let bias: Matrix<E> = bias.broadcast_like::<_, Axis<0>>(&product.shape());
    product + bias
}

/// Values of `f`, and the gradients of a weighted sum of them in the module's tensors and in `x`.
fn run<E: Dtype, M: Module<E, Cpu>>(
    module: &M,
    x: &Matrix<E>,
    f: impl Fn(&M, &Matrix<E>) -> Matrix<E>,
) -> Vec<(String, Vec<f64>)>
where
    Cpu: Backend<E>,
{
    let wide = |values: &[E]| values.iter().map(|v| v.wide()).collect::<Vec<f64>>();
    let (mut module, x) = (module.clone(), x.tracked());
    module.each_mut("", &mut |_, tensor| tensor.track());
    let mut all = Vec::new();
    let (_, mut grads) = grad(|| {
        let y = f(&module, &x);
        all.push(("value".to_owned(), wide(&y.to_vec())));
        let weights = (0..y.numel()).map(|i| E::of(1.5 + (i as f64).cos())).collect();
        (&y * Tensor::from_vec(weights, y.shape())).sum_all()
    });
    all.push(("x".to_owned(), wide(&grads.get(&x).expect("a leaf").to_vec())));
    module.each_mut("", &mut |name, tensor| {
        let mut gradient = Vec::new();
        tensor.update(&mut grads, &mut |_, g| gradient.extend(wide(g))).expect("a gradient");
        all.push((name.to_owned(), gradient));
    });
    all
}

#[track_caller]
fn agree(what: &str, fused: &[(String, Vec<f64>)], composed: &[(String, Vec<f64>)], tolerance: f64) {
    assert_eq!(fused.len(), composed.len(), "{what}");
    for ((name, fused), (_, composed)) in fused.iter().zip(composed) {
        assert_eq!(fused.len(), composed.len(), "{what}, {name}");
        // Terms of a sum are added in another order: what is lost is relative to the largest.
        let size = composed.iter().fold(1.0_f64, |size, v| size.max(v.abs()));
        for (i, (a, b)) in fused.iter().zip(composed).enumerate() {
            assert!((a - b).abs() <= tolerance * size, "{what}, {name}[{i}]: {a} fused, {b} composed");
        }
    }
}

fn linear_layers<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    for (rows, inputs, outputs) in [(1, 1, 1), (5, 3, 4), (20, 88, 60), (1, 40, 7)] {
        let mut init = Init::<E, Cpu>::new(Rng::seed(1));
        let layer = Linear::<usize, usize, E>::new(&mut init, inputs, outputs);
        let x = init.normal((rows, inputs), 1.5);
        for activation in ACTIVATIONS {
            let fused = run(&layer, &x, |layer, x| layer.forward_with(x, activation));
            let composed = run(&layer, &x, |l, x| activated(&affine(x, &l.weight, &l.bias), activation));
            agree(&format!("{activation:?} of {rows}×{inputs}×{outputs}"), &fused, &composed, tolerance);
        }
    }
}

#[test]
fn linear_layers_under_their_activations() {
    linear_layers::<f32>(2e-6);
    linear_layers::<f64>(1e-14);
}

/// A masked network by its definition: weights and masks as matrices, and the weights past the hidden layers.
#[derive(Clone)]
struct Written<E: Dtype>
where
    Cpu: Backend<E>,
{
    layers: Vec<Linear<usize, usize, E>>,
    skip: Option<Matrix<E>>,
    masks: Vec<Matrix<E>>,
    skip_mask: Matrix<E>,
    activation: Activation,
}

impl<E: Dtype> Module<E, Cpu> for Written<E>
where
    Cpu: Backend<E>,
{
    fn visit(&self, visitor: &mut Visitor<'_, E, Cpu>) {
        visitor.field("layers", &self.layers);
        visitor.field("skip", &self.skip);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, Cpu>) {
        visitor.field("layers", &mut self.layers);
        visitor.field("skip", &mut self.skip);
    }
}

/// Up to which place in the order a unit sees, by Germain et al.: variable v itself has its place from 1, hidden units
/// spread from 1 to the last but one, an output stands one below its variable.
fn degrees(order: &[usize], hidden: &[usize], outputs: usize) -> Vec<Vec<f64>> {
    let len = order.len();
    let place = |v: usize| order.iter().position(|&o| o == v).expect("an order") as f64 + 1.0;
    let spread = |width: usize| -> Vec<f64> {
        let last = (len as f64 - 1.0).max(1.0);
        let at = |i: usize| if width == 1 { 1.0 } else { 1.0 + (last - 1.0) * i as f64 / (width as f64 - 1.0) };
        (0..width).map(|i| at(i).round_ties_even()).collect()
    };
    let inputs: Vec<f64> = (0..len).map(place).collect();
    let last = (0..outputs * len).map(|column| place(column % len) - 1.0).collect();
    [inputs].into_iter().chain(hidden.iter().map(|&width| spread(width))).chain([last]).collect()
}

fn mask<E: Dtype>(from: &[f64], to: &[f64]) -> Matrix<E>
where
    Cpu: Backend<E>,
{
    let cells = from.iter().flat_map(|a| to.iter().map(move |b| E::of(f64::from(u8::from(b >= a)))));
    Tensor::from_vec(cells.collect(), (from.len(), to.len()))
}

impl<E: Dtype> Written<E>
where
    Cpu: Backend<E>,
{
    /// The same weights, by their names, under masks of our own.
    fn like(net: &AutoregressiveNetwork<E>, hidden: &[usize], activation: Activation) -> Self {
        let degrees = degrees(net.order(), hidden, net.outputs());
        let widths: Vec<usize> = degrees.iter().map(Vec::len).collect();
        let mut init = Init::new(Rng::seed(0));
        let mut layers: Vec<_> = widths.windows(2).map(|w| Linear::new(&mut init, w[0], w[1])).collect();
        let mut skip = None;
        net.each("", &mut |name, tensor| match name.split('.').collect::<Vec<_>>()[..] {
            ["layers", i, "weight"] => {
                let i: usize = i.parse().expect("a number");
                layers[i].weight = Tensor::from_vec(tensor.to_vec(), (widths[i], widths[i + 1]));
            }
            ["layers", i, "bias"] => {
                let i: usize = i.parse().expect("a number");
                layers[i].bias = Tensor::from_vec(tensor.to_vec(), (widths[i + 1],));
            }
            ["skip"] => skip = Some(Tensor::from_vec(tensor.to_vec(), (widths[0], widths[widths.len() - 1]))),
            _ => panic!("a tensor `{name}`"),
        });
        let masks = degrees.windows(2).map(|pair| mask(&pair[0], &pair[1])).collect();
        Written { layers, skip, masks, skip_mask: mask(&degrees[0], &degrees[degrees.len() - 1]), activation }
    }

    fn forward(&self, x: &Matrix<E>) -> Matrix<E> {
        let mut y = x.clone();
        for (i, (layer, mask)) in self.layers.iter().zip(&self.masks).enumerate() {
            let sum = affine(&y, &(&layer.weight * mask), &layer.bias);
            y = if i + 1 == self.layers.len() { sum } else { activated(&sum, self.activation) };
        }
        match &self.skip {
            Some(skip) => y + x.matmul(&(skip * &self.skip_mask)),
            None => y,
        }
    }
}

fn masked_networks<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    // Rows, hidden layers, outputs a variable, order.
    let cases: [(usize, &[usize], usize, &[usize]); 6] = [
        (5, &[7], 2, &[2, 0, 3, 1]),
        (1, &[9, 8], 2, &[0, 1, 2]),
        (20, &[100], 2, &[4, 9, 1, 0, 7, 3, 8, 2, 6, 5]),
        (4, &[], 3, &[1, 0]),
        (3, &[1], 1, &[3, 2, 1, 0]),
        (2, &[5], 2, &[0]),
    ];
    for (rows, hidden, outputs, order) in cases {
        for activation in [Activation::Relu, Activation::Tanh] {
            for skips in [false, true] {
                let mut init = Init::<E, Cpu>::new(Rng::seed(2));
                // Half of all relus are on.
                let net = AutoregressiveNetwork::new(&mut init, order.len(), hidden, outputs)
                    .initialised(&mut init, Initialise::Uniform, Initialise::Uniform)
                    .with_activation(activation)
                    .with_order(order.to_vec());
                let net = if skips { net.with_skip(&mut init) } else { net };
                let x = init.normal((rows, order.len()), 1.2);
                let written = Written::like(&net, hidden, activation);
                let fused = run(&net, &x, |net, x| net.forward(x));
                let composed = run(&written, &x, Written::forward);
                let what = format!("{rows} rows, {hidden:?}, {outputs} outputs, {order:?}, {activation:?}, {skips}");
                let [names, of_written] = [&fused, &composed].map(|parts| parts.iter().map(|p| p.0.clone()).collect());
                let (names, of_written): (Vec<String>, Vec<String>) = (names, of_written);
                assert_eq!(names, of_written);
                agree(&what, &fused, &composed, tolerance);
            }
        }
    }
}

#[test]
fn masked_networks_are_products_with_masked_weights() {
    masked_networks::<f32>(2e-6);
    masked_networks::<f64>(1e-14);
}

/// A recurrent layer with its initial states as one more parameter.
#[derive(Clone)]
struct Recurrent<E: Dtype>
where
    Cpu: Backend<E>,
{
    rnn: Rnn<usize, usize, E>,
    initial: Matrix<E>,
    lengths: Vec<usize>,
    direction: Direction,
    activation: Activation,
}

impl<E: Dtype> Module<E, Cpu> for Recurrent<E>
where
    Cpu: Backend<E>,
{
    fn visit(&self, visitor: &mut Visitor<'_, E, Cpu>) {
        visitor.field("rnn", &self.rnn);
        visitor.field("initial", &self.initial);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, Cpu>) {
        visitor.field("rnn", &mut self.rnn);
        visitor.field("initial", &mut self.initial);
    }
}

impl<E: Dtype> Recurrent<E>
where
    Cpu: Backend<E>,
{
    /// The states of all steps below one another, by the layer.
    fn fused(&self, x: &Matrix<E>) -> Matrix<E> {
        let (sequences, units) = self.initial.shape();
        let (cells, inputs) = x.shape();
        let x = x.clone().reshape_like(&(cells / sequences, sequences, inputs));
        self.rnn.forward(&x, &self.initial, self.lengths.clone(), self.direction).reshape_like(&(cells, units))
    }

    /// The same, step by step: where a sequence has no step its state stays, and 0 is put out.
    fn composed(&self, x: &Matrix<E>) -> Matrix<E> {
        let (sequences, units) = self.initial.shape();
        let (cells, inputs) = x.shape();
        let steps = cells / sequences;
        let (input, recurrent) = (&self.rnn.input, &self.rnn.recurrent);
        let (mut state, mut states) = (self.initial.clone(), vec![self.initial.clone(); steps]);
        for i in 0..steps {
            let t = if self.direction == Direction::Forward { i } else { steps - 1 - i };
            let x: Matrix<E> = x.slice(&[t * sequences..(t + 1) * sequences, 0..inputs]);
            let sum = affine(&x, &input.weight, &input.bias) + affine(&state, &recurrent.weight, &recurrent.bias);
            let is_there: Vec<bool> = (0..sequences * units).map(|cell| t < self.lengths[cell / units]).collect();
            let next = activated(&sum, self.activation);
            states[t] = next.select(&is_there, 0.0);
            state = next.select(&is_there, &state);
        }
        stack::<_, (usize, usize, usize), _, _>(&states).reshape_like(&(cells, units))
    }
}

fn recurrent_layers<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    let cases: [(usize, usize, usize, &[usize]); 4] = [
        (1, 1, 1, &[1]),
        (5, 2, 3, &[5, 3, 3, 1]),
        (6, 4, 7, &[2, 6, 0, 4]),
        (12, 30, 40, &[12, 12, 9, 8, 8, 7, 3, 1]),
    ];
    for (steps, inputs, units, lengths) in cases {
        for activation in [Activation::Relu, Activation::Tanh] {
            for direction in [Direction::Forward, Direction::Backward] {
                let mut init = Init::<E, Cpu>::new(Rng::seed(3));
                let rnn = Rnn::new(&mut init, inputs, units, activation);
                let initial = init.normal((lengths.len(), units), 1.0);
                let layer = Recurrent { rnn, initial, lengths: lengths.to_vec(), direction, activation };
                let x = init.normal((steps * lengths.len(), inputs), 1.2);
                let (fused, composed) = (run(&layer, &x, Recurrent::fused), run(&layer, &x, Recurrent::composed));
                agree(&format!("{direction:?}, {activation:?}, {lengths:?}"), &fused, &composed, tolerance);
            }
        }
    }
}

#[test]
fn recurrent_layers_are_their_steps() {
    recurrent_layers::<f32>(5e-6);
    recurrent_layers::<f64>(1e-14);
}
