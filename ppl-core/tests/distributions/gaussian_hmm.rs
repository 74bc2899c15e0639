//! Linear state space models: against the joint normal density of all that is seen, gradients against
//! finite differences, draws against their density.

use crate::finite_differences::Step::Absolute;
use crate::finite_differences::{Scalar, Vector, check, irregular, panic_message, weigh};
use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{GaussianHmm, MultivariateNormal};
use ppl_core::rng::Rng;
use ppl_core::{Const, Cpu, Dtype, Rank2, Rank3, Tensor};
use serde_json::Value;

/// A case of the table that `scripts/reference_hidden_markov.py` writes.
struct Case(Value);

fn cases() -> Vec<Case> {
    let text = include_str!("../references/hidden_markov.json");
    let tables: Value = serde_json::from_str(text).expect("the references are JSON");
    tables["gaussian"].as_array().expect("a table").iter().cloned().map(Case).collect()
}

impl Case {
    fn numbers(&self, name: &str) -> Vec<f64> {
        let number = |text: &Value| text.as_str().and_then(|t| t.parse().ok()).expect("a number as text");
        self.0[name].as_array().unwrap_or_else(|| panic!("no {name}")).iter().map(number).collect()
    }

    fn row<E: Dtype>(&self, name: &str) -> Tensor<(usize,), E>
    where
        Cpu: Backend<E>,
    {
        Tensor::vector(self.numbers(name).into_iter().map(E::of).collect())
    }

    /// T, N and d.
    fn sizes(&self) -> [usize; 3] {
        ["steps", "hidden", "seen"].map(|name| self.0[name].as_u64().expect("a size") as usize)
    }
}

type Hmm<E> = GaussianHmm<(usize, usize), usize, E, Cpu>;
type Row<E> = Tensor<(usize,), E>;
type Made<S, E> = MultivariateNormal<S, E, Cpu>;

/// The eight parameters, flat: of all steps, or of each where there are as many. `normal` and `normals`
/// make noise of mean and matrix.
fn hmm<E: Dtype>(
    [t, n, d]: [usize; 3],
    [m0, p0, moves, b, q, looks, c, r]: [&Row<E>; 8],
    normal: fn(Row<E>, Tensor<(usize, usize), E>) -> Made<(usize, usize), E>,
    normals: fn(Tensor<(usize, usize), E>, Tensor<(usize, usize, usize), E>) -> Made<(usize, usize, usize), E>,
) -> Hmm<E>
where
    Cpu: Backend<E>,
{
    let one = |x: &Row<E>, rows: usize, columns: usize| x.clone().reshape_like(&(rows, columns));
    let each = |x: &Row<E>, rows: usize, columns: usize| x.clone().reshape_like(&(t, rows, columns));
    let initial = normal(m0.clone(), one(p0, n, n));
    if moves.numel() == n * n {
        let (q, r) = (normal(b.clone(), one(q, n, n)), normal(c.clone(), one(r, d, d)));
        return GaussianHmm::with_shape(initial, one(moves, n, n), q, one(looks, n, d), r, (t, d));
    }
    let (q, r) = (normals(one(b, t, n), each(q, n, n)), normals(one(c, t, d), each(r, d, d)));
    GaussianHmm::with_shape(initial, each(moves, n, n), q, each(looks, n, d), r, (t, d))
}

const NAMES: [&str; 8] = [
    "initial_loc",
    "initial_covariance",
    "transition_matrix",
    "transition_loc",
    "transition_covariance",
    "observation_matrix",
    "observation_loc",
    "observation_covariance",
];

fn agrees_with_the_joint_density<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    for case in cases() {
        let (sizes @ [t, n, d], parameters) = (case.sizes(), NAMES.map(|name| case.row::<E>(name)));
        let make = |loc: Row<E>, matrix| MultivariateNormal::new(loc, matrix);
        let hmm = hmm(sizes, parameters.each_ref(), make, |loc, matrix| MultivariateNormal::new(loc, matrix));
        assert_eq!((hmm.check_parameters(), hmm.event_dims()), (Ok(()), vec![t, d]));
        let x = case.row::<E>("x").reshape_like(&(t, d));
        let near = |found: &[E], expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                let error = (found.wide() - expected).abs();
                assert!(error <= tolerance * expected.abs().max(1.0), "{found} is not {expected}");
            }
        };
        near(&hmm.log_prob(&x).to_vec(), &case.numbers("log_prob"));
        near(&hmm.mean().unwrap().to_vec(), &case.numbers("mean"));
        near(&hmm.variance().unwrap().to_vec(), &case.numbers("variance"));
        let last = hmm.filter(&x);
        near(&last.loc().to_vec(), &case.numbers("final_loc"));
        let factor: Vec<f64> = last.scale_tril().to_vec().into_iter().map(E::wide).collect();
        let entry = |e: usize| (0..n).map(|k| factor[e / n * n + k] * factor[e % n * n + k]).sum::<f64>();
        let covariance: Vec<E> = (0..n * n).map(|e| E::of(entry(e))).collect();
        near(&covariance, &case.numbers("final_covariance"));
    }
}

