//! `+ - * /` and negation in every combination of operands.

use crate::finite_differences::Step::{Absolute, Relative};
use crate::finite_differences::{Scalar, Vector, check, close, gradients, irregular, panic_message, weigh};
use ppl_core::autodiff::grad;
use ppl_core::{Const, Rank2, Tensor};

fn scalar(x: &Vector) -> Scalar {
    x.clone().reshape::<()>()
}

#[test]
fn two_tensors() {
    let (a, b) = ([-2.0, 0.5, 3.0, 1e3, 0.0], [1.5, -0.7, 1e-2, 20.0, 4.0]);
    check("a + b", [&a, &b], Absolute, |[a, b]| weigh(&(a + b)));
    check("a - b", [&a, &b], Absolute, |[a, b]| weigh(&(a - b)));
    check("a * b", [&a, &b], Absolute, |[a, b]| weigh(&(a * b)));
    check("a / b", [&a[..4], &b[..4]], Relative, |[a, b]| weigh(&(a / b)));
}

#[test]
fn a_scalar_tensor_on_either_side() {
    let (x, s) = (irregular(7), [0.7]);
    check("x + s", [&x, &s], Absolute, |[x, s]| weigh(&(x + scalar(s))));
    check("s + x", [&x, &s], Absolute, |[x, s]| weigh(&(scalar(s) + x)));
    check("x - s", [&x, &s], Absolute, |[x, s]| weigh(&(x - scalar(s))));
    check("s - x", [&x, &s], Absolute, |[x, s]| weigh(&(scalar(s) - x)));
    check("x * s", [&x, &s], Absolute, |[x, s]| weigh(&(x * scalar(s))));
    check("s * x", [&x, &s], Absolute, |[x, s]| weigh(&(scalar(s) * x)));
    check("x / s", [&x, &s], Relative, |[x, s]| weigh(&(x / scalar(s))));
    check("s / x", [&x, &s], Relative, |[x, s]| weigh(&(scalar(s) / x)));
    check("s / s", [&s], Absolute, |[s]| scalar(s) / scalar(s) * scalar(s));
    // A tensor of one element beside a scalar: both have one element, neither is spread.
    check("one * s", [&[2.5], &s], Absolute, |[x, s]| (x * scalar(s)).sum_all());
}

#[test]
fn a_number_on_either_side() {
    let x = irregular(5);
    check("x + 2", [&x], Absolute, |[x]| weigh(&(x + 2.0)));
    check("2 + x", [&x], Absolute, |[x]| weigh(&(2.0 + x)));
    check("x - 2", [&x], Absolute, |[x]| weigh(&(x - 2.0)));
    check("2 - x", [&x], Absolute, |[x]| weigh(&(2.0 - x)));
    check("x * 2", [&x], Absolute, |[x]| weigh(&(x * 2.0)));
    check("2 * x", [&x], Absolute, |[x]| weigh(&(2.0 * x)));
    check("x / 2", [&x], Absolute, |[x]| weigh(&(x / 2.0)));
    check("2 / x", [&x], Relative, |[x]| weigh(&(2.0 / x)));
    check("-x", [&x], Absolute, |[x]| weigh(&-x));
}

#[test]
fn values_and_references_give_the_same() {
    let a = Tensor::<_, f32>::from([1.0, 2.0]);
    let b = Tensor::<_, f32>::from([3.0, 5.0]);
    let all = [&a - &b, &a - b.clone(), a.clone() - &b, a.clone() - b.clone()];
    assert!(all.iter().all(|t| t.to_vec() == [-2.0, -3.0]));
    let numbers = [&a / 2.0, a.clone() / 2.0, 0.5 * &a, 0.5 * a.clone(), 1.5 - (1.5 - &a / 2.0)];
    assert!(numbers.iter().all(|t| t.to_vec() == [0.5, 1.0]));
    assert_eq!((-&a).to_vec(), (-a).to_vec());
}

#[test]
fn the_same_tensor_twice() {
    let x = [2.0, -3.0, 0.5];
    check("x + x", [&x], Absolute, |[x]| weigh(&(x + x)));
    check("x - x", [&x], Absolute, |[x]| weigh(&(x - x)));
    check("x * x", [&x], Absolute, |[x]| weigh(&(x * x)));
    check("x / x", [&x], Relative, |[x]| weigh(&(x / x)));
    check("x * (x * x)", [&x], Absolute, |[x]| weigh(&(x * (x * x))));
    let positive = [2.0, 0.5];
    check("xˣ", [&positive], Absolute, |[x]| weigh(&x.pow(x)));
    let [g] = gradients([&[5.0]], |[x]| (x - x.clone() + x / x.clone()).sum_all());
    assert_eq!(g, [0.0]);
}

