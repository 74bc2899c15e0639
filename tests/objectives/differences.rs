//! Gradients against central differences of the loss on the same seed.

use ppl::infer::Objective;
use ppl::model::Model;
use ppl::params::ParamStore;
use ppl::shared::Shared;
use ppl::{Cpu, Error};

use crate::gradients::loss_and_gradient;

/// Asserts that the gradient is that of the loss on the same draws, and that `loss` alone is that of a step.
#[track_caller]
pub(crate) fn assert_slopes<A, M, G>(pair: (&M, &G), args: A, mut objective: impl Objective<f64, Cpu>)
where
    A: Clone + Shared,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
{
    let mut store = ParamStore::new(0);
    let found = loss_and_gradient(pair, args.clone(), &mut objective, &mut store, |p| p);
    let again = loss(pair, args.clone(), &objective, &mut store).unwrap();
    assert!((again - found[0]).abs() < 1e-12 * (1.0 + again.abs()), "{again}, not {}", found[0]);
    for (at, found) in found.into_iter().skip(1).enumerate() {
        let moved = |by: f64| {
            let mut store = store.clone();
            shift(&mut store, at, by);
            loss(pair, args.clone(), &objective, &mut store).unwrap()
        };
        let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!((found - slope).abs() < 1e-6 * (1.0 + slope.abs()), "number {at}: {found}, not {slope}");
    }
}

/// The loss alone, of the runs with the streams of their numbers.
pub(crate) fn loss<A, M, G>(
    (model, guide): (&M, &G),
    args: A,
    objective: &impl Objective<f64, Cpu>,
    store: &mut ParamStore<f64, Cpu>,
) -> Result<f64, Error>
where
    A: Clone + Shared,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
{
    let rng = |p| ppl::rng::Rng::stream(11, p);
    let mut runs =
        ppl::infer::runs::Programs { programs: (model, guide), args, params: store, rng: &rng, validate: true };
    objective.loss(&mut runs)
}

/// Moves one number of the parameters.
fn shift(store: &mut ParamStore<f64, Cpu>, at: usize, by: f64) {
    let mut before = 0;
    store.each_tensor_mut(|_, tensor| {
        let mut numbers = tensor.to_vec();
        if (before..before + numbers.len()).contains(&at) {
            numbers[at - before] += by;
            tensor.set(&numbers).expect("as many numbers");
        }
        before += numbers.len();
    });
}