#[test]
fn it_agrees_with_the_joint_density() {
    agrees_with_the_joint_density::<f64>(1e-12);
}

#[test]
fn it_agrees_with_the_joint_density_in_single_precision() {
    agrees_with_the_joint_density::<f32>(2e-6);
}

/// Parameters with lower factors in place of covariances, and a sequence.
fn factors(case: &Case) -> ([usize; 3], [Vec<f64>; 9]) {
    let [t, n, d] = case.sizes();
    let mut rows: Vec<Vec<f64>> = NAMES.iter().map(|name| case.numbers(name)).collect();
    for (i, size) in [(1, n), (4, n), (7, d)] {
        let count = rows[i].len() / (size * size);
        let matrices = Vector::vector(rows[i].clone()).reshape_like(&(count, size, size));
        rows[i] = matrices.cholesky().to_vec();
    }
    rows.push(case.numbers("x"));
    ([t, n, d], rows.try_into().expect("nine rows"))
}

fn of_factors(sizes: [usize; 3], parameters: [&Vector; 8]) -> Hmm<f64> {
    let normal = |loc: Vector, matrix| MultivariateNormal::from_scale_tril(loc, matrix);
    hmm(sizes, parameters, normal, |loc, matrix| MultivariateNormal::from_scale_tril(loc, matrix))
}

fn gradients_hold(name: &str, f: impl Fn(Hmm<f64>, Tensor<(usize, usize), f64>) -> Scalar) {
    for case in cases() {
        let (sizes, rows) = factors(&case);
        // The longest is left out, to save time.
        if sizes[0] > 6 {
            continue;
        }
        check(name, rows.each_ref().map(Vec::as_slice), Absolute, |[a, b, c, d, e, g, h, i, x]| {
            f(of_factors(sizes, [a, b, c, d, e, g, h, i]), x.clone().reshape_like(&(sizes[0], sizes[2])))
        });
    }
}

#[test]
fn the_density_has_the_gradient_of_finite_differences() {
    gradients_hold("log_prob", |hmm, x| hmm.log_prob(&x).sum_all());
}

#[test]
fn the_final_state_has_the_gradient_of_finite_differences() {
    gradients_hold("loc", |hmm, x| weigh(&hmm.filter(&x).loc()));
    gradients_hold("scale_tril", |hmm, x| weigh(hmm.filter(&x).scale_tril()) + hmm.log_prob(&x).sum_all());
}

#[test]
fn draws_and_moments_have_the_gradient_of_finite_differences() {
    gradients_hold("draw", |hmm, x| weigh(&(hmm.draw(&mut Rng::seed(5)) * x)));
    gradients_hold("variance", |hmm, _| weigh(&hmm.variance().unwrap()));
    gradients_hold("mean", |hmm, _| weigh(&hmm.mean().unwrap()));
    gradients_hold("entropy", |hmm, _| hmm.entropy().unwrap().sum_all());
}

/// Three steps of two hidden numbers seen as two: one set of parameters for four sequences.
fn batch() -> GaussianHmm<Rank3<4, 3, 2>, Const<2>, f64, Cpu> {
    let initial = MultivariateNormal::new(
        Tensor::<Rank2<4, 2>, f64>::from_vec(irregular(8), Default::default()),
        Tensor::<Rank3<4, 2, 2>, f64>::from([[[1.0, 0.3], [0.3, 2.0]]; 4]),
    );
    let moves =
        Tensor::<Rank3<3, 2, 2>, f64>::from([[[0.9, 0.2], [-0.2, 0.9]], [[1.0, 0.0], [0.5, 1.0]], [[0.3; 2]; 2]]);
    let noise = MultivariateNormal::new(Tensor::from([0.1, -0.2]), Tensor::<_, f64>::from([[0.5, 0.1], [0.1, 0.4]]));
    let looks = Tensor::<_, f64>::from([[1.0, 0.5], [0.0, -1.0]]);
    let error = MultivariateNormal::new(Tensor::from([0.0, 1.0]), Tensor::<_, f64>::from([[0.2, 0.0], [0.0, 0.3]]));
    GaussianHmm::new(initial, moves, noise, looks, error)
}

