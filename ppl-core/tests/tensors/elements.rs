//! Functions of single elements: gradients against finite differences, and soundness at the edges.

use crate::finite_differences::Step::{Absolute, Relative};
use crate::finite_differences::{Step, Vector, check, close, gradients, weigh};
use ppl_core::autodiff::grad;
use ppl_core::{Axis, Tensor};

const INF: f64 = f64::INFINITY;

type Case = (&'static str, fn(&Vector) -> Vector, Step, &'static [f64]);

const CASES: &[Case] = &[
    ("exp", |x| x.exp(), Absolute, &[-700.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 700.0]),
    ("expm1", |x| x.expm1(), Absolute, &[-40.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 700.0]),
    ("ln", |x| x.ln(), Relative, &[1e-300, 1e-9, 0.5, 1.0, 3e5, 1e300]),
    ("log1p", |x| x.log1p(), Absolute, &[-0.5, -1e-10, 0.0, 1e-10, 2.0, 1e3]),
    ("softplus", |x| x.softplus(), Absolute, &[-800.0, -20.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 20.0, 800.0]),
    ("sigmoid", |x| x.sigmoid(), Absolute, &[-800.0, -20.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 20.0, 800.0]),
    ("log_sigmoid", |x| x.log_sigmoid(), Absolute, &[-800.0, -20.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 20.0, 800.0]),
    ("tanh", |x| x.tanh(), Absolute, &[-20.0, -1.0, -1e-9, 0.0, 0.3, 20.0]),
    ("relu", |x| x.relu(), Absolute, &[-3.0, -0.01, 0.01, 1e6]),
    ("square", |x| x.square(), Absolute, &[-3.0, 0.0, 1e-9, 1e4]),
    ("sqrt", |x| x.sqrt(), Relative, &[1e-200, 1e-10, 0.7, 1e10]),
    ("recip", |x| x.recip(), Relative, &[-1e10, -1e-10, 0.3, 1e8]),
    ("abs", |x| x.abs(), Absolute, &[-2.0, -0.1, 0.1, 1e6]),
    ("sin", |x| x.sin(), Absolute, &[-10.0, -1.0, 0.0, 1e-9, 2.0]),
    ("cos", |x| x.cos(), Absolute, &[-10.0, -1.0, 0.0, 1e-9, 2.0]),
    ("powi(3)", |x| x.powi(3), Relative, &[-2.0, -1e-3, 0.5, 1e5]),
    ("powi(-2)", |x| x.powi(-2), Relative, &[-2.0, -1e-3, 0.5, 1e5]),
    ("powi(1)", |x| x.powi(1), Absolute, &[-2.0, 0.0, 0.5]),
    ("powi(0)", |x| x.powi(0), Absolute, &[-2.0, 0.0, 0.5]),
    ("powf(2.5)", |x| x.powf(2.5), Relative, &[1e-3, 1.0, 70.0]),
    ("powf(-1.5)", |x| x.powf(-1.5), Relative, &[1e-3, 1.0, 70.0]),
    ("powf(0)", |x| x.powf(0.0), Absolute, &[0.01, 0.0, 1.0]),
    ("clamp", |x| x.clamp(-1.0, 2.0), Absolute, &[-1e6, -1.1, -0.9, 0.0, 1.9, 2.1, 1e6]),
    ("neg", |x| -x, Absolute, &[-3.0, 0.0, 1e6]),
];

#[test]
fn every_function_of_one_element_has_the_gradient_of_finite_differences() {
    for &(name, f, step, points) in CASES {
        for &x in points {
            check(name, [&[x]], step, |[x]| f(x).sum_all());
        }
    }
}

#[test]
fn a_tensor_of_many_elements_gets_each_ones_own_gradient() {
    for &(name, f, _, points) in CASES {
        // More than one block and more than one chunk, with a tail.
        let many: Vec<f64> = points.iter().copied().cycle().take(40_003).collect();
        let [all] = gradients([&many], |[x]| f(x).sum_all());
        let alone: Vec<f64> = points.iter().map(|&x| gradients([&[x]], |[x]| f(x).sum_all())[0][0]).collect();
        for (k, g) in all.iter().enumerate() {
            assert_eq!(*g, alone[k % points.len()], "{name} at element {k}");
        }
    }
}

