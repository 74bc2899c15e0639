//! Broadcasting, permuting, slicing, joining, gathering and reshaping.

use crate::finite_differences::Step::Absolute;
use crate::finite_differences::{Vector, check, gradients, irregular, panic_message, weigh};
use ppl_core::autodiff::grad;
use ppl_core::ops::{concat, stack};
use ppl_core::{Axes2, Axes3, Axis, Const, Rank1, Rank2, Rank3, Tensor};

fn matrix(x: &Vector) -> Tensor<Rank2<2, 3>, f64> {
    x.clone().reshape()
}

#[test]
fn broadcast() {
    let t = Tensor::<_, f64>::from([1.0, 2.0]);
    assert_eq!(t.broadcast::<Rank2<3, 2>, Axis<0>>().array(), [[1.0, 2.0]; 3]);
    assert_eq!(t.broadcast::<Rank2<2, 3>, Axis<1>>().array(), [[1.0; 3], [2.0; 3]]);
    let s = Tensor::<(), f64>::scalar(7.0);
    assert_eq!(s.broadcast::<Rank2<2, 2>, Axes2<0, 1>>().array(), [[7.0; 2]; 2]);
    let x = irregular(6);
    check("first", [&x], Absolute, |[x]| weigh(&matrix(x).broadcast::<Rank3<4, 2, 3>, Axis<0>>()));
    check("middle", [&x], Absolute, |[x]| weigh(&matrix(x).broadcast::<Rank3<2, 4, 3>, Axis<1>>()));
    check("last", [&x], Absolute, |[x]| weigh(&matrix(x).broadcast::<Rank3<2, 3, 4>, Axis<2>>()));
    let v = Vector::vector(vec![1.0, 2.0]);
    let error = v.try_broadcast_like::<_, Axis<0>>(&(4usize, 3usize)).unwrap_err().to_string();
    assert!(error.contains("[2]") && error.contains("[4, 3]"), "{error}");
    assert_eq!(v.broadcast_like::<_, Axis<0>>(&(0usize, 2usize)).numel(), 0);
}

