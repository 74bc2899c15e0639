//! The Kalman filter of one sequence, with its gradient.
//!
//! Source: Anderson and Moore, *Optimal Filtering*, 1979; the update of the covariance is Joseph's,
//! which keeps its digits where an observation is much sharper than what was known. The gradient is
//! the recursion's own, run backwards.

use std::f64::consts::TAU;

use super::super::{Triangle, dense};
use super::{
    Gradients, StateSpace, add_factor, add_outer, lower, product, product_transposed, product_with_transposed,
    sandwich, symmetric,
};
use crate::backend::BlockFunction;

/// Of T × d numbers seen: their log-density, then mean and covariance of the final state given them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KalmanFilter(pub(crate) StateSpace);

/// What is known of the state at some time.
#[derive(Clone)]
struct Belief {
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

/// One step: what was known before what it saw, and what follows.
struct Update {
    log_prob: f64,
    /// S⁻¹ and S⁻¹ y, for the innovation y and its covariance S.
    precision: Vec<f64>,
    weighted: Vec<f64>,
    /// The gain K, n × d, and I − K Hᵀ.
    gain: Vec<f64>,
    kept: Vec<f64>,
    after: Belief,
}

impl KalmanFilter {
    fn start(&self, args: &[&[f64]; 9]) -> Belief {
        Belief { mean: args[1].to_vec(), covariance: self.0.first_covariance(args) }
    }

    /// The state one step later: F mean + b, Fᵀ P F + Q.
    fn predict(&self, args: &[&[f64]; 9], t: usize, before: &Belief) -> Belief {
        let (n, step) = (self.0.hidden, self.0.step(args, t));
        let mut mean = step.shift.to_vec();
        dense::add_product(&mut mean, 1.0, &before.mean, step.moves, [1, n, n]);
        Belief { mean, covariance: self.0.next_covariance(&step, &before.covariance) }
    }

    /// What is seen at step `t`; `None` where its covariance has no Cholesky factor.
    fn update(&self, args: &[&[f64]; 9], t: usize, before: &Belief) -> Option<Update> {
        let (StateSpace { hidden: n, seen: d, .. }, step) = (self.0, self.0.step(args, t));
        let error = lower(step.error, d);
        let error = product_with_transposed(&error, &error, [d, d, d]);
        let across = product(&before.covariance, step.looks, [n, n, d]);
        let mut innovation = error.clone();
        dense::add_product(&mut innovation, 1.0, &dense::transposed(step.looks, n, d), &across, [d, n, d]);
        let mut factor = vec![0.0; d * d];
        dense::cholesky(&innovation, &mut factor, d).ok()?;
        let mut missed: Vec<f64> = args[0][t * d..][..d].iter().zip(step.offset).map(|(x, c)| x - c).collect();
        dense::add_product(&mut missed, -1.0, &before.mean, step.looks, [1, n, d]);

        let mut white = missed.clone();
        dense::substitute(&factor, Triangle::Lower, &mut white, [d, 1]);
        let log_det: f64 = (0..d).map(|i| factor[i * d + i].ln()).sum();
        let log_prob = -0.5 * (dense::dot(&white, &white) + d as f64 * TAU.ln()) - log_det;
        let mut weighted = white;
        dense::substitute(&factor, Triangle::LowerTransposed, &mut weighted, [d, 1]);
        let solve = |mut b: Vec<f64>, columns: usize| {
            dense::substitute(&factor, Triangle::Lower, &mut b, [d, columns]);
            dense::substitute(&factor, Triangle::LowerTransposed, &mut b, [d, columns]);
            b
        };
        let precision = symmetric(&solve(identity(d), d), d);
        let gain = dense::transposed(&solve(dense::transposed(&across, n, d), n), d, n);

        let mut kept = identity(n);
        dense::add_product(&mut kept, -1.0, &gain, &dense::transposed(step.looks, n, d), [n, d, n]);
        let mut mean = before.mean.clone();
        dense::add_product(&mut mean, 1.0, &gain, &missed, [n, d, 1]);
        let mut covariance = sandwich(&kept, &before.covariance, [n, n]);
        dense::add_scaled(&mut covariance, 1.0, &sandwich(&gain, &error, [n, d]));
        let after = Belief { mean, covariance: symmetric(&covariance, n) };
        Some(Update { log_prob, precision, weighted, gain, kept, after })
    }

