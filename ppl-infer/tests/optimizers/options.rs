//! What every rule can be given: schedules, bounds of gradients, several rounds an update, averages, options by name.

use ppl_core::Tensor;
use ppl_core::autodiff::grad;
use ppl_core::params::ParamStore;
use ppl_infer::optim::{AdamRule, Clip, Optim, Schedule, SgdRule};
use ppl_infer::{Adam, Optimizer, Sgd};

use crate::{numbers, reference, step, values};

/// The rates of an optimiser of base rate 1 before each update, each update hearing its loss.
fn rates(schedule: Schedule, updates: usize) -> Vec<f64> {
    let losses = numbers(&reference()["losses"]);
    let (mut sgd, mut store) = (Sgd::<f64>::new(1.0).schedule(schedule), ParamStore::new(0));
    (0..updates)
        .map(|t| {
            let (rate, before) = (sgd.scheduled_rate(), values_or(&store, 0.0));
            step(&mut sgd, &mut store, &[0.0], &[("x", &[1.0])]).unwrap();
            // The rate is what the parameter moved by, not only what the accessor says.
            assert!((before - values(&store, "x")[0] - rate).abs() < 1e-12);
            Optimizer::<f64, ppl_core::Cpu>::observe(&mut sgd, losses[t]);
            rate
        })
        .collect()
}

fn values_or(store: &ParamStore<f64, ppl_core::Cpu>, start: f64) -> f64 {
    if store.is_empty() { start } else { values(store, "x")[0] }
}

#[test]
fn schedules_are_torchs() {
    let cases = [
        ("exponential", Schedule::Exponential { decay: 0.9, every: 1 }),
        ("multi step", Schedule::MultiStep { at: &[3, 10, 11], factor: 0.5 }),
        ("cosine", Schedule::Cosine { warmup: 0, steps: 20, floor: 0.1 }),
        ("cosine restarts", Schedule::CosineRestarts { period: 4, growth: 2, floor: 0.1 }),
        ("one cycle", Schedule::OneCycle { steps: 30, rise: 0.3, start_divisor: 25.0, end_divisor: 1e4 }),
        ("plateau", Schedule::Plateau { factor: 0.5, patience: 2, threshold: 0.01, cooldown: 1, window: 1 }),
    ];
    for (name, schedule) in cases {
        let expected = numbers(&reference()["schedules"][name]);
        for (t, (found, expected)) in rates(schedule, expected.len()).into_iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-12, "{name}, update {t}: {found} for {expected}");
        }
    }
}

#[test]
fn a_cosine_rises_first_and_stays_at_its_floor() {
    let found = rates(Schedule::Cosine { warmup: 4, steps: 8, floor: 0.25 }, 12);
    let falling = [1.0, 0.25 + 0.75 * 0.5 * (1.0 + std::f64::consts::FRAC_1_SQRT_2), 0.625];
    let expected = [&[0.25, 0.5, 0.75, 1.0][..], &falling].concat();
    expected.iter().zip(&found).for_each(|(expected, found)| assert!((expected - found).abs() < 1e-12));
    assert!(found[8..].iter().all(|rate| (rate - 0.25).abs() < 1e-12), "{found:?}");
}

#[test]
#[should_panic(expected = "a schedule of 10 updates cannot rise over 10 of them")]
fn a_schedule_that_only_rises_is_refused() {
    let _ = Adam::<f64>::new(0.1).schedule(Schedule::Cosine { warmup: 10, steps: 10, floor: 0.0 });
}

#[test]
fn a_plateau_below_zero_asks_for_a_lower_loss_too() {
    let mut sgd = Sgd::<f64>::new(1.0).schedule(Schedule::Plateau {
        factor: 0.5,
        patience: 0,
        threshold: 0.1,
        cooldown: 0,
        window: 1,
    });
    let mut after = |loss: f64| {
        Optimizer::<f64, ppl_core::Cpu>::observe(&mut sgd, loss);
        sgd.scheduled_rate()
    };
    assert_eq!([-10.0, -11.5, -12.0, -13.0].map(&mut after), [1.0, 1.0, 0.5, 0.5]);
}