#[test]
fn functions_of_two_elements_have_the_gradient_of_finite_differences() {
    let (a, b) = ([-2.0, 0.5, 3.0, 1e3], [1.5, -0.7, 1e-2, 20.0]);
    check("maximum", [&a, &b], Absolute, |[a, b]| weigh(&a.maximum(b)));
    check("minimum", [&a, &b], Absolute, |[a, b]| weigh(&a.minimum(b)));
    check("maximum of a number", [&a], Absolute, |[a]| weigh(&a.maximum(1.0)));
    check("select", [&a, &b], Absolute, |[a, b]| weigh(&a.select(&[true, false, false, true], b)));
    check("lerp", [&a, &b], Absolute, |[a, b]| weigh(&a.lerp(b, b.tanh())));
    check("lerp by a number", [&a, &b], Absolute, |[a, b]| weigh(&a.lerp(b, 0.3)));
    check("select a number", [&a], Absolute, |[a]| weigh(&a.select(&[true, false, false, true], 7.0)));
    let (base, exponent) = ([0.3, 1.0, 2.5, 9.0], [1.5, -0.7, 1e-2, 2.0]);
    check("pow", [&base, &exponent], Relative, |[a, b]| weigh(&a.pow(b)));
}

#[test]
fn scalar_arguments_are_spread_and_collect_the_whole_gradient() {
    let (a, s) = ([-2.0, 0.5, 3.0], [0.7]);
    let scalar = |s: &Vector| s.clone().reshape::<()>();
    check("maximum", [&a, &s], Absolute, |[a, s]| weigh(&a.maximum(scalar(s))));
    check("select", [&a, &s], Absolute, |[a, s]| weigh(&a.select(&[true, false, false], scalar(s))));
    check("spread", [&s], Absolute, |[s]| weigh(&scalar(s).spread((5,))));
    let base = [0.3, 1.0, 2.5];
    check("pow", [&base, &s], Relative, |[a, s]| weigh(&a.pow(scalar(s))));
}

#[test]
fn ties_share_the_gradient() {
    let x = [2.0, -1.0];
    for f in [|a: &Vector, b: &Vector| a.maximum(b).sum_all(), |a: &Vector, b: &Vector| a.minimum(b).sum_all()] {
        let [a, b] = gradients([&x, &x], |[a, b]| f(a, b));
        assert_eq!((a, b), (vec![0.5, 0.5], vec![0.5, 0.5]));
        let [twice] = gradients([&x], |[a]| f(a, a));
        assert_eq!(twice, [1.0, 1.0]);
    }
}

#[test]
fn kinks_and_bounds_have_their_documented_derivatives() {
    let at = |f: fn(&Vector) -> Vector, x: f64| gradients([&[x]], |[x]| f(x).sum_all())[0][0];
    assert_eq!(at(|x| x.relu(), 0.0), 0.0);
    assert_eq!(at(|x| x.abs(), 0.0), 0.0);
    assert_eq!(at(|x| x.clamp(-1.0, 2.0), -1.0), 1.0);
    assert_eq!(at(|x| x.clamp(-1.0, 2.0), 2.0), 1.0);
    assert_eq!(at(|x| x.clamp(3.0, 3.0), 3.0), 1.0);
    assert_eq!(at(|x| x.sqrt(), 0.0), INF);
    assert_eq!(at(|x| x.pow(0.0), 0.0), 0.0);
}

#[test]
fn a_power_of_zero_has_a_finite_gradient() {
    let [base, exponent] = gradients([&[0.0, 0.0, 2.0], &[0.0, 2.0, 0.0]], |[a, b]| a.pow(b).sum_all());
    assert_eq!(base, [0.0, 0.0, 0.0]);
    close("d/d exponent of 2⁰", exponent[2], std::f64::consts::LN_2);
    assert_eq!(exponent[..2], [0.0, 0.0]);
}

#[test]
fn select_keeps_the_branch_not_taken_out_of_the_gradient() {
    let x = [0.0, 2.0];
    let [g] = gradients([&x], |[x]| x.ln().select(&[false, true], 0.0).sum_all());
    assert_eq!(g, [0.0, 0.5]);
    let [g] = gradients([&[-1.0, 4.0]], |[x]| x.select(&[true, false], x.sqrt()).sum_all());
    assert_eq!(g, [1.0, 0.25]);
}

