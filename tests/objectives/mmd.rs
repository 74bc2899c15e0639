//! The maximum mean discrepancy against closed forms of normal distributions under a Gaussian kernel, term by term
//! on fixed draws, and by its optimum.

use std::f64::consts::PI;

use ppl::infer::pair::Ask;
use ppl::infer::runs::{Programs, Runs};
use ppl::infer::{Adam, AutoDiagonalNormal, LengthScale, Mmd, RunOptions, Schedule, Sgd, Svi};
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::trace::{Densities, Keep};

use crate::chain::{Scalar, chain, chain_guide};
use crate::differences::{assert_slopes, loss};
use crate::gradients::estimates_of;
use crate::weighted::{pathwise, scored, shifted};

type Three = Tensor<Rank1<3>>;

/// E exp(−d² / 2l²) of d ~ N(loc, variance).
fn near(l: f64, loc: f64, variance: f64) -> f64 {
    let whole = l * l + variance;
    l / whole.sqrt() * (-0.5 * loc * loc / whole).exp()
}

/// MMD² of N(m, s²) from N(theta, 1).
fn discrepancy(l: f64, m: f64, s: f64, theta: f64) -> f64 {
    near(l, 0.0, 2.0 * s * s) + near(l, 0.0, 2.0) - 2.0 * near(l, m - theta, s * s + 1.0)
}

/// −E ln N(x; z, scale) of z ~ N(m, s²).
fn minus_log_likelihood(x: f64, scale: f64, m: f64, s: f64) -> f64 {
    0.5 * (2.0 * PI * scale * scale).ln() + 0.5 * ((x - m).powi(2) + s * s) / (scale * scale)
}

/// The loss at (m, ln s, theta) of `shifted` at x = 2, and its derivatives by central differences.
fn exact(loss: impl Fn([f64; 3]) -> f64, at: [f64; 3]) -> [f64; 4] {
    let slope = |i: usize| {
        let moved = |by: f64| loss(std::array::from_fn(|j| if i == j { at[j] + by } else { at[j] }));
        (moved(1e-4) - moved(-1e-4)) / 2e-4
    };
    [loss(at), slope(0), slope(1), slope(2)]
}

/// Within six standard errors of 60 steps: false alarms below 1e-7 each. The prior's parameter learns too.
#[test]
fn one_site_under_a_normal_guide() {
    let at = |[m, ln_s, theta]: [f64; 3]| {
        minus_log_likelihood(2.0, 1.0, m, ln_s.exp()) + 8.0 * discrepancy(0.9, m, ln_s.exp(), theta)
    };
    let objective = Mmd { length_scale: LengthScale::Fixed(0.9), mmd_scale: 8.0, num_particles: 100, ..Mmd::default() };
    let found = estimates_of((&shifted, &pathwise), (&Scalar::scalar(2.0),), objective, 200, 60);
    for (i, exact) in exact(at, [0.5, 0.8_f64.ln(), 0.2]).into_iter().enumerate() {
        found[i].agrees(&format!("number {i}"), exact, 1e-6, 0.1);
    }
}

#[model]
fn three_rows(x: &Three) {
    plate!("data", 3, |_| {
        let z: Three = sample!("z", Normal::new(Three::zeros(), 1.5));
        sample!("x", Normal::new(z, 1.0), obs = x);
    });
}

#[guide(three_rows)]
fn amortised(x: &Three) {
    let slope: Scalar = param!("slope", Scalar::scalar(0.7));
    let scale: Scalar = param!("scale", Scalar::scalar(0.6), constraint = Positive);
    plate!("data", 3, |_| {
        sample!("z", Normal::new(x * slope, scale));
    });
}

const X: [f64; 3] = [0.4, -1.9, 2.8];

/// Elements as draws of one mixture, and as parts of one draw: within six standard errors of 3000 steps of two runs
/// (false alarms below 1e-8 each), so that there is no bias however few runs there are.
#[test]
fn elements_of_a_plate_are_draws_of_a_mixture_or_parts_of_one() {
    let l = 1.3;
    let penalty = |pooled: bool, slope: f64, s: f64| {
        let locs = X.map(|x| slope * x);
        if !pooled {
            let product = |f: &dyn Fn(f64) -> f64| locs.iter().map(|&m| f(m)).product::<f64>();
            let within = product(&|_| near(l, 0.0, 2.0 * s * s)) + product(&|_| near(l, 0.0, 4.5));
            return within - 2.0 * product(&|m| near(l, m, s * s + 2.25));
        }
        let pairs = locs.iter().flat_map(|a| locs.map(|b| near(l, a - b, 2.0 * s * s)));
        let across = locs.iter().map(|&m| near(l, m, s * s + 2.25)).sum::<f64>();
        pairs.sum::<f64>() / 9.0 + near(l, 0.0, 4.5) - 2.0 * across / 3.0
    };
    for pooled in [true, false] {
        let at = |[slope, ln_s, _]: [f64; 3]| {
            let likelihood = X.iter().map(|&x| minus_log_likelihood(x, 1.0, slope * x, ln_s.exp()));
            likelihood.sum::<f64>() + 10.0 * penalty(pooled, slope, ln_s.exp())
        };
        let objective = Mmd { length_scale: LengthScale::Fixed(l), mmd_scale: 10.0, num_particles: 2, pooled };
        let found = estimates_of((&three_rows, &amortised), (&Tensor::from(X),), objective, 4, 3000);
        for (i, exact) in exact(at, [0.7, 0.6_f64.ln(), 0.0]).into_iter().take(3).enumerate() {
            found[i].agrees(&format!("pooled {pooled}, number {i}"), exact, 1e-6, 0.15);
        }
    }
}

