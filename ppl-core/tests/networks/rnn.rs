//! The recurrent layer against `torch.nn.RNN` over packed sequences (`scripts/reference_rnn.py`).

use ppl_core::autodiff::grad;
use ppl_core::nn::{Activation, Direction, Linear, Rnn};
use ppl_core::params::Init;
use ppl_core::rng::Rng;
use ppl_core::{Const, Shape, Tensor};
use serde_json::Value;

type Layer = Rnn<Const<2>, Const<3>, f64>;
type States = Tensor<(usize, usize, Const<3>), f64>;

const LENGTHS: [usize; 3] = [4, 3, 1];

fn constant<S: Shape>(value: &Value, shape: S) -> Tensor<S, f64> {
    Tensor::from_vec(serde_json::from_value(value.clone()).expect("numbers"), shape)
}

fn tensor<S: Shape>(value: &Value, shape: S) -> Tensor<S, f64> {
    constant(value, shape).tracked()
}

#[track_caller]
fn close(found: &[f64], expected: &Value, what: &str) {
    let expected: Vec<f64> = serde_json::from_value(expected.clone()).expect("numbers");
    assert_eq!(found.len(), expected.len(), "{what}");
    let near = |(f, e): (&f64, &f64)| (f - e).abs() < 1e-12;
    assert!(found.iter().zip(&expected).all(near), "{what}: {found:?}, not {expected:?}");
}

#[test]
fn states_and_gradients_equal_torch() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../references/rnn.json")).expect("JSON");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let [relu, backward] = [case["activation"] == "relu", case["backward"] == true];
        let direction = if backward { Direction::Backward } else { Direction::Forward };
        let activation = if relu { Activation::Relu } else { Activation::Tanh };
        let parameters = &case["parameters"];
        let mut rnn = Layer::new(&mut Init::new(Rng::seed(0)), Const, Const, activation);
        rnn.input = Linear { weight: tensor(&parameters[0], (Const, Const)), bias: tensor(&parameters[1], (Const,)) };
        rnn.recurrent =
            Linear { weight: tensor(&parameters[2], (Const, Const)), bias: tensor(&parameters[3], (Const,)) };
        let x = tensor(&case["x"], (4, 3, Const::<2>));
        let initial = tensor(&case["initial"], (3, Const::<3>));
        let weights: States = constant(&case["weights"], (4, 3, Const));

        let mut states = Vec::new();
        let (_, grads) = grad(|| {
            let all = rnn.forward(&x, &initial, LENGTHS, direction);
            states = all.to_vec();
            (all * &weights).sum_all()
        });
        let what = format!("{activation:?}, {direction:?}");
        close(&states, &case["states"], &what);
        let gradients = [
            grads.get(&rnn.input.weight).unwrap().to_vec(),
            grads.get(&rnn.input.bias).unwrap().to_vec(),
            grads.get(&rnn.recurrent.weight).unwrap().to_vec(),
            grads.get(&rnn.recurrent.bias).unwrap().to_vec(),
            grads.get(&x).unwrap().to_vec(),
            grads.get(&initial).unwrap().to_vec(),
        ];
        for (k, found) in gradients.iter().enumerate() {
            close(found, &case["gradients"][k], &format!("{what}, gradient {k}"));
        }
    }
}

#[test]
fn what_padding_holds_does_not_count() {
    let rnn = Layer::new(&mut Init::new(Rng::seed(1)), Const, Const, Activation::Tanh);
    let initial = Tensor::full_like(0.0, (2, Const));
    let run = |padding: f64| {
        let x = vec![0.3, -0.2, 0.5, 0.1, 0.7, 0.4, padding, padding];
        let x = Tensor::from_vec(x, (2, 2, Const));
        rnn.forward(&x, &initial, [2, 1], Direction::Backward).to_vec()
    };
    assert_eq!(run(0.0), run(f64::NAN));
    assert_eq!(run(0.0)[9..], [0.0; 3]);
}

/// Nor in gradients, those of the input's weight with it, where 0 stands beside it.
#[test]
fn what_padding_holds_has_no_part_in_gradients() {
    let rnn = Layer::new(&mut Init::new(Rng::seed(1)), Const, Const, Activation::Tanh);
    let run = |padding: f64| {
        let mut rnn = rnn.clone();
        rnn.input.weight = rnn.input.weight.tracked();
        let x = Tensor::from_vec(vec![0.3, -0.2, 0.5, 0.1, 0.7, 0.4, padding, padding], (2, 2, Const)).tracked();
        let initial = Tensor::full_like(0.0, (2, Const));
        let (_, grads) = grad(|| rnn.forward(&x, &initial, [2, 1], Direction::Backward).square().sum_all());
        [grads.get(&rnn.input.weight).unwrap().to_vec(), grads.get(&x).unwrap().to_vec()]
    };
    let zero = run(0.0);
    assert!(zero[0].iter().all(|g| *g != 0.0) && zero[1][6..] == [0.0; 2]);
    for padding in [1e300, f64::NAN, f64::INFINITY] {
        assert_eq!(run(padding), zero);
    }
}

#[test]
#[should_panic(expected = "Rnn: a length of [5] exceeds the 4 steps")]
fn a_length_beyond_the_steps_is_refused() {
    let rnn = Layer::new(&mut Init::new(Rng::seed(0)), Const, Const, Activation::Relu);
    let x = Tensor::full_like(0.0, (4, 1, Const));
    let _ = rnn.forward(&x, &Tensor::full_like(0.0, (1, Const)), [5], Direction::Forward);
}