/// How far `a` and `b` move from 0 along these gradients with a rate of 1.
fn moved(clip: Clip, a: &[f64], b: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut sgd, mut store) = (Sgd::<f64>::new(1.0).clip(clip), ParamStore::new(0));
    step(&mut sgd, &mut store, &[0.0, 0.0], &[("a", a), ("b", b)]).unwrap();
    (values(&store, "a"), values(&store, "b"))
}

#[test]
fn gradients_are_bounded_by_element_by_tensor_and_together() {
    let (a, b) = ([3.0, -4.0], [12.0, 0.0]);
    assert_eq!(moved(Clip::None, &a, &b), (vec![-3.0, 4.0], vec![-12.0, 0.0]));
    assert_eq!(moved(Clip::Value(3.5), &a, &b), (vec![-3.0, 3.5], vec![-3.5, 0.0]));
    assert_eq!(moved(Clip::Norm(10.0), &a, &b), (vec![-3.0, 4.0], vec![-10.0, 0.0]));
    // The norm of all is 13.
    let (c, d) = moved(Clip::GlobalNorm(6.5), &a, &b);
    let close = |x: &[f64], y: [f64; 2]| x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-14);
    assert!(close(&c, [-1.5, 2.0]) && close(&d, [-6.0, 0.0]), "{c:?} {d:?}");
    assert_eq!(moved(Clip::GlobalNorm(13.5), &a, &b), (vec![-3.0, 4.0], vec![-12.0, 0.0]));
}

#[test]
fn a_bound_leaves_what_is_not_finite_to_the_error() {
    for clip in [Clip::Value(1.0), Clip::Norm(1.0), Clip::GlobalNorm(1.0)] {
        let (mut sgd, mut store) = (Sgd::<f64>::new(1.0).clip(clip), ParamStore::new(0));
        let error = step(&mut sgd, &mut store, &[0.0, 0.0], &[("a", &[f64::NAN, 0.5])]).unwrap_err();
        assert!(error.to_string().contains("parameter `a`") && error.to_string().contains("element 0"), "{error}");
        assert_eq!(values(&store, "a"), [0.0, -0.5]);
    }
}

#[test]
fn several_rounds_make_one_update_along_their_mean() {
    let (mut rounds, mut store) = (Adam::<f64>::new(0.1).accumulate(3), ParamStore::new(0));
    let (mut once, mut twin) = (Adam::<f64>::new(0.1), ParamStore::new(0));
    for update in 1..=4 {
        for (round, gradient) in [0.5, -0.25, 2.0].into_iter().enumerate() {
            let before = if store.is_empty() { vec![1.0] } else { values(&store, "a") };
            // `b` is met in the last round only: its mean is a third.
            let both: [(&str, &[f64]); 2] = [("a", &[gradient]), ("b", &[0.75])];
            step(&mut rounds, &mut store, &[1.0], if round == 2 { &both } else { &both[..1] }).unwrap();
            assert_eq!(values(&store, "a") == before, round < 2, "update {update}, round {round}");
        }
        step(&mut once, &mut twin, &[1.0], &[("a", &[0.75]), ("b", &[0.25])]).unwrap();
        for name in ["a", "b"] {
            let (found, expected) = (values(&store, name)[0], values(&twin, name)[0]);
            assert!((found - expected).abs() < 1e-14, "{name}: {found} for {expected}");
        }
    }
}

#[test]
fn averages_are_of_the_values_with_the_bias_of_the_start_taken_off() {
    let (mut sgd, mut store) = (Sgd::<f64>::new(1.0).average(0.5), ParamStore::new(0));
    for gradient in [1.0, 2.0, -4.0] {
        step(&mut sgd, &mut store, &[10.0], &[("a", &[gradient])]).unwrap();
    }
    // Values 9, 7, 11 with weights 1/8, 1/4, 1/2 over 7/8.
    let averaged = sgd.averages(&store);
    assert!((values(&averaged, "a")[0] - (9.0 / 8.0 + 7.0 / 4.0 + 11.0 / 2.0) / (7.0 / 8.0)).abs() < 1e-14);
    assert_eq!(values(&store, "a"), [11.0]);
}

