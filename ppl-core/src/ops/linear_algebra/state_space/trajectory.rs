//! A sequence that is seen, as a function of the model and of standard normal noise.

use super::super::dense;
use super::{Gradients, StateSpace, add_outer, lower, product};
use crate::backend::BlockFunction;

/// T × d numbers seen, of (T + 1) × n numbers of noise of the states and T × d of what is seen. The
/// mean where the noise is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trajectory(pub(crate) StateSpace);

impl Trajectory {
    /// The states z₀ … z_T.
    fn states(&self, args: &[&[f64]; 9]) -> Vec<f64> {
        let (model, n) = (&self.0, self.0.hidden);
        let mut states = args[1].to_vec();
        dense::add_product(&mut states, 1.0, &lower(args[2], n), &args[0][..n], [n, n, 1]);
        for t in 0..model.steps {
            let step = model.step(args, t);
            let mut next = product(&states[t * n..], step.moves, [1, n, n]);
            dense::add_scaled(&mut next, 1.0, step.shift);
            dense::add_product(&mut next, 1.0, &lower(step.noise, n), &args[0][(t + 1) * n..][..n], [n, n, 1]);
            states.extend(next);
        }
        states
    }

    /// The noise of what is seen.
    fn errors<'a>(&self, args: &[&'a [f64]; 9]) -> &'a [f64] {
        &args[0][(self.0.steps + 1) * self.0.hidden..]
    }
}

impl BlockFunction<9> for Trajectory {
    fn lengths(&self) -> ([usize; 9], usize) {
        let StateSpace { steps, hidden, seen, .. } = self.0;
        (self.0.lengths((steps + 1) * hidden + steps * seen), steps * seen)
    }

    fn work(&self) -> usize {
        self.0.work()
    }

    fn value(&self, args: [&[f64]; 9], out: &mut [f64]) {
        let StateSpace { hidden: n, seen: d, .. } = self.0;
        let (states, errors) = (self.states(&args), self.errors(&args));
        for (t, out) in out.chunks_exact_mut(d).enumerate() {
            let step = self.0.step(&args, t);
            out.copy_from_slice(step.offset);
            dense::add_product(out, 1.0, &states[(t + 1) * n..][..n], step.looks, [1, n, d]);
            dense::add_product(out, 1.0, &lower(step.error, d), &errors[t * d..][..d], [d, d, 1]);
        }
    }

    /// Backwards through the steps; nothing for the noise.
    fn pullback(&self, args: [&[f64]; 9], _: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; 9]) {
        let StateSpace { hidden: n, seen: d, steps, .. } = self.0;
        let (states, errors) = (self.states(&args), self.errors(&args));
        let mut found = Gradients::zeros(self.lengths().0);
        let mut flow = vec![0.0; n];
        for t in (0..steps).rev() {
            let (step, out) = (self.0.step(&args, t), &upstream[t * d..][..d]);
            let to = found.step(&self.0, t);
            dense::add_product(&mut flow, 1.0, step.looks, out, [n, d, 1]);
            dense::add_scaled(to.offset, 1.0, out);
            add_outer(to.looks, 1.0, &states[(t + 1) * n..][..n], out);
            add_outer(to.error, 1.0, out, &errors[t * d..][..d]);
            dense::add_scaled(to.shift, 1.0, &flow);
            add_outer(to.moves, 1.0, &states[t * n..][..n], &flow);
            add_outer(to.noise, 1.0, &flow, &args[0][(t + 1) * n..][..n]);
            flow = product(step.moves, &flow, [n, n, 1]);
        }
        dense::add_scaled(&mut found.all[1], 1.0, &flow);
        add_outer(&mut found.all[2], 1.0, &flow, &args[0][..n]);
        for (i, size) in [(2, n), (5, n), (8, d)] {
            let blocks: Vec<f64> = found.all[i].chunks_exact(size * size).flat_map(|m| lower(m, size)).collect();
            found.all[i] = blocks;
        }
        found.add_to(gradients);
    }
}
