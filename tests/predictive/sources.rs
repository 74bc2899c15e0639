//! Latent values from a source of one's own, and the model's parameters.

use ppl::handler::Handler;
use ppl::handlers::{Effect, Substitute, Uncondition};
use ppl::infer::predictive::{Extent, Place, Source};
use ppl::infer::{LogDensity, ModelDensity, Predictive, log_likelihood};
use ppl::params::ParamEntry;
use ppl::prelude64::*;
use ppl::{Cpu, Error};

use crate::by_hand::numbers;

type Scalar = Tensor<()>;

#[model]
fn shifted(y: f64) {
    let shift: Scalar = param!("shift", |init| init.normal((), 1.0));
    let mu: Scalar = sample!("mu", Normal::standard());
    sample!("y", Normal::new(mu + shift, 1e-3), obs = Scalar::scalar(y));
}

/// The integers from 0 on, as values of `mu`.
struct Integers;

impl<A> Source<A, f64, Cpu> for Integers {
    fn extent(&self) -> Extent {
        Extent { chains: 2, draws: 3, step: 10 }
    }

    fn run(
        &self,
        place: Place,
        _: &A,
        inner: &mut dyn Handler<f64, Cpu>,
        body: &mut dyn FnMut(&mut dyn Handler<f64, Cpu>),
    ) -> Result<(), Error> {
        let mut values = ValueMap::new();
        values.put("mu", Some(Scalar::scalar((100 * place.chain + place.draw) as f64)));
        Uncondition.around(inner, &mut |inner| Substitute(values.clone()).around(inner, body));
        Ok(())
    }
}

fn params(shift: f64) -> ParamStore<f64, Cpu> {
    let mut params = ParamStore::new(0);
    params.insert("shift", ParamEntry::new(Box::new(Scalar::scalar(shift)), None));
    params
}

#[test]
fn a_source_of_ones_own_and_a_store_of_parameters() {
    let found = Predictive::new(shifted, (0.0,), Integers, params(0.5)).collect().unwrap();
    let mu = found.quantity("mu").unwrap();
    assert_eq!(mu, [[0.0, 10.0, 20.0], [100.0, 110.0, 120.0]]);
    // Six numbers within 6 standard deviations: 1.2e-8.
    let y = found.quantity("y").unwrap();
    assert!(y.concat().iter().zip(mu.concat()).all(|(y, mu)| (y - mu - 0.5).abs() < 6e-3));
}

#[test]
fn parameters_are_those_of_the_density_unless_a_store_gives_them() {
    let draws = numbers("mu", [0.3]);
    let of_prior = |mu: f64| -0.5 * (mu * mu + std::f64::consts::TAU.ln());
    let likelihood = log_likelihood(shifted, (0.2,), &draws).unwrap().values()[0];
    let mut density = ModelDensity::new(shifted, (0.2,)).unwrap();
    assert_eq!(density.dim(), 1);
    let joint = density.log_density(&[0.3]).unwrap();
    assert!((joint - of_prior(0.3) - likelihood).abs() < 1e-9 * joint.abs());
    let given = Predictive::posterior(shifted, (0.8,), &draws).with_params(params(0.5)).log_likelihood().unwrap();
    // At its mode: −ln(1e-3·√2π).
    assert!((given.values()[0] - 5.988816745777463).abs() < 1e-9, "{:?}", given.values());
}