#[test]
fn permute() {
    let t = Tensor::<_, f64>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert_eq!(t.permute::<Rank2<3, 2>, Axes2<1, 0>>().array(), [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
    let cube = Tensor::<Rank3<2, 3, 4>, f64>::from_vec((0..24).map(f64::from).collect(), Default::default());
    let turned = cube.permute::<Rank3<4, 2, 3>, Axes3<2, 0, 1>>();
    assert_eq!(turned.array()[3][1][2], cube.array()[1][2][3]);
    let x = irregular(24);
    check("permute", [&x], Absolute, |[x]| {
        weigh(&x.clone().reshape::<Rank3<2, 3, 4>>().permute::<Rank3<4, 2, 3>, Axes3<2, 0, 1>>())
    });
}

#[test]
fn slice() {
    let t = Tensor::<_, f64>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert_eq!(t.slice::<Rank2<1, 2>>(&[1..2, 1..3]).array(), [[5.0, 6.0]]);
    assert_eq!(t.slice::<(usize, usize)>(&[1..1, 0..3]).dims(), [0, 3]);
    check("slice", [&irregular(6)], Absolute, |[x]| weigh(&matrix(x).slice::<Rank2<2, 2>>(&[0..2, 1..3])));
    let wrong = [
        (t.try_slice::<Rank2<1, 3>>(&[0..1, 0..2]).unwrap_err(), "[1, 2]", "[1, 3]"),
        (t.try_slice::<Rank2<1, 3>>(&[2..3, 0..3]).unwrap_err(), "[2, 3]", "[1, 3]"),
    ];
    for (error, left, right) in wrong {
        let text = error.to_string();
        assert!(text.contains(left) && text.contains(right), "{text}");
    }
    let text = panic_message(|| t.slice::<Rank1<1>>(std::slice::from_ref(&(0..1))));
    assert!(text.contains("[2, 3]") && text.contains("[1]"), "{text}");
}

/// Every range of every axis, those without elements among them, element by element.
#[test]
fn slices_of_all_ranges() {
    let ranges = |d: usize| (0..=d + 1).flat_map(move |start| (0..=d).map(move |end| start..end));
    for dims in [(2, 3, 2), (1, 3, 2), (3, 1, 2), (2, 2, 1), (1, 1, 3), (1, 1, 1), (0, 2, 2), (2, 0, 2), (2, 2, 0)] {
        let n = dims.0 * dims.1 * dims.2;
        let x = Tensor::<(usize, usize, usize), f64>::from_vec(irregular(n), dims).tracked();
        for (a, b, c) in ranges(dims.0).flat_map(|a| {
            ranges(dims.1).flat_map(move |b| {
                ranges(dims.2).map({
                    let a = a.clone();
                    move |c| (a.clone(), b.clone(), c)
                })
            })
        }) {
            let cells = a.clone().flat_map(|i| b.clone().map(move |j| (i, j)));
            let at: Vec<usize> =
                cells.flat_map(|(i, j)| c.clone().map(move |k| (i * dims.1 + j) * dims.2 + k)).collect();
            let what = format!("{a:?}, {b:?}, {c:?} of {dims:?}");
            let (_, grads) = grad(|| {
                let part = x.slice::<(usize, usize, usize)>(&[a.clone(), b.clone(), c.clone()]);
                assert_eq!(part.shape(), (a.len(), b.len(), c.len()), "{what}");
                assert_eq!(part.to_vec(), at.iter().map(|&i| x.to_vec()[i]).collect::<Vec<_>>(), "{what}");
                part.square().sum_all()
            });
            let expected: Vec<f64> = (0..n).map(|i| if at.contains(&i) { 2.0 * x.to_vec()[i] } else { 0.0 }).collect();
            assert_eq!(grads.get(&x).unwrap().to_vec(), expected, "{what}");
        }
    }
    let x = Tensor::<(usize,), f64>::vector(irregular(4));
    let backwards = std::ops::Range { start: 7, end: 2 };
    assert_eq!(x.slice::<(usize,)>(&[backwards]).numel(), 0);
}

#[test]
fn concatenation() {
    let a = Tensor::<_, f64>::from([[1.0, 2.0], [3.0, 4.0]]);
    let b = Tensor::<_, f64>::from([[5.0], [6.0]]);
    assert_eq!(concat::<_, _, Rank2<2, 3>, _, _>(1, &a, &b).array(), [[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]);
    let c = Tensor::<_, f64>::from([[7.0, 8.0]]);
    assert_eq!(concat::<_, _, Rank2<3, 2>, _, _>(0, &a, &c).array(), [[1.0, 2.0], [3.0, 4.0], [7.0, 8.0]]);
    let (x, y) = (irregular(6), irregular(4));
    check("axis 1", [&x, &y], Absolute, |[x, y]| {
        weigh(&concat::<_, _, Rank2<2, 5>, _, _>(1, &matrix(x), &y.clone().reshape::<Rank2<2, 2>>()))
    });
    check("axis 0", [&x], Absolute, |[x]| weigh(&concat::<_, _, Rank2<4, 3>, _, _>(0, &matrix(x), &matrix(x))));
    let text = panic_message(|| concat::<_, _, Rank2<2, 4>, _, _>(1, &a, &c));
    assert!(text.contains("[2, 2]") && text.contains("[1, 2]"), "{text}");
    let text = panic_message(|| concat::<_, _, Rank2<2, 9>, _, _>(1, &a, &b));
    assert!(text.contains("[2, 3]") && text.contains("[2, 9]"), "{text}");
}

#[test]
fn stacking() {
    let parts = [Tensor::<_, f64>::from([1.0, 2.0]), Tensor::from([3.0, 4.0])];
    assert_eq!(stack::<_, Rank2<2, 2>, _, _>(&parts).array(), [[1.0, 2.0], [3.0, 4.0]]);
    check("stack", [&irregular(3), &irregular(3)], Absolute, |[x, y]| {
        weigh(&stack::<_, (usize, usize), _, _>(&[x.clone(), y.clone(), x.clone()]))
    });
    assert_eq!(stack::<(), (usize,), f64, ppl_core::Cpu>(&[]).numel(), 0);
    let text = panic_message(|| stack::<_, Rank2<3, 2>, _, _>(&parts));
    assert!(text.contains("[2, 2]") && text.contains("[3, 2]"), "{text}");
    let uneven = [Vector::vector(vec![1.0]), Vector::vector(vec![1.0, 2.0])];
    let text = panic_message(|| stack::<_, (usize, usize), _, _>(&uneven));
    assert!(text.contains("[1]") && text.contains("[2]"), "{text}");
}

#[test]
fn gathering() {
    let t = Tensor::<_, f64>::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    assert_eq!(t.gather::<Rank2<3, 2>>(&[2, 0, 2]).array(), [[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]);
    assert_eq!(t.gather::<(usize, Const<2>)>(&[]).dims(), [0, 2]);
    check("rows", [&irregular(6)], Absolute, |[x]| weigh(&matrix(x).gather::<(usize, Const<3>)>(&[1, 1, 0, 1])));
    check("at", [&irregular(4)], Absolute, |[x]| x.at(2) * x.at(0) + x.at(2));
    let errors = [
        (t.try_gather::<(usize, Const<2>)>(&[0, 3]).unwrap_err().to_string(), "[3, 2]", "[3]"),
        (t.try_gather::<Rank2<4, 2>>(&[0, 1]).unwrap_err().to_string(), "[2, 2]", "[4, 2]"),
    ];
    for (text, left, right) in errors {
        assert!(text.contains(left) && text.contains(right), "{text}");
    }
    let text = panic_message(|| Vector::vector(vec![1.0]).at(1));
    assert!(text.contains("element 1") && text.contains("[1]"), "{text}");
}

#[test]
fn reshaping_shares_data_and_gradient() {
    let [g] = gradients([&irregular(6)], |[x]| weigh(&matrix(x).reshape::<Rank3<3, 1, 2>>()));
    let [h] = gradients([&irregular(6)], |[x]| weigh(x));
    assert_eq!(g, h);
    let t = Vector::vector(irregular(6));
    let text = t.clone().try_reshape_like(&(4usize, 2usize)).unwrap_err().to_string();
    assert!(text.contains("[6]") && text.contains("[4, 2]"), "{text}");
    assert_eq!(panic_message(|| t.clone().reshape::<Rank2<4, 2>>()), text);
    let text = panic_message(|| Tensor::<Rank2<2, 2>, f64>::from_vec(vec![1.0; 3], Default::default()));
    assert!(text.contains("[3]") && text.contains("[2, 2]"), "{text}");
}

#[test]
fn a_long_vector_moves_over_the_threads() {
    let n = 50_000;
    let x = Vector::vector(irregular(n)).tracked();
    let indices: Vec<usize> = (0..n).map(|i| (i * 7919) % n).collect();
    let (_, grads) = grad(|| weigh(&x.gather::<(usize,)>(&indices)));
    let taken = x.gather::<(usize,)>(&indices).to_vec();
    let g = grads.get(&x).unwrap().to_vec();
    for (k, &i) in indices.iter().enumerate() {
        assert_eq!(taken[k], irregular_at(i));
        assert_eq!(g[i], 1.5 + (k as f64).cos());
    }
}

fn irregular_at(i: usize) -> f64 {
    2.0 * (1.7 * i as f64 + 0.3).sin()
}
