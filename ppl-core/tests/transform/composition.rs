//! Transforms one after another, backwards, permuted, and those that are not one to one.

use std::sync::Arc;

use ppl_core::Cpu;
use ppl_core::transform::{
    Abs, Affine, Compose, Exp, Flat, Inverse, LowerTriangle, Map, Ones, Permute, Softmax, StickBreaking, Tanh,
    Transform, UnitVector,
};

use crate::table::{row, wide};

type Row = Flat<f64, Cpu>;

fn shared(transform: impl Transform<f64, Cpu>) -> Map<f64, Cpu> {
    Arc::new(transform)
}

#[test]
fn a_composition_adds_jacobians_over_the_largest_event() {
    let affine = shared(Affine::new(row(&[0.5]), row(&[2.0])));
    let stick = shared(StickBreaking::new(3));
    let both = Compose::new(vec![affine.clone(), stick.clone(), shared(Exp)]);
    assert_eq!(Transform::<f64, Cpu>::event_lens(&both), (2, 3));
    let x: Row = row(&[0.25, -0.5, 1.0, 0.75]);
    let (between, y) = (affine.forward(x.clone()), both.forward(x.clone()));
    let simplex = stick.forward(between.clone());
    assert_eq!(wide(&y), wide(&simplex.exp()));
    let own = wide(&stick.log_abs_det(&between, &simplex));
    let sums = simplex.to_vec().chunks(3).map(|row| row.iter().sum::<f64>()).collect::<Vec<_>>();
    let found = wide(&both.log_abs_det(&x, &y));
    assert_eq!(found.len(), 2);
    for i in 0..2 {
        assert!((found[i] - (own[i] + 2.0 * 2.0_f64.ln() + sums[i])).abs() < 1e-12, "{found:?}");
    }
    let again = wide(&both.inverse(y));
    assert!(again.iter().zip(x.to_vec()).all(|(a, x)| (a - x).abs() < 1e-12), "{again:?}");
}

#[test]
fn event_lengths_of_a_composition_are_whole_events_of_each_part() {
    let pairs = shared(Permute::new(vec![1, 0]).expect("a permutation"));
    let triples = shared(Permute::new(vec![1, 2, 0]).expect("a permutation"));
    let lens = |parts| Transform::<f64, Cpu>::event_lens(&Compose::new(parts));
    assert_eq!(lens(vec![pairs.clone(), triples.clone()]), (6, 6));
    assert_eq!(lens(vec![shared(Exp), shared(Tanh)]), (1, 1));
    assert_eq!(lens(vec![]), (1, 1));
    assert_eq!(lens(vec![shared(StickBreaking::new(4)), pairs]), (3, 4));
    assert_eq!(lens(vec![shared(StickBreaking::new(4)), triples]), (9, 12));
    let square = shared(LowerTriangle::strict(3));
    assert_eq!(lens(vec![square, shared(StickBreaking::new(4))]), (9, 4));
}

#[test]
fn an_inverse_swaps_and_negates() {
    let back = Inverse::new(shared(StickBreaking::new(3)));
    assert_eq!((Transform::<f64, Cpu>::event_lens(&back), back.is_bijective()), ((3, 2), true));
    let (x, y): (Row, Row) = (row(&[0.2, 0.3, 0.5]), back.forward(row(&[0.2, 0.3, 0.5])));
    let forward = shared(StickBreaking::new(3)).log_abs_det(&y, &x).item();
    assert_eq!(back.log_abs_det(&x, &y).item(), -forward);
    assert!(wide(&back.inverse(y)).iter().zip([0.2, 0.3, 0.5]).all(|(a, b)| (a - b).abs() < 1e-15));
}

#[test]
fn permutations_are_checked_and_inverted() {
    assert!(Permute::new(vec![0, 0]).is_none() && Permute::new(vec![1, 2]).is_none());
    let permute = Permute::new(vec![2, 0, 1]).expect("a permutation");
    let x: Row = row(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let y = permute.forward(x.clone());
    assert_eq!(wide(&y), [3.0, 1.0, 2.0, 6.0, 4.0, 5.0]);
    assert_eq!(wide(&permute.log_abs_det(&x, &y)), [0.0, 0.0]);
    assert_eq!(wide(&permute.inverse(y)), wide(&x));
}

#[test]
fn triangles_are_packed_row_by_row() {
    let matrix: Row = row(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    let (whole, strict) = (LowerTriangle::new(3), LowerTriangle::strict(3));
    assert_eq!(wide(&whole.forward(matrix.clone())), [1.0, 4.0, 5.0, 7.0, 8.0, 9.0]);
    let packed = strict.forward(matrix);
    assert_eq!(wide(&packed), [4.0, 7.0, 8.0]);
    assert_eq!(wide(&strict.inverse(packed)), [0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 7.0, 8.0, 0.0]);
}

#[test]
fn maps_that_are_not_one_to_one_say_so() {
    for map in [shared(Abs), shared(Softmax::new(3)), shared(UnitVector::new(3)), shared(LowerTriangle::new(2))] {
        assert!(!map.is_bijective(), "{}", map.name());
        assert!(!Compose::new(vec![shared(Exp), map]).is_bijective());
    }
    assert_eq!(wide(&shared(Abs).forward(row(&[-2.0, 0.0, 3.0]))), [2.0, 0.0, 3.0]);
    assert!(shared(Abs).inverse(row(&[-1.0])).item().is_nan());
    let unit = shared(UnitVector::new(2));
    assert_eq!(wide(&unit.forward(row(&[3.0, 4.0, 0.0, 0.0, 1e-320, 0.0, 0.0, -1e300])))[..4], [0.6, 0.8, 1.0, 0.0]);
    assert_eq!(wide(&unit.forward(row(&[1e-320, 0.0, 0.0, -1e300]))), [1.0, 0.0, 0.0, -1.0]);
}

#[test]
fn a_set_of_one_element_needs_no_numbers() {
    let ones = Ones::new(2);
    let y = Transform::<f64, Cpu>::forward(&ones, row(&[]));
    assert_eq!((wide(&y), wide(&ones.log_abs_det(&row(&[]), &y))), (vec![1.0, 1.0], vec![0.0, 0.0]));
    assert_eq!(ones.inverse(y).numel(), 0);
}

#[test]
#[should_panic(expected = "1 rows of 2 numbers are not 3 numbers")]
fn numbers_that_are_no_whole_rows_panic() {
    let _ = shared(StickBreaking::new(3)).forward(row(&[1.0, 2.0, 3.0]));
}
