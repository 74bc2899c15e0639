//! Hidden Markov models with finitely many states: against sums over all paths, gradients against
//! finite differences, draws against their density.

use crate::finite_differences::Step::Absolute;
use crate::finite_differences::{Vector, check, gradients, panic_message, weigh};
use ppl_core::backend::Backend;
use ppl_core::distribution::{Distribution, Expand};
use ppl_core::distributions::{Categorical, DiscreteHmm, Normal};
use ppl_core::rng::Rng;
use ppl_core::{Axis, Const, Cpu, Dtype, Rank1, Rank2, Rank3, Tensor};
use serde_json::Value;

const FAR: f64 = f64::INFINITY;

/// A case of the table that `scripts/reference_hidden_markov.py` writes.
struct Case(Value);

fn cases() -> Vec<Case> {
    let text = include_str!("../references/hidden_markov.json");
    let tables: Value = serde_json::from_str(text).expect("the references are JSON");
    tables["discrete"].as_array().expect("a table").iter().cloned().map(Case).collect()
}

impl Case {
    fn numbers(&self, name: &str) -> Vec<f64> {
        let number = |text: &Value| text.as_str().and_then(|t| t.parse().ok()).expect("a number as text");
        self.0[name].as_array().unwrap_or_else(|| panic!("no {name}")).iter().map(number).collect()
    }

    fn size(&self, name: &str) -> usize {
        self.0[name].as_u64().expect("a size") as usize
    }

    fn path(&self) -> Vec<usize> {
        self.0["path"].as_array().expect("a path").iter().map(|k| k.as_u64().expect("a state") as usize).collect()
    }
}

type Hmm<E> = DiscreteHmm<Normal<(usize, usize), E, Cpu>, E, Cpu>;

/// Initial and transition logits, means, deviations and the sequence, flat.
fn hmm<E: Dtype>([initial, transitions, loc, scale]: [&Tensor<(usize,), E>; 4]) -> Hmm<E>
where
    Cpu: Backend<E>,
{
    let k = initial.numel();
    let steps = loc.numel() / k;
    let rows = |t: &Tensor<(usize,), E>| t.clone().reshape_like(&(steps, k));
    let observation = Normal::new(rows(loc), rows(scale));
    if transitions.numel() == k * k {
        DiscreteHmm::new(initial.clone(), transitions.clone().reshape_like(&(k, k)), observation)
    } else {
        DiscreteHmm::new(initial.clone(), transitions.clone().reshape_like(&(steps, k, k)), observation)
    }
}

