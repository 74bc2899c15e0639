//! Models with no plate up to three, nested and side by side, with gradients in their parameters.

use ppl::prelude64::*;

use crate::brute_force::{agrees, site};

type Scalar = Tensor<()>;
type Vector = Tensor<(usize,)>;
type Matrix = Tensor<(usize, usize)>;

/// Logits of three values that a parameter bends.
fn three(bend: &Scalar, by: f64) -> Tensor<Rank1<3>> {
    let bend = (bend * by).expand::<Rank1<3>>((Const::<3>,));
    Tensor::<Rank1<3>>::from([0.3, -0.2, 0.5]) + bend * Tensor::from([1.0, -0.5, 0.25])
}

/// Numbers of a categorical value.
fn number(value: &Tensor<(), usize>) -> f64 {
    value.to_vec()[0] as f64
}

#[model]
fn alone() {
    let bend: Scalar = param!("bend", Tensor::scalar(0.4));
    let a: Tensor<(), usize> = sample!("a", Categorical::from_logits(three(&bend, 1.0)), enumerate);
    let b: Scalar = sample!("b", Bernoulli::from_logits(&bend * (number(&a) - 0.7)), enumerate);
    sample!("y", Normal::new(&b * 1.5 + &bend * number(&a), 0.8), obs = Tensor::scalar(0.9));
}

#[test]
fn sites_without_plates() {
    assert_eq!(agrees(alone, (), &[site("a", 1, 3), site("b", 1, 2)]), 6);
}

#[model]
fn mixture(y: &Vector) {
    let bend: Scalar = param!("bend", Tensor::scalar(0.4));
    let n = y.shape().0;
    plate!("rows", n, |_| {
        let logits = (&bend * 0.7).expand::<(usize,)>((n,));
        let z: Vector = sample!("z", Bernoulli::from_logits(logits), enumerate);
        let w: Vector = sample!("w", Bernoulli::from_logits(&z * 1.1 - 0.3), enumerate);
        sample!("y", Normal::new((&z + &w * 0.4) * bend.expand::<(usize,)>((n,)), 0.6), obs = y);
    });
}

#[test]
fn one_plate() {
    let y = Vector::vector(vec![0.3, 1.4, -0.6]);
    assert_eq!(agrees(mixture, (&y,), &[site("z", 3, 2), site("w", 3, 2)]), 4);
}

#[model]
fn shared(y: &Vector) {
    let bend: Scalar = param!("bend", Tensor::scalar(-0.3));
    let n = y.shape().0;
    let c: Tensor<(), usize> = sample!("c", Categorical::from_logits(three(&bend, 2.0)), enumerate);
    let left: Vector = plate!("rows", n, |_| {
        let logits = (&bend * number(&c)).expand::<(usize,)>((n,));
        let z: Vector = sample!("z", Bernoulli::from_logits(logits), enumerate);
        sample!("y", Normal::new(&z * (number(&c) + 0.5), 0.6), obs = y);
        z
    });
    // What leaves the plate as a number of elements is no dependence on its values.
    assert_eq!(left.numel(), n);
    plate!("more", 2, |_| {
        let v: Tensor<Rank1<2>> =
            sample!("v", Bernoulli::from_logits(Tensor::from([number(&c) - 1.0, 0.4])), enumerate);
        sample!("u", Normal::new(v + bend.expand::<Rank1<2>>((Const::<2>,)), 1.0), obs = Tensor::from([0.7, -0.9]));
    });
}

#[test]
fn plates_side_by_side_under_one_site() {
    let y = Vector::vector(vec![0.3, 1.4, -0.6]);
    // Three values of `c`, and two of `z` and `v`, which no statement sees together.
    assert_eq!(agrees(shared, (&y,), &[site("c", 1, 3), site("z", 3, 2), site("v", 2, 2)]), 6);
}

#[model]
fn nested(y: &Matrix) {
    let bend: Scalar = param!("bend", Tensor::scalar(0.5));
    let (n, m) = y.shape();
    let g: Scalar = sample!("g", Bernoulli::from_logits(&bend * 0.3), enumerate);
    plate!("outer", n, |_| {
        let logits = (&g * 0.8 - &bend).expand::<(usize,)>((n,));
        let a: Vector = sample!("a", Bernoulli::from_logits(logits), enumerate);
        plate!("inner", m, |_| {
            let rows: Matrix = a.broadcast_like::<(usize, usize), Axis<1>>(&(n, m));
            let b: Matrix = sample!("b", Bernoulli::from_logits(&rows * 0.9 - 0.2 + g.expand((n, m))), enumerate);
            let mean = (&rows * 0.5 + &b) * bend.expand::<(usize, usize)>((n, m));
            sample!("y", Normal::new(mean, 0.7), obs = y);
        });
    });
}

#[test]
fn plates_within_one_another() {
    let y = Matrix::from_vec(vec![0.3, 1.4, -0.6, 0.2, 0.8, 1.1], (2, 3));
    assert_eq!(agrees(nested, (&y,), &[site("g", 1, 2), site("a", 2, 2), site("b", 6, 2)]), 8);
}
