//! Layers: their values, gradients, names, initial values, and the training of dfdx's modules.

use dfdx::nn::builders as d;
use ppl_core::address::Address;
use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior};
use ppl_core::nn::{Activation, Dfdx, Initialise, Linear, Mlp};
use ppl_core::params::{ErasedModule, Init, Module, ParamStore, Visitor, VisitorMut};
use ppl_core::primitives::module;
use ppl_core::rng::Rng;
use ppl_core::{Axis, Const, Cpu, Dtype, Rank1, Rank2, Rank3, Tensor};

const ACTIVATIONS: [Activation; 5] =
    [Activation::Identity, Activation::Relu, Activation::Softplus, Activation::Tanh, Activation::Sigmoid];

fn init<E: Dtype>(seed: u64) -> Init<E, Cpu>
where
    Cpu: Backend<E>,
{
    Init::new(Rng::seed(seed))
}

/// Every tensor of a module: name, sizes, values.
fn tensors<M: Module<f64, Cpu>>(module: &M) -> Vec<(String, Vec<usize>, Vec<f64>)> {
    let mut all = Vec::new();
    module.each("", &mut |name, tensor| all.push((name.to_owned(), tensor.dims(), tensor.to_vec())));
    all
}

fn names<M: Module<f64, Cpu>>(module: &M) -> Vec<String> {
    tensors(module).into_iter().map(|(name, ..)| name).collect()
}

/// A module with its input as one more parameter.
#[derive(Clone)]
struct At<M, X> {
    module: M,
    x: X,
}

impl<M: Module<f64, Cpu>, X: Module<f64, Cpu>> Module<f64, Cpu> for At<M, X> {
    fn visit(&self, visitor: &mut Visitor<'_, f64, Cpu>) {
        visitor.field("module", &self.module);
        visitor.field("x", &self.x);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, f64, Cpu>) {
        visitor.field("module", &mut self.module);
        visitor.field("x", &mut self.x);
    }
}

/// Compares the gradient of `f` with respect to every tensor of the module and to its input with
/// central differences; returns how many elements were compared.
fn check_gradient<M: Module<f64, Cpu>, X: Module<f64, Cpu>>(
    module: M,
    x: X,
    f: impl Fn(&M, &X) -> Tensor<(), f64>,
) -> usize {
    const STEP: f64 = 1e-5;
    let mut at = At { module, x };
    let (mut taped, mut numeric) = (Vec::new(), Vec::new());
    at.each_mut("", &mut |_, tensor| tensor.track());
    let (_, mut grads) = grad(|| f(&at.module, &at.x));
    at.each_mut("", &mut |_, t| t.update(&mut grads, &mut |_, g| taped.extend_from_slice(g)).unwrap());
    for (name, _, values) in tensors(&at) {
        for i in 0..values.len() {
            let shifted = |shift: f64| {
                let (mut moved, mut values) = (at.clone(), values.clone());
                values[i] += shift;
                moved.each_mut("", &mut |n, t| {
                    if n == name {
                        t.set(&values).unwrap();
                    }
                });
                f(&moved.module, &moved.x).item()
            };
            numeric.push((shifted(STEP) - shifted(-STEP)) / (2.0 * STEP));
        }
    }
    assert_eq!(taped.len(), numeric.len());
    for (i, (a, b)) in taped.iter().zip(&numeric).enumerate() {
        assert!((a - b).abs() <= 1e-7 * b.abs().max(1.0), "element {i}: {a} by the tape, {b} by differences");
    }
    taped.len()
}

#[test]
fn gradients_of_a_linear_layer_are_the_differences() {
    let mut source = init::<f64>(1);
    for activation in ACTIVATIONS {
        let layer = Linear::<Const<3>, Const<2>, f64>::build(&mut source);
        let x: Tensor<(usize, Const<3>), f64> = source.normal((4, Const), 1.0);
        let weights: Tensor<(usize, Const<2>), f64> = source.normal((4, Const), 1.0);
        let checked = check_gradient(layer, x, |l, x| (l.forward_with(x, activation) * &weights).sum_all());
        assert_eq!(checked, 3 * 2 + 2 + 4 * 3);
    }
}

