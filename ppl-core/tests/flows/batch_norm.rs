//! Batch normalisation: kept statistics, those of a batch, and what optimisers leave alone.

use ppl_core::autodiff::grad;
use ppl_core::flows::{BatchNorm, Flow, Planar, Stack};
use ppl_core::params::{ErasedModule, Init, ParamEntry, ParamStore};
use ppl_core::rng::Rng;
use ppl_core::transform::Transform;
use ppl_core::{Cpu, Tensor};

use crate::table::{Row, distance, row, wide};

fn init() -> Init<f64, Cpu> {
    Init::new(Rng::seed(0))
}

/// Two columns with means 2 and −1, variances 5 and 20.
fn data() -> Row<f64> {
    row(&[-1.0, -7.0, 1.0, -3.0, 3.0, 1.0, 5.0, 5.0])
}

#[test]
fn statistics_move_by_the_momentum() {
    let mut flow = BatchNorm::new(&mut init(), 2).with_momentum(0.25);
    flow.update_statistics(&data());
    assert_eq!((wide(flow.mean()), wide(flow.variance())), (vec![0.5, -0.25], vec![2.0, 5.75]));
    flow.update_statistics(&data());
    assert_eq!((wide(flow.mean()), wide(flow.variance())), (vec![0.875, -0.4375], vec![2.75, 9.3125]));
}

#[test]
fn nothing_else_moves_them() {
    let flow = BatchNorm::new(&mut init(), 2).training();
    let before = format!("{:?} {:?}", flow.mean(), flow.variance());
    flow.inverse(data());
    flow.forward(data());
    assert_eq!(before, format!("{:?} {:?}", flow.mean(), flow.variance()));
}

#[test]
fn in_training_the_way_back_standardises_the_batch() {
    let flow = BatchNorm::new(&mut init(), 2).training();
    let x = wide(&flow.inverse(data()));
    for column in 0..2 {
        let values: Vec<f64> = x.iter().skip(column).step_by(2).copied().collect();
        let mean = values.iter().sum::<f64>() / 4.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4.0;
        assert!(mean.abs() < 1e-14 && (variance - 1.0).abs() < 1e-5, "{mean} {variance}");
    }
    let expected = 0.5 * (5.0f64 + 1e-5).ln() + 0.5 * (20.0f64 + 1e-5).ln();
    // Remembered from the way back, and computed anew.
    for flow in [flow.copied(), Box::new(flow)] {
        let origin = flow.inverse(data());
        let logs = wide(&flow.log_abs_det(&origin, &data()));
        assert!(distance(&logs, &[expected; 4]) < 1e-14, "{logs:?}");
    }
    // A single row has no variance; the kept statistics serve.
    let flow = BatchNorm::<f64>::new(&mut init(), 2).training();
    assert!(distance(&wide(&flow.inverse(row(&[3.0, 4.0]))), &[3.0, 4.0]) < 1e-4);
}

/// Gradients flow through the statistics of a batch: the sum of standardised numbers does not move.
#[test]
fn gradients_flow_through_the_statistics_of_a_batch() {
    let flow = BatchNorm::new(&mut init(), 2).training();
    let leaf = data().tracked();
    let (_, grads) =
        grad(|| (flow.inverse(leaf.clone()) * row::<f64>(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0])).sum_all());
    assert!(wide(&grads.get(&leaf).expect("a leaf")).iter().all(|g| g.abs() < 1e-14));
}

/// Parameters learn, statistics do not, and both are kept in a store under their names.
#[test]
fn optimisers_leave_statistics_alone() {
    let mut flow = BatchNorm::new(&mut init(), 2);
    flow.update_statistics(&data());
    let mut store = ParamStore::<f64, Cpu>::new(0);
    store.insert("norm", ParamEntry::new(Box::new(flow), None));
    let norm: BatchNorm<f64> = store.get("norm").expect("it is there");
    let (_, mut grads) = grad(|| norm.inverse(data()).square().sum_all());
    let mut updated = Vec::new();
    store.each_tensor_mut(|name, tensor| {
        let step = &mut |_: &mut [f64], _: &mut [f64]| updated.push(name.to_owned());
        tensor.update(&mut grads, step).expect("a gradient");
    });
    assert_eq!(updated, ["norm.beta", "norm.log_gamma"]);
    let mut all = Vec::new();
    store.each_tensor(|name, _| all.push(name.to_owned()));
    assert_eq!(all, ["norm.beta", "norm.log_gamma", "norm.mean", "norm.variance"]);
}

/// Each layer of a stack is given what it sees of the data.
#[test]
fn a_stack_updates_its_layers() {
    let mut source = init();
    let planar = Planar::new(&mut source, 2);
    let norm = || BatchNorm::new(&mut init(), 2).with_momentum(1.0);
    let mut stack = Stack::new().then(norm()).then(planar.clone()).then(norm());
    stack.update_statistics(&data());
    let mut last = norm();
    let between = planar.inverse(last.inverse(data()));
    last.update_statistics(&data());
    let mut first = norm();
    first.update_statistics(&between);
    let mut kept = Vec::new();
    stack.each("", &mut |name, tensor| {
        if name.ends_with("mean") || name.ends_with("variance") {
            kept.push(tensor.to_vec());
        }
    });
    let expected = [first.mean(), first.variance(), last.mean(), last.variance()].map(wide);
    assert_eq!(kept, expected);
    stack.set_training(true);
    let x = wide(&stack.inverse(data()));
    let mean: f64 = x.iter().step_by(2).sum::<f64>() / 4.0;
    assert!(mean.abs() < 1e-13, "{mean}");
    let _: Tensor<(usize,), f64> = stack.log_abs_det(&row(&x), &data());
}
