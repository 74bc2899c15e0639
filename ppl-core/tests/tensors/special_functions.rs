//! Tensor methods of special functions: gradients against finite differences, spread scalars, edges.

use crate::finite_differences::Step::{Absolute, Relative};
use crate::finite_differences::{Step, Vector, check, gradients, weigh};

type Case = (&'static str, fn(&Vector) -> Vector, Step, &'static [f64]);

const CASES: &[Case] = &[
    ("lgamma", |x| x.lgamma(), Relative, &[1e-5, 0.3, 1.0, 1.46, 2.0, 7.5, 33.0, 1e5]),
    ("lgamma below 0", |x| x.lgamma(), Absolute, &[-3.7, -0.5]),
    ("digamma", |x| x.digamma(), Relative, &[1e-5, 0.3, 1.0, 1.46, 2.0, 7.5, 33.0, 1e5]),
    ("digamma below 0", |x| x.digamma(), Absolute, &[-3.7, -0.5]),
    ("trigamma below 0", |x| x.trigamma(), Absolute, &[-3.7, -0.5]),
    ("i0e", |x| x.i0e(), Relative, &[-30.0, -0.4, 0.01, 1.0, 7.5, 33.0, 1e5]),
    ("i1e", |x| x.i1e(), Relative, &[-30.0, -0.4, 0.01, 1.0, 7.5, 33.0, 1e5]),
    ("log_i0e", |x| x.log_i0e(), Relative, &[-30.0, -0.4, 0.01, 1.0, 7.5, 33.0, 1e5]),
    ("bessel_ratio", |x| x.bessel_ratio(), Relative, &[-20.0, -0.4, 0.01, 1.0, 7.5, 18.0]),
    ("log1mexp", |x| x.log1mexp(), Relative, &[1e-10, 0.1, 0.7, 3.0, 30.0]),
    ("trigamma", |x| x.trigamma(), Relative, &[1e-5, 0.3, 1.0, 1.46, 2.0, 7.5, 33.0, 1e3]),
];

#[test]
fn functions_of_one_element_have_the_gradient_of_finite_differences() {
    for &(name, f, step, points) in CASES {
        for &x in points {
            check(name, [&[x]], step, |[x]| f(x).sum_all());
        }
    }
}

#[test]
fn functions_of_two_elements_have_the_gradient_of_finite_differences() {
    let (a, b) = ([1e-3, 0.4, 2.0, 15.0, 1e4], [7.0, 0.5, 30.0, 12.0, 0.1]);
    check("betaln", [&a, &b], Relative, |[a, b]| weigh(&a.betaln(b)));
    let (a, x) = ([1e-2, 0.4, 2.0, 15.0, 1e2, 50.0], [1e-3, 1.5, 3.0, 12.0, 120.0, 45.0]);
    check("gammainc", [&a, &x], Relative, |[a, x]| weigh(&a.gammainc(x)));
    check("gammaincc", [&a, &x], Relative, |[a, x]| weigh(&a.gammaincc(x)));
    let (x, y) = ([-2.0, 0.3, 1.0, 1e3], [0.2, 5.0, 1e-5, 0.99]);
    check("xlogy", [&x, &y], Relative, |[x, y]| weigh(&x.xlogy(y)));
    check("xlog1py", [&x, &y], Absolute, |[x, y]| weigh(&x.xlog1py(y)));
    check("logaddexp", [&x, &y], Absolute, |[a, b]| weigh(&a.logaddexp(b)));
}

#[test]
fn functions_of_three_elements_have_the_gradient_of_finite_differences() {
    let (a, b) = ([1e-2, 0.4, 2.0, 15.0, 10.0, 7.0], [2.5, 0.5, 30.0, 12.0, 0.7, 5e3]);
    let x = [0.3, 0.75, 0.05, 0.6, 0.8, 1e-3];
    check("betainc", [&a, &b, &x], Relative, |[a, b, x]| weigh(&a.betainc(b, x)));
    check("betaincc", [&a, &b, &x], Relative, |[a, b, x]| weigh(&a.betaincc(b, x)));
    check("one b", [&a, &[2.0], &x], Relative, |[a, b, x]| weigh(&a.betainc(b.at(0), x)));
}

#[test]
fn edges_have_sound_gradients() {
    const FAR: f64 = f64::INFINITY;
    let at = |x: &[f64], f: fn(&Vector, &Vector) -> Vector, y: &[f64]| gradients([x, y], |[x, y]| f(x, y).sum_all());
    assert_eq!(at(&[0.0, 0.0, 2.0], |x, y| x.xlogy(y), &[0.0, -1.0, 1.0]), [[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]);
    assert_eq!(at(&[0.0, 0.0, 2.0], |x, y| x.xlog1py(y), &[-1.0, -2.0, 0.0]), [[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]);
    assert_eq!(at(&[-FAR, -FAR, 1.0], |a, b| a.logaddexp(b), &[-FAR, 1.0, 1.0]), [[0.0, 0.0, 0.5], [0.0, 1.0, 0.5]]);
    let [of_x] = gradients([&[0.0, 1.0, 0.0, 1.0, 0.0]], |[x]| {
        let row = |values: [f64; 5]| Vector::vector(values.to_vec());
        row([2.0, 2.0, 1.0, 3.0, 0.5]).betainc(row([3.0, 3.0, 4.0, 1.0, 0.5]), x).sum_all()
    });
    assert_eq!(of_x, [0.0, 0.0, 4.0, 3.0, FAR]);
    assert_eq!(gradients([&[0.0]], |[x]| (x.i0e() + x.i1e() + x.log_i0e()).sum_all()), [[0.5]]);
}

#[test]
fn single_precision_keeps_its_digits() {
    let row = |values: [f32; 3]| ppl_core::Tensor::<_, f32>::from(values);
    let near = |found: ppl_core::Tensor<ppl_core::Rank1<3>, f32>, expected: [f64; 3]| {
        for (f, e) in found.to_vec().into_iter().zip(expected) {
            assert!((f64::from(f) - e).abs() <= 1e-7 * e.abs(), "{f} is not {e}");
        }
    };
    // Reference values: mpmath with 50 digits, at the nearest single-precision arguments.
    near(row([0.5, 30.0, 1e8]).i0e(), [0.6450352704491501, 0.0731459464822373, 3.989422809001105e-5]);
    near(row([0.5, 30.0, 1e8]).i1e(), [0.1564208031848717, 0.07191633059864755, 3.989422789053991e-5]);
    near(row([1.0e-30, 0.5, 40.0]).log1mexp(), [-69.07755278665029, -0.9327521295671886, -4.248354255291589e-18]);
    near(
        row([2.0, 0.5, 30.0]).betainc(row([3.0, 0.5, 40.0]), row([0.125, 0.75, 0.25])),
        [0.078857421875, 0.6666666666666666, 0.0006178950566166361],
    );
}
