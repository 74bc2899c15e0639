//! A site whose support moves with another one: the value that is held stays, and its unconstrained numbers follow. Its
//! kernel takes small steps, so that it would not forget a value that it was moved to by mistake.

use ppl::infer::gibbs::Tuned;
use ppl::infer::mcmc::{HmcOptions, Length, NutsOptions};
use ppl::infer::{Gibbs, McmcOptions};
use ppl::prelude64::*;

use crate::estimates::{close, integral, normal};

type Scalar = Tensor<()>;

#[model]
fn below() {
    let high: Scalar = sample!("high", Gamma::new(3.0, 1.0));
    let x: Scalar = sample!("x", Uniform::new(0.0, &high));
    sample!("y", Normal::new(x, 0.5), obs = Scalar::scalar(1.2));
}

#[test]
fn both_are_those_of_the_quadrature() {
    let density = |high: f64, x: f64| high.powi(2) * (-high).exp() / 2.0 / high * normal(1.2, x, 0.5);
    let total = |of: &dyn Fn(f64, f64) -> f64| {
        integral(0.0, 30.0, 1500, |high| integral(0.0, high, 300, |x| of(high, x) * density(high, x)))
    };
    let expected = |of: &dyn Fn(f64, f64) -> f64| total(of) / total(&|_, _| 1.0);
    let gibbs = Gibbs::new(below, ()).unwrap();
    let small = HmcOptions { length: Length::Steps(1), ..HmcOptions::default() };
    let small = Tuned::new(small).target_accept(0.97);
    let gibbs = gibbs.block(["x"], small).block(["high"], NutsOptions::default());
    let options = McmcOptions { chains: 2, warmup: 400, draws: 12_000, ..McmcOptions::default() };
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    assert!(draws.chains().iter().flat_map(|chain| chain.rows()).all(|row| row[1] < row[0]));
    close(&draws, "E high", expected(&|high, _| high), |row| row[0]);
    close(&draws, "E x", expected(&|_, x| x), |row| row[1]);
    close(&draws, "E x²", expected(&|_, x| x * x), |row| row[1] * row[1]);
    close(&draws, "E x·high", expected(&|high, x| x * high), |row| row[0] * row[1]);
}
