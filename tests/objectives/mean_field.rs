//! TraceMeanFieldElbo: exact where all divergences are closed, and errors where its condition fails.

use ppl::infer::elbo::{DecayingAverage, Objective};
use ppl::infer::pair::Ask;
use ppl::infer::runs::{Programs, Runs};
use ppl::infer::{Sgd, Svi, TraceElbo, TraceMeanFieldElbo};
use ppl::prelude64::*;
use ppl::rng::Rng;

use crate::chain::{chain, chain_guide, closed_form};
use crate::enumerated::{assert_close, moments};
use crate::estimate::Estimate;
use crate::gradients::{estimates, estimates_of};

type Scalar = Tensor<()>;
type Rows = Tensor<Rank2<2, 3>>;

/// No data: the loss is the divergence from the prior. One plate with a masked row, one family a site.
#[model]
fn priors(_n: usize) {
    sample!("rate": Scalar, Gamma::new(2.0, 0.9));
    sample!("share": Scalar, Beta::new(1.5, 2.5));
    sample!("coin": Scalar, Bernoulli::filled((), 0.3));
    plate!("rows", 2, |_| {
        let row: Normal<Rank2<2, 3>, f64, Cpu> = Normal::standard();
        sample!("z", row.to_event::<ppl::Axis<1>>());
    });
}

#[guide(priors)]
fn priors_guide(_n: usize) {
    let a: Scalar = param!("a", Scalar::scalar(1.2), constraint = Positive);
    let logit: Scalar = param!("logit", Scalar::scalar(0.4));
    let locs: Rows = param!("locs", Tensor::from([[0.5, -1.0, 0.2], [0.0, 2.0, -0.3]]));
    sample!("rate": Scalar, Gamma::new(&a * 2.0, &a));
    sample!("share": Scalar, Beta::new(&a, &a + 0.5));
    sample!("coin": Scalar, Bernoulli::from_logits(logit));
    plate!("rows", 2, |_| {
        sample!("z", Normal::new(locs, 0.6).to_event::<ppl::Axis<1>>());
    });
}

#[test]
fn closed_divergences_have_no_noise() {
    let one = |v: f64| Scalar::scalar(v);
    let z = Normal::new(Tensor::<Rank1<6>>::from([0.5, -1.0, 0.2, 0.0, 2.0, -0.3]), 0.6);
    let expected = Gamma::<(), f64, Cpu>::new(one(2.4), 1.2).kl_divergence(&Gamma::new(one(2.0), 0.9)).item()
        + Beta::<(), f64, Cpu>::new(one(1.2), 1.7).kl_divergence(&Beta::new(one(1.5), 2.5)).item()
        + Bernoulli::from_logits(one(0.4)).kl_divergence(&Bernoulli::filled((), 0.3)).item()
        + z.kl_divergence(&Normal::standard()).sum_all().item();
    let mut svi = Svi::new(priors, priors_guide, Sgd::new(1e-300), TraceMeanFieldElbo::default());
    for _ in 0..3 {
        assert_close("loss", &[svi.evaluate((1,)).unwrap(), svi.step((1,)).unwrap()], &[expected; 2]);
    }
    let mut trace = Svi::new(priors, priors_guide, Sgd::new(1e-300), TraceElbo::with_particles(50));
    let losses: Vec<f64> = (0..100).map(|_| trace.step((1,)).unwrap()).collect();
    Estimate::of(&losses).agrees("by draws", expected, 0.0, 0.05);
}

/// Families over rows of numbers and over categories, one masked.
#[model]
fn row_priors(_n: usize) {
    sample!("shares": Tensor<Rank1<3>>, Dirichlet::new(Tensor::from([1.5, 0.7, 2.0])));
    sample!("kind": Tensor<(), usize>, Categorical::new(Tensor::from([0.2, 0.5, 0.3])));
    sample!("corner": Tensor<Rank1<3>>, OneHotCategorical::from_logits(Tensor::from([0.1, -0.4, 0.9])));
    plate!("rows", 2, |_| {
        let covariance: Tensor<Rank3<2, 2, 2>> = Tensor::from([[[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 3.0]]]);
        sample!("z", MultivariateNormal::new(0.3, &covariance).mask([true, false]));
        sample!("w", MultivariateNormal::new(0.3, &covariance));
    });
}

