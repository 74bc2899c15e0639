//! Constrained values: the ELBO of a fitted guide is the log-evidence less the divergence that quadrature finds.

use ppl::infer::optim::Schedule;
use ppl::infer::{Adam, AutoMultivariateNormal, AutoNormal, Predictive, RunOptions, Svi, TraceElbo};
use ppl::prelude64::*;

#[model]
fn waiting(data: &Tensor<(usize,)>) {
    let rate: Tensor<()> = sample!("rate", Gamma::new(3.0, 2.0));
    sample!("x", Exponential::new(rate.expand(data.shape())), obs = data);
}

const DATA: [f64; 4] = [0.4, 1.1, 0.2, 0.7];

/// ln p(u, x) of u = ln rate, with the Jacobian.
fn joint(u: f64) -> f64 {
    let prior = 3.0 * 2.0_f64.ln() - 2.0_f64.ln() + 3.0 * u - 2.0 * u.exp();
    prior + 4.0 * u - DATA.iter().sum::<f64>() * u.exp()
}

#[test]
fn the_elbo_of_a_positive_value_has_its_jacobian() {
    let data = Tensor::vector(DATA.to_vec());
    let guide = AutoNormal::new(waiting, &data).unwrap();
    let adam = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: 1000, floor: 0.002 });
    let mut svi = Svi::new(waiting, guide.clone(), adam, TraceElbo::with_particles(8)).seed(1);
    svi.run(RunOptions::steps(1000), &data).unwrap();
    let elbos: Vec<f64> = (0..500).map(|_| -svi.evaluate(&data).unwrap()).collect();
    let elbo = elbos.iter().sum::<f64>() / 500.0;
    let error = (elbos.iter().map(|e| (e - elbo).powi(2)).sum::<f64>() / 499.0 / 500.0).sqrt();
    let gaussian = guide.posterior(svi.params());
    let (m, s) = (gaussian.loc[0], gaussian.scale()[0]);
    // The best normal of u, by its conditions: E of the slope is 0, and s⁻² = E of minus the curvature, 4.4 E eᵘ = 7.
    assert!((s * 7.0_f64.sqrt() - 1.0).abs() < 0.03, "{s}");
    assert!((m + 0.5 * s * s - (7.0_f64 / 4.4).ln()).abs() < 0.02, "{m}");
    let step = 1e-3;
    let grid = (-10_000..=10_000).map(|i| m + f64::from(i) * step * s);
    let expected: f64 = grid
        .map(|u| {
            let z = (u - m) / s;
            let log_q = -0.5 * z * z - s.ln() - 0.5 * std::f64::consts::TAU.ln();
            log_q.exp() * (joint(u) - log_q) * step * s
        })
        .sum();
    // Five standard errors: a false alarm in two million runs, were the seed not fixed.
    assert!((elbo - expected).abs() < 5.0 * error, "{elbo} ± {error} for {expected}");
    // Draws of the guide are those that predictions see.
    let predicted =
        Predictive::guide(waiting, guide.clone(), svi.params(), &data).draws(2000).seed(2).collect().unwrap();
    let mean = predicted.quantity("rate").unwrap()[0].iter().sum::<f64>() / 2000.0;
    let exact = (m + 0.5 * s * s).exp();
    let sd = exact * ((s * s).exp() - 1.0).sqrt();
    assert!((mean - exact).abs() < 5.0 * sd / 2000.0_f64.sqrt(), "{mean} for {exact}");
}

/// A coin's probability between 0 and 1 under a Beta(2, 3) prior, three heads of five.
#[model]
fn coin(heads: f64) {
    let p: Tensor<()> = sample!("p", Beta::new(2.0, 3.0));
    factor!("throws", p.ln() * heads + (-&p).log1p() * (5.0 - heads));
}

