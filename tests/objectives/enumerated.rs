//! Means and variances of an objective's gradient over all values of a guide's coins, exactly.

use std::collections::BTreeMap;

use ppl::autodiff::try_grad;
use ppl::handler::Handler;
use ppl::handlers::Effect;
use ppl::infer::Objective;
use ppl::infer::pair::Ask;
use ppl::infer::runs::{Programs, Runs};
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::shared::Shared;
use ppl::site::SampleSite;
use ppl::{Cpu, Error};

/// A site with that many coins.
pub(crate) type Coins = (&'static str, usize);

/// Gives sites their numbers, whatever the type of their values.
#[derive(Clone)]
pub(crate) struct Assign(BTreeMap<&'static str, Vec<f64>>);

struct AssignHandler<'h> {
    inner: &'h mut dyn Handler<f64, Cpu>,
    effect: &'h Assign,
}

impl Handler<f64, Cpu> for AssignHandler<'_> {
    fn inner(&mut self) -> &mut dyn Handler<f64, Cpu> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<f64, Cpu>) {
        if let Some(numbers) = self.effect.0.get(site.name()) {
            site.set_numbers(numbers, "assign").expect("the site has that many coins");
        }
        self.inner.sample(site);
    }
}

impl Effect<f64, Cpu> for Assign {
    fn around(&self, inner: &mut dyn Handler<f64, Cpu>, body: &mut dyn FnMut(&mut dyn Handler<f64, Cpu>)) {
        body(&mut AssignHandler { inner, effect: self });
    }
}

/// All values of the coins.
fn assignments(coins: &[Coins]) -> Vec<Assign> {
    let count: usize = coins.iter().map(|(_, len)| len).sum();
    let assignment = |bits: u32| {
        let mut numbers = (0..count).map(|at| f64::from(bits >> at & 1));
        Assign(coins.iter().map(|&(name, len)| (name, numbers.by_ref().take(len).collect())).collect())
    };
    (0..1 << count).map(assignment).collect()
}

/// The gradient, the elements of all parameters in order, of what `f` makes of runs under an assignment.
fn gradient<A, M, G>(
    (model, guide): (&M, &G),
    args: A,
    store: &mut ParamStore<f64, Cpu>,
    f: impl FnOnce(&mut dyn Runs<f64, Cpu>) -> Result<(f64, Tensor<()>), Error>,
) -> (f64, Vec<f64>)
where
    A: Clone + Shared,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
{
    let (_, number, grads) = try_grad(|| {
        let rng = |p| Rng::stream(1, p);
        let mut runs = Programs { programs: (model, guide), args, params: &mut *store, rng: &rng, validate: true };
        f(&mut runs).map(|(number, tensor)| (tensor, number))
    })
    .expect("the guide fits");
    let mut numbers = Vec::new();
    store.each_tensor(|_, tensor| numbers.extend(tensor.gradient(&grads).expect("they learn")));
    (number, numbers)
}

/// Mean and variance of the loss's gradient over the guide's coins, and the exact gradient of the loss.
pub(crate) struct Moments {
    pub(crate) mean: Vec<f64>,
    pub(crate) variance: Vec<f64>,
    pub(crate) exact: Vec<f64>,
}

/// Over all assignments, each with the guide's probability of it.
pub(crate) fn moments<A, M, G, L>((model, guide): (M, G), args: A, coins: &[Coins], objective: &L) -> Moments
where
    A: Clone + Shared,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu> + Clone,
    L: Objective<f64, Cpu> + Clone,
{
    let mut store = ParamStore::new(0);
    let [mut mean, mut square, mut exact] = [const { Vec::new() }; 3];
    let mut total = 0.0;
    for values in assignments(coins) {
        let guide = guide.clone().with(values);
        // p · (ln p(x, z) − ln q(z)), differentiated in the weight too; the density that is drawn from has no scale.
        let (weight, of_bound) = gradient((&model, &guide), args.clone(), &mut store, |runs| {
            let pair = runs.pair(0, Ask::default())?;
            let log_q =
                pair.guide.sites().map(|site| &site.log_prob / site.scale).fold(Tensor::scalar(0.0), |a, b| a + b);
            let weight = log_q.exp();
            let bound = pair.model.log_prob_sum() - pair.guide.log_prob_sum();
            Ok((weight.item(), -(weight * bound)))
        });
        let (_, found) = gradient((&model, &guide), args.clone(), &mut store, |runs| objective.clone().surrogate(runs));
        let zeros = || vec![0.0; found.len()];
        for (sum, term) in [(&mut mean, &found), (&mut square, &found), (&mut exact, &of_bound)] {
            if sum.is_empty() {
                *sum = zeros();
            }
            assert_eq!(sum.len(), term.len());
        }
        for i in 0..found.len() {
            mean[i] += weight * found[i];
            square[i] += weight * found[i] * found[i];
            exact[i] += of_bound[i];
        }
        total += weight;
    }
    assert!((total - 1.0).abs() < 1e-12, "probabilities add up to {total}");
    let variance = square.iter().zip(&mean).map(|(square, mean)| square - mean * mean).collect();
    Moments { mean, variance, exact }
}

/// Asserts that two lists of numbers are the same but for rounding.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() < 1e-10 * (1.0 + b.abs()), "{what}, number {i}: {a}, not {b}");
    }
}
