//! Values and ln |det J| of Pyro, for the same weights.
//!
//! The table is made by `scripts/reference_flows.py`.

use ppl_core::backend::Backend;
use ppl_core::flows::{
    AffineAutoregressive, AffineCoupling, BatchNorm, Flow, Planar, Radial, Spline, SplineAutoregressive,
};
use ppl_core::nn::AutoregressiveNetwork;
use ppl_core::params::{ErasedModule, Init};
use ppl_core::rng::Rng;
use ppl_core::{Cpu, Dtype};
use serde_json::Value;

use crate::table::{LEN, distance, row, wide};

fn cases() -> Vec<Value> {
    let table: Value = serde_json::from_str(include_str!("../references/flows.json")).expect("the table is JSON");
    table["cases"].as_array().expect("a list").clone()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn sizes(list: &Value) -> Vec<usize> {
    numbers(list).into_iter().map(|v| v as usize).collect()
}

/// Gives a module the tensors of a case; all of them, and no other.
fn load<E: Dtype>(module: &mut dyn ErasedModule<E, Cpu>, tensors: &Value)
where
    Cpu: Backend<E>,
{
    let mut met = 0;
    module.each_mut("", &mut |name, tensor| {
        let given = &tensors[name];
        assert_eq!(sizes(&given["dims"]), tensor.dims(), "{name}");
        let values: Vec<E> = numbers(&given["values"]).into_iter().map(E::of).collect();
        tensor.set(&values).expect("as many");
        met += 1;
    });
    assert_eq!(met, tensors.as_object().expect("tensors").len());
}

fn flow<E: Dtype>(case: &Value) -> Box<dyn Flow<E, Cpu>>
where
    Cpu: Backend<E>,
{
    let init = &mut Init::<E, Cpu>::new(Rng::seed(0));
    let hidden = || sizes(&case["hidden"]);
    let (bins, bound) = (case["bins"].as_u64().unwrap_or(0) as usize, case["bound"].as_f64().unwrap_or(0.0));
    let mut flow: Box<dyn Flow<E, Cpu>> = match case["flow"].as_str().expect("a name") {
        "AffineAutoregressive" => {
            Box::new(AffineAutoregressive::new(init, LEN, &hidden()).with_order(sizes(&case["order"])))
        }
        "AffineCoupling" => Box::new(AffineCoupling::new(init, LEN, &hidden())),
        "Planar" => Box::new(Planar::new(init, LEN)),
        "Radial" => Box::new(Radial::new(init, LEN)),
        "Spline" => Box::new(Spline::with_bins(init, LEN, bins, bound)),
        "SplineAutoregressive" => {
            let flow = SplineAutoregressive::with_bins(init, LEN, &hidden(), bins, bound);
            Box::new(flow.with_order(sizes(&case["order"])))
        }
        "BatchNorm" => Box::new(BatchNorm::new(init, LEN)),
        name => panic!("no flow `{name}`"),
    };
    load(&mut *flow, &case["tensors"]);
    flow
}

fn agrees<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    let mut seen = 0;
    for (i, case) in cases().iter().enumerate().filter(|(_, case)| case["flow"] != "AutoregressiveNetwork") {
        let name = format!("case {i}, {}", case["flow"]);
        let (flow, x) = (flow::<E>(case), row::<E>(&numbers(&case["x"])));
        let y = flow.forward(x.clone());
        let off = distance(&wide(&y), &numbers(&case["y"]));
        assert!(off < tolerance, "{name}: values are off by {off}");
        let expected = numbers(&case["log_abs_det"]);
        let off = distance(&wide(&flow.log_abs_det(&x, &y)), &expected);
        assert!(off < tolerance, "{name}: ln |det J| is off by {off}");
        // The same on the way back from Pyro's values.
        let y = row::<E>(&numbers(&case["y"]));
        let back = flow.inverse(y.clone());
        let off = distance(&wide(&flow.log_abs_det(&back, &y)), &expected);
        assert!(off < 1e3 * tolerance, "{name}: ln |det J| on the way back is off by {off}");
        seen += 1;
    }
    assert_eq!(seen, 16);
}

#[test]
fn flows_agree_with_pyro() {
    agrees::<f64>(1e-11);
}

#[test]
fn flows_agree_with_pyro_in_single_precision() {
    agrees::<f32>(2e-5);
}

#[test]
fn autoregressive_networks_agree_with_pyro() {
    let cases = cases();
    let networks: Vec<&Value> = cases.iter().filter(|case| case["flow"] == "AutoregressiveNetwork").collect();
    assert_eq!(networks.len(), 3);
    for case in networks {
        let init = &mut Init::<f64, Cpu>::new(Rng::seed(0));
        let outputs = case["outputs"].as_u64().expect("a number") as usize;
        let net = AutoregressiveNetwork::new(init, LEN, &sizes(&case["hidden"]), outputs);
        let mut net = net.with_order(sizes(&case["order"]));
        load(&mut net, &case["tensors"]);
        let x = row::<f64>(&numbers(&case["x"]));
        let y = net.forward(&x.clone().reshape_like(&(x.numel() / LEN, LEN)));
        let off = distance(&y.to_vec(), &numbers(&case["y"]));
        assert!(off < 1e-13, "off by {off}");
    }
}
