//! Sites that only some values of enumerated ones lead to, loops over plates, scales and masks.

use ppl::prelude64::*;
use ppl::site::SiteMask;

use crate::brute_force::{agrees, enumerated, site};

type Scalar = Tensor<()>;
type Vector = Tensor<(usize,)>;

/// A second coin is thrown after heads alone, and has three sides after tails.
#[model]
fn branching() {
    let bend: Scalar = param!("bend", Tensor::scalar(0.4));
    let first: Scalar = sample!("first", Bernoulli::from_logits(&bend - 0.2), enumerate);
    if first.item() == 1.0 {
        let second: Scalar = sample!("second", Bernoulli::from_logits(&bend * 2.0), enumerate);
        sample!("y", Normal::new(&second + &bend, 0.5), obs = Tensor::scalar(0.9));
        if second.item() == 1.0 {
            let third: Tensor<(), usize> = sample!("third", Categorical::new(Tensor::from([0.2, 0.5, 0.3])), enumerate);
            factor!("weight", &bend * third.to_vec()[0] as f64);
        }
    } else {
        sample!("y", Normal::new(&bend * 3.0, 0.5), obs = Tensor::scalar(0.9));
    }
}

#[test]
fn sites_on_some_paths() {
    agrees(branching, (), &[site("first", 1, 2), site("second", 1, 2), site("third", 1, 3)]);
}

/// A loop whose rounds are independent given a site before it.
#[model]
fn rounds(y: &[f64]) {
    let bend: Scalar = param!("bend", Tensor::scalar(0.4));
    let g: Scalar = sample!("g", Bernoulli::from_logits(&bend * 0.3), enumerate);
    for i in plate!("rounds", y.len()) {
        let z: Scalar = sample!("z_{i}", Bernoulli::from_logits(&bend + &g), enumerate);
        let w: Scalar = sample!("w_{i}", Bernoulli::from_logits(&z * 2.0 - 1.0), enumerate);
        sample!("y_{i}", Normal::new(&z + &w * &g, 0.6), obs = Tensor::scalar(y[i]));
    }
}

#[test]
fn rounds_of_a_loop_share_their_runs() {
    let y = [0.3, 1.4, -0.6];
    let sites: Vec<_> = (0..3).flat_map(|i| [site(format!("z_{i}"), 1, 2), site(format!("w_{i}"), 1, 2)]).collect();
    let sites = [vec![site("g", 1, 2)], sites].concat();
    assert_eq!(agrees(rounds, (&y[..],), &sites), 8);
}

/// Rows of a plate; each has a component of its own, whose weights a site before it chooses.
#[model]
fn some_rows(y: &Vector, batch: &[usize]) {
    let g: Scalar = sample!("g", Bernoulli::from_logits(Tensor::scalar(0.3)), enumerate);
    plate!("rows", 4, rows = batch, |rows| {
        let n = rows.len();
        let z: Vector = sample!("z", Bernoulli::from_logits((&g * 0.9).expand((n,))), enumerate);
        sample!("y", Normal::new(z, 0.6), obs = y.gather::<(usize,)>(&rows.to_vec()));
    });
}

#[test]
fn rows_that_stand_for_others_count_after_their_sum() {
    let y = Vector::vector(vec![0.3, 1.4, -0.6, 0.8]);
    let density = |y: f64, mean: f64| {
        let z = (y - mean) / 0.6;
        (-0.5 * z * z).exp() / (0.6 * std::f64::consts::TAU.sqrt())
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    // Of each row the sum over its component, to the power of two.
    let given = |g: f64| {
        let p = sigmoid(0.9 * g);
        [0.3, -0.6].map(|y| (p * density(y, 1.0) + (1.0 - p) * density(y, 0.0)).powi(2)).iter().product::<f64>()
    };
    let expected = (sigmoid(0.3) * given(1.0) + (1.0 - sigmoid(0.3)) * given(0.0)).ln();
    let all = enumerated(&some_rows, &(&y, &[0, 2][..]), &mut ParamStore::new(0)).unwrap();
    let found = all.log_evidence().unwrap();
    assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    // The probabilities are those of one row, not of its power.
    let marginals = all.marginals().unwrap();
    assert!(marginals[1].1.iter().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-12), "{marginals:?}");
}

/// Some steps of some rows are left out.
#[model]
fn padded(y: &Vector) {
    plate!("rows", 3, |_| {
        let z: Vector = sample!("z", Bernoulli::from_logits(Vector::vector(vec![0.3; 3])), enumerate);
        sample!("y", Normal::new(z, 0.6), obs = y);
    });
}

#[test]
fn what_is_masked_has_no_part() {
    let y = Vector::vector(vec![0.3, 1.4, -0.6]);
    let mask = SiteMask::Elements(vec![true, false, true].into());
    let all = enumerated(&padded.mask(mask), &(&y,), &mut ParamStore::new(0)).unwrap();
    let of = |y: f64| {
        let p: f64 = 1.0 / (1.0 + (-0.3_f64).exp());
        let density = |mean: f64| (-0.5 * ((y - mean) / 0.6_f64).powi(2)).exp() / (0.6 * std::f64::consts::TAU.sqrt());
        (p * density(1.0) + (1.0 - p) * density(0.0)).ln()
    };
    let (found, expected) = (all.log_evidence().unwrap(), of(0.3) + of(-0.6));
    assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
}
