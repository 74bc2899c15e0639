//! The probabilities of states at each step, before anything is seen.

use crate::backend::BlockFunction;

use super::forward::{Forward, Transitions, normalised};

/// Of K initial logits and K × K transition logits (of every step, or one for all): the T × K
/// probabilities of the states z₁ … z_T.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marginals(pub(super) Forward);

impl Marginals {
    /// The probabilities of z₀ … z_T, and of the transitions.
    fn pass(&self, [initial, transitions]: [&[f64]; 2]) -> (Vec<f64>, Transitions) {
        let (k, transitions) = (self.0.states, Transitions::new(transitions, self.0.states));
        let mut all: Vec<f64> = normalised(initial).into_iter().map(f64::exp).collect();
        for step in 0..self.0.steps {
            let (from, at) = (&all[step * k..], transitions.start(step));
            let into = |j: usize| (0..k).map(|i| from[i] * transitions.probs[at + i * k + j]).sum::<f64>();
            let next: Vec<f64> = (0..k).map(into).collect();
            all.extend(next);
        }
        (all, transitions)
    }
}

impl BlockFunction<2> for Marginals {
    fn lengths(&self) -> ([usize; 2], usize) {
        let ([initial, transitions, out], _) = self.0.lengths();
        ([initial, transitions], out)
    }

    fn work(&self) -> usize {
        self.0.work()
    }

    fn value(&self, args: [&[f64]; 2], out: &mut [f64]) {
        out.copy_from_slice(&self.pass(args).0[self.0.states..]);
    }

    /// Backwards through the steps: of each probability, and of the logarithms of transitions.
    fn pullback(&self, args: [&[f64]; 2], _: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; 2]) {
        let (k, (all, transitions)) = (self.0.states, self.pass(args));
        let mut of_transitions = vec![0.0; transitions.probs.len()];
        let mut flow = vec![0.0; k];
        for step in (0..self.0.steps).rev() {
            flow.iter_mut().zip(&upstream[step * k..]).for_each(|(f, u)| *f += u);
            let at = transitions.start(step);
            let row = |i: usize| at + i * k..at + (i + 1) * k;
            let back = |i: usize| transitions.probs[row(i)].iter().zip(&flow).map(|(p, f)| p * f).sum::<f64>();
            let before: Vec<f64> = (0..k).map(back).collect();
            for (i, from) in all[step * k..][..k].iter().enumerate() {
                let terms = transitions.probs[row(i)].iter().zip(&flow);
                of_transitions[row(i)].iter_mut().zip(terms).for_each(|(g, (p, f))| *g += from * p * f);
            }
            flow = before;
        }
        let [to_initial, to_transitions] = gradients;
        if let Some(to) = to_transitions {
            transitions.centre(&mut of_transitions);
            to.iter_mut().zip(&of_transitions).for_each(|(g, f)| *g += f);
        }
        if let Some(to) = to_initial {
            let first = &all[..k];
            let mean: f64 = flow.iter().zip(first).map(|(f, p)| f * p).sum();
            to.iter_mut().zip(flow.iter().zip(first)).for_each(|(g, (f, p))| *g += p * (f - mean));
        }
    }
}