type Pairs = Tensor<Rank2<2, 2>>;

fn factor(by: &Scalar) -> Tensor<Rank3<2, 2, 2>> {
    Tensor::from([[[1.0, 0.0], [0.4, 0.7]], [[0.5, 0.0], [-0.2, 1.2]]]) * by
}

fn low_rank(locs: &Pairs, by: &Scalar) -> LowRankMultivariateNormal<Rank3<2, 2, 1>, f64, Cpu> {
    let factor: Tensor<Rank3<2, 2, 1>> = Tensor::from([[[0.6], [-0.3]], [[0.2], [0.8]]]);
    LowRankMultivariateNormal::new(locs, factor, by.broadcast::<Rank2<2, 2>, _>())
}

#[guide(row_priors)]
fn row_guide(_n: usize) {
    let by: Scalar = param!("by", Scalar::scalar(0.8), constraint = Positive);
    let locs: Pairs = param!("locs", Tensor::from([[0.5, -1.0], [0.0, 2.0]]));
    sample!("shares": Tensor<Rank1<3>>, Dirichlet::new(Tensor::from([0.8, 1.1, 1.9]) * &by));
    sample!("kind": Tensor<(), usize>, Categorical::from_logits(Tensor::from([1.0, 0.3, -0.2]) * &by));
    sample!("corner": Tensor<Rank1<3>>, OneHotCategorical::new(Tensor::from([0.3, 0.3, 0.4])));
    plate!("rows", 2, |_| {
        sample!("z", MultivariateNormal::from_scale_tril(&locs, factor(&by)).mask([true, false]));
        sample!("w", low_rank(&locs, &by));
    });
}

#[test]
fn rows_and_categories_have_closed_divergences() {
    let by = Scalar::scalar(0.8);
    let locs: Pairs = Tensor::from([[0.5, -1.0], [0.0, 2.0]]);
    let row = |numbers: [f64; 3]| Tensor::<Rank1<3>>::from(numbers);
    let covariance: Tensor<Rank3<2, 2, 2>> = Tensor::from([[[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 3.0]]]);
    let normal = MultivariateNormal::new(0.3, &covariance);
    let corner = OneHotCategorical::from_logits(row([0.1, -0.4, 0.9]));
    let kind = Categorical::<_, f64, Cpu>::new(row([0.2, 0.5, 0.3]));
    let expected =
        Dirichlet::new(row([0.8, 1.1, 1.9]) * &by).kl_divergence(&Dirichlet::new(row([1.5, 0.7, 2.0]))).item()
            + Categorical::from_logits(row([1.0, 0.3, -0.2]) * &by).kl_divergence(&kind).item()
            + OneHotCategorical::new(row([0.3, 0.3, 0.4])).kl_divergence(&corner).item()
            + MultivariateNormal::from_scale_tril(&locs, factor(&by)).kl_divergence(&normal).to_vec()[0]
            + low_rank(&locs, &by).kl_divergence(&normal).sum_all().item();
    let mut svi = Svi::new(row_priors, row_guide, Sgd::new(1e-300), TraceMeanFieldElbo::default());
    for _ in 0..3 {
        assert_close("loss", &[svi.evaluate((1,)).unwrap(), svi.step((1,)).unwrap()], &[expected; 2]);
    }
    // Of the guide's parameters the gradient has no noise but that of the scored sites.
    let [closed, drawn] = [
        estimates_of((&row_priors, &row_guide), (1,), TraceMeanFieldElbo::default(), 1, 2000),
        estimates_of((&row_priors, &row_guide), (1,), TraceElbo::default(), 1, 2000),
    ];
    for (at, (closed, drawn)) in closed.iter().zip(&drawn).enumerate() {
        drawn.agrees(&format!("number {at}"), closed.mean, 6.0 * closed.se, 0.1);
    }
}

