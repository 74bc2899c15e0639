//! All executions of recursive programs against closed forms.

use ppl::infer::Executions;
use ppl::prelude64::*;

type Scalar = Tensor<()>;
type Category = Tensor<(), usize>;

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-11, "{found} for {expected}");
}

/// How many failures come before a success of probability `p`.
#[model]
pub(crate) fn geometric(p: f64) -> usize {
    let success: Scalar = sample!("success", Bernoulli::new(p));
    if success.item() == 1.0 { 0 } else { 1 + submodel!("next", geometric(p)) }
}

#[test]
fn a_recursive_geometric_is_explored_as_far_as_it_matters() {
    for p in [0.5, 0.2] {
        let failures = Executions::of(geometric, (p,)).explore().unwrap();
        for k in 0..20 {
            let expected = p * (1.0 - p).powi(k);
            assert!((failures.probability(&(k as usize)) - expected).abs() < 1e-11);
        }
        assert!(failures.unexplored() < 1e-12 && failures.log_evidence().abs() < 1e-11);
        // Each run that is left early is followed by one that is not.
        assert!(failures.runs() <= 2 * failures.executions(), "{} runs", failures.runs());
    }
}

#[test]
fn what_the_budget_leaves_is_told() {
    let failures = Executions::of(geometric, (0.5,)).budget(4).explore().unwrap();
    let explored = 1.0 - 0.5_f64.powi(failures.executions() as i32);
    close(failures.unexplored(), 1.0 - explored);
    close(failures.log_evidence(), explored.ln());
    close(failures.probability(&0), 0.5 / explored);
    // Depth first, the end of every execution is a value that comes later: nothing is found before the longest.
    let deep = Executions::of(geometric, (0.5,)).depth_first().longest(6).explore().unwrap();
    assert_eq!(deep.executions(), 6);
    close(deep.unexplored(), 0.5_f64.powi(6));
    close(deep.probability(&3), 0.5_f64.powi(4) / (1.0 - 0.5_f64.powi(6)));
}

#[test]
fn the_most_probable_executions_come_first() {
    // Success is improbable: the most probable execution is still that of an immediate success.
    let failures = Executions::of(geometric, (0.3,)).budget(60).explore().unwrap();
    let found: Vec<usize> = failures.iter().map(|(k, _)| *k).collect();
    assert_eq!(found, (0..found.len()).collect::<Vec<_>>());
    assert_eq!(failures.most_probable(), Some(&0));
    close(failures.unexplored(), 0.7_f64.powi(found.len() as i32));
}

#[test]
fn a_deep_recursion_ends_at_the_longest_execution() {
    let failures = Executions::of(geometric, (0.01,)).explore().unwrap();
    assert_eq!(failures.executions(), 1_000);
    close(failures.unexplored(), 0.99_f64.powi(1_000));
}

/// S → a (0.6), S → S S (0.4); the number of words.
#[model]
fn grammar(left: usize) -> Option<usize> {
    let rule: Category = sample!("rule", Categorical::new(Tensor::from([0.6, 0.4])));
    if left == 0 {
        return None;
    }
    if rule.to_vec()[0] == 0 {
        return Some(1);
    }
    let first = submodel!("first", grammar(left - 1))?;
    let second = submodel!("second", grammar(left - first))?;
    Some(first + second)
}

#[test]
fn a_grammar_has_the_catalan_probabilities() {
    // n words are derived in Catalan(n − 1) ways with n − 1 splits and n words.
    let catalan = [1.0, 1.0, 2.0, 5.0, 14.0];
    let words = Executions::of(grammar, (8,)).until(1e-9).longest(16).explore().unwrap();
    for (n, ways) in (1..).zip(catalan) {
        let expected = ways * 0.6_f64.powi(n) * 0.4_f64.powi(n - 1);
        let found = (words.log_probability(&Some(n as usize)) + words.log_evidence()).exp();
        assert!((found - expected).abs() < 1e-8, "{n} words: {found} for {expected}");
    }
}

/// A count without a bound, and data.
#[model]
fn poisson(rate: f64, seen: Option<f64>) -> usize {
    let n: Scalar = sample!("n", Poisson::new(rate));
    if n.item() > 0.0 {
        sample!("seen", Binomial::new(n.item(), 0.25), obs = seen.map(Scalar::scalar));
    } else {
        factor!("none", Scalar::scalar(if seen == Some(0.0) { 0.0 } else { f64::NEG_INFINITY }));
    }
    n.item() as usize
}

#[test]
fn counts_are_listed_as_far_as_they_matter() {
    // A thinned Poisson count is a Poisson count, and what was not seen is another.
    let counts = Executions::of(poisson, (4.0, Some(2.0))).explore().unwrap();
    let pmf = |rate: f64, k: i32| (-rate).exp() * rate.powi(k) / (1..=k).map(f64::from).product::<f64>();
    close(counts.log_evidence(), pmf(1.0, 2).ln());
    for k in 0..10 {
        close(counts.probability(&(k + 2)), pmf(3.0, k as i32));
    }
    close(counts.mean(|&n| n as f64), 5.0);
    assert!(counts.unexplored() < 1e-12 && counts.executions() < 60, "{counts:?}");
    assert_eq!(counts.probability(&1), 0.0);
    for many in [Executions::of(poisson, (300.0, Some(80.0))), Executions::of(poisson, (4.0, Some(2.0))).depth_first()]
    {
        let many = many.explore().unwrap();
        assert!(many.unexplored() < 1e-12, "{}", many.unexplored());
    }
}

