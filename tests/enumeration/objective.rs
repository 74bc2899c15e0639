//! The objective: with continuous sites proposed by a guide, and typed posteriors of the discrete ones.

use ppl::infer::mcmc::NutsOptions;
use ppl::infer::optim::Schedule;
use ppl::infer::{
    Adam, AutoNormal, InferDiscrete, LogDensity, Mcmc, McmcOptions, ModelDensity, RunOptions, Svi, TraceElbo,
    TraceEnumElbo,
};
use ppl::prelude64::*;

type Scalar = Tensor<()>;
type Vector = Tensor<(usize,)>;

/// Two groups with a mean each, one of which is known.
#[model]
fn groups(y: &Vector) {
    let mean: Scalar = sample!("mean", Normal::new(0.0, 2.0));
    let n = y.shape().0;
    plate!("rows", n, |_| {
        let z: Vector = sample!("z", Bernoulli::new(Vector::vector(vec![0.6; n])), enumerate);
        sample!("y", Normal::new(&z * mean.expand::<(usize,)>((n,)), 0.5), obs = y);
    });
}

#[guide(groups)]
fn point(y: &Vector) {
    let _ = y;
    let loc: Scalar = param!("loc", Tensor::scalar(1.0));
    let scale = param!("scale", Tensor::scalar(0.2), constraint = Positive);
    sample!("mean", Normal::new(loc, scale));
}

const Y: [f64; 6] = [0.1, 2.3, 1.8, -0.4, 2.9, 0.3];

fn data() -> Vector {
    Vector::vector(Y.to_vec())
}

fn density(y: f64, mean: f64, sd: f64) -> f64 {
    (-0.5 * ((y - mean) / sd).powi(2)).exp() / (sd * std::f64::consts::TAU.sqrt())
}

/// ln p(y, mean).
fn joint(mean: f64) -> f64 {
    let likelihood = Y.map(|y| (0.6 * density(y, mean, 0.5) + 0.4 * density(y, 0.0, 0.5)).ln()).iter().sum::<f64>();
    density(mean, 0.0, 2.0).ln() + likelihood
}

/// Mean, standard deviation and log-evidence on a grid.
fn quadrature() -> (f64, f64, f64) {
    let grid: Vec<f64> = (-8000..=8000).map(|i| f64::from(i) * 1e-3).collect();
    let best = grid.iter().map(|&m| joint(m)).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = grid.iter().map(|&m| (joint(m) - best).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let mean = grid.iter().zip(&weights).map(|(m, w)| m * w).sum::<f64>() / sum;
    let variance = grid.iter().zip(&weights).map(|(m, w)| (m - mean).powi(2) * w).sum::<f64>() / sum;
    (mean, variance.sqrt(), best + (sum * 1e-3).ln())
}

fn is_fitted<G>(guide: G) -> ParamStore<f64, Cpu>
where
    G: for<'a> Model<(&'a Vector,), E = f64, D = Cpu>,
    G::Base: ppl::model::Guide<groups>,
{
    let data = data();
    let adam = Adam::new(0.03).schedule(Schedule::Cosine { warmup: 0, steps: 1500, floor: 1e-3 });
    let mut svi = Svi::new(groups, guide, adam, TraceEnumElbo::with_particles(4)).seed(1);
    svi.run(RunOptions::steps(1500), &data).unwrap();
    let losses: Vec<f64> = (0..500).map(|_| svi.evaluate(&data).unwrap()).collect();
    let elbo = -losses.iter().sum::<f64>() / 500.0;
    // The posterior is nearly normal: the bound is within a hundredth of the evidence, and never above it but for noise.
    let (.., evidence) = quadrature();
    assert!((elbo - evidence).abs() < 0.02, "{elbo} for {evidence}");
    svi.into_params()
}

#[test]
fn the_guide_proposes_what_is_left() {
    let (mean, sd, _) = quadrature();
    let params = is_fitted(point);
    let value = |name: &str| params.constrained(name).expect("a parameter").to_vec()[0];
    assert!((value("loc") - mean).abs() < 0.05 * sd, "{} for {mean}", value("loc"));
    assert!((value("scale") / sd - 1.0).abs() < 0.05, "{} for {sd}", value("scale"));
}

