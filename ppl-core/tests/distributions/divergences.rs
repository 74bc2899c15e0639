//! Kullback–Leibler divergences against torch (`scripts/reference_divergences.py`), and their
//! gradients against finite differences.

use ppl_core::Shape;
use ppl_core::autodiff::grad;
use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::*;
use ppl_core::transform::{Affine, Exp, Map};
use ppl_core::{Axis, Cpu, Dtype, Rank2, Rank3, Tensor};
use serde_json::Value;

type Number<E> = Tensor<(), E, Cpu>;

/// A pair of families over numbers.
struct Pair<E: Dtype> {
    name: &'static str,
    divergence: fn(&[Number<E>]) -> Number<E>,
}

/// The next one or two numbers as parameters.
macro_rules! one {
    ($Name:ident 1, $x:ident) => {
        $Name::<(), E, Cpu>::new($x.next().unwrap())
    };
    ($Name:ident 2, $x:ident) => {
        $Name::<(), E, Cpu>::new($x.next().unwrap(), $x.next().unwrap())
    };
}

macro_rules! pairs {
    ($($P:ident $p:tt: $($Q:ident $q:tt),+;)+) => {
        fn pairs<E: Dtype>() -> Vec<Pair<E>> where Cpu: Backend<E> {
            vec![$($(Pair {
                name: concat!(stringify!($P), "|", stringify!($Q)),
                divergence: |parameters| {
                    let mut x = parameters.iter();
                    let p = one!($P $p, x);
                    p.kl_divergence(&one!($Q $q, x))
                },
            },)+)+]
        }
    };
}

pairs! {
    Bernoulli 1: Bernoulli 1, Poisson 1;
    Beta 2: Beta 2, ContinuousBernoulli 1, Exponential 1, Gamma 2, Normal 2, Pareto 2, Uniform 2;
    Binomial 2: Binomial 2;
    Cauchy 2: Cauchy 2;
    ContinuousBernoulli 1: ContinuousBernoulli 1, Exponential 1, Normal 2, Pareto 2, Uniform 2;
    Exponential 1: Beta 2, ContinuousBernoulli 1, Exponential 1, Gamma 2, Gumbel 2, Normal 2, Pareto 2, Uniform 2;
    Gamma 2: Beta 2, ContinuousBernoulli 1, Exponential 1, Gamma 2, Gumbel 2, Normal 2, Pareto 2, Uniform 2;
    Geometric 1: Geometric 1;
    Gumbel 2: Beta 2, ContinuousBernoulli 1, Exponential 1, Gamma 2, Gumbel 2, Normal 2, Pareto 2, Uniform 2;
    HalfNormal 1: HalfNormal 1;
    Laplace 2: Beta 2, ContinuousBernoulli 1, Exponential 1, Gamma 2, Laplace 2, Normal 2, Pareto 2, Uniform 2;
    LogNormal 2: LogNormal 2;
    Normal 2: Beta 2, ContinuousBernoulli 1, Exponential 1, Gamma 2, Gumbel 2, Laplace 2, Normal 2, Pareto 2, Uniform 2;
    Pareto 2: Beta 2, ContinuousBernoulli 1, Exponential 1, Gamma 2, Normal 2, Pareto 2, Uniform 2;
    Poisson 1: Bernoulli 1, Binomial 2, Poisson 1;
    Uniform 2: Beta 2, ContinuousBernoulli 1, Exponential 1, Gamma 2, Gumbel 2, Normal 2, Pareto 2, Uniform 2;
}

fn table() -> Value {
    serde_json::from_str(include_str!("../references/divergences.json")).expect("the references are JSON")
}

