//! Losses and gradients against closed forms: with a conjugate posterior, the loss is KL(guide ‖ posterior) less
//! the logarithm of the evidence.

use ppl::autodiff::grad;
use ppl::infer::{Objective, TraceElbo, TraceGraphElbo, TraceMeanFieldElbo};
use ppl::prelude64::*;

use crate::gradients::estimates_of;
use crate::scored::Scored;

type Scalar = Tensor<()>;

pub(crate) const A: f64 = 1.9;
pub(crate) const B: f64 = 1.4;

/// A guide with two positive parameters, or a location and a scale.
macro_rules! guides {
    ($model:ident, $pathwise:ident, $scored:ident, $family:ident) => {
        #[guide($model)]
        pub(crate) fn $pathwise(_x: &Tensor<Rank1<3>>) {
            let a: Scalar = param!("a", Scalar::scalar(A), constraint = Positive);
            let b: Scalar = param!("b", Scalar::scalar(B), constraint = Positive);
            sample!("z", $family::new(a, b));
        }

        #[guide($model)]
        pub(crate) fn $scored(_x: &Tensor<Rank1<3>>) {
            let a: Scalar = param!("a", Scalar::scalar(A), constraint = Positive);
            let b: Scalar = param!("b", Scalar::scalar(B), constraint = Positive);
            sample!("z", Scored($family::new(a, b)));
        }
    };
}

macro_rules! model {
    ($model:ident, $prior:expr, |$z:ident| $likelihood:expr) => {
        #[model]
        pub(crate) fn $model(x: &Tensor<Rank1<3>>) {
            let z: Scalar = sample!("z", $prior);
            let $z = z.broadcast::<Rank1<3>, _>();
            plate!("data", 3, |_| {
                sample!("x", $likelihood, obs = x);
            });
        }
    };
}

model!(normal_normal, Normal::new(0.3, 1.5), |z| Normal::new(z, 0.8));
guides!(normal_normal, normal_path, normal_score, Normal);
model!(gamma_poisson, Gamma::new(2.0, 0.9), |z| Poisson::new(z));
guides!(gamma_poisson, gamma_path, gamma_score, Gamma);
model!(gamma_exponential, Gamma::new(2.0, 0.9), |z| Exponential::new(z));
guides!(gamma_exponential, rate_path, rate_score, Gamma);
model!(beta_bernoulli, Beta::new(1.5, 2.5), |z| Bernoulli::new(z));
guides!(beta_bernoulli, beta_path, beta_score, Beta);
model!(log_normals, LogNormal::new(0.3, 1.5), |z| LogNormal::new(z.ln(), 0.8));
guides!(log_normals, log_path, log_score, LogNormal);

pub(crate) fn counts() -> Tensor<Rank1<3>> {
    Tensor::from([2.0, 0.0, 3.0])
}

fn positives() -> Tensor<Rank1<3>> {
    Tensor::from([0.7, 1.9, 0.4])
}

pub(crate) fn coins() -> Tensor<Rank1<3>> {
    Tensor::from([1.0, 0.0, 1.0])
}

/// The loss, and its derivatives in ln a and ln b.
fn closed(kl: impl Fn(Scalar, Scalar) -> Scalar, ln_evidence: f64) -> [f64; 3] {
    let [a, b] = [A, B].map(|p| Scalar::scalar(p.ln()).tracked());
    let (kl, grads) = grad(|| kl(a.exp(), b.exp()));
    let of = |p: &Scalar| grads.get(p).expect("a leaf").item();
    [kl.item() - ln_evidence, of(&a), of(&b)]
}

/// ln of ∫ prior · likelihood, at a point: ln p(z) + ln p(x | z) − ln p(z | x), the same at every z.
fn evidence(joint: f64, posterior: f64) -> f64 {
    joint - posterior
}

fn ln<P: Distribution<f64, Cpu, Value = Scalar>>(p: &P, z: f64) -> f64 {
    p.log_prob_sum(&Scalar::scalar(z)).item()
}

