//! Log-densities of 10⁶ elements with their gradients, and draws, beside plain loops over `statrs`,
//! `rv` and `rand_distr`. `benches/RESULTS.md` has the figures.
//!
//! `cargo bench --bench distributions`; `RAYON_NUM_THREADS=1` for one core. Freed buffers are kept, as in
//! the examples, for both sides: otherwise half the time of gradients goes to the pages of new buffers.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use ppl::autodiff::grad;
use ppl::distribution::{Distribution, Expand as _};
use ppl::distributions::{Bernoulli, Categorical, Gamma, Normal};
use ppl::rng::Rng;
use ppl::{Cpu, Tensor};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::Distribution as Draws;
use rv::traits::HasDensity as _;
use statrs::distribution::Continuous as _;
use statrs::function::gamma::digamma;

const COUNT: usize = 1_000_000;
const CATEGORIES: usize = 10;

type Vector = Tensor<(usize,), f64, Cpu>;
type Number = Tensor<(), f64, Cpu>;

fn vector(values: Vec<f64>) -> Vector {
    let len = values.len();
    Tensor::from_vec(values, (len,))
}

fn numbers(count: usize, seed: u64, sample: impl Draws<f64>) -> Vec<f64> {
    sample.sample_iter(StdRng::seed_from_u64(seed)).take(count).collect()
}

/// One way to do the work of a group.
fn way<O>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut work: impl FnMut() -> O) {
    group.bench_function(name, |b| b.iter(|| black_box(work())));
}

fn group<'c>(c: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    ppl::memory::keep_freed_buffers();
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(COUNT as u64)).sample_size(20);
    group
}

/// The value of a log-density, and its gradient in what is tracked, in one call.
fn value_and_gradient(body: impl FnOnce() -> Number) -> f64 {
    let (value, grads) = grad(body);
    black_box(grads);
    value.item()
}

fn normal(c: &mut Criterion) {
    let mut group = group(c, "log_prob_sum/Normal");
    let (x, loc, scale) = (numbers(COUNT, 0, rand_distr::StandardNormal), black_box(0.3), black_box(1.7));
    let values = vector(x.clone());
    let at =
        |loc: &Number, scale: &Number| Normal::<(), f64, Cpu>::new(loc, scale).expand((COUNT,)).log_prob_sum(&values);
    let numbers = [loc, scale].map(Number::scalar);
    way(&mut group, "ppl", || at(&numbers[0], &numbers[1]).item());
    let law = statrs::distribution::Normal::new(loc, scale).unwrap();
    way(&mut group, "statrs", || x.iter().map(|&x| law.ln_pdf(x)).sum::<f64>());
    let law = rv::dist::Gaussian::new(loc, scale).unwrap();
    way(&mut group, "rv", || x.iter().map(|x| law.ln_f(x)).sum::<f64>());
    let tracked = [loc, scale].map(|p| Number::scalar(p).tracked());
    way(&mut group, "ppl with gradient", || value_and_gradient(|| at(&tracked[0], &tracked[1])));
    way(&mut group, "loop with gradient", || {
        x.iter().fold([0.0; 3], |[sum, by_loc, by_scale], &x| {
            let z = (x - loc) / scale;
            [sum + law.ln_f(&x), by_loc + z / scale, by_scale + (z * z - 1.0) / scale]
        })
    });
    group.finish();
}

fn gamma(c: &mut Criterion) {
    let mut group = group(c, "log_prob_sum/Gamma");
    let (shape, rate) = (black_box(2.3), black_box(1.7));
    let x = numbers(COUNT, 0, rand_distr::Gamma::new(shape, 1.0 / rate).unwrap());
    let values = vector(x.clone());
    let at =
        |shape: &Number, rate: &Number| Gamma::<(), f64, Cpu>::new(shape, rate).expand((COUNT,)).log_prob_sum(&values);
    let numbers = [shape, rate].map(Number::scalar);
    way(&mut group, "ppl", || at(&numbers[0], &numbers[1]).item());
    let law = statrs::distribution::Gamma::new(shape, rate).unwrap();
    way(&mut group, "statrs", || x.iter().map(|&x| law.ln_pdf(x)).sum::<f64>());
    let law = rv::dist::Gamma::new(shape, rate).unwrap();
    way(&mut group, "rv", || x.iter().map(|x| law.ln_f(x)).sum::<f64>());
    let tracked = [shape, rate].map(|p| Number::scalar(p).tracked());
    way(&mut group, "ppl with gradient", || value_and_gradient(|| at(&tracked[0], &tracked[1])));
    way(&mut group, "loop with gradient", || {
        let constant = rate.ln() - digamma(shape);
        x.iter().fold([0.0; 3], |[sum, by_shape, by_rate], &x| {
            [sum + law.ln_f(&x), by_shape + constant + x.ln(), by_rate + shape / rate - x]
        })
    });
    group.finish();
}