#[test]
fn without_closed_divergences_it_is_the_bound_over_traces() {
    #[model]
    fn cauchy(x: &Scalar) {
        let z: Scalar = sample!("z", StudentT::new(3.0, 0.0, 1.0));
        sample!("x", Normal::new(z, 1.0), obs = x);
    }
    #[guide(cauchy)]
    fn normal(_x: &Scalar) {
        let loc: Scalar = param!("loc", Scalar::scalar(0.5));
        sample!("z", Normal::new(loc, 0.7));
    }
    let (x, rng) = (Scalar::scalar(1.0), |p| Rng::stream(2, p));
    let mut params = ParamStore::new(0);
    let mut runs =
        Programs { programs: (&cauchy, &normal), args: (&x,), params: &mut params, rng: &rng, validate: true };
    let found = TraceMeanFieldElbo::default().loss(&mut runs).unwrap();
    let expected = TraceElbo::default().loss(&mut runs).unwrap();
    let pair = runs.pair(0, Ask::default()).unwrap();
    let by_hand = (pair.guide.log_prob_sum() - pair.model.log_prob_sum()).item();
    assert_close("loss", &[found, expected], &[by_hand; 2]);
}

#[model]
fn ordered(_n: usize) {
    let a: Scalar = sample!("a", Normal::new(0.0, 1.0));
    sample!("b": Scalar, Normal::new(a, 1.0));
}

#[guide(ordered)]
fn reversed(_n: usize) {
    let b: Scalar = sample!("b", Normal::new(0.5, 1.0));
    sample!("a": Scalar, Normal::new(b, 1.0));
}

#[model]
fn wide(_n: usize) {
    plate!("rows", 2, |_| {
        sample!("z": Tensor<Rank1<2>>, Normal::standard());
    });
}

#[guide(wide)]
fn elsewhere(_n: usize) {
    sample!("z": Tensor<Rank1<2>>, Normal::standard());
}

#[model]
fn narrow(_n: usize) {
    sample!("z": Scalar, Exponential::filled((), 1.0));
}

#[guide(narrow)]
fn too_wide(_n: usize) {
    let scale: Scalar = param!("scale", Scalar::scalar(0.5), constraint = Positive);
    sample!("z", Uniform::new(Scalar::scalar(-1e-9), scale + 1.0));
}

macro_rules! error_of {
    ($model:expr, $guide:expr) => {
        Svi::new($model, $guide, Sgd::new(0.1), TraceMeanFieldElbo::default()).step((1,)).unwrap_err().to_string()
    };
}

#[test]
fn where_the_condition_fails_the_site_is_named() {
    let assert_says = |error: String, words: &[&str]| {
        assert!(words.iter().all(|word| error.contains(word)), "{error:?} lacks one of {words:?}");
    };
    assert_says(
        error_of!(ordered, reversed),
        &["site `b`", "mean-field is violated", "after `a`", "in the model's order", "TraceElbo"],
    );
    assert_says(error_of!(wide, elsewhere), &["site `z`", "same plates", "[\"rows\"]", "TraceElbo"]);
    assert_says(error_of!(narrow, too_wide), &["site `z`", "Uniform", "Exponential", "inf", "support"]);
}

#[test]
fn gradients_of_closed_divergences_are_less_noisy() {
    let x = Scalar::scalar(2.0);
    let by_draws = estimates((&chain, &chain_guide), (&x,), TraceElbo::with_particles(20), 100);
    let closed = estimates_of((&chain, &chain_guide), (&x,), TraceMeanFieldElbo::with_particles(20), 20, 100);
    for (i, exact) in closed_form(2.0, 0.5, 0.8).into_iter().enumerate() {
        closed[i].agrees(["loss", "d/d loc", "d/d ln scale"][i], exact, 0.0, 0.05);
    }
    // d/d loc: of the draw's noise, once instead of twice (the entropy's part has none). Against 1/2, the share's
    // standard error is below 0.06.
    assert!(closed[1].sd < 0.75 * by_draws[1].sd, "{} {}", closed[1].sd, by_draws[1].sd);
}

/// Scored sites with closed divergences: the mean over all their values is exact.
#[test]
fn scored_sites_keep_their_closed_divergences() {
    let (x, sites) = (crate::trace_graph::data(), crate::trace_graph::COINS);
    let objective = TraceMeanFieldElbo { baseline: DecayingAverage::new(1.0), ..TraceMeanFieldElbo::default() };
    let (model, guide) = (crate::trace_graph::coins, crate::trace_graph::coins_guide);
    let found = moments((model, guide), (&x,), &sites, &objective);
    assert_close("coins", &found.mean, &found.exact);
}
