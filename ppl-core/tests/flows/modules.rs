//! Flows as modules: stable names, initial values from the generator, batches, and mistakes.

use ppl_core::distribution::Distribution;
use ppl_core::distributions::{Normal, TransformedDistribution};
use ppl_core::flows::{AffineAutoregressive, AffineCoupling, BatchNorm, Planar, Radial, Spline, Stack};
use ppl_core::nn::{Activation, AutoregressiveNetwork, Mlp};
use ppl_core::params::{ErasedModule, Init};
use ppl_core::rng::Rng;
use ppl_core::transform::{Permute, Transform};
use ppl_core::{Axis, Cpu, Rank2, Tensor};

#[path = "../tensors/finite_differences.rs"]
mod finite_differences;

use crate::table::{FLOWS, LEN, Row, distance, flow, rows, wide};
use finite_differences::panic_message;

fn init(seed: u64) -> Init<f64, Cpu> {
    Init::new(Rng::seed(seed))
}

/// Every tensor of a module: name and values.
fn tensors(module: &dyn ErasedModule<f64, Cpu>) -> Vec<(String, Vec<f64>)> {
    let mut all = Vec::new();
    module.each("flow", &mut |name, tensor| all.push((name.to_owned(), tensor.to_vec())));
    all
}

fn names(module: &dyn ErasedModule<f64, Cpu>) -> Vec<String> {
    tensors(module).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn names_are_stable() {
    let iaf = AffineAutoregressive::new(&mut init(0), 3, &[5, 6]);
    let layers = |of: &str| -> Vec<String> {
        (0..3).flat_map(|i| ["weight", "bias"].map(|t| format!("{of}.network.layers.{i}.{t}"))).collect()
    };
    assert_eq!(names(&iaf), layers("flow"));
    assert_eq!(names(&iaf.clone().inverse_flow()), layers("flow"));
    assert_eq!(names(&Planar::new(&mut init(0), 3)), ["flow.w", "flow.u", "flow.bias"]);
    assert_eq!(names(&Radial::new(&mut init(0), 3)), ["flow.center", "flow.alpha", "flow.beta"]);
    assert_eq!(names(&Spline::new(&mut init(0), 3)), ["flow.widths", "flow.heights", "flow.slopes"]);
    let norm = ["flow.beta", "flow.log_gamma", "flow.mean", "flow.variance"];
    assert_eq!(names(&BatchNorm::new(&mut init(0), 3)), norm);
    let stack = Stack::new().then(Planar::new(&mut init(0), 3)).then(Permute::reversed(3)).then(iaf);
    let planar = ["w", "u", "bias"].map(|t| format!("flow.0.{t}"));
    assert_eq!(names(&stack), [&planar[..], &layers("flow.2")[..]].concat());
}

#[test]
fn initial_values_come_from_the_generator() {
    for name in FLOWS {
        let of = |seed| tensors(&*flow::<f64>(name, seed));
        assert_eq!(of(3), of(3), "{name}");
        assert!(name == "Permute" || of(3) != of(4), "{name}");
    }
    assert_eq!(format!("{:?}", Permute::random(&mut init(5), 9)), format!("{:?}", Permute::random(&mut init(5), 9)));
    assert_ne!(format!("{:?}", Permute::random(&mut init(5), 9)), format!("{:?}", Permute::random(&mut init(6), 9)));
}

/// Rows do not see one another.
#[test]
fn a_batch_is_its_rows() {
    for name in FLOWS {
        let (flow, x) = (flow::<f64>(name, 2), rows::<f64>(6));
        let y = flow.forward(x.clone());
        let logs = wide(&flow.log_abs_det(&x, &y));
        for (i, row) in wide(&x).chunks(LEN).enumerate() {
            let one = Row::<f64>::vector(row.to_vec());
            let image = flow.forward(one.clone());
            let off = distance(&wide(&image), &wide(&y)[i * LEN..][..LEN]);
            // A product with a vector may add its terms in another order.
            assert!(off < 1e-13, "{name}: row {i} is off by {off}");
            assert!((flow.log_abs_det(&one, &image).item() - logs[i]).abs() < 1e-13, "{name}");
        }
    }
}

/// ln p(y) = ln p(x) − ln |det J|, whether y was drawn or given.
#[test]
fn a_flow_makes_a_distribution() {
    let iaf = AffineAutoregressive::new(&mut init(2), 2, &[8]);
    let base = Normal::filled(Rank2::<5, 2>::default(), 0.0, 1.0).to_event::<Axis<1>>();
    let dist = TransformedDistribution::new(base.clone(), iaf.clone());
    let y: Tensor<Rank2<5, 2>, f64> = dist.draw(&mut Rng::seed(1));
    let given = Tensor::from_vec(y.to_vec(), y.shape());
    let x = iaf.inverse(Tensor::vector(y.to_vec()));
    let slopes = iaf.log_abs_det(&x, &Tensor::vector(y.to_vec())).to_vec();
    let point = Tensor::from_vec(x.to_vec(), y.shape());
    let expected: Vec<f64> = base.log_prob(&point).to_vec().iter().zip(slopes).map(|(p, s)| p - s).collect();
    assert!(distance(&dist.log_prob(&y).to_vec(), &expected) < 1e-12);
    assert!(distance(&dist.log_prob(&given).to_vec(), &expected) < 1e-12);
    assert!(dist.has_rsample());
}

/// The density of a flow over two variables is one: a sum over a grid. The spline's density has kinks in
/// its slope, the others' are smooth.
#[test]
fn densities_integrate_to_one() {
    let stack = Stack::new()
        .then(AffineAutoregressive::new(&mut init(3), 2, &[8]).inverse_flow())
        .then(Permute::reversed(2))
        .then(AffineCoupling::new(&mut init(4), 2, &[8]))
        .then(Spline::new(&mut init(5), 2))
        .then(Planar::new(&mut init(6), 2))
        .then(Radial::new(&mut init(7), 2));
    const SIDE: usize = 241;
    const STEP: f64 = 0.1;
    let place = |i: usize| (i as f64 - (SIDE / 2) as f64) * STEP;
    let grid = (0..SIDE * SIDE).flat_map(|i| [place(i / SIDE), place(i % SIDE)]).collect();
    let base = Normal::filled((SIDE * SIDE, 2), 0.0, 1.0).to_event::<Axis<1>>();
    let logs = TransformedDistribution::new(base, stack).log_prob(&Tensor::from_vec(grid, (SIDE * SIDE, 2)));
    let total: f64 = logs.to_vec().into_iter().map(f64::exp).sum::<f64>() * STEP * STEP;
    assert!((total - 1.0).abs() < 2e-3, "{total}");
}

#[test]
fn one_variable_has_only_biases() {
    let flow = AffineAutoregressive::<f64>::new(&mut init(0), 1, &[3]);
    let images = flow.forward(Tensor::vector(vec![0.0, 1.0, 2.0])).to_vec();
    assert!(((images[2] - images[1]) - (images[1] - images[0])).abs() < 1e-14);
    assert!(flow.log_abs_det(&Tensor::vector(vec![5.0]), &Tensor::vector(vec![0.0])).item().is_finite());
}

#[test]
fn mistakes_are_named_with_both_sizes() {
    let wrong = [
        (panic_message(|| flow::<f64>("Planar", 0).forward(Row::<f64>::vector(vec![0.0; 7]))), ["Planar: 7", "of 4"]),
        (panic_message(|| AffineCoupling::new(&mut init(0), 1, &[])), ["rows of 1", "0 cannot stay"]),
        (
            panic_message(|| AffineAutoregressive::new(&mut init(0), 3, &[]).with_order(vec![0, 0, 1])),
            ["[0, 0, 1]", "3 variables"],
        ),
        (
            panic_message(|| AffineAutoregressive::with_network(AutoregressiveNetwork::new(&mut init(0), 3, &[], 3))),
            ["3 outputs", "instead of 2"],
        ),
        (
            panic_message(|| {
                let network = Mlp::new(&mut init(0), 2, &[], 3, Activation::Relu);
                AffineCoupling::new(&mut init(0), 4, &[]).with_network(network)
            }),
            ["(2, 3)", "(2, 4)"],
        ),
        (panic_message(|| Spline::with_bins(&mut init(0), 3, 1, 3.0)), ["1 bins", "2 to 500"]),
        (
            panic_message(|| Stack::new().then(Planar::new(&mut init(0), 3)).then(Permute::reversed(2))),
            ["Permute has rows of 2", "of 3"],
        ),
        (
            panic_message(|| {
                let net = AutoregressiveNetwork::<f64>::new(&mut init(0), 3, &[], 1);
                net.forward(&Tensor::full_like(0.0, (2, 4)))
            }),
            ["[2, 4]", "[2, 3]"],
        ),
    ];
    for (message, words) in wrong {
        assert!(words.iter().all(|word| message.contains(word)), "{message:?} lacks one of {words:?}");
    }
}