fn bernoulli(c: &mut Criterion) {
    let mut group = group(c, "log_prob_sum/Bernoulli by logits");
    let logits = numbers(COUNT, 0, rand_distr::StandardNormal);
    let x: Vec<f64> = numbers(COUNT, 1, rand_distr::StandardNormal).iter().map(|z| f64::from(*z > 0.0)).collect();
    let (values, of_tensor) = (vector(x.clone()), vector(logits.clone()));
    way(&mut group, "ppl", || Bernoulli::from_logits(&of_tensor).log_prob_sum(&values).item());
    // The crates take probabilities, one distribution for each.
    way(&mut group, "rv", || {
        let log_prob =
            |(l, x): (&f64, &f64)| rv::dist::Bernoulli::new_unchecked(1.0 / (1.0 + (-l).exp())).ln_f(&(*x > 0.5));
        logits.iter().zip(&x).map(log_prob).sum::<f64>()
    });
    // x l − ln(1 + eˡ)
    let log_prob = |l: f64, x: f64| x * l - (l.max(0.0) + (-l.abs()).exp().ln_1p());
    way(&mut group, "loop", || logits.iter().zip(&x).map(|(&l, &x)| log_prob(l, x)).sum::<f64>());
    let tracked = of_tensor.tracked();
    way(&mut group, "ppl with gradient", || {
        value_and_gradient(|| Bernoulli::from_logits(&tracked).log_prob_sum(&values))
    });
    way(&mut group, "loop with gradient", || {
        let mut gradient = vec![0.0; COUNT];
        let mut sum = 0.0;
        for ((&l, &x), slope) in logits.iter().zip(&x).zip(&mut gradient) {
            sum += log_prob(l, x);
            *slope = x - 1.0 / (1.0 + (-l).exp());
        }
        (sum, gradient)
    });
    group.finish();
}

fn categorical(c: &mut Criterion) {
    let rows = COUNT / CATEGORIES;
    let mut group = group(c, "log_prob_sum/Categorical by logits");
    let logits = numbers(COUNT, 0, rand_distr::StandardNormal);
    let x: Vec<usize> = (0..rows).map(|i| i * 7 % CATEGORIES).collect();
    let of_tensor = Tensor::<(usize, usize), f64, Cpu>::from_vec(logits.clone(), (rows, CATEGORIES));
    let values = Tensor::from_vec(x.clone(), (rows,));
    let log_sum = |row: &[f64]| {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest + row.iter().map(|l| (l - largest).exp()).sum::<f64>().ln()
    };
    let normalised = |row: &[f64]| {
        let all = log_sum(row);
        row.iter().map(|l| l - all).collect::<Vec<f64>>()
    };
    way(&mut group, "ppl", || Categorical::from_logits(&of_tensor).log_prob_sum(&values).item());
    way(&mut group, "rv", || {
        let log_prob =
            |(row, x): (&[f64], &usize)| rv::dist::Categorical::from_ln_weights(normalised(row)).unwrap().ln_f(x);
        logits.chunks(CATEGORIES).zip(&x).map(log_prob).sum::<f64>()
    });
    way(&mut group, "loop", || logits.chunks(CATEGORIES).zip(&x).map(|(row, &x)| row[x] - log_sum(row)).sum::<f64>());
    let tracked = of_tensor.tracked();
    way(&mut group, "ppl with gradient", || {
        value_and_gradient(|| Categorical::from_logits(&tracked).log_prob_sum(&values))
    });
    way(&mut group, "loop with gradient", || {
        let mut gradient = vec![0.0; COUNT];
        let mut sum = 0.0;
        for ((row, &x), slopes) in logits.chunks(CATEGORIES).zip(&x).zip(gradient.chunks_mut(CATEGORIES)) {
            let all = log_sum(row);
            sum += row[x] - all;
            for (slope, l) in slopes.iter_mut().zip(row) {
                *slope = -(l - all).exp();
            }
            slopes[x] += 1.0;
        }
        (sum, gradient)
    });
    group.finish();
}

/// Draws of ours and of `rand_distr`, each with its usual generator.
fn draws(c: &mut Criterion) {
    fn pair<P>(c: &mut Criterion, name: &str, ours: P, theirs: impl Draws<f64> + Copy)
    where
        P: Distribution<f64, Cpu>,
    {
        let mut group = group(c, &format!("draws/{name}"));
        let mut rng = Rng::seed(0);
        way(&mut group, "ppl", || ours.draw(&mut rng));
        let mut rng = StdRng::seed_from_u64(0);
        way(&mut group, "rand_distr", || theirs.sample_iter(&mut rng).take(COUNT).collect::<Vec<f64>>());
        group.finish();
    }
    let shape = (COUNT,);
    pair(c, "Normal", Normal::filled(shape, 0.3, 1.7), rand_distr::Normal::new(0.3, 1.7).unwrap());
    pair(c, "Gamma", Gamma::filled(shape, 2.3, 1.7), rand_distr::Gamma::new(2.3, 1.0 / 1.7).unwrap());
}

criterion_group!(benches, normal, gamma, bernoulli, categorical, draws);
criterion_main!(benches);
