//! Sums, means, log-sums and maxima: every choice of axes, ties, infinities and empty axes.

use crate::finite_differences::Step::Absolute;
use crate::finite_differences::{Vector, check, close, gradients, irregular, weigh};
use ppl_core::autodiff::grad;
use ppl_core::{Axes2, Axes3, Axis, Const, Rank1, Rank2, Rank3, Tensor};

const INF: f64 = f64::INFINITY;

type Cube = Tensor<Rank3<2, 3, 4>, f64>;

fn cube(x: &Vector) -> Cube {
    x.clone().reshape()
}

/// What a reduction over the marked axes of a 2 × 3 × 4 cube must give, element by element.
fn naive(x: &[f64], reduced: [bool; 3], join: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut columns: Vec<(Vec<usize>, Vec<f64>)> = Vec::new();
    for (n, &v) in x.iter().enumerate() {
        let index = [n / 12, n / 4 % 3, n % 4];
        let key: Vec<usize> = (0..3).filter(|&i| !reduced[i]).map(|i| index[i]).collect();
        match columns.iter_mut().find(|(k, _)| *k == key) {
            Some((_, column)) => column.push(v),
            None => columns.push((key, vec![v])),
        }
    }
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    columns.iter().map(|(_, column)| join(column)).collect()
}

fn log_sum_exp(column: &[f64]) -> f64 {
    column.iter().map(|v| v.exp()).sum::<f64>().ln()
}

macro_rules! over_axes {
    ($name:ident, $R:ty, $Ax:ty, $reduced:expr) => {
        #[test]
        fn $name() {
            let x = irregular(24);
            let t = cube(&Vector::vector(x.clone()));
            let same = |what: &str, found: Vec<f64>, join: &dyn Fn(&[f64]) -> f64| {
                let expected = naive(&x, $reduced, join);
                assert_eq!(found.len(), expected.len(), "{what}");
                found.iter().zip(&expected).for_each(|(f, e)| close(what, *f, *e));
            };
            same("sum", t.sum::<$R, $Ax>().to_vec(), &|c| c.iter().sum());
            same("mean", t.mean::<$R, $Ax>().to_vec(), &|c| c.iter().sum::<f64>() / c.len() as f64);
            same("max", t.max::<$R, $Ax>().to_vec(), &|c| c.iter().copied().fold(-INF, f64::max));
            same("logsumexp", t.logsumexp::<$R, $Ax>().to_vec(), &log_sum_exp);
            check("sum", [&x], Absolute, |[x]| weigh(&cube(x).sum::<$R, $Ax>()));
            check("mean", [&x], Absolute, |[x]| weigh(&cube(x).mean::<$R, $Ax>()));
            check("max", [&x], Absolute, |[x]| weigh(&cube(x).max::<$R, $Ax>()));
            check("logsumexp", [&x], Absolute, |[x]| weigh(&cube(x).logsumexp::<$R, $Ax>()));
        }
    };
}

over_axes!(over_the_first_axis, Rank2<3, 4>, Axis<0>, [true, false, false]);
over_axes!(over_the_middle_axis, Rank2<2, 4>, Axis<1>, [false, true, false]);
over_axes!(over_the_last_axis, Rank2<2, 3>, Axis<2>, [false, false, true]);
over_axes!(over_the_first_two_axes, Rank1<4>, Axes2<0, 1>, [true, true, false]);
over_axes!(over_the_outer_axes, Rank1<3>, Axes2<0, 2>, [true, false, true]);
over_axes!(over_the_last_two_axes, Rank1<2>, Axes2<1, 2>, [false, true, true]);
over_axes!(over_all_axes, (), Axes3<0, 1, 2>, [true, true, true]);

#[test]
fn everything_at_once() {
    let x = irregular(6);
    check("sum_all", [&x], Absolute, |[x]| x.sum_all().exp());
    check("mean_all", [&x], Absolute, |[x]| x.mean_all().exp());
    let s = Tensor::<(), f64>::scalar(3.0);
    assert_eq!((s.sum_all().item(), s.mean_all().item()), (3.0, 3.0));
}

