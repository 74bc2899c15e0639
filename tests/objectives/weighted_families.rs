//! Objectives of weighed runs over positive numbers and over probabilities, against quadrature: Gamma–Poisson and
//! Beta–Bernoulli.

use ppl::infer::{Objective, RenyiElbo, ReweightedWakeSleep, TailAdaptive};
use ppl::prelude64::*;

use crate::conjugate::{
    A, B, beta_bernoulli, beta_path, beta_score, coins, counts, gamma_path, gamma_poisson, gamma_score,
};
use crate::estimate::Estimate;
use crate::gradients::estimates_of;
use crate::weighted::check;

type Line = Tensor<(usize,)>;

/// A posterior on the nodes of the trapezoidal rule.
struct Nodes {
    /// What each node counts.
    width: Vec<f64>,
    /// ln p(z) and ln p(z, x).
    prior: Vec<f64>,
    joint: Vec<f64>,
    /// ln q and the cdf of the guide with these logarithms of its parameters.
    guide: Box<dyn Fn([f64; 2]) -> [Vec<f64>; 2]>,
}

/// Where gradients are taken: ln a and ln b.
fn initial() -> [f64; 2] {
    [A.ln(), B.ln()]
}

const H: f64 = 1e-4;

/// Of z > 0: even nodes in ln z.
fn gamma(count: usize) -> Nodes {
    let step = 20.0 / count as f64;
    let z: Vec<f64> = (0..count).map(|i| (i as f64 * step - 16.0).exp()).collect();
    let x = counts().to_vec();
    let line = Line::vector(z.clone());
    let of = |a: f64, b: f64| Gamma::new(Line::full_like(a, (count,)), b);
    let prior = of(2.0, 0.9).log_prob(&line).to_vec();
    let ln_factorials = 2.0_f64.ln() + 6.0_f64.ln();
    let likelihood = |z: f64| x.iter().map(|x| x * z.ln() - z).sum::<f64>() - ln_factorials;
    let joint = prior.iter().zip(&z).map(|(p, &z)| p + likelihood(z)).collect();
    let guide = move |[ln_a, ln_b]: [f64; 2]| {
        let q = Gamma::new(Line::full_like(ln_a.exp(), (count,)), ln_b.exp());
        [q.log_prob(&line).to_vec(), q.cdf(&line).expect("gamma").to_vec()]
    };
    Nodes { width: z.iter().map(|z| z * step).collect(), prior, joint, guide: Box::new(guide) }
}

/// Of z in (0, 1): even nodes in ln (z / (1 − z)).
fn beta(count: usize) -> Nodes {
    let step = 40.0 / count as f64;
    let z: Vec<f64> = (0..count).map(|i| 1.0 / (1.0 + (20.0 - i as f64 * step).exp())).collect();
    let x = coins().to_vec();
    let line = Line::vector(z.clone());
    let prior = Beta::new(Line::full_like(1.5, (count,)), 2.5).log_prob(&line).to_vec();
    let likelihood = |z: f64| x.iter().map(|x| x * z.ln() + (1.0 - x) * (1.0 - z).ln()).sum::<f64>();
    let joint = prior.iter().zip(&z).map(|(p, &z)| p + likelihood(z)).collect();
    let guide = move |[ln_a, ln_b]: [f64; 2]| {
        let q = Beta::new(Line::full_like(ln_a.exp(), (count,)), ln_b.exp());
        [q.log_prob(&line).to_vec(), q.cdf(&line).expect("beta").to_vec()]
    };
    Nodes { width: z.iter().map(|z| z * (1.0 - z) * step).collect(), prior, joint, guide: Box::new(guide) }
}

/// Central differences of what is made of the guide's parameters, one by one.
fn slopes(f: impl Fn([f64; 2]) -> Vec<f64>) -> [Vec<f64>; 2] {
    [0, 1].map(|i| {
        let moved = |by: f64| f(std::array::from_fn(|j| if i == j { initial()[j] + by } else { initial()[j] }));
        moved(H).iter().zip(moved(-H)).map(|(above, below)| (above - below) / (2.0 * H)).collect()
    })
}

impl Nodes {
    fn ln_q(&self, at: [f64; 2]) -> Vec<f64> {
        let [ln_q, _] = (self.guide)(at);
        ln_q
    }

    /// The mean over two independent runs of the guide at `at` of a function of their places.
    fn mean_over_two<const N: usize>(&self, at: [f64; 2], f: impl Fn(usize, usize) -> [f64; N]) -> [f64; N] {
        let mass: Vec<f64> = self.ln_q(at).iter().zip(&self.width).map(|(ln_q, width)| ln_q.exp() * width).collect();
        let mut mean = [0.0; N];
        for i in 0..mass.len() {
            for j in 0..mass.len() {
                mean.iter_mut().zip(f(i, j)).for_each(|(mean, number)| *mean += mass[i] * mass[j] * number);
            }
        }
        mean
    }

