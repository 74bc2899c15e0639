//! The energy distance against closed forms of normal distributions, term by term on fixed draws, and by its optimum.

use std::f64::consts::PI;

use ppl::infer::runs::{Programs, Runs};
use ppl::infer::{Adam, AutoDiagonalNormal, EnergyDistance, RunOptions, Schedule, Sgd, Svi};
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::trace::Keep;

use crate::chain::{Scalar, chain, chain_guide};
use crate::differences::{assert_slopes, loss};
use crate::gradients::estimates_of;
use crate::scored::Scored;
use crate::weighted;

type Three = Tensor<Rank1<3>>;

/// Φ.
fn phi(x: f64) -> f64 {
    Normal::new(Scalar::scalar(0.0), 1.0).cdf(&Scalar::scalar(x)).expect("normal").item()
}

/// E|d| of d ~ N(loc, scale).
fn mean_size(loc: f64, scale: f64) -> f64 {
    let ratio = loc / scale;
    scale * (2.0 / PI).sqrt() * (-0.5 * ratio * ratio).exp() + loc * (1.0 - 2.0 * phi(-ratio))
}

/// E|d|^β of d ~ N(loc, scale), by the trapezoidal rule.
fn mean_power(beta: f64, loc: f64, scale: f64) -> f64 {
    let width = 1e-3;
    let nodes = (-9000..=9000).map(|i| f64::from(i) * width);
    nodes.map(|e| (loc + scale * e).abs().powf(beta) * (-0.5 * e * e).exp()).sum::<f64>() * width / (2.0 * PI).sqrt()
}

/// The loss of `chain` at x = 2 under N(m, s), where draws are N(m, √(s² + 1)), with λ = 0.3.
fn of_chain(power: impl Fn(f64, f64) -> f64, m: f64, s: f64) -> f64 {
    let scale = (s * s + 1.0).sqrt();
    let ln_prior = -0.5 * (m * m + s * s) - 0.5 * (2.0 * PI).ln();
    power(m - 2.0, scale) - 0.5 * power(0.0, 2.0_f64.sqrt() * scale) - 0.3 * ln_prior
}

/// The loss, and its derivatives in m and ln s by central differences.
fn exact(power: impl Fn(f64, f64) -> f64) -> [f64; 3] {
    let at = |m: f64, ln_s: f64| of_chain(&power, m, ln_s.exp());
    let (m, ln_s, h) = (0.5, 0.8_f64.ln(), 1e-4);
    let d_m = (at(m + h, ln_s) - at(m - h, ln_s)) / (2.0 * h);
    [at(m, ln_s), d_m, (at(m, ln_s + h) - at(m, ln_s - h)) / (2.0 * h)]
}

/// Within six standard errors of 100 steps: false alarms below 1e-7 each.
#[test]
fn one_observation_under_a_normal_guide() {
    let x = Scalar::scalar(2.0);
    assert!((mean_size(-1.5, 1.3) - mean_power(1.0, -1.5, 1.3)).abs() < 1e-6);
    let of = |beta: f64, exact: [f64; 3], error: f64| {
        let objective = EnergyDistance { beta, prior_scale: 0.3, num_particles: 100 };
        let found = estimates_of((&chain, &chain_guide), (&x,), objective, 100, 100);
        for (i, exact) in exact.into_iter().enumerate() {
            found[i].agrees(&format!("power {beta}, number {i}"), exact, 1e-5, error);
        }
    };
    of(1.0, exact(mean_size), 0.02);
    of(1.6, exact(|loc, scale| mean_power(1.6, loc, scale)), 0.03);
}

/// Two runs a step: the estimate has no bias, however few there are.
#[test]
fn two_runs_are_enough() {
    let x = Scalar::scalar(2.0);
    let objective = EnergyDistance { prior_scale: 0.3, ..EnergyDistance::default() };
    let found = estimates_of((&chain, &chain_guide), (&x,), objective, 2, 5000);
    for (i, exact) in exact(mean_size).into_iter().enumerate() {
        found[i].agrees(&format!("number {i}"), exact, 0.0, 0.02);
    }
}

/// Three of six rows with one masked, and a positive number.
#[model]
fn two_sites(x: &Tensor<Rank1<6>>, y: &Scalar) {
    let theta: Scalar = param!("theta", Scalar::scalar(0.4));
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    plate!("data", 6, subsample = 3, |rows| {
        let part: Three = x.gather::<(usize,)>(&rows.to_vec()).realize().expect("three rows");
        let loc = (&z * &theta).broadcast::<Rank1<3>, _>();
        sample!("x", Normal::new(loc, 0.7).mask([true, false, true]), obs = part);
    });
    sample!("y", LogNormal::new(z * theta, 0.5), obs = y);
}

#[guide(two_sites)]
fn two_sites_guide(_x: &Tensor<Rank1<6>>, _y: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.8), constraint = Positive);
    sample!("z", Normal::new(loc, scale));
}

/// Row 1 is never seen: its number is none.
fn data() -> (Tensor<Rank1<6>>, Scalar) {
    (Tensor::from([0.3, -1.2, 2.0, 0.7, 1.1, -0.4]), Scalar::scalar(1.7))
}