fn agrees_with_sums_over_paths<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    for case in cases() {
        let row = |name: &str| Tensor::<(usize,), E>::vector(case.numbers(name).into_iter().map(E::of).collect());
        let hmm = hmm([&row("initial_logits"), &row("transition_logits"), &row("loc"), &row("scale")]);
        assert_eq!(hmm.check_parameters(), Ok(()));
        assert_eq!((hmm.states(), hmm.event_dims()), (case.size("states"), vec![case.size("steps")]));
        let (x, expected) = (row("x"), case.numbers("log_prob")[0]);
        let found = hmm.log_prob(&x).item().wide();
        assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{found} is not {expected}");
        let last = hmm.filter(&x).probs().to_vec();
        for (found, expected) in last.into_iter().zip(case.numbers("final")) {
            assert!((found.wide() - expected).abs() <= tolerance, "{found} is not {expected}");
        }
        assert_eq!(hmm.viterbi(&x).to_vec(), case.path());
        for (moment, name) in [(hmm.mean(), "mean"), (hmm.variance(), "variance")] {
            for (found, expected) in moment.expect(name).to_vec().into_iter().zip(case.numbers(name)) {
                let error = (found.wide() - expected).abs();
                assert!(error <= tolerance * expected.abs().max(1.0), "{name}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn it_agrees_with_sums_over_all_paths() {
    agrees_with_sums_over_paths::<f64>(1e-12);
}

#[test]
fn it_agrees_with_sums_over_all_paths_in_single_precision() {
    agrees_with_sums_over_paths::<f32>(1e-6);
}

#[test]
fn gradients_equal_finite_differences() {
    for case in cases() {
        let names = ["initial_logits", "transition_logits", "loc", "scale", "x"];
        let rows = names.map(|name| case.numbers(name));
        // Infinite logits are held fixed, at places that differences do not reach.
        let is_far = |row: &Vec<f64>| row.iter().any(|v| v.abs() > 100.0);
        if rows.iter().any(is_far) {
            continue;
        }
        let rows = rows.each_ref().map(Vec::as_slice);
        check("log_prob", rows, Absolute, |[i, t, l, s, x]| hmm([i, t, l, s]).log_prob(x).sum_all());
        check("mean", rows, Absolute, |[i, t, l, s, _]| weigh(&hmm([i, t, l, s]).mean().unwrap()));
        check("variance", rows, Absolute, |[i, t, l, s, _]| weigh(&hmm([i, t, l, s]).variance().unwrap()));
        check("filter", rows, Absolute, |[i, t, l, s, x]| weigh(&hmm([i, t, l, s]).filter(x).logits()));
    }
}

#[test]
fn impossible_states_have_no_gradient_and_the_others_have_theirs() {
    for case in cases() {
        let names = ["initial_logits", "transition_logits", "loc", "scale", "x"];
        let rows = names.map(|name| case.numbers(name));
        let far = |v: f64| if v.is_infinite() { -1e4 } else { v };
        let near: [Vec<f64>; 5] = rows.clone().map(|row| row.into_iter().map(far).collect());
        let of = |rows: &[Vec<f64>; 5]| {
            gradients(rows.each_ref().map(Vec::as_slice), |[i, t, l, s, x]| hmm([i, t, l, s]).log_prob(x).sum_all())
        };
        // e^−10000 is 0, so the two models are one.
        let (found, expected) = (of(&rows), of(&near));
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{found} is not {expected}");
        }
    }
}

#[test]
fn a_sequence_that_cannot_be_has_no_density_and_no_gradient() {
    let moves = [[0.0, -FAR], [0.0, -FAR]].concat();
    let first = [0.0, 0.0];
    // Uniform over two categories in state 0, the third in state 1, which is never reached.
    let make = |initial: &Vector, moves: &Vector, probs: &Vector| {
        let seen = Categorical::new(probs.clone().reshape_like(&(2, 2, 3)));
        DiscreteHmm::new(initial.clone(), moves.clone().reshape_like(&(2, 2)), seen)
    };
    let probs = [0.5, 0.5, 0.0, 0.0, 0.0, 1.0].repeat(2);
    let never = Tensor::from_vec(vec![0, 2], (2,));
    let found = gradients([&first, &moves, &probs], |[i, m, p]| {
        let hmm = make(i, m, p);
        assert_eq!(hmm.log_prob(&never).item(), -FAR);
        assert_eq!(hmm.viterbi(&never).to_vec(), [0, 0]);
        hmm.log_prob(&never).sum_all() + hmm.filter(&never).check_parameters().map_or(0.0, |()| 1.0)
    });
    assert!(found.iter().flatten().all(|&g| g == 0.0), "{found:?}");
    let hmm = make(&Vector::vector(first.to_vec()), &Vector::vector(moves), &Vector::vector(probs));
    assert!((hmm.log_prob(&Tensor::from_vec(vec![0, 1], (2,))).item() - 0.25_f64.ln()).abs() < 1e-15);
}

/// ln Σ over all paths of the product, from plain probabilities.
fn brute_force(initial: &[f64], moves: &[Vec<f64>], seen: &[Vec<f64>]) -> f64 {
    let k = initial.len();
    let share = |row: &[f64], i: usize| row[i].exp() / row.iter().map(|v| v.exp()).sum::<f64>();
    let mut joint: Vec<f64> = (0..k).map(|i| share(initial, i)).collect();
    for (moves, seen) in moves.iter().zip(seen) {
        let into = |j: usize| (0..k).map(|i| joint[i] * share(&moves[i * k..][..k], j)).sum::<f64>();
        joint = (0..k).map(|j| into(j) * seen[j].exp()).collect();
    }
    joint.iter().sum::<f64>().ln()
}

#[test]
fn a_batch_over_vectors_is_its_sequences_one_by_one() {
    const B: usize = 3;
    type Means = Tensor<(ppl_core::Const<B>, ppl_core::Const<4>, ppl_core::Const<2>, ppl_core::Const<2>), f64>;
    let numbers = |n: usize, from: f64| (0..n).map(|i| (from + 1.7 * i as f64).sin()).collect::<Vec<_>>();
    let means: Means = Tensor::from_vec(numbers(B * 16, 0.1), Default::default());
    let seen = Normal::new(&means, 0.7).to_event::<Axis<3>>();
    let initial: Tensor<Rank2<B, 2>, f64> = Tensor::from_vec(numbers(B * 2, 0.5), Default::default());
    let shared: Tensor<Rank3<4, 2, 2>, f64> = Tensor::from_vec(numbers(16, 0.9), Default::default());
    let hmm = DiscreteHmm::new(initial.clone(), shared.clone(), seen.clone());
    let x: Tensor<Rank3<B, 4, 2>, f64> = Tensor::from_vec(numbers(B * 8, 2.0), Default::default());
    assert_eq!((hmm.batch_shape(), hmm.event_dims()), ((ppl_core::Const::<B>,), vec![4, 2]));
    let found = hmm.log_prob(&x).to_vec();
    let density = |x: f64, m: f64| Normal::<(), f64, Cpu>::new(m, 0.7).log_prob(&Tensor::scalar(x)).item();
    let (means, x_all, first, moves) = (means.to_vec(), x.to_vec(), initial.to_vec(), shared.to_vec());
    for b in 0..B {
        let at = |t: usize, k: usize| {
            (0..2).map(|d| density(x_all[(b * 4 + t) * 2 + d], means[((b * 4 + t) * 2 + k) * 2 + d])).sum::<f64>()
        };
        let seen: Vec<Vec<f64>> = (0..4).map(|t| vec![at(t, 0), at(t, 1)]).collect();
        let moves: Vec<Vec<f64>> = moves.chunks(4).map(<[f64]>::to_vec).collect();
        let expected = brute_force(&first[b * 2..][..2], &moves, &seen);
        assert!((found[b] - expected).abs() < 1e-12, "{b}: {} is not {expected}", found[b]);
    }
    assert_eq!(hmm.viterbi(&x).dims(), [B, 4]);
    assert_eq!(hmm.filter(&x).probs().dims(), [B, 2]);
    assert_eq!(hmm.draw(&mut Rng::seed(1)).dims(), [B, 4, 2]);
    assert_eq!([hmm.mean().unwrap().dims(), hmm.variance().unwrap().dims()], [[B, 4, 2]; 2]);
    let one: Tensor<Rank1<2>, f64> = Tensor::from([0.3, 0.1]);
    let all = DiscreteHmm::new(one, Tensor::<Rank2<2, 2>, f64>::zeros(), seen);
    assert_eq!(all.log_prob(&x).dims(), [B]);
}

#[test]
fn draws_have_the_frequencies_of_the_density() {
    let first = Tensor::from([0.4, -0.3]);
    let moves: Tensor<Rank2<2, 2>, f64> = Tensor::from([[1.0, -0.5], [-FAR, 0.0]]);
    let probs: Tensor<Rank3<3, 2, 2>, f64> = Tensor::from([[[0.7, 0.3], [0.2, 0.8]]; 3]);
    let hmm = DiscreteHmm::new(first, moves, Categorical::new(probs));
    assert_eq!((hmm.mean(), hmm.variance()), (None, None));
    let n = 20_000;
    let mut rng = Rng::seed(3);
    let mut counts = [0; 8];
    (0..n).for_each(|_| counts[hmm.draw(&mut rng).to_vec().iter().fold(0, |code, x| 2 * code + x)] += 1);
    let mut whole = 0.0;
    let distance: f64 = (0..8)
        .map(|code| {
            let p = hmm.log_prob(&Tensor::from([code / 4, code / 2 % 2, code % 2])).item().exp();
            whole += p;
            let expected = p * f64::from(n);
            (f64::from(counts[code]) - expected).powi(2) / expected
        })
        .sum();
    assert!((whole - 1.0).abs() < 1e-12);
    // χ² with 7 degrees of freedom exceeds 41 with probability 8e-7.
    assert!(distance < 41.0, "{distance}");
}

#[test]
fn draws_have_the_moments() {
    let (first, moves) = (Tensor::from([0.4, -0.3]), Tensor::<_, f64>::from([[1.0, -0.5], [-FAR, 0.0]]));
    let seen = Normal::new(Tensor::<Rank2<3, 2>, f64>::from([[-1.0, 2.0], [0.5, 3.0], [0.0, 1.0]]), 0.5);
    let one = DiscreteHmm::new(first, moves, seen);
    let n = 20_000;
    let drawn = one.expand((n, Const::<3>, Const::<2>)).draw(&mut Rng::seed(6)).to_vec();
    let (mean, variance) = (one.mean().unwrap().to_vec(), one.variance().unwrap().to_vec());
    for t in 0..3 {
        let of =
            |f: &dyn Fn(f64) -> f64| drawn.iter().skip(t).step_by(3).map(|x| f(x - mean[t])).sum::<f64>() / n as f64;
        // Six standard errors: a false alarm once in 1e8 for all.
        let (first, second, fourth) = (of(&|d| d), of(&|d| d * d), of(&|d| d.powi(4)));
        assert!(first.abs() < 6.0 * (variance[t] / n as f64).sqrt(), "{t}: {first}");
        let error = ((fourth - second * second) / n as f64).sqrt();
        assert!((second - variance[t]).abs() < 6.0 * error, "{t}: {second} and {}", variance[t]);
    }
}

#[test]
fn infinite_densities_win_and_never_make_nan() {
    let zeros = || Tensor::<Rank1<2>, f64>::zeros();
    let point = Normal::<Rank2<2, 2>, f64, Cpu>::new(Tensor::from([[0.0, 1.0]; 2]), 1e-320);
    let hmm = DiscreteHmm::new(zeros(), Tensor::<Rank2<2, 2>, f64>::zeros(), point);
    for x in [[0.0, 0.0], [0.0, 1.0], [0.5, 0.0], [FAR, 0.0], [0.5, 0.5]] {
        let x = Tensor::from(x);
        assert!(!hmm.log_prob(&x).item().is_nan(), "{x:?}");
        let _ = (hmm.viterbi(&x), hmm.filter(&x).probs());
    }
    let nan = Tensor::from([f64::NAN, 0.0]);
    let hmm = DiscreteHmm::new(nan.clone(), Tensor::<Rank2<2, 2>, f64>::zeros(), hmm.observation().clone());
    let _ = (hmm.draw(&mut Rng::seed(0)), hmm.viterbi(&zeros()), hmm.log_prob(&nan));
}

#[test]
fn wrong_parameters_are_named() {
    let seen = |scale: f64| Normal::<Rank2<3, 2>, f64, Cpu>::new(Tensor::<Rank2<3, 2>, f64>::zeros(), scale);
    let error = |initial: [f64; 2], moves: [[f64; 2]; 2], scale| {
        let hmm = DiscreteHmm::new(Tensor::from(initial), Tensor::from(moves), seen(scale));
        let error = hmm.check_parameters().unwrap_err();
        (error.parameter, error.element)
    };
    assert_eq!(error([0.0, FAR], [[0.0; 2]; 2], 1.0), ("initial_logits", vec![1]));
    assert_eq!(error([0.0; 2], [[0.0, 0.0], [-FAR, -FAR]], 1.0), ("transition_logits", vec![1, 0]));
    assert_eq!(error([0.0; 2], [[0.0, f64::NAN], [0.0; 2]], 1.0), ("transition_logits", vec![0, 1]));
    assert_eq!(error([0.0; 2], [[0.0; 2]; 2], -1.0).0, "scale");
    let hmm = DiscreteHmm::new(Tensor::from([0.5, 0.0]), Tensor::from([[0.25, 0.0]; 2]), seen(2.0));
    let named = hmm.parameters_at(0);
    assert_eq!(named[..2], [("initial_logits", 0.5), ("transition_logits", 0.25)]);
    assert!(named.contains(&("scale", 2.0)));
}

#[test]
fn sizes_that_do_not_fit_are_named() {
    let seen = || Normal::<(usize, usize), f64, Cpu>::new(Tensor::full_like(0.0, (3, 2)), 1.0);
    let zeros = |n| Vector::vector(vec![0.0; n]);
    let square = |n| Tensor::<(usize, usize), f64, Cpu>::full_like(0.0, (n, n));
    let message = panic_message(|| DiscreteHmm::new(zeros(3), square(2), seen()));
    assert!(message.contains("initial_logits") && message.contains("[3] and [2]"), "{message}");
    let message = panic_message(|| DiscreteHmm::new(zeros(2), square(3), seen()));
    assert!(message.contains("transition_logits") && message.contains("[3, 3] and [3, 2, 2]"), "{message}");
    let hmm = DiscreteHmm::new(zeros(2), square(2), seen());
    let message = panic_message(|| hmm.log_prob(&zeros(4)));
    assert!(message.contains("[4] and [3]"), "{message}");
}

#[test]
fn steps_that_are_masked_tell_nothing() {
    let (first, moves) = (Tensor::from([0.5, 0.0]), Tensor::<_, f64>::from([[0.25, 0.0], [-1.0, 2.0]]));
    let loc = Tensor::from([[0.0, 1.0], [-1.0, 2.0], [0.5, -0.5]]);
    let seen = Normal::<Rank2<3, 2>, f64, Cpu>::new(loc, 1.0);
    let masked = seen.clone().mask([true, true, true, true, false, false]);
    let short = Normal::<Rank2<2, 2>, f64, Cpu>::new(Tensor::from([[0.0, 1.0], [-1.0, 2.0]]), 1.0);
    let all = DiscreteHmm::new(first.clone(), moves.clone(), masked).log_prob(&Tensor::from([0.3, 0.4, 9.0]));
    let two = DiscreteHmm::new(first, moves, short).log_prob(&Tensor::from([0.3, 0.4]));
    assert!((all.item() - two.item()).abs() < 1e-14);
}

#[test]
fn a_sequence_without_steps_is_certain() {
    let seen = Normal::<(usize, usize), f64, Cpu>::new(Tensor::full_like(0.0, (0, 2)), 1.0);
    let logits = Vector::vector(vec![0.0, 1.0]);
    let moves = Tensor::<(usize, usize, usize), f64>::full_like(0.0, (0, 2, 2));
    let hmm = DiscreteHmm::new(logits.clone(), moves, seen);
    let empty = Vector::vector(Vec::new());
    assert!(hmm.log_prob(&empty).item().abs() < 1e-15);
    assert_eq!([hmm.mean().unwrap().numel(), hmm.variance().unwrap().numel()], [0, 0]);
    assert_eq!([hmm.viterbi(&empty).numel(), hmm.draw(&mut Rng::seed(0)).numel()], [0, 0]);
    let (found, expected) = (hmm.filter(&empty).probs().to_vec(), Categorical::from_logits(logits).probs().to_vec());
    assert!((found[0] - expected[0]).abs() < 1e-15 && (found[1] - expected[1]).abs() < 1e-15);
}