#[test]
fn gradients_of_a_perceptron_are_the_differences() {
    let mut source = init::<f64>(2);
    for activation in ACTIVATIONS {
        let net = Mlp::new(&mut source, Const::<3>, &[4, 5], 2, activation).with_output(Activation::Sigmoid);
        let x: Tensor<Rank1<3>, f64> = source.normal((Const,), 1.0);
        let checked = check_gradient(net, x, |net, x| net.forward(x).square().sum_all());
        assert_eq!(checked, 3 * 4 + 4 + 4 * 5 + 5 + 5 * 2 + 2 + 3);
    }
}

#[test]
fn a_linear_layer_is_product_bias_and_activation() {
    let mut source = init::<f64>(3);
    let layer = Linear::<Const<3>, Const<2>, f64>::build(&mut source);
    let x: Tensor<Rank2<5, 3>, f64> = source.normal(Default::default(), 1.0);
    let sum = x.matmul(&layer.weight) + layer.bias.broadcast::<Rank2<5, 2>, Axis<0>>();
    let parts = [sum.clone(), sum.relu(), sum.softplus(), sum.tanh(), sum.sigmoid()];
    for (activation, expected) in ACTIVATIONS.into_iter().zip(parts) {
        let fused = layer.forward_with(&x, activation);
        let distance = (fused - expected).abs().sum_all().item();
        assert!(distance < 1e-13, "{activation:?}: {distance}");
    }
}

#[test]
fn a_layer_takes_vectors_batches_and_batches_of_batches() {
    let mut source = init::<f64>(4);
    let layer = Linear::<Const<3>, Const<2>, f64>::build(&mut source);
    let mut net: Mlp<Const<3>, Const<2>, f64> = Mlp::new(&mut source, Const, &[], Const, Activation::Relu);
    let (weight, bias) = (layer.weight.clone().realize().unwrap(), layer.bias.clone().realize().unwrap());
    net.layers = vec![Linear { weight, bias }];
    let x: Tensor<Rank3<2, 4, 3>, f64> = source.normal(Default::default(), 1.0);
    let whole: Tensor<Rank3<2, 4, 2>, f64> = layer.forward(&x);
    assert_eq!(net.forward(&x), whole);
    let rows: Tensor<Rank2<8, 2>, f64> = layer.forward(x.clone().reshape::<Rank2<8, 3>>());
    assert_eq!(rows.to_vec(), whole.to_vec());
    let last: Tensor<Rank1<2>, f64> =
        layer.forward(x.slice::<Rank3<1, 1, 3>>(&[1..2, 3..4, 0..3]).reshape::<Rank1<3>>());
    // A product with a vector may add its terms in another order.
    let distance = last.to_vec().iter().zip(&whole.to_vec()[14..]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(distance < 1e-15, "{distance}");
}

#[test]
fn an_input_of_another_size_is_an_error_with_the_layers_sizes_and_the_inputs_shape() {
    let mut source = init::<f64>(5);
    let x = Tensor::<(usize, usize), f64>::full_like(0.0, (7, 4));
    let layer = Linear::<usize, usize, f64>::new(&mut source, 3, 2);
    let error = layer.try_forward_with(&x, Activation::Relu).unwrap_err().to_string();
    assert!(error.starts_with("Linear: ") && error.contains("[7, 4]") && error.contains("[3, 2]"), "{error}");
    let net: Mlp<usize, usize, f64> = Mlp::new(&mut source, 3, &[9], 2, Activation::Relu);
    let error = net.try_forward(&x).unwrap_err().to_string();
    assert!(error.starts_with("Mlp: ") && error.contains("[7, 4]") && error.contains("[3, 2]"), "{error}");
}

#[test]
fn tensors_are_named_by_their_place() {
    let mut source = init::<f64>(6);
    let net: Mlp<Const<3>, Const<2>, f64> = Mlp::new(&mut source, Const, &[4], Const, Activation::Tanh);
    assert_eq!(names(&net), ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]);
    let sizes: Vec<Vec<usize>> = tensors(&net).into_iter().map(|(_, dims, _)| dims).collect();
    assert_eq!(sizes, [vec![3, 4], vec![4], vec![4, 2], vec![2]]);
    let net = Dfdx::<(d::Linear<4, 8>, d::ReLU, (d::LayerNorm1D<8>, d::Linear<8, 2>))>::build(&mut source);
    let expected = ["0.weight", "0.bias", "2.0.gamma", "2.0.beta", "2.1.weight", "2.1.bias"];
    assert_eq!(names(&net), expected);
}

