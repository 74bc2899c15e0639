//! Tensor methods of special functions: gradients against finite differences, spread scalars, edges.

mod finite_differences;

use finite_differences::Step::{Absolute, Relative};
use finite_differences::{Step, Vector, check, weigh};

type Case = (&'static str, fn(&Vector) -> Vector, Step, &'static [f64]);

const CASES: &[Case] = &[
    ("lgamma", |x| x.lgamma(), Relative, &[1e-5, 0.3, 1.0, 1.46, 2.0, 7.5, 33.0, 1e5]),
    ("lgamma below 0", |x| x.lgamma(), Absolute, &[-3.7, -0.5]),
    ("digamma", |x| x.digamma(), Relative, &[1e-5, 0.3, 1.0, 1.46, 2.0, 7.5, 33.0, 1e5]),
    ("digamma below 0", |x| x.digamma(), Absolute, &[-3.7, -0.5]),
    ("trigamma below 0", |x| x.trigamma(), Absolute, &[-3.7, -0.5]),
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
}
