//! The forward algorithm of one sequence with its gradient, and the most probable path.
//!
//! Everything is in logarithms. A step is a product of probabilities with the largest taken out, and
//! falls back to a sum of exponentials for a state that this would lose. Source: Rabiner, *A Tutorial
//! on Hidden Markov Models*, Proceedings of the IEEE 77, 1989.

use crate::backend::BlockFunction;

/// Below this a sum of shifted probabilities has lost terms to underflow.
const SAFE: f64 = 1e-280;

/// Of K initial logits, K × K transition logits (of every step where `per_step`) and T × K
/// log-densities of what is observed: the log-density of the sequence, then the normalised
/// log-probabilities of the final state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forward {
    pub(super) states: usize,
    pub(super) steps: usize,
    pub(super) per_step: bool,
}

/// What the forward pass of one sequence found.
struct Pass {
    /// Normalised log-probabilities of the initial state.
    initial: Vec<f64>,
    transitions: Transitions,
    /// ln p(state, all observed so far) at steps 0 to T, less the largest of the step.
    joint: Vec<f64>,
    /// ln p(state, all observed before) at steps 1 to T, less the largest of the step before.
    predicted: Vec<f64>,
    /// What was subtracted, together.
    total: f64,
}

/// Transition probabilities, normalised, of every step or of one for all.
pub(super) struct Transitions {
    states: usize,
    logs: Vec<f64>,
    pub(super) probs: Vec<f64>,
}

impl Transitions {
    pub(super) fn new(logits: &[f64], states: usize) -> Self {
        let logs: Vec<f64> = logits.chunks_exact(states).flat_map(normalised).collect();
        let probs = logs.iter().map(|l| l.exp()).collect();
        Transitions { states, logs, probs }
    }

    /// Where the matrix of a step, counted from 0, begins.
    pub(super) fn start(&self, step: usize) -> usize {
        let size = self.states * self.states;
        if self.logs.len() > size { step * size } else { 0 }
    }

    /// ln Σᵢ e^(from[i] + log A[i, k]) for each k.
    fn predict(&self, step: usize, from: &[f64], to: &mut [f64]) {
        let (k, at) = (self.states, self.start(step));
        let (shift, shares) = shifted(from);
        to.fill(0.0);
        for (i, &share) in shares.iter().enumerate().filter(|(_, s)| **s != 0.0) {
            to.iter_mut().zip(&self.probs[at + i * k..][..k]).for_each(|(to, p)| *to += share * p);
        }
        for (j, to) in to.iter_mut().enumerate() {
            *to = if *to > SAFE { shift + to.ln() } else { log_sum(|i| from[i] + self.logs[at + i * k + j], k) };
        }
    }

    /// What flows back from [`Transitions::predict`]: adds to the gradient of the step's
    /// log-probabilities and returns that of `from`.
    fn pull(&self, step: usize, from: &[f64], to: &[f64], upstream: &[f64], gradient: &mut [f64]) -> Vec<f64> {
        let (k, at) = (self.states, self.start(step));
        let (shift, shares) = shifted(from);
        let mut back = vec![0.0; k];
        // Σᵢ shareᵢ · A[i, j], the part of it that step took; where it is lost, by exponentials below.
        let size = |j: usize| (to[j] - shift).exp();
        let is_safe = |j: usize| size(j) > SAFE && size(j) < f64::INFINITY;
        let scale = |j: usize| if upstream[j] != 0.0 && is_safe(j) { upstream[j] / size(j) } else { 0.0 };
        let scales: Vec<f64> = (0..k).map(scale).collect();
        for (i, &share) in shares.iter().enumerate().filter(|(_, s)| **s != 0.0) {
            let row = at + i * k..at + (i + 1) * k;
            for ((g, p), scale) in gradient[row.clone()].iter_mut().zip(&self.probs[row]).zip(&scales) {
                let flow = share * p * scale;
                *g += flow;
                back[i] += flow;
            }
        }
        for j in (0..k).filter(|&j| upstream[j] != 0.0 && !is_safe(j)) {
            for i in 0..k {
                let flow = upstream[j] * share_of(from[i] + self.logs[at + i * k + j], to[j]);
                gradient[at + i * k + j] += flow;
                back[i] += flow;
            }
        }
        back
    }

    /// Turns the gradient of log-probabilities into that of the logits.
    pub(super) fn centre(&self, gradient: &mut [f64]) {
        for (gradient, probs) in gradient.chunks_exact_mut(self.states).zip(self.probs.chunks_exact(self.states)) {
            let total: f64 = gradient.iter().sum();
            gradient.iter_mut().zip(probs).for_each(|(g, p)| *g -= p * total);
        }
    }
}

/// The largest number, or NaN if one is.
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NEG_INFINITY, |most, v| if v > most || v.is_nan() { v } else { most })
}

/// ln Σ eˣ over `count` terms.
fn log_sum(term: impl Fn(usize) -> f64, count: usize) -> f64 {
    let most = largest((0..count).map(&term));
    if most.is_infinite() { most } else { most + (0..count).map(|i| (term(i) - most).exp()).sum::<f64>().ln() }
}

/// e^(part − whole): the share of a term in a sum, 0 in a sum of nothing.
fn share_of(part: f64, whole: f64) -> f64 {
    if part == f64::NEG_INFINITY { 0.0 } else { (part - whole).exp() }
}

/// The largest of some logarithms, and the exponentials of what they lack to it.
fn shifted(logs: &[f64]) -> (f64, Vec<f64>) {
    let most = largest(logs.iter().copied());
    let share = |&l: &f64| if l == most && most > f64::NEG_INFINITY { 1.0 } else { share_of(l, most) };
    (most, logs.iter().map(share).collect())
}