#[test]
fn the_seed_decides_the_initial_values() {
    type Net = (d::Linear<4, 8>, d::Tanh, d::Linear<8, 2>);
    let ours = |seed| tensors(&Mlp::<_, _, f64>::new(&mut init(seed), 3, &[4], 2, Activation::Tanh));
    let theirs = |seed| tensors(&Dfdx::<Net>::build(&mut init::<f64>(seed)));
    assert_eq!(ours(7), ours(7));
    assert_eq!(theirs(7), theirs(7));
    for ((_, _, a), (name, _, b)) in ours(7).iter().chain(&theirs(7)).zip(ours(8).iter().chain(&theirs(8))) {
        assert!(a.iter().zip(b).all(|(a, b)| a != b), "{name}");
    }
}

#[test]
fn initial_weights_have_the_scale_of_their_scheme() {
    const I: usize = 300;
    const O: usize = 200;
    let gain = Initialise::gain(Activation::Relu);
    let (fan_in, fans) = (I as f64, (I + O) as f64);
    let schemes = [
        (Initialise::Uniform, 1.0 / (3.0 * fan_in), Some(1.0 / fan_in.sqrt())),
        (Initialise::XavierUniform { gain }, 4.0 / fans, Some((12.0 / fans).sqrt())),
        (Initialise::XavierNormal { gain }, 4.0 / fans, None),
        (Initialise::KaimingUniform { gain }, 2.0 / fan_in, Some((6.0 / fan_in).sqrt())),
        (Initialise::KaimingNormal { gain }, 2.0 / fan_in, None),
    ];
    for (scheme, variance, bound) in schemes {
        let layer = Linear::<Const<I>, Const<O>, f64>::build(&mut init(9));
        let layer = layer.initialised(&mut init(10), scheme, Initialise::Constant(0.25));
        let weights = layer.weight.to_vec();
        let found = weights.iter().map(|w| w * w).sum::<f64>() / weights.len() as f64;
        // 60 000 draws: the standard error of the ratio is at most √(2 / 60 000) = 0.0058, so 0.03
        // is over five of them: a false alarm in fewer than one of 10⁶ seeds.
        assert!((found / variance - 1.0).abs() < 0.03, "{scheme:?}: variance {found}, not {variance}");
        assert!(bound.is_none_or(|bound| weights.iter().all(|w| w.abs() <= bound)), "{scheme:?}");
        assert_eq!(layer.bias.to_vec(), vec![0.25; O]);
    }
    let bare = Linear::<usize, usize, f64>::new(&mut init(11), 0, 2);
    assert!(bare.bias.to_vec().iter().all(|b| b.is_finite()));
}

#[test]
fn a_clone_shares_the_data_until_one_is_updated() {
    let address = |net: &Linear<usize, usize, f64>| net.weight.read(|values| values.as_ptr());
    let mut net = Linear::new(&mut init::<f64>(12), 2, 2);
    let copy = net.clone();
    assert_eq!(address(&net), address(&copy));
    let before = copy.weight.to_vec();
    net.weight = net.weight.tracked();
    let (_, mut grads) = grad(|| net.weight.square().sum_all());
    net.each_mut("", &mut |_, t| t.update(&mut grads, &mut |w, _| w.fill(3.0)).unwrap());
    assert_eq!((net.weight.to_vec(), copy.weight.to_vec()), (vec![3.0; 4], before));
}