/// Two sites, one of three elements of which the last is masked.
#[model]
fn padded(x: &Three) {
    let theta: Scalar = param!("theta", Scalar::scalar(0.3));
    let w: Scalar = sample!("w", LogNormal::new(theta, 0.5));
    plate!("data", 3, |_| {
        let z: Three = sample!("z", Normal::new(Three::zeros(), 2.0).mask([true, true, false]));
        sample!("x", Normal::new(z, w).mask([true, true, false]), obs = x);
    });
}

#[guide(padded)]
fn padded_guide(x: &Three) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let slope: Scalar = param!("slope", Scalar::scalar(0.7));
    sample!("w", LogNormal::new(loc, 0.4));
    plate!("data", 3, |_| {
        sample!("z", Normal::new(x * slope, 0.6).mask([true, true, false]));
    });
}

fn square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// The U-statistic over pairs of different runs, whose draws these are; the median of all distances without a length.
fn by_hand(guide: &[Vec<Vec<f64>>], prior: &[Vec<Vec<f64>>], l: Option<f64>) -> f64 {
    let all: Vec<&Vec<f64>> = guide.iter().chain(prior).flatten().collect();
    let mut squares: Vec<f64> =
        (0..all.len()).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| square(all[i], all[j])).collect();
    squares.sort_by(f64::total_cmp);
    let half = squares.len() / 2;
    let middle =
        if squares.len().is_multiple_of(2) { 0.5 * (squares[half - 1] + squares[half]) } else { squares[half] };
    let l2 = l.map_or(middle, |l| l * l);
    let mean = |a: &[Vec<Vec<f64>>], b: &[Vec<Vec<f64>>], apart: bool| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (i, a) in a.iter().enumerate() {
            for (_, b) in b.iter().enumerate().filter(|&(j, _)| !apart || i != j) {
                for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (a, b))) {
                    sum += (-square(a, b) / (2.0 * l2)).exp();
                    count += 1.0;
                }
            }
        }
        sum / count
    };
    mean(guide, guide, true) + mean(prior, prior, true) - 2.0 * mean(guide, prior, false)
}

#[test]
fn term_by_term_on_fixed_draws() {
    let x = Tensor::from(X);
    let (mut params, rng) = (ParamStore::new(0), |p| Rng::stream(11, p));
    let programs = (&padded, &padded_guide);
    let mut runs = Programs { programs, args: (&x,), params: &mut params, rng: &rng, validate: true };
    let pairs: Vec<_> = (0..3).map(|p| runs.pair(p, Ask::default()).unwrap()).collect();
    let priors: Vec<_> = (3..6).map(|p| runs.prior(p, Keep::default()).unwrap()).collect();
    let likelihood = pairs.iter().map(|pair| pair.model.site("x").unwrap().log_prob.item()).sum::<f64>() / 3.0;
    for pooled in [true, false] {
        let w = |trace: &Trace<f64, Cpu>| vec![vec![trace.value::<Scalar>("w").unwrap().item()]];
        let z = |trace: &Trace<f64, Cpu>| {
            let z = trace.value::<Three>("z").unwrap().to_vec();
            if pooled { vec![vec![z[0]], vec![z[1]]] } else { vec![vec![z[0], z[1]]] }
        };
        for l in [None, Some(0.8)] {
            let of = |draws: &dyn Fn(&Trace<f64, Cpu>) -> Vec<Vec<f64>>| {
                let guide: Vec<_> = pairs.iter().map(|pair| draws(&pair.guide)).collect();
                by_hand(&guide, &priors.iter().map(draws).collect::<Vec<_>>(), l)
            };
            let expected = 2.5 * (of(&w) + of(&z)) - likelihood;
            let length_scale = l.map_or(LengthScale::Median, LengthScale::Fixed);
            let objective = Mmd { length_scale, mmd_scale: 2.5, num_particles: 3, pooled };
            let found = loss((&padded, &padded_guide), (&x,), &objective, &mut ParamStore::new(0)).unwrap();
            assert!((found - expected).abs() < 1e-10, "pooled {pooled}, {l:?}: {found}, not {expected}");
            if l.is_some() {
                assert_slopes((&padded, &padded_guide), (&x,), objective);
            }
        }
    }
}

