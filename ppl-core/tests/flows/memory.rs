//! What a flow remembers of the last pair that it mapped, and when it does not.

use ppl_core::autodiff::{grad, no_grad};
use ppl_core::flows::{AffineAutoregressive, Flow};
use ppl_core::params::{ErasedModule, Init};
use ppl_core::rng::Rng;
use ppl_core::transform::Transform;
use ppl_core::{Cpu, Tensor};

use crate::table::{Row, alter, flow, rows, wide};

type Iaf = AffineAutoregressive<f64, Cpu>;

fn iaf() -> Iaf {
    AffineAutoregressive::new(&mut Init::new(Rng::seed(4)), 4, &[8])
}

/// The origin that comes back is the very tensor that was mapped, digit for digit.
#[test]
fn the_way_back_from_a_draw_is_remembered() {
    let (flow, x) = (iaf(), rows::<f64>(20));
    let y = flow.forward(x.clone());
    assert_eq!(wide(&flow.inverse(y.clone())), wide(&x));
    // Computed anew, the last digits differ somewhere.
    assert_ne!(wide(&flow.clone().inverse(y)), wide(&x));
}

#[test]
fn the_way_back_is_computed_for_an_equal_tensor_that_is_another() {
    let (flow, x) = (iaf(), rows::<f64>(20));
    let y = flow.forward(x.clone());
    let other = Tensor::vector(y.to_vec());
    assert_eq!(wide(&flow.inverse(other)), wide(&flow.clone().inverse(y)));
}

/// The gradient of the way back in the image itself.
fn slope_in_image(flow: &Iaf, y: &Row<f64>) -> Vec<f64> {
    let leaf = y.tracked();
    let (_, grads) = grad(|| flow.inverse(leaf.clone()).sum_all());
    wide(&grads.get(&leaf).expect("a leaf"))
}

#[test]
fn a_draw_that_becomes_a_leaf_is_mapped_back_with_its_gradient() {
    let (flow, x) = (iaf(), rows::<f64>(2));
    let y = flow.forward(x);
    let found = slope_in_image(&flow, &y);
    assert_eq!(found, slope_in_image(&flow.clone(), &y));
    assert!(found.iter().all(|g| *g != 0.0));
}

/// The gradient in the first weight of ln p(y) − ln |det J| for a y that was drawn elsewhere.
fn slope_in_weights(flow: &dyn Flow<f64, Cpu>, y: &Row<f64>) -> Vec<f64> {
    let mut flow = flow.copied();
    let module: &mut dyn ErasedModule<f64, Cpu> = &mut *flow;
    module.each_mut("", &mut |_, tensor| tensor.track());
    let (_, mut grads) = grad(|| flow.inverse(y.clone()).square().sum_all());
    let mut all = Vec::new();
    let module: &mut dyn ErasedModule<f64, Cpu> = &mut *flow;
    module.each_mut("", &mut |_, t| t.update(&mut grads, &mut |_, g| all.extend_from_slice(g)).expect("a gradient"));
    all
}

/// A draw made outside of a recorder, or under another, leads nowhere on this one's tape.
#[test]
fn nothing_is_remembered_from_one_recorder_to_another() {
    let mut flow: Box<dyn Flow<f64, Cpu>> = Box::new(iaf());
    {
        let module: &mut dyn ErasedModule<f64, Cpu> = &mut *flow;
        module.each_mut("", &mut |_, tensor| tensor.track());
    }
    let x = rows::<f64>(2);
    let slopes = |draw: &dyn Fn() -> Row<f64>| {
        let outside = draw();
        let mut drawn = None;
        let (_, _) = grad(|| {
            drawn = Some(draw());
            drawn.as_ref().expect("just now").sum_all()
        });
        [outside, drawn.expect("just now")].map(|y| {
            let (_, grads) = grad(|| flow.inverse(y.clone()).sum_all());
            wide(&grads.get(&y).expect("a leaf of this recorder"))
        })
    };
    let expected = slope_in_image(&iaf(), &flow.forward(x.clone()).detach());
    for found in slopes(&|| flow.forward(x.clone())) {
        assert_eq!(found, expected);
    }
    // Nor from a pause into the recorder around it.
    let (_, grads) = grad(|| {
        let y = no_grad(|| flow.forward(x.clone()));
        let back = flow.inverse(y.clone());
        assert_ne!(wide(&back), wide(&x));
        back.sum_all()
    });
    drop(grads);
}

#[test]
fn a_detached_draw_keeps_the_gradient_of_its_density_in_the_weights() {
    let flow = iaf();
    let y = flow.forward(rows::<f64>(3)).detach();
    let slopes = slope_in_weights(&flow, &y);
    assert!(slopes.iter().any(|g| *g != 0.0));
}

#[test]
fn changed_weights_are_used() {
    let mut flow = flow::<f64>("AffineAutoregressive", 1);
    let x = rows::<f64>(3);
    let y = flow.forward(x.clone());
    alter(&mut *flow, |_, v| 0.5 * v);
    assert_ne!(wide(&flow.inverse(y.clone())), wide(&x));
    let again = flow.forward(x.clone());
    assert_ne!(wide(&again), wide(&y));
}

#[test]
fn a_stack_remembers_through_all_its_flows() {
    let (flow, x) = (flow::<f64>("Stack", 1), rows::<f64>(5));
    let y = flow.forward(x.clone());
    assert_eq!(wide(&flow.inverse(y.clone())), wide(&x));
    assert_eq!(flow.event_lens(), (4, 4));
}
