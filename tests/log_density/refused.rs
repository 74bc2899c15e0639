//! Models that have no density over a fixed vector: each is told by the name of its site or plate.

use ppl::infer::{LogDensity, ModelDensity};
use ppl::prelude64::*;

type Scalar = Tensor<()>;

#[model]
fn discrete() {
    let _: Scalar = sample!("z", Normal::standard());
    let _: Scalar = sample!("coin", Bernoulli::new(0.3));
}

#[test]
fn a_discrete_site_is_named_with_what_to_do() {
    let error = ModelDensity::new(discrete, ()).unwrap_err().to_string();
    assert!(error.contains("`coin`") && error.contains("discrete"), "{error}");
    assert!(error.contains("sum them out") && error.contains("kernel of their own"), "{error}");
}

#[model]
fn branching() {
    let z: Scalar = sample!("z", Normal::standard());
    if z.item() > 1.0 {
        let _: Scalar = sample!("above", Normal::standard());
    } else {
        let _: Scalar = sample!("below", Normal::standard());
    }
}

#[test]
fn a_site_that_comes_or_goes_is_named() {
    let mut density = ModelDensity::new(branching, ()).unwrap();
    assert!(density.log_density(&[0.5, 0.0]).is_ok());
    let error = density.log_density(&[1.5, 0.0]).unwrap_err().to_string();
    assert!(error.contains("`above`") && error.contains("the same latent sites in every run"), "{error}");
}

#[model]
fn stopping() {
    let z: Scalar = sample!("z", Normal::standard());
    if z.item() < 1.0 {
        let _: Scalar = sample!("below", Normal::standard());
    }
}

#[test]
fn a_site_that_is_left_out_is_named() {
    let mut density = ModelDensity::new(stopping, ()).unwrap();
    let error = density.log_density(&[1.5, 0.0]).unwrap_err().to_string();
    assert!(error.contains("`below`") && error.contains("did not sample it"), "{error}");
}

#[model]
fn growing() {
    let z: Scalar = sample!("z", Normal::standard());
    let n = if z.item() > 1.0 { 3 } else { 2 };
    let zeros = Tensor::<(usize,)>::full_like(0.0, (n,));
    plate!("rows", n, |_| {
        let _: Tensor<(usize,)> = sample!("x", Normal::new(zeros.clone(), zeros.exp()));
    });
}

#[test]
fn a_site_that_changes_its_size_is_named() {
    let mut density = ModelDensity::new(growing, ()).unwrap();
    assert_eq!(density.dim(), 3);
    let error = density.log_density(&[1.5, 0.0, 0.0]).unwrap_err().to_string();
    assert!(error.contains("`x`") && error.contains('2') && error.contains('3'), "{error}");
}

#[model]
fn subsampled(data: &Tensor<Rank1<6>>) {
    let z: Scalar = sample!("z", Normal::standard());
    plate!("rows", 6, subsample = 2, |rows| {
        let few: Tensor<(usize,)> = data.gather(&rows.iter().collect::<Vec<_>>());
        sample!("x", Normal::new(few.clone() * 0.0 + &z, 1.0), obs = few);
    });
}

#[test]
fn a_plate_that_draws_its_rows_is_named() {
    let data = Tensor::from([0.0; 6]);
    let error = ModelDensity::new(subsampled, &data).unwrap_err().to_string();
    assert!(error.contains("`rows`") && error.contains("subsample"), "{error}");
}
