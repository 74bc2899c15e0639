//! Mixtures of one family and of several against torch and NumPyro, their draws against the cdf, and
//! their pathwise gradients against the slopes of quantiles.

use ppl_core::autodiff::grad;
use ppl_core::constraint::Constraint;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{
    Categorical, Exponential, Mixture, MixtureSameFamily, Normal, Pareto, StudentT, Uniform,
};
use ppl_core::rng::Rng;
use ppl_core::{Axis, Cpu, Rank1, Rank2, Tensor};

type Vector<const N: usize> = Tensor<Rank1<N>, f64, Cpu>;
type Matrix<const M: usize, const N: usize> = Tensor<Rank2<M, N>, f64, Cpu>;

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= 1e-12 * e.abs().max(1.0), "{found:?} is not {expected:?}");
    }
}

fn two_by_three() -> MixtureSameFamily<Normal<Rank2<2, 3>, f64, Cpu>, Rank2<2, 3>, f64, Cpu> {
    let weights: Matrix<2, 3> = Tensor::from([[0.2, 0.5, 0.3], [0.7, 0.0, 0.3]]);
    let loc: Matrix<2, 3> = Tensor::from([[-1.0, 0.0, 2.0], [0.5, 1.0, -3.0]]);
    let scale: Matrix<2, 3> = Tensor::from([[0.5, 1.0, 2.0], [1.5, 0.1, 0.25]]);
    MixtureSameFamily::new(Categorical::new(weights), Normal::new(loc, scale))
}

// Reference values here: torch 2.15 and NumPyro, in double precision.
#[test]
fn one_family_agrees_with_torch() {
    let mixture = two_by_three();
    let x = Tensor::from([0.3, -2.5]);
    close(&mixture.log_prob(&x).to_vec(), &[-1.4362208916668733, -2.408112909438682]);
    close(&mixture.cdf(&x).unwrap().to_vec(), &[0.5673222364265402, 0.3091000527792717]);
    close(&mixture.mean().unwrap().to_vec(), &[0.4, -0.55]);
    close(&mixture.variance().unwrap().to_vec(), &[2.99, 4.16625]);
    close(&mixture.log_prob(&Tensor::from([40.0, -60.0])).to_vec(), &[-183.31605851809056, -815.0699674741405]);
    close(&[mixture.log_prob_sum(&x).item()], &[-1.4362208916668733 - 2.408112909438682]);
}

#[test]
fn components_over_vectors_agree_with_torch() {
    let weights: Vector<2> = Tensor::from([0.3, -0.7]);
    let loc: Matrix<2, 3> = Tensor::from([[-1.0, 0.0, 2.0], [0.5, 1.0, -3.0]]);
    let scale: Matrix<2, 3> = Tensor::from([[0.5, 1.0, 2.0], [1.5, 0.1, 0.25]]);
    let rows = Normal::new(loc, scale).to_event::<Axis<1>>();
    let mixture = MixtureSameFamily::new(Categorical::from_logits(weights), rows);
    let x: Vector<3> = Tensor::from([0.2, 0.9, -1.0]);
    close(&[mixture.log_prob(&x).item()], &[-7.480077287126165]);
    close(&mixture.mean().unwrap().to_vec(), &[-0.5965878679450073, 0.26894142136999516, 0.6552928931500244]);
    close(&mixture.variance().unwrap().to_vec(), &[1.2302596925333247, 0.9303599260851867, 7.856341484392691]);
    assert_eq!(mixture.event_dims(), [3]);
    assert!(!mixture.has_rsample());
    assert_eq!(mixture.draw(&mut Rng::seed(0)).dims(), [3]);
}

#[test]
fn two_normals_of_a_tuple_agree_with_numpyro() {
    let weights: Vector<2> = Tensor::from([0.25, 0.75]);
    let mixture = Mixture::new(Categorical::new(weights), (Normal::new(1.0, 1.0), Normal::new(-2.0, 0.5)));
    let at = |x: f64| mixture.log_prob(&Tensor::scalar(x)).item();
    close(&[at(-3.0), at(0.1), at(25.0)], &[-2.5130603850465176, -2.7089046599033275, -290.30523289432455]);
    close(&[mixture.mean().unwrap().item(), mixture.variance().unwrap().item()], &[-1.25, 2.125]);
    assert!(mixture.has_rsample());
}