#[test]
fn a_tensor_in_many_places_collects_every_part() {
    let x = irregular(4);
    check("many", [&x], Absolute, |[x]| {
        let y = x.sigmoid();
        let s = (&y * x).sum_all();
        weigh(&(&y * &s + x.tanh() * &y - x / (1.0 + y.square()) + s.exp() * 0.1))
    });
    let t = Scalar::scalar(1.5).tracked();
    let (value, grads) = grad(|| (0..1000).fold(Scalar::scalar(0.0), |sum, _| sum + &t));
    assert_eq!((value.item(), grads.get(&t).unwrap().item()), (1500.0, 1000.0));
}

#[test]
fn a_long_chain() {
    let [g] = gradients([&[0.3]], |[x]| (0..10_000).fold(x.clone(), |y, _| y * 1.0001).sum_all());
    close("1.0001^10000", g[0], 1.0001f64.powi(10_000));
}

#[test]
fn constants_take_no_part() {
    let (x, c) = (Scalar::scalar(3.0).tracked(), Scalar::scalar(5.0));
    let (value, grads) = grad(|| (&x * &c).exp() * 0.0 + &x * &c);
    assert_eq!(value.item(), 15.0);
    assert_eq!((grads.get(&x).unwrap().item(), grads.get(&c).unwrap().item()), (5.0, 0.0));
    assert!((&x * &c).is_tracked() && !(&c * &c).is_tracked());
    let stopped = grad(|| x.detach() * &x).1;
    assert_eq!(stopped.get(&x).unwrap().item(), 3.0);
}

#[test]
fn every_rank_joins_with_a_scalar() {
    let s = Tensor::<(), f64>::scalar(2.0);
    let values = irregular(6);
    let expected: Vec<f64> = values.iter().map(|v| 2.0 * v).collect();
    macro_rules! ranks {
        ($($shape:expr),*) => {$(
            let t = Tensor::<_, f64>::from_vec(values.clone(), $shape);
            assert_eq!(((&t * &s).to_vec(), (&s * &t).to_vec()), (expected.clone(), expected.clone()));
            assert_eq!((&t * &s).dims(), t.dims());
        )*};
    }
    ranks!((6,), (2, 3), (1, 2, 3), (1, 2, 3, 1), (1, 2, 1, 3, 1), (1, 2, 1, 3, 1, 1));
    ranks!((Const::<6>,), (2, Const::<3>), (Const::<2>, 3, 1), [6], [2, 3]);
}

#[test]
fn sizes_that_differ_at_run_time_are_told_with_both_shapes() {
    let a = Tensor::<(usize,), f64>::vector(vec![1.0, 2.0]);
    let b = Tensor::<(usize,), f64>::vector(vec![1.0, 2.0, 3.0]);
    for (name, message) in [
        ("add", panic_message(|| &a + &b)),
        ("sub", panic_message(|| &a - &b)),
        ("mul", panic_message(|| &a * &b)),
        ("div", panic_message(|| &a / &b)),
    ] {
        assert!([name, "[2]", "[3]"].iter().all(|part| message.contains(part)), "{message}");
    }
    let c = Tensor::<(usize, Const<3>), f64>::from_vec(vec![0.0; 6], (2, Const));
    let d = Tensor::<(usize, Const<3>), f64>::from_vec(vec![0.0; 3], (1, Const));
    let message = panic_message(|| c + d);
    assert!(message.contains("[2, 3]") && message.contains("[1, 3]"), "{message}");
}

#[test]
fn shapes_known_in_part_meet_through_realize() {
    let dynamic = Tensor::<(usize, Const<3>), f64>::from_vec(irregular(6), (2, Const));
    let fixed = Tensor::<Rank2<2, 3>, f64>::ones();
    let sum = dynamic.clone().realize::<Rank2<2, 3>>().unwrap() + &fixed;
    assert_eq!(sum.dims(), [2, 3]);
    let error = dynamic.realize::<Rank2<4, 3>>().unwrap_err().to_string();
    assert!(error.contains("[2, 3]") && error.contains("[4, 3]"), "{error}");
}
