//! A sampler that goes on from what was saved: bit for bit, in the warm-up and after it; and what it does not go on from.

use ppl::Error;
use ppl::infer::gibbs::{BlockKernel, Conditional, DiscreteMetropolis, Enumerate, GibbsSampler};
use ppl::infer::mcmc::{NutsOptions, Sampler};
use ppl::infer::{Gibbs, InitStrategy};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;

type Scalar = Tensor<()>;

/// One of each: a tuned block, an enumerated one that turns out coupled, a proposed one, one of the user's.
#[model]
fn medley() {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 2.0));
    let rate: Scalar = sample!("rate", Gamma::new(2.0, 1.0));
    let count: Scalar = sample!("count", Poisson::new(&rate * 2.0));
    let z: Tensor<Rank1<4>> = plate!("rows", 4, |_| sample!("z", Bernoulli::new(Tensor::from([0.3, 0.5, 0.6, 0.2]))));
    let shift: Scalar = sample!("shift", Normal::standard());
    sample!("y", Normal::new(mu + count * 0.3 + z.sum_all() + shift, rate), obs = Scalar::scalar(3.0));
}

/// A random walk that counts its steps.
#[derive(Clone)]
struct Counting(u64);

impl BlockKernel for Counting {
    fn step(&mut self, block: &mut dyn Conditional, rng: &mut Rng) -> Result<(), Error> {
        self.0 += 1;
        let to = block.value("shift")?[0] + rng.gen_range(-1.0..1.0) / self.0 as f64;
        let change = block.log_density(&[("shift", &[to])])? - block.log_density(&[])?;
        if rng.gen_range(0.0..1.0) < change.exp() { block.set(&[("shift", &[to])]) } else { Ok(()) }
    }
    fn save(&self) -> serde_json::Value {
        self.0.into()
    }
    fn restore(&mut self, saved: serde_json::Value) -> Result<(), String> {
        self.0 = saved.as_u64().ok_or("a count was expected")?;
        Ok(())
    }
}

fn sampler(seed: u64) -> GibbsSampler<medley, (), f64, Cpu> {
    let gibbs = Gibbs::new(medley, ()).unwrap();
    let gibbs = gibbs.block(["mu", "rate"], NutsOptions::default()).block(["z"], Enumerate::default());
    let gibbs = gibbs.block(["count"], DiscreteMetropolis::Prior).block(["shift"], Counting(0));
    gibbs.sampler(60, &InitStrategy::default(), &mut Rng::seed(seed)).unwrap()
}

/// The bits of some steps' values and figures.
fn go_on(sampler: &mut GibbsSampler<medley, (), f64, Cpu>, steps: std::ops::Range<u64>) -> Vec<u64> {
    let mut bits = Vec::new();
    for step in steps {
        let step = sampler.step(&mut Rng::stream(5, step)).unwrap();
        let mut row = Vec::new();
        sampler.values(&mut row).unwrap();
        row.extend([step.stats.log_density, step.stats.accept_probability, step.stats.step_size]);
        bits.extend(row.into_iter().map(f64::to_bits));
    }
    bits
}

#[test]
fn it_goes_on_bit_for_bit() {
    for pause in [0, 1, 30, 80] {
        let mut first = sampler(1);
        go_on(&mut first, 0..pause);
        let text = first.save().to_string();
        let mut second = sampler(2);
        go_on(&mut second, 0..3);
        second.restore(serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(second.save().to_string(), text);
        assert_eq!(go_on(&mut first, pause..pause + 40), go_on(&mut second, pause..pause + 40), "paused at {pause}");
        assert_eq!(first.save(), second.save());
    }
}

#[test]
fn what_was_saved_by_another_is_refused_and_changes_nothing() {
    let mut one = sampler(1);
    go_on(&mut one, 0..5);
    let before = one.save();
    let refused = |one: &mut GibbsSampler<medley, (), f64, Cpu>, saved: serde_json::Value, part: &str| {
        let problem = one.restore(saved).unwrap_err();
        assert!(problem.contains(part), "{problem}");
        assert_eq!(one.save(), before);
    };
    let with = |place: &str, value: serde_json::Value| {
        let mut saved = before.clone();
        *saved.pointer_mut(place).unwrap() = value;
        saved
    };
    refused(&mut one, with("/dtype", "f32".into()), "f32");
    refused(&mut one, with("/sites/0/0", "nu".into()), "`nu`");
    refused(&mut one, with("/sites/0/1", [1.0, 2.0][..].into()), "2 numbers");
    refused(&mut one, with("/blocks/3", serde_json::json!({"Own": "no count"})), "a count");
    refused(&mut one, with("/blocks/1", serde_json::json!({"Proposed": [false]})), "block 1");
    refused(&mut one, with("/blocks/0/Tuned/metric", serde_json::json!({"Identity": 7})), "unconstrained numbers");
    refused(&mut one, serde_json::Value::Null, "");
}