    /// Takes the gradient of what is known after step `t` to that of what was predicted for it, and adds
    /// to those of the parameters. `by` is the log-density's own.
    fn pull_update(
        &self,
        args: &[&[f64]; 9],
        t: usize,
        update: &Update,
        by: f64,
        flow: &Belief,
        found: &mut Gradients,
    ) -> Belief {
        let (StateSpace { hidden: n, seen: d, .. }, step) = (self.0, self.0.step(args, t));
        let Update { precision, weighted: v, gain, kept, after, .. } = update;
        // Of the innovation y: Kᵀ · flow − by · v, with v = S⁻¹ y.
        let through_mean = product_transposed(gain, &flow.mean, [d, n, 1]);
        let mut of_missed = through_mean.clone();
        dense::add_scaled(&mut of_missed, -by, v);
        dense::add_scaled(&mut found.all[0][t * d..][..d], 1.0, &of_missed);
        let to = found.step(&self.0, t);
        dense::add_scaled(to.offset, -1.0, &of_missed);

        // Of H: P (flow vᵀ − 2 · flow of P · K) − by · K − mean · (that of y)ᵀ, P and mean known after.
        let mut inner = product(&flow.covariance, gain, [n, n, d]);
        inner.iter_mut().for_each(|v| *v *= -2.0);
        add_outer(&mut inner, 1.0, &flow.mean, v);
        dense::add_product(to.looks, 1.0, &after.covariance, &inner, [n, n, d]);
        dense::add_scaled(to.looks, -by, gain);
        add_outer(to.looks, -1.0, &after.mean, &of_missed);

        // Of R: ½ by (v vᵀ − S⁻¹) − Kᵀ · flow · vᵀ + Kᵀ · flow of P · K.
        let mut of_error = sandwich(&dense::transposed(gain, n, d), &flow.covariance, [d, n]);
        add_outer(&mut of_error, 0.5 * by, v, v);
        add_outer(&mut of_error, -1.0, &through_mean, v);
        dense::add_scaled(&mut of_error, -0.5 * by, precision);
        add_factor(to.error, &of_error, step.error, d);

        // With J = I − K Hᵀ: Jᵀ · flow + by · H v, and
        // Jᵀ · flow of P · J + Jᵀ · flow · (H v)ᵀ + ½ by (H v (H v)ᵀ − H S⁻¹ Hᵀ).
        let looked = product(step.looks, v, [n, d, 1]);
        let mut mean = product_transposed(kept, &flow.mean, [n, n, 1]);
        let mut covariance = sandwich(&dense::transposed(kept, n, n), &flow.covariance, [n, n]);
        add_outer(&mut covariance, 1.0, &mean, &looked);
        add_outer(&mut covariance, 0.5 * by, &looked, &looked);
        dense::add_scaled(&mut covariance, -0.5 * by, &sandwich(step.looks, precision, [n, d]));
        dense::add_scaled(&mut mean, by, &looked);
        Belief { mean, covariance: symmetric(&covariance, n) }
    }

    /// Takes the gradient of what was predicted for step `t` to that of what was known before it.
    fn pull_predict(
        &self,
        args: &[&[f64]; 9],
        t: usize,
        before: &Belief,
        flow: &Belief,
        found: &mut Gradients,
    ) -> Belief {
        let (n, step) = (self.0.hidden, self.0.step(args, t));
        let (to, Belief { mean, covariance }) = (found.step(&self.0, t), flow);
        dense::add_scaled(to.shift, 1.0, mean);
        add_outer(to.moves, 1.0, &before.mean, mean);
        let covariance = self.0.pull_covariance(&step, &before.covariance, covariance, to);
        Belief { mean: product(step.moves, mean, [n, n, 1]), covariance }
    }
}

fn identity(n: usize) -> Vec<f64> {
    (0..n * n).map(|e| if e % n == e / n { 1.0 } else { 0.0 }).collect()
}

impl BlockFunction<9> for KalmanFilter {
    fn lengths(&self) -> ([usize; 9], usize) {
        let StateSpace { steps, hidden: n, seen, .. } = self.0;
        (self.0.lengths(steps * seen), 1 + n + n * n)
    }

    fn work(&self) -> usize {
        self.0.work()
    }

    /// NaN where a covariance has no factor; −∞ for the log-density where only numbers seen are infinite.
    fn value(&self, args: [&[f64]; 9], out: &mut [f64]) {
        let n = self.0.hidden;
        let mut belief = self.start(&args);
        let mut log_prob = 0.0;
        for t in 0..self.0.steps {
            let Some(update) = self.update(&args, t, &self.predict(&args, t, &belief)) else {
                return out.fill(f64::NAN);
            };
            log_prob += update.log_prob;
            belief = update.after;
        }
        let is_far = args[0].iter().any(|x| x.is_infinite())
            && !args[0].iter().any(|x| x.is_nan())
            && args[1..].iter().all(|arg| arg.iter().all(|v| v.is_finite()));
        out[0] = if is_far { f64::NEG_INFINITY } else { log_prob };
        out[1..=n].copy_from_slice(&belief.mean);
        out[1 + n..].copy_from_slice(&belief.covariance);
    }

    fn pullback(&self, args: [&[f64]; 9], out: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; 9]) {
        if out[0].is_infinite() {
            return;
        }
        let n = self.0.hidden;
        let mut found = Gradients::zeros(self.lengths().0);
        let mut steps = Vec::with_capacity(self.0.steps);
        let mut belief = self.start(&args);
        for t in 0..self.0.steps {
            let predicted = self.predict(&args, t, &belief);
            // Where there is no factor the value is NaN, and so is the gradient.
            let Some(update) = self.update(&args, t, &predicted) else {
                found.all.iter_mut().for_each(|g| g.fill(f64::NAN));
                return found.add_to(gradients);
            };
            let after = update.after.clone();
            steps.push((std::mem::replace(&mut belief, after), update));
        }
        let mut flow = Belief { mean: upstream[1..=n].to_vec(), covariance: symmetric(&upstream[1 + n..], n) };
        for (t, (before, update)) in steps.iter().enumerate().rev() {
            let predicted = self.pull_update(&args, t, update, upstream[0], &flow, &mut found);
            flow = self.pull_predict(&args, t, before, &predicted, &mut found);
        }
        dense::add_scaled(&mut found.all[1], 1.0, &flow.mean);
        add_factor(&mut found.all[2], &flow.covariance, args[2], n);
        found.add_to(gradients);
    }
}