#[test]
fn a_tuple_of_one_family_is_the_mixture_of_that_family() {
    let weights: Matrix<2, 3> = Tensor::from([[0.2, 0.5, 0.3], [0.7, 0.0, 0.3]]);
    let column =
        |loc: [f64; 2], scale: [f64; 2]| Normal::<Rank1<2>, f64, Cpu>::new(Tensor::from(loc), Tensor::from(scale));
    let columns =
        vec![column([-1.0, 0.5], [0.5, 1.5]), column([0.0, 1.0], [1.0, 0.1]), column([2.0, -3.0], [2.0, 0.25])];
    let (mixed, whole) = (Mixture::new(Categorical::new(weights), columns), two_by_three());
    let x = Tensor::from([0.3, -2.5]);
    close(&mixed.log_prob(&x).to_vec(), &whole.log_prob(&x).to_vec());
    close(&mixed.cdf(&x).unwrap().to_vec(), &whole.cdf(&x).unwrap().to_vec());
    close(&mixed.mean().unwrap().to_vec(), &whole.mean().unwrap().to_vec());
    close(&mixed.variance().unwrap().to_vec(), &whole.variance().unwrap().to_vec());
}

/// The largest gap between the empirical cdf of draws and the cdf.
fn gap(mut draws: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let at = |(i, &x): (usize, &f64)| (cdf(x) - i as f64 / n).abs().max((cdf(x) - (i + 1) as f64 / n).abs());
    draws.iter().enumerate().map(at).fold(0.0, f64::max)
}

#[test]
fn draws_follow_the_cdf() {
    let weights: Vector<3> = Tensor::from([0.5, 0.3, 0.2]);
    let parts = || (Normal::<(), f64, Cpu>::new(0.0, 1.0), Exponential::new(0.5), Uniform::new(3.0, 5.0));
    let mixture = Mixture::new(Categorical::new(weights), parts());
    let mut rng = Rng::seed(5);
    let draws: Vec<f64> = (0..20_000).map(|_| mixture.draw(&mut rng).item()).collect();
    // Kolmogorov–Smirnov with 20,000 draws: beyond 2.7 / √n with probability 9e-7.
    let distance = gap(draws, |x| mixture.cdf(&Tensor::scalar(x)).unwrap().item());
    assert!(distance < 2.7 / 20_000.0_f64.sqrt(), "{distance}");
}

#[test]
fn draws_of_one_family_follow_the_cdf() {
    let n = 10_000;
    let repeat = |row: [f64; 2]| Tensor::<(usize, usize), f64, Cpu>::from_vec(row.repeat(n), (n, 2));
    let mixing = Categorical::new(repeat([0.3, 0.7]));
    let mixture = MixtureSameFamily::new(mixing, Normal::new(repeat([-2.0, 1.0]), repeat([0.5, 1.0])));
    let draws = mixture.draw(&mut Rng::seed(6)).to_vec();
    let one = |x: f64| mixture.cdf(&Tensor::full_like(x, (n,))).unwrap().to_vec()[0];
    // Kolmogorov–Smirnov: beyond 2.7 / √n with probability 9e-7; on every fifth draw, to save time.
    let few: Vec<f64> = draws.into_iter().step_by(5).collect();
    let bound = 2.7 / (few.len() as f64).sqrt();
    let distance = gap(few, one);
    assert!(distance < bound, "{distance}");
}