#[test]
fn the_elbo_of_a_bounded_value_has_its_jacobian() {
    let guide = AutoNormal::new(coin, (3.0,)).unwrap();
    let mut svi = Svi::new(coin, guide.clone(), Adam::new(0.05), TraceElbo::with_particles(8)).seed(1);
    svi.run(RunOptions::steps(300), (3.0,)).unwrap();
    let elbo = svi.estimate((3.0,), 1000).unwrap();
    let gaussian = guide.posterior(svi.params());
    let (m, s) = (gaussian.loc[0], gaussian.scale()[0]);
    // p is the sigmoid of u: the density of u is that of p times p (1 − p).
    let expected: f64 = (-8_000..=8_000)
        .map(|i| {
            let z = f64::from(i) * 1e-3;
            let p = 1.0 / (1.0 + (-(m + s * z)).exp());
            let log_q = -0.5 * z * z - s.ln() - 0.5 * std::f64::consts::TAU.ln();
            // 1 / B(2, 3) = 12.
            let log_p = 12.0_f64.ln() + 5.0 * p.ln() + 5.0 * (1.0 - p).ln();
            log_q.exp() * s * 1e-3 * (log_p - log_q)
        })
        .sum();
    // The exponents: one of the prior, three heads, one of the Jacobian; two of the prior, two tails, one of the Jacobian.
    assert!((-elbo.mean - expected).abs() < 5.0 * elbo.standard_error, "{elbo:?} for {expected}");
}

#[test]
fn the_elbo_of_a_simplex_has_its_jacobian() {
    #[model]
    fn shares() {
        let _: Tensor<Rank1<3>> = sample!("shares", Dirichlet::new(Tensor::from([2.0, 3.0, 4.0])));
    }
    let guide = AutoMultivariateNormal::new(shares, ()).unwrap();
    assert_eq!(guide.dim(), 2);
    let adam = Adam::new(0.03).schedule(Schedule::Cosine { warmup: 0, steps: 1500, floor: 1e-3 });
    let mut svi = Svi::new(shares, guide.clone(), adam, TraceElbo::with_particles(16)).seed(1);
    svi.run(RunOptions::steps(1500), ()).unwrap();
    let elbo = svi.estimate((), 1000).unwrap();
    // Nothing is observed: the log-evidence is 0, and the ELBO less than it by the divergence of a normal from the
    // Dirichlet's logits, which is small. A lost Jacobian of stick-breaking would be a nat or more.
    assert!(-elbo.mean < 5.0 * elbo.standard_error && -elbo.mean > -0.05, "{elbo:?}");
    let draws = guide.draws(svi.params(), (), 4000, 2).unwrap();
    for (i, share) in [2.0 / 9.0, 3.0 / 9.0, 4.0 / 9.0].into_iter().enumerate() {
        let mean = draws.iter().map(|draw| draw.shares.value.to_vec()[i]).sum::<f64>() / 4000.0;
        assert!((mean - share).abs() < 0.02, "{i}: {mean} for {share}");
    }
}

#[test]
fn a_guide_comes_back_out_of_a_checkpoint_and_runs_in_single_precision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guide.safetensors");
    let data = Tensor::vector(DATA.to_vec());
    let make = || {
        let guide = AutoMultivariateNormal::new(waiting, &data).unwrap();
        Svi::new(waiting, guide, Adam::new(0.05), TraceElbo::default()).seed(1)
    };
    let mut straight = make();
    straight.run(RunOptions::steps(20), &data).unwrap();
    straight.save(&path).unwrap();
    let mut resumed = make();
    resumed.load(&path, &data).unwrap();
    for _ in 0..5 {
        assert_eq!(straight.step(&data).unwrap(), resumed.step(&data).unwrap());
    }

    #[ppl::model(dtype = f32)]
    fn single(x: f32) {
        let z: ppl::Tensor<(), f32> = sample!("z", Normal::new(0.0, 1.0));
        sample!("x", Normal::new(z, 1.0), obs = ppl::Tensor::scalar(x));
    }
    let guide = AutoNormal::new(single, (2.0,)).unwrap();
    let adam = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: 1500, floor: 1e-3 });
    let mut svi = Svi::new(single, guide.clone(), adam, TraceElbo::with_particles(8)).seed(1);
    svi.run(RunOptions::steps(1500), (2.0,)).unwrap();
    let normal = guide.posterior(svi.params());
    // The posterior is normal with mean 1 and variance 1/2, and so is the guide's family.
    assert!((normal.loc[0] - 1.0).abs() < 0.03 && (normal.scale()[0] - 0.5_f64.sqrt()).abs() < 0.03, "{normal:?}");
}