fn number(text: &Value) -> f64 {
    text.as_str().expect("numbers of references are texts").parse().expect("a number")
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// Whether two numbers agree, relative to the larger of 1 and the terms of a sum that may cancel.
fn agree(found: f64, expected: f64, tolerance: f64) -> bool {
    found == expected || (found - expected).abs() <= tolerance * expected.abs().max(0.1)
}

/// The rows of the table for one pair: parameters and divergence.
fn rows(table: &Value, name: &str) -> Vec<(Vec<f64>, f64)> {
    let rows = table[name].as_array().unwrap_or_else(|| panic!("no rows for {name}"));
    rows.iter().map(|row| (numbers(&row["parameters"]), number(&row["divergence"]))).collect()
}

fn divergences_equal_torch<E: Dtype>(tolerance: f64)
where
    Cpu: Backend<E>,
{
    let table = table();
    for Pair { name, divergence } in pairs::<E>() {
        for (parameters, expected) in rows(&table, name) {
            let tensors: Vec<_> = parameters.iter().map(|&p| Tensor::scalar(p)).collect();
            let found = divergence(&tensors).item().wide();
            assert!(agree(found, expected, tolerance), "{name} {parameters:?}: {found} is not {expected}");
        }
    }
}

#[test]
fn divergences_equal_torch_in_f64() {
    divergences_equal_torch::<f64>(1e-9);
}

#[test]
fn divergences_equal_torch_in_f32() {
    divergences_equal_torch::<f32>(2e-5);
}

#[test]
fn gradients_equal_finite_differences() {
    let table = table();
    for Pair { name, divergence } in pairs::<f64>() {
        for (parameters, value) in rows(&table, name) {
            let tensors: Vec<_> = parameters.iter().map(|&p| Number::<f64>::scalar(p).tracked()).collect();
            let (_, grads) = grad(|| divergence(&tensors));
            for (k, tensor) in tensors.iter().enumerate() {
                let found = grads.get(tensor).map_or(0.0, |g| g.item());
                if value.is_infinite() {
                    assert_eq!(found, 0.0, "{name} {parameters:?}: a slope of ∞");
                    continue;
                }
                // Probabilities are as near to 1 as they are to 0.
                let size = parameters[k].abs();
                let step = 1e-5 * if size < 1.0 { size.min(1.0 - size).max(1e-3) } else { size };
                let at = |moved: f64| {
                    let mut p = parameters.clone();
                    p[k] = moved;
                    divergence(&p.into_iter().map(Number::scalar).collect::<Vec<_>>()).item()
                };
                let (up, down) = (at(parameters[k] + step), at(parameters[k] - step));
                // A whole number of trials, and bounds of a support that touch, have one side at most.
                if !(up.is_finite() && down.is_finite()) || (name.starts_with("Binomial") && k % 2 == 0) {
                    continue;
                }
                let expected = (up - down) / (2.0 * step);
                // Near a minimum the error of the difference is what a slope is elsewhere, about 1 / parameter.
                let scale = expected.abs().max(1e-2 / parameters[k].abs().max(1e-3)).max(value.abs() * 1e-2);
                assert!(
                    (found - expected).abs() < 1e-5 * scale,
                    "{name} {parameters:?} {k}: {found} is not {expected}"
                );
            }
        }
    }
}

#[test]
fn a_divergence_from_itself_is_zero_and_close_ones_keep_their_digits() {
    for (name, at) in [("Normal|Normal", [0.5, 1.2]), ("Gamma|Gamma", [3e6, 0.7]), ("Beta|Beta", [3e3, 2e4])] {
        let divergence = pairs::<f64>().into_iter().find(|pair| pair.name == name).unwrap().divergence;
        let from = |other: f64| {
            let parameters = [at[0], at[1], other, at[1]].map(Number::scalar);
            divergence(&parameters).item()
        };
        assert_eq!(from(at[0]), 0.0, "{name}");
        // ½ Fisher information · distance²: twice the distance, four times the divergence.
        let (near, far) = (from(at[0] * (1.0 + 1e-5)), from(at[0] * (1.0 + 2e-5)));
        assert!((far / near - 4.0).abs() < 1e-3, "{name}: {far} / {near}");
    }
}

/// e^(loc / scale) overflows here. References by mpmath with 80 digits.
#[test]
fn a_gumbel_distribution_may_lie_many_scales_from_zero() {
    let cases: [(&str, &[f64], f64, &[f64]); 5] = [
        (
            "Gumbel|Gumbel",
            &[1000.0, 1.0, 1000.5, 1.25],
            0.097_161_730_864_489_9,
            &[-0.311569050024, -0.221439811307, 0.311569050024, 0.052524229036],
        ),
        (
            "Gumbel|Gumbel",
            &[-3e4, 2.0, -3e4, 2.000001],
            2.279_598_861_799_506e-13,
            &[1.05695926613e-7, -4.55919803766e-7, -1.05695926613e-7, 4.55919575806e-7],
        ),
        (
            "Normal|Gumbel",
            &[-2000.0, 1.5, -1999.0, 1.0],
            5.548_493_846_814_427,
            &[-7.37289748813, 11.8926795655, 7.37289748813, -25.2119168364],
        ),
        (
            "Gamma|Gumbel",
            &[1000.0, 1.0, 998.0, 1.25],
            2.9390653875583815e91,
            &[-1.72754344208e91, 1.30625128336e94, 2.35125231005e91, -8.32238817654e93],
        ),
        (
            "Uniform|Gumbel",
            &[1999.0, 2003.0, 2000.0, 1.0],
            0.2808293289029047,
            &[0.237210465391, 0.0956658445863, -0.332876309977, -0.0497870683679],
        ),
    ];
    for (name, parameters, expected, slopes) in cases {
        let divergence = pairs::<f64>().into_iter().find(|pair| pair.name == name).unwrap().divergence;
        let tensors: Vec<_> = parameters.iter().map(|&p| Number::<f64>::scalar(p).tracked()).collect();
        let (found, grads) = grad(|| divergence(&tensors));
        // Differences of locs and scales keep 1e-16 / (difference), and the divergence its square.
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-8 * expected.abs();
        assert!(close(found.item(), expected), "{name} {parameters:?}: {found:?} is not {expected}");
        for (tensor, &slope) in tensors.iter().zip(slopes) {
            let found = grads.get(tensor).expect("a gradient").item();
            assert!(close(found, slope), "{name} {parameters:?}: {found} is not {slope}");
        }
    }
    let far = pairs::<f64>().into_iter().find(|pair| pair.name == "Exponential|Gumbel").unwrap().divergence;
    let tensors = [1e-3, 900.0, 1.0].map(|p| Number::<f64>::scalar(p).tracked());
    let (found, grads) = grad(|| far(&tensors));
    assert_eq!(found.item(), f64::INFINITY);
    assert!(tensors.iter().all(|t| !grads.get(t).expect("a gradient").item().is_nan()));
}

/// A tensor of the row's numbers from one list of the table.
fn tensor<S: Shape>(list: &Value, shape: S) -> Tensor<S, f64, Cpu> {
    Tensor::from_vec(numbers(list), shape)
}

/// Holds a pair over vectors against its row of the table.
#[track_caller]
fn check_vectors(name: &str, divergence: impl Fn([&Value; 2]) -> Vec<f64>) {
    let row = &table()[name];
    let expected: Vec<f64> = row["divergence"].as_array().unwrap().iter().map(number).collect();
    let found = divergence([&row["parameters"][0], &row["parameters"][1]]);
    assert_eq!(found.len(), expected.len());
    let close = found.iter().zip(&expected).all(|(f, e)| agree(*f, *e, 1e-9));
    assert!(close, "{name}: {found:?} is not {expected:?}");
}

type Rows = Rank2<2, 3>;
type Matrices = Rank3<2, 3, 3>;

#[test]
fn divergences_over_categories_and_proportions_equal_torch() {
    let logits = |side: &Value| tensor(&side[0], Rows::default());
    check_vectors("Categorical|Categorical", |sides| {
        let [p, q] = sides.map(|side| Categorical::from_logits(logits(side)));
        p.kl_divergence(&q).to_vec()
    });
    check_vectors("OneHotCategorical|OneHotCategorical", |sides| {
        let [p, q] = sides.map(|side| OneHotCategorical::from_logits(logits(side)));
        p.kl_divergence(&q).to_vec()
    });
    check_vectors("Dirichlet|Dirichlet", |sides| {
        let [p, q] = sides.map(|side| Dirichlet::new(logits(side)));
        p.kl_divergence(&q).to_vec()
    });
}

#[test]
fn a_category_that_only_one_can_be() {
    let certain = Categorical::new(Tensor::<_, f64>::from([0.0, 0.25, 0.75]));
    let spread = Categorical::new(Tensor::from([0.5, 0.25, 0.25]));
    assert!((certain.kl_divergence(&spread).item() - 0.75 * 3.0_f64.ln()).abs() < 1e-15);
    assert_eq!(spread.kl_divergence(&certain).item(), f64::INFINITY);
    let same = Bernoulli::<(), f64, Cpu>::new(1.0).kl_divergence(&Bernoulli::from_logits(3.0));
    assert!((same.item() - (-3.0_f64).exp().ln_1p()).abs() < 1e-15);
}

/// A divergence that f32 had lost in sums of rounded terms. References by mpmath with 50 digits.
fn keeps_its_digits<E: Dtype>(
    divergence: impl Fn([&Tensor<ppl_core::Rank1<3>, E, Cpu>; 2]) -> Number<E>,
    parameters: [[f64; 3]; 2],
    expected: f64,
    slopes: [[f64; 3]; 2],
) where
    Cpu: Backend<E>,
{
    let [p, q] = parameters.map(|row| Tensor::from(row.map(E::of)).tracked());
    let (found, grads) = grad(|| divergence([&p, &q]));
    let close = |found: E, expected: f64| (found.wide() / expected - 1.0).abs() < 1e-6;
    assert!(close(found.item(), expected), "{found:?} is not {expected}");
    for (tensor, slopes) in [p, q].iter().zip(slopes) {
        let found = grads.get(tensor).expect("a gradient").to_vec();
        assert!(found.iter().zip(slopes).all(|(&f, e)| close(f, e)), "{found:?} is not {slopes:?}");
    }
}

#[test]
fn small_divergences_keep_their_digits_in_single_precision() {
    let concentrations = [[123456.0, 234567.0, 3456.0], [123400.0, 235000.0, 3400.0]];
    let slopes = [
        [0.00134162435959, -0.000957938776167, 0.0170940678351],
        [-0.00134133321319, 0.000956631144962, -0.0172264280123],
    ];
    let between = |[p, q]: [&Tensor<_, f32, Cpu>; 2]| Dirichlet::new(p).kl_divergence(&Dirichlet::new(q));
    keeps_its_digits(between, concentrations, 0.725_862_859_121_883_7, slopes);
    let logits = [[0.5, -1.25, 2.0], [0.5009765625, -1.25, 2.0]];
    let slopes = [
        [-0.000142143364558, 5.30576935556e-6, 0.000136837595202],
        [0.000142188228615, -5.30744399116e-6, -0.000136880784624],
    ];
    let between =
        |[p, q]: [&Tensor<_, f32, Cpu>; 2]| Categorical::from_logits(p).kl_divergence(&Categorical::from_logits(q));
    keeps_its_digits(between, logits, 6.942_054_367_808_374e-8, slopes);
}

#[test]
fn divergences_between_normal_vectors_equal_torch() {
    let full = |side: &Value| {
        MultivariateNormal::from_scale_tril(tensor(&side[0], Rows::default()), tensor(&side[1], Matrices::default()))
    };
    let low = |side: &Value| {
        let (factor, diagonal) = (tensor(&side[1], Rank3::<2, 3, 2>::default()), tensor(&side[2], Rows::default()));
        LowRankMultivariateNormal::new(tensor(&side[0], Rows::default()), factor, diagonal)
    };
    check_vectors("MultivariateNormal|MultivariateNormal", |[p, q]| full(p).kl_divergence(&full(q)).to_vec());
    check_vectors("LowRankMultivariateNormal|LowRankMultivariateNormal", |[p, q]| {
        low(p).kl_divergence(&low(q)).to_vec()
    });
    check_vectors("LowRankMultivariateNormal|MultivariateNormal", |[p, q]| low(p).kl_divergence(&full(q)).to_vec());
    check_vectors("MultivariateNormal|LowRankMultivariateNormal", |[p, q]| full(p).kl_divergence(&low(q)).to_vec());
}

#[test]
fn an_event_has_the_sum_of_its_elements() {
    let p = Normal::<Rank2<2, 2>, f64, Cpu>::new(Tensor::from([[0.0, 1.0], [2.0, 3.0]]), 1.0).to_event::<Axis<1>>();
    let q = Normal::filled(Rank2::<2, 2>::default(), 0.0, 1.0).to_event::<Axis<1>>();
    assert_eq!(p.kl_divergence(&q).to_vec(), [0.5, 6.5]);
}

/// 1 + scale · x.
fn affine(scale: f64) -> Affine<f64, Cpu> {
    let [loc, scale] = [1.0, scale].map(|v| Tensor::from_vec(vec![v], (1,)));
    Affine::new(loc, scale)
}

#[test]
fn a_transform_of_both_changes_nothing() {
    let normal = |loc: f64| Normal::<(), f64, Cpu>::new(loc, 2.0);
    let [p, q] = [0.0, 1.0].map(|loc| TransformedDistribution::new(normal(loc), Exp));
    assert_eq!(p.kl_divergence(&q).item(), 0.125);
    let logs = [0.0, 1.0].map(|loc| LogNormal::<(), f64, Cpu>::new(loc, 2.0));
    assert_eq!(logs[0].kl_divergence(&logs[1]).item(), 0.125);
    let shared: Map<f64, Cpu> = std::sync::Arc::new(affine(3.0));
    let [p, q] = [0.0, 1.0].map(|loc| TransformedDistribution::with_shape(normal(loc), shared.clone(), ()));
    assert_eq!(p.kl_divergence(&q).item(), 0.125);
}

#[test]
#[should_panic(expected = "KL of transformed distributions: Affine and Affine are not one transform")]
fn two_transforms_are_not_compared_by_hope() {
    let made = |scale: f64| TransformedDistribution::new(Normal::<(), f64, Cpu>::new(0.0, 1.0), affine(scale));
    let _ = made(1.0).kl_divergence(&made(2.0));
}

/// The three pairs that have a covariance of low rank.
fn low_rank_pair(numbers: &[Tensor<(usize,), f64, Cpu>; 5]) -> [f64; 3] {
    pair_tensors(numbers).map(|tensor| tensor.item())
}

fn pair_tensors([loc, factor, diagonal, other_loc, tril]: &[Tensor<(usize,), f64, Cpu>; 5]) -> [Number<f64>; 3] {
    let vector = |x: &Tensor<(usize,), f64, Cpu>| x.clone().reshape::<ppl_core::Rank1<3>>();
    let low = LowRankMultivariateNormal::new(vector(loc), factor.clone().reshape::<Rank2<3, 2>>(), vector(diagonal));
    let full = MultivariateNormal::from_scale_tril(vector(other_loc), tril.clone().reshape::<Rank2<3, 3>>());
    let wider = LowRankMultivariateNormal::new(
        vector(other_loc),
        factor.clone().reshape::<Rank2<3, 2>>() * 0.5,
        vector(loc).square() + 1.0,
    );
    [low.kl_divergence(&full), full.kl_divergence(&low), low.kl_divergence(&wider)]
}

#[test]
fn gradients_between_normal_vectors_equal_finite_differences() {
    let flat = |values: &[f64]| Tensor::<(usize,), f64, Cpu>::from_vec(values.to_vec(), (values.len(),));
    let values: [&[f64]; 5] = [
        &[0.3, -1.0, 2.0],
        &[1.0, 0.5, -2.0, 0.25, 0.1, 1.5],
        &[0.4, 1.2, 0.7],
        &[1.3, 0.5, -0.5],
        &[1.2, 0.0, 0.0, 0.5, 0.8, 0.0, -0.3, 0.2, 1.5],
    ];
    for which in 0..3 {
        let tensors = values.map(|v| flat(v).tracked());
        let (_, grads) = grad(|| pair_tensors(&tensors)[which].clone());
        for (argument, tensor) in tensors.iter().enumerate() {
            let found = grads.get(tensor).expect("every parameter has a gradient").to_vec();
            for (k, found) in found.into_iter().enumerate() {
                // The upper triangle of a factor is not read.
                if argument == 4 && k % 3 > k / 3 {
                    continue;
                }
                let at = |step: f64| {
                    let mut moved = values.map(<[f64]>::to_vec);
                    moved[argument][k] += step;
                    low_rank_pair(&moved.each_ref().map(|v| flat(v)))[which]
                };
                let expected = (at(1e-6) - at(-1e-6)) / 2e-6;
                let error = (found - expected).abs();
                assert!(error < 1e-7 * expected.abs().max(1.0), "{which}, {argument}, {k}: {found} is not {expected}");
            }
        }
    }
}