#[test]
fn autoguides_leave_enumerated_sites_alone() {
    let guide = AutoNormal::new(groups, &data()).unwrap();
    assert_eq!(guide.sites().iter().map(|site| site.name.as_str()).collect::<Vec<_>>(), ["mean"]);
    is_fitted(guide);
}

#[test]
fn other_objectives_name_the_one_that_sums() {
    let error = Svi::new(groups, point, Adam::new(0.01), TraceElbo::default()).step(&data()).unwrap_err().to_string();
    assert!(error.contains("`z`") && error.contains("TraceEnumElbo"), "{error}");
}

#[test]
fn the_discrete_posterior_has_the_models_own_types() {
    let y = data();
    let values = GroupsValues { mean: Some(Tensor::scalar(2.2)), ..GroupsValues::default() };
    let posterior = InferDiscrete::new(groups.substitute(values), &y, &ParamStore::new(0)).unwrap();
    let best = posterior.most_probable().unwrap();
    assert_eq!(best.z.value.to_vec(), [0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
    assert_eq!(best.mean.value.item(), 2.2);
    let marginals = posterior.enumerated().marginals().unwrap();
    for (row, y) in marginals[0].1.iter().zip(Y) {
        let (one, zero) = (0.6 * density(y, 2.2, 0.5), 0.4 * density(y, 0.0, 0.5));
        assert!((row[1] - one / (one + zero)).abs() < 1e-12, "{row:?} at {y}");
    }
    let error = InferDiscrete::new(groups, &y, &ParamStore::new(0)).unwrap_err().to_string();
    assert!(error.contains("`mean`") && error.contains("substitute"), "{error}");
}

#[test]
fn the_density_of_a_vector_sums_too() {
    let y = data();
    let mut density = ModelDensity::new(groups, &y).unwrap();
    assert_eq!(density.dim(), 1);
    for mean in [-0.7, 1.3, 2.2] {
        let mut gradient = [0.0];
        let found = density.evaluate(&[mean], &mut gradient).unwrap();
        assert!((found - joint(mean)).abs() < 1e-10, "{found} for {}", joint(mean));
        let slope = (joint(mean + 1e-5) - joint(mean - 1e-5)) / 2e-5;
        assert!((gradient[0] - slope).abs() < 1e-7, "{gradient:?} for {slope}");
    }
}

#[test]
fn chains_draw_what_was_summed_out() {
    let y = data();
    let options = McmcOptions { chains: 2, warmup: 300, draws: 1500, seed: 4, ..McmcOptions::default() };
    let mut mcmc = Mcmc::new(groups, &y, NutsOptions::default(), options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    let (mean, sd, _) = quadrature();
    let chains = draws.quantity("mean").unwrap();
    let all: Vec<f64> = chains.iter().flatten().copied().collect();
    let n = all.len() as f64;
    // Five standard errors at an effective sample size of a fifth of the draws.
    let error = 5.0 * (5.0_f64 / n).sqrt();
    assert!((all.iter().sum::<f64>() / n - mean).abs() < error * sd, "{} for {mean}", all.iter().sum::<f64>() / n);
    // The probability of the larger group at each row, averaged over the posterior of the mean.
    let grid: Vec<f64> = (-3000..=3000).map(|i| mean + f64::from(i) * 2e-3 * sd).collect();
    let weights: Vec<f64> = grid.iter().map(|&m| (joint(m) - joint(mean)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    for (row, y) in Y.into_iter().enumerate() {
        let of = |m: f64| 0.6 * density(y, m, 0.5) / (0.6 * density(y, m, 0.5) + 0.4 * density(y, 0.0, 0.5));
        let expected = grid.iter().zip(&weights).map(|(&m, w)| of(m) * w).sum::<f64>() / sum;
        let found: Vec<f64> = draws.quantity(&format!("z[{row}]")).unwrap().concat();
        let found = found.iter().sum::<f64>() / n;
        assert!(
            (found - expected).abs() < error * (expected * (1.0 - expected)).sqrt() + 1e-3,
            "{found} for {expected}"
        );
    }
}
