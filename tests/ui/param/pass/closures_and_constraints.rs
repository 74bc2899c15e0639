//! Initial values are expressions or closures, in a set or not.

use ppl::prelude::*;

#[model]
fn coin() -> f32 {
    let plain = param!("plain", Tensor::<()>::scalar(1.0));
    let made: Tensor<()> = param!("made", |init| init.constant((), 2.0));
    let inside: Tensor<()> =
        param!("inside": Tensor<()>, |init: &mut Init<f32, Cpu>| init.constant((), 3.0), constraint = Positive);
    (plain + made + inside).item()
}

pub(crate) fn main() {
    assert!((trace(&coin, (), 0).unwrap().0 - 6.0).abs() < 1e-6);
}