#[test]
fn a_batch_is_its_sequences_one_by_one() {
    let all = batch();
    let x: Tensor<Rank3<4, 3, 2>, f64> = Tensor::from_vec(irregular(24), Default::default());
    let (found, locs, seen) = (all.log_prob(&x).to_vec(), irregular(8), x.to_vec());
    assert_eq!((found.len(), all.filter(&x).loc().dims()), (4, vec![4, 2]));
    for b in 0..4 {
        let covariance = Tensor::<_, f64>::from([[1.0, 0.3], [0.3, 2.0]]);
        let initial = MultivariateNormal::new(Tensor::from([locs[2 * b], locs[2 * b + 1]]), covariance);
        let moves =
            Tensor::<Rank3<3, 2, 2>, f64>::from([[[0.9, 0.2], [-0.2, 0.9]], [[1.0, 0.0], [0.5, 1.0]], [[0.3; 2]; 2]]);
        let noise: Tensor<Rank3<3, 2, 2>, f64> = Tensor::from([[[0.5, 0.1], [0.1, 0.4]]; 3]);
        let noise = MultivariateNormal::new(Tensor::from([[0.1, -0.2]; 3]), noise);
        let looks = Tensor::<Rank3<3, 2, 2>, f64>::from([[[1.0, 0.5], [0.0, -1.0]]; 3]);
        let error = Tensor::<Rank3<3, 2, 2>, f64>::from([[[0.2, 0.0], [0.0, 0.3]]; 3]);
        let error = MultivariateNormal::new(Tensor::from([[0.0, 1.0]; 3]), error);
        let one = GaussianHmm::<Rank2<3, 2>, _, f64, Cpu>::new(initial, moves, noise, looks, error);
        let x: Tensor<Rank2<3, 2>, f64> = Tensor::from_vec(seen[b * 6..][..6].to_vec(), Default::default());
        assert!((one.log_prob(&x).item() - found[b]).abs() < 1e-12);
    }
}

#[test]
fn draws_have_the_mean_the_entropy_and_the_score_of_the_density() {
    let hmm = batch();
    let (n, mut rng) = (4000, Rng::seed(11));
    let (mean, entropy) = (hmm.mean().unwrap().to_vec(), hmm.entropy().unwrap().to_vec());
    let variance = hmm.variance().unwrap().to_vec();
    let (mut sums, mut squares, mut surprise) = (vec![0.0; 24], vec![0.0; 24], [0.0; 4]);
    for _ in 0..n {
        let x = hmm.draw(&mut rng);
        x.to_vec().iter().enumerate().for_each(|(i, v)| {
            sums[i] += v - mean[i];
            squares[i] += (v - mean[i]).powi(2);
        });
        hmm.log_prob(&x).to_vec().iter().enumerate().for_each(|(b, l)| surprise[b] -= l);
    }
    let n = f64::from(n);
    for i in 0..24 {
        // Five standard errors, which one of 24 exceeds with probability 1.4e-5.
        assert!(sums[i].abs() < 5.0 * squares[i].sqrt(), "{i}: {} for {}", sums[i] / n, squares[i] / n);
        // The mean square of normal numbers has the standard error √(2/n) of itself: as above.
        let error = squares[i] / n / variance[i] - 1.0;
        assert!(error.abs() < 5.0 * (2.0 / n).sqrt(), "{i}: {error}");
    }
    for b in 0..4 {
        // −log_prob is its mean plus half a χ² with 6 degrees of freedom less 3, of deviation √3: one of four
        // exceeds five standard errors with probability 2.3e-6.
        let error = surprise[b] / n - entropy[b];
        assert!(error.abs() < 5.0 * (3.0 / n).sqrt(), "{b}: {error}");
    }
}

