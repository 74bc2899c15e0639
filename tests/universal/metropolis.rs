//! Chains over traces against exact posteriors, where sites come and go and change their supports.

use ppl::infer::{Executions, TraceMetropolis};
use ppl::prelude64::*;

type Scalar = Tensor<()>;

/// A count by recursion, seen with noise.
#[model]
fn noisy_count(y: f64) -> usize {
    let n = submodel!("count", super::executions::geometric(0.4));
    sample!("y", Normal::new(n as f64, 1.5), obs = Scalar::scalar(y));
    n
}

/// How often each output below `outputs` was seen, with the standard error of batch means.
fn frequencies(batches: usize, steps: usize, outputs: usize, mut next: impl FnMut() -> usize) -> Vec<(f64, f64)> {
    let mut means = vec![Vec::new(); outputs];
    for _ in 0..batches {
        let mut counts = vec![0.0; outputs];
        for _ in 0..steps {
            if let Some(count) = counts.get_mut(next()) {
                *count += 1.0 / steps as f64;
            }
        }
        means.iter_mut().zip(counts).for_each(|(means, count)| means.push(count));
    }
    let of = |means: Vec<f64>| {
        let n = means.len() as f64;
        let mean = means.iter().sum::<f64>() / n;
        let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    };
    means.into_iter().map(of).collect()
}

/// Fails where a frequency is 5.5 standard errors off: among 39 degrees of freedom, by chance in 3 of a million.
#[track_caller]
fn agree(found: &[(f64, f64)], expected: &[f64]) {
    for (k, ((mean, error), expected)) in found.iter().zip(expected).enumerate() {
        assert!((mean - expected).abs() < 5.5 * error.max(1e-4), "{k}: {mean} ± {error} for {expected}");
    }
}

#[test]
fn a_count_of_sites_has_its_posterior() {
    let exact = Executions::of(noisy_count, (3.0,)).explore().unwrap();
    // The same by hand.
    let weight = |n: i32| 0.4 * 0.6_f64.powi(n) * (-0.5 * ((3.0 - f64::from(n)) / 1.5).powi(2)).exp();
    let total: f64 = (0..200).map(weight).sum();
    let expected: Vec<f64> = (0..7).map(|n| weight(n) / total).collect();
    for (n, expected) in expected.iter().enumerate() {
        assert!((exact.probability(&n) - expected).abs() < 1e-10);
    }
    let mut chain = TraceMetropolis::new(noisy_count, (3.0,), 1).unwrap();
    let found = frequencies(40, 1_500, 7, || {
        chain.step().unwrap();
        assert_eq!(chain.len(), chain.output() + 1);
        *chain.output()
    });
    agree(&found, &expected);
    let rate = chain.acceptance_rate();
    assert!(0.1 < rate && rate < 0.9, "{rate}");
}

/// A site of one name with another family, support or size on each path.
#[model]
fn changing() -> usize {
    let kind: Tensor<(), usize> = sample!("kind", Categorical::new(Tensor::from([0.2, 0.3, 0.5])));
    let kind = kind.to_vec()[0];
    let x: Scalar = match kind {
        0 => sample!("x", Bernoulli::new(0.7)),
        1 => sample!("x", Binomial::new(2.0, 0.6)),
        _ => sample!("x", Binomial::new(3.0, 0.3)),
    };
    let x = x.item() as usize;
    let y: Scalar = sample!("y", Bernoulli::new([0.9, 0.2, 0.5, 0.3][x]));
    factor!("weight", &y * (kind as f64 - 0.5));
    4 * kind + x
}

#[test]
fn a_name_with_several_supports_never_has_a_stale_value() {
    let exact = Executions::of(changing, ()).explore().unwrap();
    let expected: Vec<f64> = (0..12).map(|output| exact.probability(&output)).collect();
    let mut chain = TraceMetropolis::new(changing, (), 5).unwrap();
    let found = frequencies(40, 1_500, 12, || {
        chain.step().unwrap();
        let (kind, x) = (chain.output() / 4, chain.output() % 4);
        // A value of another path's support would be none of this one's.
        assert!(x < [2, 3, 4][kind], "{x} on path {kind}");
        let own = chain.trace().site("x").unwrap().log_prob.item();
        let weights: &[f64] = [&[0.3, 0.7][..], &[0.16, 0.48, 0.36], &[0.343, 0.441, 0.189, 0.027]][kind];
        assert!((own - weights[x].ln()).abs() < 1e-12, "a log-density of another run");
        *chain.output()
    });
    agree(&found, &expected);
}

/// A mean of one or two numbers, the second only where it is needed.
#[model]
fn maybe_two(y: f64) -> f64 {
    let two: Scalar = sample!("two", Bernoulli::new(0.5));
    let a: Scalar = sample!("a", Normal::new(0.0, 1.0));
    let scale: Scalar = sample!("scale", Gamma::new(3.0, 3.0));
    let mean = if two.item() == 1.0 { a + sample!("b": Scalar, Normal::new(1.0, 1.0)) } else { a };
    sample!("y", Normal::new(mean, 0.7), obs = Scalar::scalar(y));
    sample!("z", Exponential::new(scale), obs = Scalar::scalar(0.5));
    two.item()
}

#[test]
fn continuous_sites_come_and_go_and_walk() {
    let y = 2.5;
    // The mean is marginally normal: N(0, 1 + 0.49) with one, N(1, 2 + 0.49) with two.
    let density = |mean: f64, variance: f64| (-0.5 * (y - mean).powi(2) / variance).exp() / variance.sqrt();
    let (one, two) = (density(0.0, 1.49), density(1.0, 2.49));
    let expected = two / (one + two);
    // A Gamma(3, 3) rate seen once at 0.5 is Gamma(4, 3.5).
    let rate = 4.0 / 3.5;
    for walks in [false, true] {
        let mut chain = TraceMetropolis::new(maybe_two, (y,), 2).unwrap();
        if walks {
            chain = chain.walk("a", 1.0).walk("b", 1.0).walk("scale", 0.8);
        }
        let mut scales = Vec::new();
        let found = frequencies(40, 1_000, 2, || {
            chain.advance(2).unwrap();
            let typed: MaybeTwoTrace = chain.typed().unwrap();
            assert_eq!(typed.b.is_some(), typed.two.value.item() == 1.0);
            scales.push(typed.scale.value.item());
            typed.two.value.item() as usize
        });
        agree(&found, &[1.0 - expected, expected]);
        let batches: Vec<f64> = scales.chunks(1_000).map(|batch| batch.iter().sum::<f64>() / 1_000.0).collect();
        let mean = batches.iter().sum::<f64>() / 40.0;
        let error = (batches.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 39.0 / 40.0).sqrt();
        // As in `agree`.
        assert!((mean - rate).abs() < 5.5 * error, "{mean} ± {error} for {rate}");
    }
}