#[test]
fn a_rule_by_name_and_a_frozen_tensor() {
    let decayed = SgdRule { weight_decay: 0.5, ..SgdRule::default() };
    let mut sgd = Sgd::<f64>::new(1.0).rule_for("net.*", decayed).freeze("net.frozen");
    let mut store = ParamStore::new(0);
    let names = ["net.w", "net.frozen", "other"];
    step(&mut sgd, &mut store, &[4.0], &names.map(|name| (name, &[1.0][..]))).unwrap();
    assert_eq!(names.map(|name| values(&store, name)[0]), [1.0, 4.0, 3.0]);
    // A frozen tensor has no steps that a later thaw would count.
    assert!(!Optimizer::<f64, ppl_core::Cpu>::state(&sgd).contains_key("net.frozen"));
}

#[test]
fn a_saved_optimiser_goes_on_bit_for_bit() {
    let make = || {
        let schedule = Schedule::Plateau { factor: 0.5, patience: 1, threshold: 0.0, cooldown: 1, window: 2 };
        Optim::<AdamRule, f64>::with_rule(AdamRule::default(), 0.1)
            .schedule(schedule)
            .clip(Clip::GlobalNorm(1.0))
            .accumulate(2)
            .average(0.9)
    };
    let take = |optimizer: &mut Adam<f64>, store: &mut ParamStore<f64, ppl_core::Cpu>, t: u64| {
        let x = 0.3 * t as f64;
        Optimizer::<f64, ppl_core::Cpu>::observe(optimizer, x.cos());
        step(optimizer, store, &[1.0, 2.0], &[("a", &[x.sin(), 2.0 * x.cos()])]).unwrap();
    };
    let (mut straight, mut store) = (make(), ParamStore::new(0));
    // In the middle of an update.
    (0..7).for_each(|t| take(&mut straight, &mut store, t));
    let (mut resumed, mut copy) = (make(), store.clone());
    {
        use ppl_core::Cpu;
        let resumed: &mut dyn Optimizer<f64, Cpu> = &mut resumed;
        let straight: &dyn Optimizer<f64, Cpu> = &straight;
        assert_eq!(straight.state()["a"].held, 1);
        resumed.set_state(straight.state().clone());
        resumed.set_memory(&straight.memory());
    }
    (7..30).for_each(|t| {
        take(&mut straight, &mut store, t);
        take(&mut resumed, &mut copy, t);
        assert_eq!(values(&store, "a"), values(&copy, "a"), "step {t}");
    });
    assert!(straight.scheduled_rate() < 0.1);
    assert_eq!(values(&straight.averages(&store), "a"), values(&resumed.averages(&copy), "a"));
}

#[test]
fn a_module_on_its_own_follows_its_gradient_whatever_waits_elsewhere() {
    // Neither several rounds nor the norm of all gradients applies to one module.
    for make in [|sgd: Sgd<f64>| sgd.accumulate(4), |sgd: Sgd<f64>| sgd.clip(Clip::GlobalNorm(0.1))] {
        let mut sgd = make(Sgd::new(1.0));
        let mut weight = Tensor::<(usize,), f64>::vector(vec![1.0, 2.0]).tracked();
        let (_, mut grads) = grad(|| (weight.clone() * Tensor::vector(vec![3.0, -4.0])).sum_all());
        sgd.step_module("net", &mut weight, &mut grads).unwrap();
        assert_eq!(weight.to_vec(), [-2.0, 6.0]);
    }
}

#[test]
fn a_frozen_tensor_holds_no_gradients() {
    let (mut sgd, mut store) = (Sgd::<f64>::new(1.0).clip(Clip::GlobalNorm(10.0)).freeze("still"), ParamStore::new(0));
    for _ in 0..3 {
        step(&mut sgd, &mut store, &[0.0], &[("still", &[100.0]), ("free", &[3.0])]).unwrap();
    }
    // The norm is that of the gradients that are followed.
    assert_eq!((values(&store, "still"), values(&store, "free")), (vec![0.0], vec![-9.0]));
    assert!(!Optimizer::<f64, ppl_core::Cpu>::state(&sgd).contains_key("still"));
}