#[test]
fn an_observation_far_sharper_than_what_was_known_keeps_its_digits() {
    let noise = |variance: f64| MultivariateNormal::new(0.0, Tensor::<_, f64>::from([[variance]]));
    let one = || Tensor::<_, f64>::from([[1.0]]);
    let hmm = GaussianHmm::<Rank2<2, 1>, _, f64, Cpu>::new(noise(1e12), one(), noise(1e-4), one(), noise(1e-4));
    let x = Tensor::from([[1.0], [1.5]]);
    let last = hmm.filter(&x);
    // Closed form: x₁, x₂ of variance 1e12 + 2e-4 and 1e12 + 3e-4 with covariance 1e12 + 1e-4; Python
    // with 50 digits.
    let [loc, deviation, log_prob] = [1.3333333333333333, 0.008164965809277261, -428.2641902493869];
    assert!((last.loc().to_vec()[0] - loc).abs() < 1e-11, "{:?}", last.loc());
    assert!((last.scale_tril().to_vec()[0] - deviation).abs() < 1e-11 * deviation, "{:?}", last.scale_tril());
    assert!((hmm.log_prob(&x).item() / log_prob - 1.0).abs() < 1e-9, "{:?}", hmm.log_prob(&x));
}

#[test]
fn hostile_numbers_do_not_panic_and_infinity_has_no_density() {
    let hmm = batch();
    let mut x = irregular(24);
    (x[3], x[8], x[15]) = (f64::INFINITY, f64::NAN, 1e200);
    let x: Tensor<Rank3<4, 3, 2>, f64> = Tensor::from_vec(x, Default::default()).tracked();
    let (value, grads) = grad(|| {
        let log_prob = hmm.log_prob(&x);
        let found = log_prob.to_vec();
        assert_eq!([found[0], found[2]], [f64::NEG_INFINITY; 2]);
        assert!(found[1].is_nan() && found[3].is_finite());
        log_prob.sum_all()
    });
    assert!(value.item().is_nan());
    let gradient = grads.get(&x).unwrap().to_vec();
    assert!(gradient[..6].iter().chain(&gradient[12..18]).all(|&g| g == 0.0), "{gradient:?}");
    assert!(gradient[18..].iter().all(|g| g.is_finite()));
}

#[test]
fn wrong_parameters_are_named() {
    let noise = |variance: f64| MultivariateNormal::new(0.0, Tensor::<_, f64>::from([[variance]]));
    let matrix = |v: f64| Tensor::<_, f64>::from([[v]]);
    let error = |p: [f64; 5]| {
        let hmm = GaussianHmm::<Rank2<2, 1>, _, f64, Cpu>::new(
            noise(p[0]),
            matrix(p[1]),
            noise(p[2]),
            matrix(p[3]),
            noise(p[4]),
        );
        assert!(!hmm.log_prob(&Tensor::from([[0.1], [0.2]])).item().is_finite());
        let _ = hmm.draw(&mut Rng::seed(0));
        let error = hmm.check_parameters().unwrap_err();
        (error.parameter, error.element)
    };
    assert_eq!(error([-1.0, 1.0, 1.0, 1.0, 1.0]).0, "initial_dist.covariance_matrix");
    assert_eq!(error([1.0, f64::INFINITY, 1.0, 1.0, 1.0]), ("transition_matrix", vec![0, 0]));
    assert_eq!(error([1.0, 1.0, 0.0, 1.0, 1.0]).0, "transition_dist.covariance_matrix");
    assert_eq!(error([1.0, 1.0, 1.0, f64::NAN, 1.0]), ("observation_matrix", vec![0, 0]));
    assert_eq!(error([1.0, 1.0, 1.0, 1.0, -2.0]).0, "observation_dist.covariance_matrix");
    assert!(batch().parameters_at(1).contains(&("transition_matrix", 0.9)));
}

#[test]
fn sizes_that_do_not_fit_are_named() {
    let noise = |n: usize| {
        let eye = Tensor::<(usize, usize), f64>::eye_like((n, n));
        MultivariateNormal::<(usize, usize), f64, Cpu>::from_scale_tril(0.0, eye)
    };
    let matrix = |m: usize, n: usize| Tensor::<(usize, usize), f64>::full_like(0.5, (m, n));
    let message =
        panic_message(|| GaussianHmm::with_shape(noise(2), matrix(3, 3), noise(2), matrix(2, 1), noise(1), (4, 1)));
    assert!(message.contains("transition_matrix") && message.contains("[3, 3] and [4, 2, 2]"), "{message}");
    let message =
        panic_message(|| GaussianHmm::with_shape(noise(2), matrix(2, 2), noise(2), matrix(2, 1), noise(2), (4, 1)));
    assert!(message.contains("observation_dist"), "{message}");
    let hmm = GaussianHmm::with_shape(noise(2), matrix(2, 2), noise(2), matrix(2, 1), noise(1), (4, 1));
    let message = panic_message(|| hmm.log_prob(&matrix(3, 1)));
    assert!(message.contains("[3, 1] and [4, 1]"), "{message}");
}