#[test]
fn large_tensors_go_over_the_threads() {
    // More than one chunk in each of the layouts, against sums in plain f64.
    let (rows, columns) = (700, 61);
    let x = irregular(rows * columns);
    let t = Tensor::<(usize, usize), f64>::from_vec(x.clone(), (rows, columns)).tracked();
    let row = |r: usize| x[r * columns..][..columns].to_vec();
    let column = |c: usize| (0..rows).map(|r| x[r * columns + c]).collect::<Vec<_>>();
    let by_row = t.logsumexp::<(usize,), Axis<1>>().to_vec();
    let by_column = t.logsumexp::<(usize,), Axis<0>>().to_vec();
    (0..rows).for_each(|r| close("row", by_row[r], log_sum_exp(&row(r))));
    (0..columns).for_each(|c| close("column", by_column[c], log_sum_exp(&column(c))));
    let sums = (t.sum::<(usize,), Axis<1>>().to_vec(), t.sum::<(usize,), Axis<0>>().to_vec());
    (0..rows).for_each(|r| close("row", sums.0[r], row(r).iter().sum()));
    (0..columns).for_each(|c| close("column", sums.1[c], column(c).iter().sum()));
    // d/dx Σ wᵣ Σ_c x = wᵣ, and the softmax along the other axis.
    let (_, grads) = grad(|| weigh(&t.sum::<(usize,), Axis<1>>()) + t.logsumexp::<(usize,), Axis<0>>().sum_all());
    let g = grads.get(&t).unwrap().to_vec();
    for k in (0..g.len()).step_by(37) {
        let (r, c) = (k / columns, k % columns);
        close("gradient", g[k], 1.5 + (r as f64).cos() + (x[k] - by_column[c]).exp());
    }
}

#[test]
fn sums_of_f32_are_accurate() {
    let n = 10_000_000;
    let t = Tensor::<(usize,), f32>::vector(vec![0.1; n]);
    let exact = 0.1f32 as f64 * n as f64;
    assert_eq!(t.sum_all().item(), exact as f32);
    assert_eq!(t.mean_all().item(), 0.1);
    let by_row = t.reshape_like(&(10, n / 10)).sum::<(usize,), Axis<1>>();
    assert!(by_row.to_vec().iter().all(|&s| s == (exact / 10.0) as f32));
}

#[test]
fn logsumexp_is_sound_at_infinity() {
    let nothing = [-INF, -INF];
    let lse = |x: &Vector| x.logsumexp::<(), Axis<0>>();
    assert_eq!(lse(&Vector::vector(nothing.to_vec())).item(), -INF);
    assert_eq!(gradients([&nothing], |[x]| lse(x))[0], [0.0, 0.0]);
    let some = [-INF, 0.0, -INF];
    assert_eq!(lse(&Vector::vector(some.to_vec())).item(), 0.0);
    assert_eq!(gradients([&some], |[x]| lse(x))[0], [0.0, 1.0, 0.0]);
    let above = [INF, 0.0, INF, -INF];
    assert_eq!(lse(&Vector::vector(above.to_vec())).item(), INF);
    assert_eq!(gradients([&above], |[x]| lse(x))[0], [0.5, 0.0, 0.5, 0.0]);
    let far = [1e5, 1e5, -1e5];
    close("far", lse(&Vector::vector(far.to_vec())).item(), 1e5 + std::f64::consts::LN_2);
    // The shares are exact where the value is rounded to 1e-11.
    assert_eq!(gradients([&far], |[x]| lse(x))[0], [0.5, 0.5, 0.0]);
    assert!(lse(&Vector::vector(vec![f64::NAN, -INF])).item().is_nan());
    assert!(lse(&Vector::vector(vec![f64::NAN, INF])).item().is_nan());
}

#[test]
fn ties_of_a_maximum_share_the_gradient() {
    let x = [3.0, 1.0, 3.0, 3.0, 2.0, 2.0];
    let [g] = gradients([&x], |[x]| x.clone().reshape::<Rank2<2, 3>>().max::<Rank1<2>, Axis<1>>().sum_all());
    close("first", g[0], 0.5);
    assert_eq!(g, [0.5, 0.0, 0.5, 1.0, 0.0, 0.0]);
    let [all] = gradients([&[-INF, -INF]], |[x]| x.max::<(), Axis<0>>());
    assert_eq!(all, [0.5, 0.5]);
    assert!(Vector::vector(vec![1.0, f64::NAN, 2.0]).max::<(), Axis<0>>().item().is_nan());
}

#[test]
fn axes_without_elements() {
    let t = Tensor::<(usize, Const<3>), f64>::from_vec(vec![], (0, Const)).tracked();
    let (value, grads) = grad(|| t.sum::<Rank1<3>, Axis<0>>().sum_all() + t.sum_all());
    assert_eq!((value.item(), grads.get(&t).unwrap().dims()), (0.0, vec![0, 3]));
    assert_eq!(t.sum::<(usize,), Axis<1>>().numel(), 0);
    assert_eq!(t.logsumexp::<Rank1<3>, Axis<0>>().to_vec(), [-INF; 3]);
    assert_eq!(t.max::<Rank1<3>, Axis<0>>().to_vec(), [-INF; 3]);
    assert!(t.mean_all().item().is_nan());
    let (_, grads) = grad(|| t.logsumexp::<Rank1<3>, Axis<0>>().exp().sum_all());
    assert_eq!(grads.get(&t).unwrap().numel(), 0);
}