/// Each objective, pathwise and scored, against the closed form: within six standard errors of 100 steps
/// (false alarms below 1e-7), which must be below `error` pathwise and three times it scored.
fn check<M, G, S>(model: &M, (pathwise, scored): (&G, &S), x: &Tensor<Rank1<3>>, exact: [f64; 3], error: f64)
where
    M: for<'x> Model<(&'x Tensor<Rank1<3>>,), E = f64, D = Cpu>,
    G: for<'x> Model<(&'x Tensor<Rank1<3>>,), E = f64, D = Cpu>,
    S: for<'x> Model<(&'x Tensor<Rank1<3>>,), E = f64, D = Cpu>,
{
    fn one<P, Q, L>(what: &str, pair: (&P, &Q), x: &Tensor<Rank1<3>>, objective: L, exact: [f64; 3], error: f64)
    where
        P: for<'x> Model<(&'x Tensor<Rank1<3>>,), E = f64, D = Cpu>,
        Q: for<'x> Model<(&'x Tensor<Rank1<3>>,), E = f64, D = Cpu>,
        L: Objective<f64, Cpu>,
    {
        let found = estimates_of(pair, (x,), objective, 200, 100);
        for (i, exact) in exact.into_iter().enumerate() {
            found[i].agrees(&format!("{what}, number {i}"), exact, 0.0, error);
        }
    }
    let graph = TraceGraphElbo::<f64, Cpu>::with_particles(200);
    one("TraceElbo", (model, pathwise), x, TraceElbo::with_particles(200), exact, error);
    one("TraceMeanFieldElbo", (model, pathwise), x, TraceMeanFieldElbo::with_particles(200), exact, error);
    one("TraceElbo, scored", (model, scored), x, TraceElbo::with_particles(200), exact, 3.0 * error);
    one("TraceGraphElbo, scored", (model, scored), x, graph, exact, 3.0 * error);
    one("TraceMeanFieldElbo, scored", (model, scored), x, TraceMeanFieldElbo::with_particles(200), exact, 3.0 * error);
}

#[test]
fn normal_mean() {
    let x = positives();
    let precision: f64 = 1.0 / 2.25 + 3.0 / 0.64;
    let loc = (0.3 / 2.25 + x.to_vec().iter().sum::<f64>() / 0.64) / precision;
    let posterior = Normal::new(Scalar::scalar(loc), precision.recip().sqrt());
    let prior = Normal::new(Scalar::scalar(0.3), 1.5);
    let likelihood: f64 = x.to_vec().iter().map(|&x| ln(&Normal::new(Scalar::scalar(0.5), 0.8), x)).sum();
    let ln_evidence = evidence(ln(&prior, 0.5) + likelihood, ln(&posterior, 0.5));
    let exact = closed(|a, b| Normal::new(a, b).kl_divergence(&posterior), ln_evidence);
    check(&normal_normal, (&normal_path, &normal_score), &x, exact, 0.13);
}

#[test]
fn poisson_rate() {
    let x = counts();
    let posterior = Gamma::new(Scalar::scalar(7.0), 3.9);
    let likelihood: f64 = x.to_vec().iter().map(|&x| ln(&Poisson::new(Scalar::scalar(1.2)), x)).sum();
    let ln_evidence = evidence(ln(&Gamma::new(Scalar::scalar(2.0), 0.9), 1.2) + likelihood, ln(&posterior, 1.2));
    let exact = closed(|a, b| Gamma::new(a, b).kl_divergence(&posterior), ln_evidence);
    check(&gamma_poisson, (&gamma_path, &gamma_score), &x, exact, 0.05);
}

#[test]
fn exponential_rate() {
    let x = positives();
    let posterior = Gamma::new(Scalar::scalar(5.0), 3.9);
    let likelihood: f64 = x.to_vec().iter().map(|&x| ln(&Exponential::new(Scalar::scalar(1.2)), x)).sum();
    let ln_evidence = evidence(ln(&Gamma::new(Scalar::scalar(2.0), 0.9), 1.2) + likelihood, ln(&posterior, 1.2));
    let exact = closed(|a, b| Gamma::new(a, b).kl_divergence(&posterior), ln_evidence);
    check(&gamma_exponential, (&rate_path, &rate_score), &x, exact, 0.05);
}

#[test]
fn coin_probability() {
    let x = coins();
    let posterior = Beta::new(Scalar::scalar(3.5), 3.5);
    let likelihood = 2.0 * 0.3_f64.ln() + 0.7_f64.ln();
    let ln_evidence = evidence(ln(&Beta::new(Scalar::scalar(1.5), 2.5), 0.3) + likelihood, ln(&posterior, 0.3));
    let exact = closed(|a, b| Beta::new(a, b).kl_divergence(&posterior), ln_evidence);
    check(&beta_bernoulli, (&beta_path, &beta_score), &x, exact, 0.05);
}

#[test]
fn log_normal_location() {
    let x = positives();
    let precision: f64 = 1.0 / 2.25 + 3.0 / 0.64;
    let loc = (0.3 / 2.25 + x.to_vec().iter().map(|x| x.ln()).sum::<f64>() / 0.64) / precision;
    let posterior = LogNormal::new(Scalar::scalar(loc), precision.recip().sqrt());
    let z = 1.3_f64;
    let likelihood: f64 = x.to_vec().iter().map(|&x| ln(&LogNormal::new(Scalar::scalar(z.ln()), 0.8), x)).sum();
    let ln_evidence = evidence(ln(&LogNormal::new(Scalar::scalar(0.3), 1.5), z) + likelihood, ln(&posterior, z));
    let exact = closed(|a, b| LogNormal::new(a, b).kl_divergence(&posterior), ln_evidence);
    check(&log_normals, (&log_path, &log_score), &x, exact, 0.2);
}