#[test]
fn gradients_of_dfdx_modules_are_the_differences() {
    // Layer normalisation and softmax use a tensor twice, each time with a fresh tape.
    type Net = (d::Linear<3, 4>, d::LayerNorm1D<4>, d::Tanh, d::Linear<4, 2>, d::Softmax);
    let mut source = init::<f64>(13);
    let net = Dfdx::<Net>::build(&mut source);
    let x: Tensor<Rank2<5, 3>, f64> = source.normal(Default::default(), 1.0);
    let weights: Tensor<Rank2<5, 2>, f64> = source.normal(Default::default(), 1.0);
    let checked = check_gradient(net, x, |net, x| (net.forward(x) * &weights).sum_all());
    assert_eq!(checked, 16 + 8 + 10 + 15);
}

#[test]
fn a_constant_dfdx_module_records_nothing_for_constant_inputs() {
    let net = Dfdx::<d::Linear<3, 2>>::build(&mut init::<f64>(14));
    let y: Tensor<Rank1<2>, f64> = net.forward(Tensor::<Rank1<3>, f64>::ones());
    assert!(!y.is_tracked());
    let y: Tensor<Rank1<2>, f64> = net.forward(Tensor::<Rank1<3>, f64>::ones().tracked());
    assert!(y.is_tracked());
}

/// Gradient descent on a dfdx network in a store, as an optimiser does it: x in a line learns to
/// be (2x, 1 − x).
#[test]
fn a_dfdx_network_in_a_store_learns_a_known_function() {
    type Net = (d::Linear<1, 16>, d::ReLU, d::Linear<16, 2>);
    const N: usize = 32;
    let points: Vec<f32> = (0..N).map(|i| i as f32 / N as f32).collect();
    let targets: Vec<f32> = points.iter().flat_map(|x| [2.0 * x, 1.0 - x]).collect();
    let x = Tensor::<Rank2<N, 1>>::from_vec(points, Default::default());
    let y = Tensor::<Rank2<N, 2>>::from_vec(targets, Default::default());
    let mut store = ParamStore::new(15);
    let mut losses = Vec::new();
    for _ in 0..500 {
        let mut prior = Prior::seeded(0);
        let (loss, mut grads) = grad(|| {
            let mut params = Params::new(&mut store, &mut prior);
            let net = module(&mut params, Address::fixed("net"), Dfdx::<Net>::build);
            (net.forward(&x) - &y).square().mean_all()
        });
        losses.push(loss.item());
        store.each_tensor_mut(|_, tensor| {
            let step = &mut |w: &mut [f32], g: &mut [f32]| w.iter_mut().zip(g).for_each(|(w, g)| *w -= 0.2 * *g);
            tensor.update(&mut grads, step).unwrap();
        });
        assert_eq!(Handler::<f32, Cpu>::context(&mut prior).take_error(), None);
    }
    assert!(losses[0] > 0.1 && losses[499] < 1e-3, "from {} to {}", losses[0], losses[499]);
    let mut names = Vec::new();
    store.each_tensor(|name, _| names.push(name.to_owned()));
    assert_eq!(names, ["net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"]);
}

#[test]
fn running_statistics_of_dfdx_are_kept_but_never_updated() {
    let mut net = Dfdx::<d::BatchNorm2D<3>>::build(&mut init::<f64>(16));
    assert_eq!(names(&net), ["scale", "bias", "running_mean", "running_var"]);
    let (_, mut grads) = grad(|| Tensor::<(), f64>::scalar(0.0).tracked() * 1.0);
    let mut updated = Vec::new();
    net.each_mut("", &mut |name, t| t.update(&mut grads, &mut |_, _| updated.push(name.to_owned())).unwrap());
    assert_eq!(updated, ["scale", "bias"]);
}