/// Logits less their log-sum: all −∞ where none is above.
pub(super) fn normalised(logits: &[f64]) -> Vec<f64> {
    let total = log_sum(|i| logits[i], logits.len());
    logits.iter().map(|&l| if l == f64::NEG_INFINITY { l } else { l - total }).collect()
}

/// A log-density added to a log-probability; what cannot be stays so whatever the other is.
fn joined(log_prob: f64, log_density: f64) -> f64 {
    let nothing = f64::NEG_INFINITY;
    if log_prob == nothing || log_density == nothing { nothing } else { log_prob + log_density }
}

impl Forward {
    fn pass(&self, [initial, transitions, observed]: [&[f64]; 3]) -> Pass {
        let k = self.states;
        let (initial, transitions) = (normalised(initial), Transitions::new(transitions, k));
        let (mut joint, mut predicted, mut total) = (initial.clone(), vec![0.0; self.steps * k], 0.0);
        for (step, (predicted, observed)) in predicted.chunks_exact_mut(k).zip(observed.chunks_exact(k)).enumerate() {
            transitions.predict(step, &joint[step * k..], predicted);
            let both = || predicted.iter().zip(observed).map(|(&p, &o)| joined(p, o));
            let most = largest(both());
            let shift = if most.is_finite() { most } else { 0.0 };
            joint.extend(both().map(|j| j - shift));
            total += shift;
        }
        Pass { initial, transitions, joint, predicted, total }
    }

    /// The most probable states at the steps 1 to T, with the initial state summed out. A tie goes to
    /// the lower state.
    pub(super) fn best_path(&self, [initial, transitions, observed]: [&[f64]; 3]) -> Vec<usize> {
        let k = self.states;
        if self.steps == 0 {
            return Vec::new();
        }
        let transitions = Transitions::new(transitions, k);
        let mut first = vec![0.0; k];
        transitions.predict(0, &normalised(initial), &mut first);
        let mut best: Vec<f64> = first.iter().zip(observed).map(|(&p, &o)| joined(p, o)).collect();
        let mut origins = Vec::with_capacity(self.steps * k);
        for (step, observed) in observed.chunks_exact(k).enumerate().skip(1) {
            let logs = &transitions.logs[transitions.start(step)..];
            let into = |j: usize| highest((0..k).map(|i| joined(best[i], logs[i * k + j])));
            let found: Vec<(usize, f64)> = (0..k).map(into).collect();
            best = found.iter().zip(observed).map(|(&(_, p), &o)| joined(p, o)).collect();
            origins.extend(found.into_iter().map(|(i, _)| i));
        }
        let mut path = vec![highest(best.into_iter()).0; self.steps];
        for step in (1..self.steps).rev() {
            path[step - 1] = origins[(step - 1) * k + path[step]];
        }
        path
    }
}

/// The first of the largest numbers and its place.
fn highest(values: impl Iterator<Item = f64>) -> (usize, f64) {
    values.enumerate().fold((0, f64::NEG_INFINITY), |best, (i, v)| if v > best.1 { (i, v) } else { best })
}

impl BlockFunction<3> for Forward {
    fn lengths(&self) -> ([usize; 3], usize) {
        let k = self.states;
        let matrices = if self.per_step { self.steps } else { 1 };
        ([k, matrices * k * k, self.steps * k], 1 + k)
    }

    fn work(&self) -> usize {
        8 * self.steps * self.states * self.states
    }

    fn value(&self, args: [&[f64]; 3], out: &mut [f64]) {
        let k = self.states;
        let pass = self.pass(args);
        let last = &pass.joint[self.steps * k..];
        let sum = log_sum(|i| last[i], k);
        out[0] = pass.total + sum;
        // Where densities are infinite, their states share the final one.
        let infinite = last.iter().filter(|l| **l == f64::INFINITY).count() as f64;
        let final_log = |&l: &f64| match sum {
            f64::INFINITY if l == sum => -infinite.ln(),
            f64::INFINITY | f64::NEG_INFINITY => f64::NEG_INFINITY,
            _ => l - sum,
        };
        out[1..].iter_mut().zip(last).for_each(|(out, l)| *out = final_log(l));
    }

    /// Backwards through the steps, with each state's share in those that follow. 0 where the
    /// log-density is infinite.
    fn pullback(&self, args: [&[f64]; 3], out: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; 3]) {
        if out[0].is_infinite() {
            return;
        }
        let (k, pass) = (self.states, self.pass(args));
        let rest: f64 = upstream[1..].iter().sum();
        let last = out[1..].iter().zip(&upstream[1..]);
        let mut flow: Vec<f64> =
            last.map(|(l, u)| if l.is_infinite() { 0.0 } else { u + l.exp() * (upstream[0] - rest) }).collect();
        let [to_initial, to_transitions, mut to_observed] = gradients;
        let mut of_transitions = vec![0.0; pass.transitions.logs.len()];
        for step in (0..self.steps).rev() {
            if let Some(to) = &mut to_observed {
                to[step * k..][..k].iter_mut().zip(&flow).for_each(|(g, f)| *g += f);
            }
            let (from, to) = (&pass.joint[step * k..][..k], &pass.predicted[step * k..][..k]);
            flow = pass.transitions.pull(step, from, to, &flow, &mut of_transitions);
        }
        if let Some(to) = to_transitions {
            pass.transitions.centre(&mut of_transitions);
            to.iter_mut().zip(&of_transitions).for_each(|(g, f)| *g += f);
        }
        if let Some(to) = to_initial {
            let total: f64 = flow.iter().sum();
            let shares = flow.iter().zip(&pass.initial);
            to.iter_mut().zip(shares).for_each(|(g, (f, l))| *g += f - l.exp() * total);
        }
    }
}