/// The least loss of the closed form, and fits from elsewhere: of a guide, and of one made of the model.
#[test]
fn a_fit_finds_the_optimum() {
    let at = |[m, ln_s, _]: [f64; 3]| {
        minus_log_likelihood(2.0, 1.0, m, ln_s.exp()) + 6.0 * discrepancy(1.0, m, ln_s.exp(), 0.0)
    };
    let (x, mut best) = (Scalar::scalar(2.0), [0.5, 0.0, 0.0]);
    for _ in 0..2000 {
        let slopes = exact(at, best);
        best = [best[0] - 0.1 * slopes[1], best[1] - 0.1 * slopes[2], 0.0];
    }
    let objective = Mmd { length_scale: LengthScale::Fixed(1.0), mmd_scale: 6.0, num_particles: 20, ..Mmd::default() };
    let optimizer = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: 1500, floor: 0.0 });
    let mut svi = Svi::new(chain, chain_guide, optimizer.clone(), objective.clone()).seed(4);
    svi.run(RunOptions::steps(1500), &x).unwrap();
    let of = |name: &str| svi.params().constrained(name).unwrap().to_vec()[0];
    let guide = AutoDiagonalNormal::new(chain, &x).unwrap();
    let mut auto = Svi::new(chain, guide.clone(), optimizer, objective).seed(4);
    auto.run(RunOptions::steps(1500), &x).unwrap();
    let found = guide.posterior(auto.params());
    for (loc, scale) in [(of("loc"), of("scale")), (found.loc[0], found.scale()[0])] {
        assert!((loc - best[0]).abs() < 0.05 && (scale.ln() - best[1]).abs() < 0.1, "{loc}, {scale}, not {best:?}");
    }
}

#[test]
fn densities_that_nobody_asks_for_are_left_out() {
    let (x, mut params, rng) = (Scalar::scalar(2.0), ParamStore::new(0), |p| Rng::stream(3, p));
    let programs = (&chain, &chain_guide);
    let mut runs = Programs { programs, args: (&x,), params: &mut params, rng: &rng, validate: true };
    let mut found = |densities| {
        let keep = Keep { densities, ..Keep::NOTHING };
        let pair = runs.pair(0, Ask { keep, ..Ask::default() }).unwrap();
        let of = |trace: &Trace<f64, Cpu>, name: &str| trace.site(name).unwrap().log_prob.item();
        [of(&pair.guide, "z"), of(&pair.model, "z"), of(&pair.model, "x")]
    };
    let all = found(Densities::All);
    assert!(all.iter().all(|&density| density < 0.0), "{all:?}");
    assert_eq!(found(Densities::Latent), [all[0], all[1], 0.0]);
    assert_eq!(found(Densities::Given), [0.0, 0.0, all[2]]);
    assert_eq!(found(Densities::None), [0.0; 3]);
}

#[model]
fn branching(x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    let more = if z.item() > 0.0 { sample!("more": Scalar, Normal::new(0.0, 1.0)) } else { z };
    sample!("x", Normal::new(more, 1.0), obs = x);
}

#[guide(branching)]
fn branching_guide(_x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    if z.item() > 0.0 {
        sample!("more": Scalar, Normal::new(0.0, 1.0));
    }
}

#[model]
fn scored_prior(x: &Scalar) {
    let z: Scalar = sample!("z", crate::scored::Scored(Normal::new(0.0, 1.0)));
    sample!("x", Normal::new(z, 1.0), obs = x);
}

#[guide(scored_prior)]
fn scored_prior_guide(_x: &Scalar) {
    sample!("z": Scalar, Normal::new(0.0, 1.0));
}

#[test]
fn mistakes_name_the_site_and_the_remedy() {
    macro_rules! problem {
        ($model:ident, $guide:expr) => {
            Svi::new($model, $guide, Sgd::new(0.1), Mmd::with_particles(8))
                .step(&Scalar::scalar(2.0))
                .expect_err("a mistake")
                .to_string()
        };
    }
    for (text, parts) in [
        (problem!(shifted, scored), ["site `z`", "Scored", "use TraceElbo"]),
        (problem!(scored_prior, scored_prior_guide), ["site `z`", "Scored", "use TraceElbo"]),
        (problem!(branching, branching_guide), ["site `more`", "not in every run", "use TraceElbo"]),
    ] {
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
}

#[test]
#[should_panic(expected = "at least two, but has 1")]
fn one_run_has_no_other() {
    let _ = Mmd::with_particles(1);
}

#[test]
#[should_panic(expected = "positive and finite, but it is 0")]
fn a_length_is_positive() {
    let objective = Mmd { length_scale: LengthScale::Fixed(0.0), ..Mmd::default() };
    let _ = loss((&chain, &chain_guide), (&Scalar::scalar(2.0),), &objective, &mut ParamStore::new(0));
}