    /// −E of Rényi's bound of two runs, and its derivatives.
    fn renyi(&self, alpha: f64) -> [f64; 3] {
        let loss = |at| {
            let power = 1.0 - alpha;
            let powers: Vec<f64> = self.joint.iter().zip(self.ln_q(at)).map(|(p, q)| (power * (p - q)).exp()).collect();
            vec![-self.mean_over_two(at, |i, j| [(0.5 * (powers[i] + powers[j])).ln() / power])[0]]
        };
        let [a, b] = slopes(loss);
        [loss(initial())[0], a[0], b[0]]
    }

    /// The guide's gradient by weighed runs, and by dreams.
    fn wake_and_sleep(&self) -> [[f64; 2]; 2] {
        let scores = slopes(|at| self.ln_q(at));
        let weights: Vec<f64> = self.joint.iter().zip(self.ln_q(initial())).map(|(p, q)| (p - q).exp()).collect();
        let wake = self.mean_over_two(initial(), |i, j| {
            let first = weights[i] / (weights[i] + weights[j]);
            [0, 1].map(|k| -first * scores[k][i] - (1.0 - first) * scores[k][j])
        });
        let sleep = [0, 1].map(|k| {
            let terms = self.prior.iter().zip(&self.width).zip(&scores[k]);
            -terms.map(|((p, width), score)| p.exp() * width * score).sum::<f64>()
        });
        [wake, sleep]
    }

    /// The loss and gradient of two runs weighed 2 : 1 by their rank.
    fn tail_adaptive(&self) -> [f64; 3] {
        let [ln_q, _] = (self.guide)(initial());
        let mass: Vec<f64> = ln_q.iter().zip(&self.width).map(|(ln_q, width)| ln_q.exp() * width).collect();
        let ln_w: Vec<f64> = self.joint.iter().zip(&ln_q).map(|(p, q)| p - q).collect();
        let mut order: Vec<usize> = (0..mass.len()).collect();
        order.sort_by(|&i, &j| ln_w[i].total_cmp(&ln_w[j]));
        // The share of a run is a third, and another third where the other run's weight is less.
        let (mut below, mut share) = (0.0, vec![0.0; mass.len()]);
        for at in order {
            share[at] = (1.0 + below + 0.5 * mass[at]) / 3.0;
            below += mass[at];
        }
        // A draw moves by dz = −dF / q, and ln w with it; per node of the even variable t.
        let moves = slopes(|at| {
            let [_, cdf] = (self.guide)(at);
            cdf
        });
        let mut sum = [0.0; 3];
        for i in 1..mass.len() - 1 {
            let climb = 0.5 * (ln_w[i + 1] - ln_w[i - 1]);
            let terms = [ln_w[i] * mass[i], -climb * moves[0][i], -climb * moves[1][i]];
            sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum -= 2.0 * share[i] * term);
        }
        sum
    }
}

/// A model with its two guides, on its data.
macro_rules! check_all {
    ($name:literal, $nodes:ident, $model:ident, $pathwise:ident, $scored:ident, $x:expr) => {{
        let x = $x;
        fn of(objective: impl Objective<f64, Cpu>, runs: u64, x: &Tensor<Rank1<3>>) -> Vec<Estimate> {
            estimates_of((&$model, &$pathwise), (x,), objective, runs, 4000)
        }
        fn by_scores(objective: impl Objective<f64, Cpu>, runs: u64, x: &Tensor<Rank1<3>>) -> Vec<Estimate> {
            estimates_of((&$model, &$scored), (x,), objective, runs, 4000)
        }
        let (nodes, fine) = ($nodes(250), $nodes(20_000));
        for alpha in [0.0, 0.5] {
            let exact = nodes.renyi(alpha);
            let bound = RenyiElbo::new(alpha, 2);
            check(&format!("{}, order {alpha}", $name), &of(bound.clone(), 2, &x), &exact, 1e-5);
            check(&format!("{}, order {alpha}, scored", $name), &by_scores(bound, 2, &x), &exact, 1e-5);
        }
        let twice = RenyiElbo::importance_weighted(2).doubly_reparameterized();
        check(concat!($name, ", doubly reparameterised"), &of(twice, 2, &x), &nodes.renyi(0.0), 1e-5);

        let ([wake, sleep], loss) = (nodes.wake_and_sleep(), nodes.renyi(0.0)[0]);
        let mixed = ReweightedWakeSleep::with_particles(2).insomnia(0.4);
        let exact = [loss, 0.4 * wake[0] + 0.6 * sleep[0], 0.4 * wake[1] + 0.6 * sleep[1]];
        check(concat!($name, ", wake and sleep"), &by_scores(mixed, 4, &x), &exact, 1e-5);

        let tails = &of(TailAdaptive::with_particles(2), 2, &x);
        check(concat!($name, ", ranks"), tails, &fine.tail_adaptive(), 1e-4);
    }};
}

#[test]
fn a_poisson_rate() {
    check_all!("Gamma–Poisson", gamma, gamma_poisson, gamma_path, gamma_score, counts());
}

#[test]
fn a_coin_probability() {
    check_all!("Beta–Bernoulli", beta, beta_bernoulli, beta_path, beta_score, coins());
}
