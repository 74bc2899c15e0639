//! What no autoguide can be made of, by name.

use ppl::infer::{Adam, AutoNormal, Svi, TraceElbo};
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
fn a_subsampled_plate_is_named() {
    #[model]
    fn local() {
        plate!("people", 10, subsample = 3, |rows| {
            let _: Tensor<(usize,)> = sample!("z", Normal::standard_like((rows.len(),)));
        });
    }
    let error = AutoNormal::new(local, ()).unwrap_err().to_string();
    assert!(error.contains("`people`") && error.contains("subsample"), "{error}");
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
