//! Optimisers against torch's and Pyro's trajectories, and what they promise beside the numbers.

// Schedules, bounds of gradients, several rounds an update, averages.
mod options;

use ppl_core::address::Address;
use ppl_core::autodiff::grad;
use ppl_core::handlers::{Params, Prior};
use ppl_core::params::ParamStore;
use ppl_core::primitives::param;
use ppl_core::{Cpu, Dtype, Error, Tensor, backend::Backend};
use ppl_infer::optim::{
    AdaBoundRule, AdaGradRule, AdamRule, AdamWRule, AmsGradRule, ClippedAdamRule, Optim, RmsPropRule, Rule, SgdRule,
};
use ppl_infer::{AdaBound, AdaGrad, Adam, AdamW, AmsGrad, ClippedAdam, Optimizer, RmsProp, Sgd};
use serde_json::Value;

/// A parameter of one step: its name and its gradient.
type Given<'a, E> = (&'static str, &'a [E]);

/// Takes one step in which the statements `given` were met, each with that gradient (the loss is
/// Σ gradient · parameter). New parameters start at `start`.
fn step<E: Dtype>(
    optimizer: &mut impl Optimizer<E, Cpu>,
    store: &mut ParamStore<E, Cpu>,
    start: &[E],
    given: &[Given<'_, E>],
) -> Result<(), Error>
where
    Cpu: Backend<E>,
{
    store.begin_round();
    let mut prior = Prior::seeded(0);
    let mut params = Params::new(store, &mut prior);
    let (_, mut grads) = grad(|| {
        let terms = given.iter().map(|&(name, gradient)| {
            let init = |_: &mut _| Tensor::vector(start.to_vec());
            let value: Tensor<(usize,), E> = param(&mut params, Address::fixed(name), init);
            (value * Tensor::vector(gradient.to_vec())).sum_all()
        });
        terms.reduce(|a, b| a + b).expect("a parameter")
    });
    optimizer.step(store, &mut grads)
}

fn values<E: Dtype>(store: &ParamStore<E, Cpu>, name: &str) -> Vec<E>
where
    Cpu: Backend<E>,
{
    store.get::<Tensor<(usize,), E>>(name).expect("the parameter was met").to_vec()
}

/// The numbers that `scripts/reference_optimizers.py` wrote.
fn reference() -> Value {
    serde_json::from_str(include_str!("../references/optimizers.json")).expect("the reference is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// Follows the reference's gradients, g(x, t) = a (x − b) + c sin(t + i), and compares each step.
fn follows<E: Dtype>(case: &str, mut optimizer: impl Optimizer<E, Cpu>, tolerance: f64)
where
    Cpu: Backend<E>,
{
    let reference = reference();
    let [start, a, b, c] = ["start", "a", "b", "c"].map(|key| numbers(&reference[key]));
    let mut store = ParamStore::new(0);
    let start: Vec<E> = start.into_iter().map(E::of).collect();
    let mut x = start.clone();
    for (t, row) in reference["cases"][case].as_array().expect("a known case").iter().enumerate() {
        let gradient: Vec<E> =
            (0..x.len()).map(|i| E::of(a[i] * (x[i].wide() - b[i]) + c[i] * ((t + 1 + i) as f64).sin())).collect();
        step(&mut optimizer, &mut store, &start, &[("x", &gradient)]).expect("finite gradients");
        x = values(&store, "x");
        for (found, expected) in x.iter().zip(numbers(row)) {
            let error = (found.wide() - expected).abs() / expected.abs().max(1.0);
            assert!(error <= tolerance, "{case} in {}, step {}: {found} for {expected}", E::NAME, t + 1);
        }
    }
}

/// Both dtypes. In f64 only the order of operations differs from torch's: 25 steps of a few ulp.
/// In f32 a step rounds value, averages and quotient, each by 6e-8 relative: 25 steps, 1e-5.
fn follows_in_both<R: Rule + Clone>(case: &str, rule: R, rate: f64) {
    follows(case, Optim::<R, f64>::with_rule(rule.clone(), rate), 1e-13);
    follows(case, Optim::<R, f32>::with_rule(rule, rate), 1e-5);
}

#[test]
fn adam_is_torchs() {
    follows_in_both("adam", AdamRule::default(), 0.05);
    follows_in_both("adam betas", AdamRule { betas: (0.8, 0.95), eps: 1e-3, weight_decay: 0.0 }, 0.1);
    follows_in_both("adam weight decay", AdamRule { weight_decay: 0.2, ..AdamRule::default() }, 0.05);
}

#[test]
fn clipped_adam_is_pyros() {
    let rule = ClippedAdamRule::default();
    follows_in_both("clipped adam", rule, 0.05);
    follows_in_both("clipped adam clip", ClippedAdamRule { clip: 0.75, ..rule }, 0.05);
    follows_in_both("clipped adam rate decay", ClippedAdamRule { rate_decay: 0.9, ..rule }, 0.2);
    let all = ClippedAdamRule { betas: (0.85, 0.97), eps: 1e-2, weight_decay: 0.1, clip: 2.0, rate_decay: 0.97 };
    follows_in_both("clipped adam all", all, 0.2);
}

#[test]
fn sgd_is_torchs() {
    let rule = SgdRule::default();
    follows_in_both("sgd", rule, 0.1);
    follows_in_both("sgd momentum", SgdRule { momentum: 0.9, ..rule }, 0.05);
    follows_in_both("sgd nesterov", SgdRule { momentum: 0.9, nesterov: true, ..rule }, 0.05);
    follows_in_both("sgd weight decay", SgdRule { weight_decay: 0.3, ..rule }, 0.1);
    follows_in_both("sgd all", SgdRule { momentum: 0.8, nesterov: true, weight_decay: 0.05 }, 0.03);
}

#[test]
fn adam_w_and_ams_grad_are_torchs() {
    follows_in_both("adam w", AdamWRule { weight_decay: 0.01, ..AdamWRule::default() }, 0.05);
    follows_in_both("adam w all", AdamWRule { betas: (0.8, 0.95), eps: 1e-3, weight_decay: 0.3 }, 0.1);
    follows_in_both("ams grad", AmsGradRule { betas: (0.6, 0.5), ..AmsGradRule::default() }, 0.2);
}

#[test]
fn rms_prop_is_torchs() {
    follows_in_both("rms prop", RmsPropRule::default(), 0.02);
    let all = RmsPropRule { decay: 0.9, eps: 1e-3, momentum: 0.7, centered: true, weight_decay: 0.1 };
    follows_in_both("rms prop all", all, 0.02);
}

#[test]
fn ada_grad_is_torchs() {
    follows_in_both("ada grad", AdaGradRule::default(), 0.5);
    let all = AdaGradRule { rate_decay: 0.1, initial: 0.3, eps: 1e-3, weight_decay: 0.1 };
    follows_in_both("ada grad all", all, 0.5);
}

#[test]
fn ada_bound_is_its_papers() {
    follows_in_both("ada bound", AdaBoundRule::default(), 0.05);
    let all =
        AdaBoundRule { betas: (0.8, 0.95), final_over_rate: 2.0, gamma: 0.2, eps: 1e-3, ..AdaBoundRule::default() };
    follows_in_both("ada bound all", all, 0.05);
}

#[test]
fn the_short_constructors_have_the_documented_options() {
    follows("adam", Adam::<f64>::new(0.05), 1e-13);
    follows("clipped adam", ClippedAdam::<f64>::new(0.05), 1e-13);
    follows("sgd", Sgd::<f64>::new(0.1), 1e-13);
    follows("sgd momentum", Sgd::<f64>::with_momentum(0.05, 0.9), 1e-13);
    follows("adam w", AdamW::<f64>::new(0.05), 1e-13);
    follows("rms prop", RmsProp::<f64>::new(0.02), 1e-13);
    follows("ada grad", AdaGrad::<f64>::new(0.5), 1e-13);
    follows("ada bound", AdaBound::<f64>::new(0.05), 1e-13);
    assert_eq!(AmsGrad::<f64>::new(0.2).learning_rate(), 0.2);
}

#[test]
fn rates_per_parameter_by_name_and_by_beginning() {
    let mut sgd = Sgd::<f64>::new(1.0)
        .rate_for("net.*", 0.5)
        .rate_for("net.frozen", 0.0)
        .rate_for("bias", 0.25)
        .rate_for("bias", 0.125);
    let mut store = ParamStore::new(0);
    let names = ["net.w", "net.frozen", "bias", "biases", "network"];
    let given = names.map(|name| (name, &[2.0][..]));
    step(&mut sgd, &mut store, &[10.0], &given).unwrap();
    let moved = names.map(|name| 10.0 - values(&store, name)[0]);
    assert_eq!(moved, [1.0, 0.0, 0.25, 2.0, 2.0]);
    sgd.set_learning_rate(0.5);
    step(&mut sgd, &mut store, &[10.0], &given).unwrap();
    let moved = names.map(|name| 10.0 - values(&store, name)[0]);
    assert_eq!(moved, [2.0, 0.0, 0.5, 3.0, 3.0]);
}

#[test]
#[should_panic(expected = "a learning rate must be positive and finite, but it is -1")]
fn a_negative_rate_is_refused() {
    let _ = Adam::<f64>::new(-1.0);
}

/// One bad element: named, left alone (value and averages), and everything else moves.
fn leaves_one_element<R: Rule + Clone>(rule: R, bad: f64) {
    let mut optimizer = Optim::<R, f64>::with_rule(rule.clone(), 0.1);
    let mut twin = Optim::<R, f64>::with_rule(rule, 0.1);
    let (mut store, mut clean) = (ParamStore::new(0), ParamStore::new(0));
    let start = [1.0; 5000];
    let good = vec![0.5; 5000];
    let mut broken = good.clone();
    broken[4321] = bad;
    let given: [Given<'_, f64>; 2] = [("v", &good), ("w", &broken)];
    let error = step(&mut optimizer, &mut store, &start, &given).unwrap_err();
    step(&mut twin, &mut clean, &start, &[("v", &good), ("w", &good)]).unwrap();
    let text = error.to_string();
    assert!(
        text.contains("parameter `w`") && text.contains("element 4321") && text.contains(&bad.to_string()),
        "{text}"
    );
    assert_eq!(values(&store, "v"), values(&clean, "v"));
    let mut expected = values(&clean, "w");
    assert_ne!(expected[4321], 1.0);
    expected[4321] = 1.0;
    assert_eq!(values(&store, "w"), expected);
    let slots = &Optimizer::<f64, Cpu>::state(&optimizer)["w"].slots;
    assert!(slots.iter().all(|slot| slot[4321] == 0.0 && slot[4320] != 0.0));
}

#[test]
fn an_element_whose_gradient_is_not_finite_is_named_and_left() {
    leaves_one_element(AdamRule::default(), f64::NAN);
    leaves_one_element(AdamRule { weight_decay: 0.1, ..AdamRule::default() }, f64::INFINITY);
    leaves_one_element(ClippedAdamRule::default(), f64::NEG_INFINITY);
    leaves_one_element(RmsPropRule::default(), f64::NAN);
    leaves_one_element(AdaBoundRule::default(), f64::INFINITY);
    leaves_one_element(SgdRule { momentum: 0.5, ..SgdRule::default() }, f64::NAN);
}

#[test]
fn the_first_of_several_bad_elements_is_named() {
    let mut store = ParamStore::new(0);
    let mut gradient = vec![0.0_f32; 200_000];
    gradient[150_000] = f32::NAN;
    gradient[70_000] = f32::INFINITY;
    let error = step(&mut Adam::new(0.1), &mut store, &vec![0.0; 200_000], &[("w", &gradient)]).unwrap_err();
    let Error::NonFiniteGradient { param, gradient, element, .. } = error else { panic!("{error}") };
    assert_eq!((param.as_str(), gradient, element), ("w", f64::INFINITY, 70_000));
}

#[test]
fn large_finite_gradients_are_not_taken_for_infinite_ones() {
    // Their sum overflows, which only sends the block down the careful path.
    let mut store = ParamStore::new(0);
    let gradient = [f32::MAX, f32::MAX, -f32::MAX, 1.0];
    step(&mut ClippedAdam::new(0.1), &mut store, &[0.0; 4], &[("w", &gradient)]).unwrap();
    assert!(values(&store, "w").iter().all(|v| (v.abs() - 0.1).abs() < 1e-6));
}

#[test]
fn large_tensors_are_bit_identical_for_one_and_two_threads() {
    let n = 200_001;
    let gradient: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin() * 3.0).collect();
    let start: Vec<f32> = (0..n).map(|i| (i as f32 * 0.3).cos()).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mut store, mut adam) = (ParamStore::new(0), Adam::new(0.01));
            for _ in 0..5 {
                step(&mut adam, &mut store, &start, &[("w", &gradient)]).unwrap();
            }
            (values(&store, "w"), Optimizer::<f32, Cpu>::state(&adam)["w"].clone())
        })
    };
    let (one, two) = (run(1), run(2));
    assert_ne!(one.0, start);
    assert!(one == two);
}

#[test]
fn parameters_of_other_rounds_are_not_touched() {
    let mut store = ParamStore::new(0);
    let mut adam = Adam::<f64>::new(0.1);
    step(&mut adam, &mut store, &[1.0], &[("a", &[1.0]), ("b", &[1.0])]).unwrap();
    let before = values(&store, "b");
    for _ in 0..3 {
        // Momentum would move it.
        step(&mut adam, &mut store, &[1.0], &[("a", &[1.0])]).unwrap();
    }
    assert_eq!(values(&store, "b"), before);
    let state = Optimizer::<f64, Cpu>::state(&adam);
    assert_eq!((state["a"].steps, state["b"].steps), (4, 1));
}
