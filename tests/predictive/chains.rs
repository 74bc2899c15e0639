//! From a model to chains of NUTS, to predictions and to LOO.

use ppl::infer::draws::Role;
use ppl::infer::mcmc::NutsOptions;
use ppl::infer::{Mcmc, McmcOptions, Predictive, log_likelihood};
use ppl::prelude64::*;

use crate::by_hand::{covariance, mean};

type Scalar = Tensor<()>;
type Data = Tensor<Rank1<20>>;

#[model]
fn normal(y: &Data) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 10.0));
    deterministic!("twice", &mu * 2.0);
    plate!("data", 20, |_| sample!("y", Normal::new(mu.broadcast::<Rank1<20>, _>(), 1.0), obs = y));
}

#[test]
fn draws_of_nuts_predict_and_are_judged() {
    // Data with mean 3 and variance 1.5 (with n): the posterior is N(60/20.01, 1/20.01).
    let y = Data::from(std::array::from_fn(|i| 3.0 + 1.5_f64.sqrt() * if i % 2 == 0 { 1.0 } else { -1.0 }));
    let mut mcmc =
        Mcmc::new(normal, (&y,), NutsOptions::default(), McmcOptions { warmup: 500, ..McmcOptions::default() })
            .unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();

    let predicted = Predictive::posterior(normal, (&y,), &draws).seed(1).collect().unwrap();
    let roles: Vec<_> = predicted.variables().iter().map(|v| (v.name.as_str(), v.role)).collect();
    assert_eq!(roles, [("twice", Role::Deterministic), ("y", Role::Predicted)]);
    assert_eq!(predicted.values("twice").unwrap(), draws.values("twice").unwrap(), "computed again, to the bit");
    let y0 = predicted.quantity("y[0]").unwrap().concat();
    let (loc, variance) = (60.0_f64 / 20.01, 1.0_f64 + 1.0 / 20.01);
    // 4,000 draws, nearly independent, 20/21 of whose variance is: within 6 standard errors, 2e-9.
    assert!((mean(&y0) - loc).abs() < 6.0 * (variance / 4000.0).sqrt());
    assert!((covariance(&y0, &y0) / variance - 1.0).abs() < 6.0 * (2.0 / 4000.0_f64).sqrt());

    let loo = log_likelihood(normal, (&y,), &draws).unwrap().loo().unwrap();
    // Without datum i the posterior has precision v⁻¹ = 19.01 and mean (60 − yᵢ)·v; its density of yᵢ is exact.
    let v = 1.0 / 19.01;
    let left_out = |y: f64| {
        let (loc, variance) = ((60.0 - y) * v, 1.0 + v);
        -0.5 * ((y - loc).powi(2) / variance + (std::f64::consts::TAU * variance).ln())
    };
    let exact: f64 = y.to_vec().into_iter().map(left_out).sum();
    // Over a dozen seeds the standard deviation is 0.04, of which this is five: 6e-7.
    assert!((loo.elpd_loo - exact).abs() < 0.2 && loo.high_k() == 0, "{loo}, exactly {exact}");
}