/// Several elements, in plates and out of them.
#[model]
fn elements(y: &Tensor<Rank1<3>>) -> Vec<usize> {
    let z: Tensor<Rank1<3>, usize> = plate!("rows", 3, |_| {
        let z: Tensor<Rank1<3>, usize> =
            sample!("z", Categorical::new(Tensor::from([[0.2, 0.8, 0.0], [0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])));
        let means: Vec<f64> = z.to_vec().iter().map(|&z| z as f64).collect();
        sample!("y", Normal::new(Tensor::<Rank1<3>>::from([means[0], means[1], means[2]]), 1.0), obs = y);
        z
    });
    z.to_vec()
}

#[test]
fn a_site_with_elements_has_all_combinations() {
    let y = [0.3, 1.2, -0.5];
    let all = Executions::of(elements, &Tensor::from(y)).explore().unwrap();
    let weights = [[0.2, 0.8, 0.0], [0.5, 0.25, 0.25], [0.1, 0.2, 0.7]];
    let density = |y: f64, z: usize| (-0.5 * (y - z as f64).powi(2)).exp() / std::f64::consts::TAU.sqrt();
    let mut evidence = 1.0;
    for row in 0..3 {
        let joint = |z: usize| weights[row][z] * density(y[row], z);
        let total: f64 = (0..3).map(joint).sum();
        evidence *= total;
        for z in 0..3 {
            close(all.mean(|found| f64::from(found[row] == z)), joint(z) / total);
        }
    }
    close(all.log_evidence(), evidence.ln());
    assert_eq!((all.executions(), all.unexplored()), (18, 0.0));
}

/// Two coins, one of them left out of the density, and the other counted twice.
#[model]
fn weighed() -> (bool, bool) {
    let a: Scalar = sample!("a", Bernoulli::new(0.3), scale = 2.0);
    let b: Scalar = sample!("b", Bernoulli::new(if a.item() == 1.0 { 0.9 } else { 0.4 }));
    (a.item() == 1.0, b.item() == 1.0)
}

#[test]
fn scales_weigh_the_posterior_but_not_what_is_left() {
    let all = Executions::of(weighed, ()).explore().unwrap();
    let evidence: f64 = 0.09 + 0.49;
    close(all.log_evidence(), evidence.ln());
    close(all.probability(&(true, false)), 0.09 * 0.1 / evidence);
    assert_eq!(all.unexplored(), 0.0);
}

#[model]
fn given() -> bool {
    let rain: Scalar = sample!("rain", Bernoulli::new(0.2));
    let wet: Scalar = sample!("wet", Bernoulli::new(if rain.item() == 1.0 { 0.9 } else { 0.1 }));
    (rain + wet).item() > 1.0
}

#[test]
fn models_with_effects_are_explored() {
    let values = GivenValues { wet: Some(Scalar::scalar(1.0)), ..GivenValues::default() };
    let all = Executions::of(given.condition(values), ()).explore().unwrap();
    close(all.probability(&true), 0.18 / 0.26);
    close(all.log_evidence(), 0.26_f64.ln());
}

/// A chain of coins that keep their face, each seen twice through noise: loops that an early end leaves open.
#[model]
fn noisy_chain(y: &[[f64; 2]]) -> Vec<bool> {
    let mut faces = Vec::new();
    let mut before = 0.5;
    for t in markov!(0..y.len()) {
        let face: Scalar = sample!("face_{t}", Bernoulli::new(before));
        before = if face.item() == 1.0 { 0.8 } else { 0.3 };
        for i in plate!("seen_{t}", 2) {
            sample!("y_{t}_{i}", Normal::new(&face, 1.0), obs = Scalar::scalar(y[t][i]));
        }
        faces.push(face.item() == 1.0);
    }
    faces
}

#[test]
fn loops_and_chains_may_be_left_early() {
    let y = [[0.3, 1.2], [0.9, 0.4], [-0.5, 0.1], [1.4, 0.8]];
    let density = |y: f64, face: f64| (-0.5 * (y - face).powi(2)).exp() / std::f64::consts::TAU.sqrt();
    // The forward algorithm.
    let mut forward = [0.5, 0.5];
    for (t, y) in y.iter().enumerate() {
        if t > 0 {
            let [tails, heads] = forward;
            forward = [0.7 * tails + 0.2 * heads, 0.3 * tails + 0.8 * heads];
        }
        for (face, weight) in forward.iter_mut().enumerate() {
            *weight *= density(y[0], face as f64) * density(y[1], face as f64);
        }
    }
    let evidence = forward[0] + forward[1];
    for search in [Executions::of(noisy_chain, &y[..]), Executions::of(noisy_chain, &y[..]).depth_first()] {
        let all = search.explore().unwrap();
        close(all.log_evidence(), evidence.ln());
        close(all.mean(|faces| f64::from(faces[3])), forward[1] / evidence);
        assert_eq!((all.executions(), all.unexplored()), (16, 0.0));
    }
}