#[test]
fn term_by_term_on_fixed_draws() {
    let (x, y) = data();
    let (mut params, rng) = (ParamStore::new(0), |p| Rng::stream(11, p));
    let programs = (&two_sites, &two_sites_guide);
    let replicas = Programs { programs, args: (&x, &y), params: &mut params, rng: &rng, validate: true }
        .replicas(4, Keep::default())
        .unwrap();
    // The numbers that count, drawn and observed, and the latent log-density.
    let rows = replicas[0].pair.model.plate("data").unwrap().1.clone();
    let of = |replica: &ppl::infer::pair::Replica<f64, Cpu>| {
        let trace = &replica.pair.model;
        assert_eq!(trace.plate("data").unwrap().1, &rows);
        let drawn = trace.value::<Three>("x").unwrap().to_vec();
        let y_drawn = trace.value::<Scalar>("y").unwrap().item();
        let seen: Vec<f64> = rows.iter().map(|row| x.to_vec()[row]).collect();
        assert_eq!(replica.data.get("x").unwrap().to_f64s().unwrap(), seen);
        let z = trace.value::<Scalar>("z").unwrap().item();
        ([drawn[0], drawn[2], y_drawn], [seen[0], seen[2], 1.7], -0.5 * z * z - 0.5 * (2.0 * PI).ln())
    };
    let runs: Vec<_> = replicas.iter().map(of).collect();
    for beta in [0.5, 1.0, 1.5] {
        // Half of the rows are in the step: their squares count twice.
        let power = |a: [f64; 3], b: [f64; 3]| {
            let square = 2.0 * (a[0] - b[0]).powi(2) + 2.0 * (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2);
            square.sqrt().powf(beta)
        };
        let mut expected = 0.0;
        for (i, &(drawn, seen, ln_prior)) in runs.iter().enumerate() {
            expected += (power(drawn, seen) - 0.3 * ln_prior) / 4.0;
            let others = runs.iter().enumerate().filter(|&(j, _)| j != i);
            expected -= others.map(|(_, other)| 0.5 * power(drawn, other.0) / 12.0).sum::<f64>();
        }
        let objective = EnergyDistance { beta, prior_scale: 0.3, num_particles: 4 };
        let found = loss((&two_sites, &two_sites_guide), (&x, &y), &objective, &mut ParamStore::new(0)).unwrap();
        assert!((found - expected).abs() < 1e-10, "power {beta}: {found}, not {expected}");
        assert_slopes((&two_sites, &two_sites_guide), (&x, &y), objective);
    }
}

#[model]
fn three_rows(x: &Three) {
    plate!("data", 3, |_| {
        let z: Three = sample!("z", Normal::new(Three::zeros(), 3.0));
        sample!("x", Normal::new(z, 0.5), obs = x);
    });
}

#[guide(three_rows)]
fn alike(_x: &Three) {
    let loc: Scalar = param!("loc", Scalar::scalar(-0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.4), constraint = Positive);
    plate!("data", 3, |_| {
        sample!("z", Normal::new(loc.broadcast::<Rank1<3>, _>(), scale));
    });
}

/// E‖X − x‖ − ½ E‖X − X′‖ of X ~ N(μ, t² I) in three dimensions with ‖x − μ‖ = r: the mean of a non-central
/// Maxwell distribution, t √(2/π) e^(−r²/2t²) + (r + t²/r) erf(r / (t √2)), and 2 t √(2/π) · √2 / 2.
fn in_three_dimensions(r: f64, t: f64) -> f64 {
    let erf = 2.0 * phi(r / t) - 1.0;
    let error = t * (2.0 / PI).sqrt() * (-0.5 * (r / t).powi(2)).exp() + (r + t * t / r) * erf;
    error - t * 2.0 / PI.sqrt()
}

/// The mean of the data, and the scale with the least distance, from a start elsewhere.
#[test]
fn a_fit_finds_the_optimum() {
    let x: Three = Tensor::from([0.4, 1.9, 2.8]);
    let mean: f64 = 1.7;
    let r = x.to_vec().iter().map(|x| (x - mean).powi(2)).sum::<f64>().sqrt();
    let scales = (0..3000).map(|i| 0.5 + f64::from(i) * 1e-3);
    let best = scales.min_by(|&a, &b| in_three_dimensions(r, a).total_cmp(&in_three_dimensions(r, b))).unwrap();
    assert!(best > 0.6 && best < 3.0, "inside of the grid: {best}");

    let optimizer = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: 1500, floor: 0.0 });
    let mut svi = Svi::new(three_rows, alike, optimizer, EnergyDistance::with_particles(20)).seed(4);
    svi.run(RunOptions::steps(1500), &x).unwrap();
    let of = |name: &str| svi.params().constrained(name).unwrap().to_vec()[0];
    let (loc, scale) = (of("loc"), of("scale").hypot(0.5));
    assert!((loc - mean).abs() < 0.03 && (scale - best).abs() < 0.05, "{loc} ± {scale}, not {mean} ± {best}");
}

