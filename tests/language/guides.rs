//! Guides: of models in other modules, with generics, with sites of their own, and with observed sites.

use ppl::prelude::*;

type Scalar = Tensor<()>;

mod models {
    use ppl::prelude::*;

    #[model]
    pub(super) fn regression<const N: usize>(x: &Tensor<Rank1<N>>, y: Option<&Tensor<Rank1<N>>>) {
        let slope: Tensor<()> = sample!("slope", Normal::new(0.0, 10.0));
        for i in 0..2 {
            sample!("w_{i}": Tensor<()>, Normal::standard());
        }
        if slope.item() > 0.0 {
            sample!("positive", Normal::<(), f32, Cpu>::standard());
        }
        sample!("y", Normal::new(x * slope, 1.0), obs = y);
    }

    #[model]
    pub(super) fn wide<T: Default, const H: usize>() {
        let _: Tensor<Rank1<H>> = sample!("z", Normal::standard());
        let _: Tensor<()> = sample!("x", Normal::standard());
    }
}

use models::regression;

#[guide(regression)]
fn regression_guide<const N: usize>(_x: &Tensor<Rank1<N>>, _y: Option<&Tensor<Rank1<N>>>) -> Scalar {
    let loc = param!("loc", Scalar::scalar(1.0));
    let noise: Scalar = sample!("noise", Normal::standard(), auxiliary);
    for i in 0..2 {
        sample!("w_{i}", Normal::new(&noise, 1.0));
    }
    let slope: Scalar = sample!("slope", Normal::new(loc, 0.001));
    if slope.item() > 0.0 {
        sample!("positive": Scalar, Normal::new(5.0, &slope));
    }
    slope
}

#[test]
fn a_guide_proposes_the_values_of_its_model() {
    fn is_guide<M, G: Guide<M>>(_: M, _: G) {}
    is_guide(regression, regression_guide);
    let x = Tensor::from([1.0, 2.0]);
    let (slope, proposed) = trace(&regression_guide, (&x, None), 0).unwrap();
    let typed: RegressionGuideTrace = proposed.typed().unwrap();
    assert_eq!(typed.slope.value, slope);
    assert!(typed.noise.value.item().is_finite());
    let replayed = regression.replay(std::sync::Arc::new(proposed));
    let typed: models::RegressionTrace<2> = trace(&replayed, (&x, Some(&x)), 1).unwrap().1.typed().unwrap();
    assert_eq!(typed.slope.value, slope);
    assert!(typed.y.observed);
}

#[guide(models::wide::<T, H>, observed(x))]
fn wide_guide<T: Default, const H: usize>() {
    let _: Tensor<Rank1<H>> = sample!("z", Normal::standard());
}

#[test]
fn a_guide_may_share_the_generics_of_its_model_and_leave_out_what_is_observed() {
    fn is_guide<M, G: Guide<M>>(_: &M, _: &G) {}
    let (model, guide) = (models::wide::<u8, 3>(), wide_guide::<u8, 3>());
    is_guide(&model, &guide);
    let proposed = trace(&guide, (), 0).unwrap().1;
    assert_eq!(proposed.value::<Tensor<Rank1<3>>>("z").unwrap().numel(), 3);
}