/// The value whose cdf is `q`, by bisection.
fn quantile(cdf: impl Fn(f64) -> f64, q: f64) -> f64 {
    let (mut low, mut high) = (-50.0, 50.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if cdf(middle) < q { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[test]
fn pathwise_gradients_are_slopes_of_quantiles() {
    let mixture = |p: &[Vector<2>; 3]| {
        let components = Normal::new(&p[1], p[2].exp());
        MixtureSameFamily::new(Categorical::from_logits(&p[0]), components)
    };
    let start = [[0.3, -0.4], [-1.0, 1.5], [0.2, -0.5]];
    for seed in 0..4 {
        let leaves = start.map(|row| Vector::<2>::from(row).tracked());
        let (x, grads) = grad(|| mixture(&leaves).draw(&mut Rng::seed(seed)));
        let q = mixture(&leaves).cdf(&x.detach()).unwrap().item();
        for (i, leaf) in leaves.iter().enumerate() {
            let found = grads.get(leaf).unwrap().to_vec();
            for k in 0..2 {
                let moved = |h: f64| {
                    let mut there = start;
                    there[i][k] += h;
                    let there = mixture(&there.map(Vector::<2>::from));
                    quantile(|x| there.cdf(&Tensor::scalar(x)).unwrap().item(), q)
                };
                let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((found[k] - difference).abs() < 1e-6 * difference.abs().max(1.0), "{i} {k}: {found:?}");
            }
        }
    }
}

#[test]
fn the_support_is_the_components_or_their_union() {
    let weights: Vector<2> = Tensor::from([0.5, 0.5]);
    let both = Mixture::new(Categorical::new(&weights), (Exponential::<(), _, _>::new(1.0), Uniform::new(-3.0, -2.0)));
    let support = both.support();
    assert_eq!([-2.5, 0.5].map(|x| support.violation(&[x], &[])), [None, None]);
    assert_eq!([-1.0, -4.0].map(|x| support.violation(&[x], &[])), [Some(0), Some(0)]);
    let line = Mixture::new(Categorical::new(&weights), (Exponential::<(), _, _>::new(1.0), Normal::new(0.0, 1.0)));
    assert_eq!(line.support().describe(), Constraint::<f64, Cpu>::describe(&ppl_core::constraint::Real));
    assert_eq!(both.log_prob(&Tensor::scalar(-1.0)).item(), f64::NEG_INFINITY);
}

#[test]
fn wrong_parameters_are_named() {
    let weights: Vector<2> = Tensor::from([0.5, -0.5]);
    let one = Normal::<(), f64, Cpu>::new(0.0, 1.0);
    let error = Mixture::new(Categorical::new(weights), (one.clone(), one.clone())).check_parameters().unwrap_err();
    assert_eq!((error.parameter, error.element), ("probs", vec![1]));
    let bad = Normal::<(), f64, Cpu>::new(0.0, -1.0);
    let weights: Vector<2> = Tensor::from([0.5, 0.5]);
    let error = Mixture::new(Categorical::new(weights), vec![one, bad]).check_parameters().unwrap_err();
    assert_eq!(error.parameter, "scale");
}

#[test]
#[should_panic(expected = "Mixture: 3 weights for 2 components")]
fn each_component_has_a_weight() {
    let weights: Vector<3> = Tensor::from([0.5, 0.2, 0.3]);
    let one = Normal::<(), f64, Cpu>::new(0.0, 1.0);
    let _ = Mixture::new(Categorical::new(weights), vec![one.clone(), one]);
}

#[test]
#[should_panic(expected = "MixtureSameFamily: weights of shape [2] for components with the batch [3]")]
fn components_have_the_shape_of_the_weights() {
    let weights = Categorical::new(Tensor::<(usize,), f64, Cpu>::vector(vec![0.5, 0.5]));
    let _ = MixtureSameFamily::new(weights, Normal::new(Tensor::vector(vec![0.0; 3]), 1.0));
}

#[test]
fn components_with_bounds_of_their_own_cover_the_support_together() {
    type Rows = Rank2<2, 2>;
    let weights = || Categorical::new(Tensor::<Rows, f64, Cpu>::ones());
    let low = Tensor::<Rows, f64, Cpu>::from([[0.0, 2.0], [5.0, 7.0]]);
    let mixture = MixtureSameFamily::new(weights(), Uniform::new(&low, &low + 1.0));
    let support = mixture.support();
    assert_eq!(support.violation(&[2.5, 7.5], &[2]), None);
    assert_eq!(support.violation(&[0.5, 2.5], &[2]), Some(1));
    assert_eq!(support.violation(&[1.5, 5.5], &[2]), Some(0));
    assert!(support.biject_to(&[2]).is_none());
    let draws = mixture.draw(&mut Rng::seed(3)).to_vec();
    assert_eq!(support.violation(&draws, &[2]), None);
    // Bounds that all share are the support as they are.
    let same = MixtureSameFamily::new(weights(), Uniform::<Rows, f64, Cpu>::filled(Rows::default(), 0.0, 1.0));
    assert!(same.support().biject_to(&[2]).is_some());
}

#[test]
fn a_mixture_keeps_the_digits_of_its_upper_tail() {
    let weights = Categorical::new(Tensor::<_, f64, Cpu>::from([0.5, 0.5]));
    let parts = (Normal::<(), f64, Cpu>::new(0.0, 1.0), Exponential::<(), f64, Cpu>::new(60.0));
    let beyond = Mixture::new(weights, parts).survival(&Tensor::scalar(14.0)).unwrap().item();
    // Half of scipy.stats.norm.sf(14).
    assert!((beyond / (0.5 * 7.793_536_819_192_798e-45) - 1.0).abs() < 1e-12, "{beyond:e}");
}

#[test]
fn a_component_that_cannot_be_has_no_say_in_the_mean() {
    let weights = Categorical::new(Tensor::<_, f64, Cpu>::from([1.0, 0.0]));
    let parts = Pareto::new(Tensor::<_, f64, Cpu>::from([1.0, 1.0]), Tensor::from([3.0, 0.5]));
    assert_eq!(MixtureSameFamily::new(weights, parts).mean().unwrap().item(), 1.5);
}

#[test]
fn logarithms_of_tails_are_those_of_the_components() {
    // mpmath, 60 digits: 0.25 N(0, 1) and 0.75 N(1, 1) beyond 60, and below −60.
    let weights = || Categorical::new(Tensor::<_, f64, Cpu>::from([0.25, 0.75]));
    let apart = Mixture::new(weights(), vec![Normal::<(), f64, Cpu>::new(0.0, 1.0), Normal::new(1.0, 1.0)]);
    let same = MixtureSameFamily::new(weights(), Normal::new(Tensor::<_, f64, Cpu>::from([0.0, 1.0]), 1.0));
    let (above, below) = (Tensor::scalar(60.0), Tensor::scalar(-60.0));
    let found = [apart.log_survival(&above), apart.log_cdf(&below), same.log_survival(&above), same.log_cdf(&below)];
    let expected = [-1745.7844451173103, -1806.399855041687, -1745.7844451173103, -1806.399855041687];
    for (found, expected) in found.map(|log| log.unwrap().item()).into_iter().zip(expected) {
        assert!((found / expected - 1.0).abs() < 1e-13, "{found}, {expected}");
    }
    let near = Tensor::scalar(0.75);
    assert!((same.log_cdf(&near).unwrap().item() - same.cdf(&near).unwrap().item().ln()).abs() < 1e-14);
}

#[test]
fn a_component_without_weight_or_mass_leaves_no_nan_in_logarithms_of_tails() {
    let loc = Tensor::<_, f64, Cpu>::from([1.0, 2.0]).tracked();
    let weights = Categorical::new(Tensor::<_, f64, Cpu>::from([1.0, 0.0]));
    let mixture = || MixtureSameFamily::new(weights.clone(), Pareto::new(&loc, Tensor::from([3.0, 0.5])));
    for x in [0.5, 1.5, 1e10] {
        let (value, grads) = grad(|| {
            let x = Tensor::scalar(x);
            mixture().log_cdf(&x).unwrap() + mixture().log_survival(&x).unwrap()
        });
        assert!(!value.item().is_nan(), "{x}");
        assert!(grads.get(&loc).unwrap().to_vec().iter().all(|g| g.is_finite()), "{x}");
    }
}

/// The second component has no finite moments.
#[test]
fn a_component_of_weight_zero_has_no_part_in_the_moments() {
    let weights: Vector<3> = Tensor::<_, f64, Cpu>::from([0.25, 0.0, 0.75]).tracked();
    let loc: Vector<3> = Tensor::<_, f64, Cpu>::from([1.0, 3.0, -1.0]).tracked();
    let df: Vector<3> = Tensor::from([4.0, 0.5, 3.0]);
    let mixture = || MixtureSameFamily::new(Categorical::new(&weights), StudentT::new(df.clone(), &loc, 1.0));
    let (mean, grads) = grad(|| mixture().mean().unwrap());
    close(&[mean.item()], &[-0.5]);
    close(&grads.get(&loc).unwrap().to_vec(), &[0.25, 0.0, 0.75]);
    // Weights that sum to 1: the slopes are those of their normalised ones.
    close(&grads.get(&weights).unwrap().to_vec(), &[1.5, 0.5, -0.5]);
    // Within 0.25 · 2 + 0.75 · 3, and of the means 0.25 · 1.5² + 0.75 · 0.5².
    close(&[mixture().variance().unwrap().item()], &[2.75 + 0.75]);
    let pareto = Pareto::<(), f64, Cpu>::new(1.0, 0.5);
    let mixed =
        Mixture::new(Categorical::new(Tensor::from([1.0, 0.0])), (Normal::<(), f64, Cpu>::new(2.0, 3.0), pareto));
    close(&[mixed.mean().unwrap().item(), mixed.variance().unwrap().item()], &[2.0, 9.0]);
}