#[test]
fn saturated_functions_are_finite_and_exact() {
    // e⁻¹⁰⁰ = 4e-44 is below what the exponential for f32 resolves, and counts as 0.
    let x = Tensor::<_, f32>::from([-100.0, 100.0, -800.0, 800.0]);
    assert_eq!(x.log_sigmoid().to_vec(), [-100.0, 0.0, -800.0, 0.0]);
    assert_eq!(x.softplus().to_vec(), [0.0, 100.0, 0.0, 800.0]);
    assert_eq!(x.sigmoid().to_vec(), [0.0, 1.0, 0.0, 1.0]);
    let y = Tensor::<_, f64>::from([-800.0, 800.0, -INF, INF]);
    assert_eq!(y.softplus().to_vec(), [0.0, 800.0, 0.0, INF]);
    assert_eq!(y.sigmoid().to_vec(), [0.0, 1.0, 0.0, 1.0]);
    assert_eq!(y.log_sigmoid().to_vec(), [-800.0, 0.0, -INF, 0.0]);
    let [g] = gradients([&[-800.0, 800.0]], |[x]| (x.softplus() + x.log_sigmoid() + x.sigmoid()).sum_all());
    assert_eq!(g, [1.0, 1.0]);
}

#[test]
fn expm1_and_log1p_are_exact_near_zero() {
    for x in [1e-18, -1e-18, 1e-300, 0.0] {
        let t = Tensor::<(), f64>::from(x);
        assert_eq!((t.expm1().item(), t.log1p().item()), (x, x));
    }
    let x = Tensor::<(), f32>::from(1e-9f32);
    assert_eq!((x.expm1().item(), x.log1p().item()), (1e-9, 1e-9));
    let y = Tensor::<_, f64>::from([-1.0, INF, -INF]);
    assert_eq!(y.log1p().to_vec()[..2], [-INF, INF]);
    assert_eq!(y.expm1().to_vec()[2], -1.0);
}

#[test]
fn nan_is_never_hidden() {
    let x = Tensor::<_, f64>::from([f64::NAN, 1.0]);
    let y = Tensor::<_, f64>::from([1.0, f64::NAN]);
    let all = [x.relu(), x.clamp(0.0, 1.0), x.softplus(), x.sigmoid(), x.abs(), x.maximum(0.0), x.minimum(0.0)];
    assert!(all.iter().all(|t| t.to_vec()[0].is_nan()), "{all:?}");
    assert!(x.maximum(&y).to_vec().iter().chain(&x.minimum(&y).to_vec()).all(|v| v.is_nan()));
    let x = Tensor::<_, f32>::from([f32::NAN]);
    let all = [
        x.relu(),
        x.softplus(),
        x.sigmoid(),
        x.log_sigmoid(),
        x.tanh(),
        x.logsumexp::<(), Axis<0>>().spread(x.shape()),
    ];
    assert!(all.iter().all(|t| t.to_vec()[0].is_nan()), "{all:?}");
}

#[test]
fn tensors_without_elements_pass_through() {
    let x = Vector::vector(vec![]).tracked();
    let s = Tensor::<(), f64>::scalar(2.0).tracked();
    let (value, grads) = grad(|| (x.exp() * &s + x.maximum(&s)).select(&[], 1.0).sum_all());
    assert_eq!(value.item(), 0.0);
    assert_eq!((grads.get(&x).unwrap().numel(), grads.get(&s).unwrap().item()), (0, 0.0));
}

#[test]
fn mismatches_are_told_with_both_shapes() {
    let a = Tensor::<_, f64>::from_vec(vec![0.0; 6], (2, 3));
    let b = Tensor::<_, f64>::from_vec(vec![0.0; 6], (3, 2));
    let mask = [true; 6];
    type Matrix = Tensor<(usize, usize), f64>;
    let wrong: [(&str, &dyn Fn(&Matrix, &Matrix) -> Matrix); 6] = [
        ("maximum", &|a, b| a.maximum(b)),
        ("minimum", &|a, b| a.minimum(b)),
        ("pow", &|a, b| a.pow(b)),
        ("lerp", &|a, b| a.lerp(b, 0.5)),
        ("lerp", &|a, b| a.lerp(0.5, b)),
        ("select", &|a, b| a.select(&mask, b)),
    ];
    for (name, f) in wrong {
        let message = crate::finite_differences::panic_message(|| f(&a, &b));
        assert!([name, "[2, 3]", "[3, 2]"].iter().all(|part| message.contains(part)), "{message}");
    }
    let message = crate::finite_differences::panic_message(|| a.select(&mask[..5], 0.0));
    assert!(message.contains("[5]") && message.contains("[2, 3]"), "{message}");
    let message = crate::finite_differences::panic_message(|| a.clamp(2.0, 1.0));
    assert!(message.contains('2') && message.contains('1'), "{message}");
}
