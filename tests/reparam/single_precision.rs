//! Strategies and flows in `f32`, with the densities of the model in `f64`.

use ppl::infer::{LogDensity, ModelDensity};
use ppl::prelude::*;
use ppl::transform::Affine;

type Schools = Tensor<Rank1<3>>;

#[model]
fn levels(data: &Schools) {
    let scale: Tensor<()> = sample!("scale", LogNormal::new(0.0, 1.0));
    plate!("rows", 3, |_| {
        let x: Schools = sample!("x", Normal::new(Schools::full(1.5), &scale));
        sample!("y", Normal::new(x, 1.0), obs = data);
    });
}

fn normal(x: f64, loc: f64, scale: f64) -> f64 {
    -0.5 * ((x - loc) / scale).powi(2) - scale.ln() - 0.5 * std::f64::consts::TAU.ln()
}

#[test]
fn densities_are_those_of_double_precision() {
    let data = Tensor::from([0.1, 0.9, 1.7]);
    let list = Reparam::new().site("scale", TransformBase).site("x", LocScale::new(0.3));
    let mut moved = ModelDensity::new(levels.reparam(list), &data).unwrap();
    let position = [0.4_f32, -0.5, 1.0, 0.25];
    let scale = f64::from(position[0]).exp();
    let x = |d: f32| 1.5 + scale.powf(0.7) * (f64::from(d) - 0.45);
    let terms = position[1..]
        .iter()
        .zip([0.1, 0.9, 1.7])
        .map(|(&d, y)| normal(f64::from(d), 0.45, scale.powf(0.3)) + normal(y, x(d), 1.0));
    let expected = normal(f64::from(position[0]), 0.0, 1.0) + terms.sum::<f64>();
    let mut gradient = [0.0; 4];
    let found = moved.evaluate(&position, &mut gradient).unwrap();
    assert!((found - expected).abs() < 1e-5 * expected.abs(), "{found} and {expected}");

    let map = Affine::new(Tensor::vector(vec![0.5]), Tensor::vector(vec![2.0]));
    let mut plain = ModelDensity::new(levels, &data).unwrap();
    let mut through = ModelDensity::new(levels.neutra(NeuTra::new(map, 4)), &data).unwrap();
    let image = position.map(|z| 0.5 + 2.0 * z);
    let expected = plain.log_density(&image).unwrap() + 4.0 * 2.0_f64.ln();
    let found = through.evaluate(&position, &mut gradient).unwrap();
    assert!((found - expected).abs() < 1e-5 * expected.abs(), "{found} and {expected}");
}