/// The least loss of the closed form with the prior, by a guide made of the model.
#[test]
fn an_autoguide_finds_the_optimum() {
    let x = Scalar::scalar(2.0);
    let grid = (-100..300).flat_map(|i| (1..100).map(move |j| (f64::from(i) * 0.01, f64::from(j) * 0.01)));
    let at = |&(m, s): &(f64, f64)| of_chain(mean_size, m, s);
    let best = grid.min_by(|a, b| at(a).total_cmp(&at(b))).unwrap();
    let objective = EnergyDistance { prior_scale: 0.3, num_particles: 20, ..EnergyDistance::default() };
    let optimizer = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: 1500, floor: 0.0 });
    let guide = AutoDiagonalNormal::new(chain, &x).unwrap();
    let mut svi = Svi::new(chain, guide.clone(), optimizer, objective).seed(4);
    svi.run(RunOptions::steps(1500), &x).unwrap();
    // The optimum is flat in the scale, which is near 0.
    let (loc, scale) = (guide.posterior(svi.params()).loc[0], guide.posterior(svi.params()).scale()[0]);
    assert!((loc - best.0).abs() < 0.05, "{loc}, not {best:?}");
    assert!(at(&(loc, scale)) < at(&best) + 0.001, "{loc} ± {scale}, not {best:?}");
}

/// A draw that is its datum has no slope, and is no error.
#[model]
fn certain(x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    sample!("x", Delta::certain(z), obs = x);
}

#[guide(certain)]
fn certain_guide(_x: &Scalar) {
    let at: Scalar = param!("at", Scalar::scalar(2.0));
    sample!("z", Delta::certain(at));
}

#[test]
fn no_distance_has_no_slope() {
    let found =
        estimates_of((&certain, &certain_guide), (&Scalar::scalar(2.0),), EnergyDistance::with_particles(3), 3, 2);
    assert_eq!((found[0].mean, found[1].mean), (0.0, 0.0));
}

#[model]
fn scored_data(x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    sample!("x", Scored(Normal::new(z, 1.0)), obs = x);
}

#[guide(scored_data)]
fn scored_data_guide(_x: &Scalar) {
    sample!("z": Scalar, Normal::new(0.0, 1.0));
}

#[model]
fn weighted_by_a_factor(x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    factor!("pull", -&z);
    sample!("x", Normal::new(z, 1.0), obs = x);
}

#[guide(weighted_by_a_factor)]
fn weighted_by_a_factor_guide(_x: &Scalar) {
    sample!("z": Scalar, Normal::new(0.0, 1.0));
}

#[model]
fn sometimes(x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    if z.item() > 0.0 {
        sample!("late", Normal::new(&z, 1.0), obs = x);
    }
    sample!("x", Normal::new(z, 1.0), obs = x);
}

#[guide(sometimes)]
fn sometimes_guide(_x: &Scalar) {
    sample!("z": Scalar, Normal::new(0.0, 1.0));
}

#[model]
fn unseen(_x: &Scalar) {
    sample!("z": Scalar, Normal::new(0.0, 1.0));
}

#[guide(unseen)]
fn unseen_guide(_x: &Scalar) {
    sample!("z": Scalar, Normal::new(0.0, 1.0));
}

#[test]
fn mistakes_name_the_site_and_the_remedy() {
    macro_rules! problem {
        ($model:ident, $guide:expr, $x:expr) => {
            Svi::new($model, $guide, Sgd::new(0.1), EnergyDistance::with_particles(8))
                .step(&Scalar::scalar($x))
                .expect_err("a mistake")
                .to_string()
        };
    }
    for (text, parts) in [
        (problem!(scored_data, scored_data_guide, 2.0), ["site `x`", "Scored", "use TraceElbo"]),
        (problem!(weighted_by_a_factor, weighted_by_a_factor_guide, 2.0), ["site `pull`", "factor", "use TraceElbo"]),
        (problem!(sometimes, sometimes_guide, 2.0), ["site `late`", "not in every run", "use TraceElbo"]),
        (problem!(unseen, unseen_guide, 2.0), ["model `unseen`", "observed nothing", "observe some"]),
        (problem!(chain, chain_guide, f64::NAN), ["site `x`", "observed is NaN", "no distance"]),
    ] {
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    let x = Scalar::scalar(2.0);
    let pair = (&weighted::shifted, &weighted::scored);
    let text = loss(pair, (&x,), &EnergyDistance::default(), &mut ParamStore::new(0)).unwrap_err().to_string();
    assert!(text.contains("site `z`") && text.contains("pathwise") && text.contains("use TraceElbo"), "{text}");
}

#[test]
#[should_panic(expected = "at least two, but has 1")]
fn one_run_has_no_other() {
    let _ = EnergyDistance::with_particles(1);
}

#[test]
#[should_panic(expected = "within (0, 2), but it is 2")]
fn squares_are_no_proper_score() {
    let objective = EnergyDistance { beta: 2.0, ..EnergyDistance::default() };
    let _ = loss((&chain, &chain_guide), (&Scalar::scalar(2.0),), &objective, &mut ParamStore::new(0));
}
