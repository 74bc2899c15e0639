//! The variances of what is seen, before anything is.

use super::super::dense;
use super::{Gradients, StateSpace, add_factor, lower, product, sandwich};
use crate::backend::BlockFunction;

/// T × d variances, of nothing seen: the diagonals of Hᵀ P H + R, where P is the covariance of each state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variances(pub(crate) StateSpace);

impl Variances {
    /// The covariances of z₀ … z_T.
    fn covariances(&self, args: &[&[f64]; 9]) -> Vec<Vec<f64>> {
        let mut all = vec![self.0.first_covariance(args)];
        for t in 0..self.0.steps {
            all.push(self.0.next_covariance(&self.0.step(args, t), &all[t]));
        }
        all
    }
}

impl BlockFunction<9> for Variances {
    fn lengths(&self) -> ([usize; 9], usize) {
        (self.0.lengths(0), self.0.steps * self.0.seen)
    }

    fn work(&self) -> usize {
        self.0.work()
    }

    fn value(&self, args: [&[f64]; 9], out: &mut [f64]) {
        let StateSpace { hidden: n, seen: d, .. } = self.0;
        let covariances = self.covariances(&args);
        for (t, out) in out.chunks_exact_mut(d).enumerate() {
            let step = self.0.step(&args, t);
            let (across, error) = (product(&covariances[t + 1], step.looks, [n, n, d]), lower(step.error, d));
            for (j, out) in out.iter_mut().enumerate() {
                let of_state: f64 = (0..n).map(|i| step.looks[i * d + j] * across[i * d + j]).sum();
                *out = of_state + dense::dot(&error[j * d..][..d], &error[j * d..][..d]);
            }
        }
    }

    /// Backwards through the steps.
    fn pullback(&self, args: [&[f64]; 9], _: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; 9]) {
        let StateSpace { hidden: n, seen: d, steps, .. } = self.0;
        let covariances = self.covariances(&args);
        let mut found = Gradients::zeros(self.lengths().0);
        let mut flow = vec![0.0; n * n];
        for t in (0..steps).rev() {
            let (step, out) = (self.0.step(&args, t), &upstream[t * d..][..d]);
            let on_diagonal: Vec<f64> = (0..d * d).map(|e| if e % d == e / d { out[e % d] } else { 0.0 }).collect();
            let weighted = product(step.looks, &on_diagonal, [n, d, d]);
            let to = found.step(&self.0, t);
            add_factor(to.error, &on_diagonal, step.error, d);
            dense::add_product(to.looks, 2.0, &covariances[t + 1], &weighted, [n, n, d]);
            dense::add_scaled(&mut flow, 1.0, &sandwich(step.looks, &on_diagonal, [n, d]));
            flow = self.0.pull_covariance(&step, &covariances[t], &flow, to);
        }
        add_factor(&mut found.all[2], &flow, args[2], n);
        found.add_to(gradients);
    }
}
