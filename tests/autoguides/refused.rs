//! What no autoguide can be made of, by name.

use ppl::infer::{Adam, AutoLaplaceApproximation, AutoNormal, Svi, TraceElbo};
use ppl::prelude64::*;

#[test]
fn a_discrete_site_is_named() {
    #[model]
    fn coin() {
        let _: Tensor<()> = sample!("p", Beta::new(1.0, 1.0));
        sample!("side", Bernoulli::<(), f64, Cpu>::new(0.5));
    }
    let error = AutoNormal::new(coin, ()).unwrap_err().to_string();
    assert!(error.contains("`side`") && error.contains("discrete"), "{error}");
}

#[test]
fn a_loop_over_some_of_its_elements_is_named() {
    #[model]
    fn local(batch: &[usize]) {
        for i in plate!("people", 10, rows = batch) {
            let _: Tensor<()> = sample!("z_{i}", Normal::new(0.0, 1.0));
        }
    }
    let batch = [1, 4, 7];
    let guide = AutoNormal::new(local, (&batch[..],)).unwrap();
    let mut svi = Svi::new(local, guide, Adam::new(0.1), TraceElbo::default());
    let error = svi.step((&batch[..],)).unwrap_err().to_string();
    assert!(["`people`", "3 of its 10", "`z_1`", "AutoNormal"].iter().all(|word| error.contains(word)), "{error}");
}

#[test]
fn the_curvature_needs_all_rows() {
    #[model]
    fn local() {
        plate!("people", 10, subsample = 3, |rows| {
            let _: Tensor<(usize,)> = sample!("z", Normal::standard_like((rows.len(),)));
        });
    }
    let guide = AutoLaplaceApproximation::new(local, ()).unwrap();
    assert_eq!(guide.dim(), 10);
    let error = guide.laplace(&ParamStore::<f64, Cpu>::new(0), ()).unwrap_err().to_string();
    assert!(error.contains("`people`") && error.contains("subsample"), "{error}");
}

#[test]
fn a_plate_of_data_may_be_given_a_batch() {
    #[model]
    fn global(batch: &[usize], y: &Tensor<(usize,)>) {
        let mean: Tensor<()> = sample!("mean", Normal::new(0.0, 1.0));
        plate!("rows", 10, rows = batch, |rows| {
            sample!("y", Normal::new(mean.spread((rows.len(),)), 1.0), obs = y);
        });
    }
    let (batch, y) = ([1, 4, 7], Tensor::vector(vec![0.1, -0.3, 0.8]));
    let guide = AutoNormal::new(global, (&batch[..], &y)).unwrap();
    let mut svi = Svi::new(global, guide, Adam::new(0.1), TraceElbo::default());
    assert!(svi.step((&batch[..], &y)).unwrap().is_finite());
}

#[test]
fn a_site_that_comes_later_is_named_and_nothing_moves() {
    #[model]
    fn growing(n: usize) {
        for i in 0..n {
            let _: Tensor<()> = sample!("z_{i}", Normal::new(0.0, 1.0));
        }
    }
    let guide = AutoNormal::new(growing, (2,)).unwrap();
    let mut svi = Svi::new(growing, guide, Adam::new(0.1), TraceElbo::default());
    svi.step((2,)).unwrap();
    let error = svi.step((3,)).unwrap_err().to_string();
    assert!(error.contains("`z_2`") && error.contains("AutoNormal"), "{error}");
    let error = svi.step((1,)).unwrap_err().to_string();
    assert!(error.contains("`z_1`") && error.contains("AutoNormal"), "{error}");
    assert!(svi.step((2,)).is_ok());
}
