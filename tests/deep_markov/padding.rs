//! A padded batch is its sequences one by one: weights, losses and gradients of all parameters.

use ppl::autodiff::try_grad;
use ppl::handler::Handler;
use ppl::handlers::Effect;
use ppl::infer::pair::Pair;
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::site::SampleSite;

use crate::batch::{Batch, Sequence, sorted};
use crate::chain::{Given, LATENT, amortised, chain};
use crate::gradients::{ByName, by_name};
use crate::kalman::reference;
use crate::weights::{values, weigh};

/// Lets each site draw what it would draw from this row of a batch on: a sequence by itself, with the noise that it has in
/// its batch.
#[derive(Clone)]
struct NoiseFrom(usize);

struct NoiseHandler<'h> {
    inner: &'h mut dyn Handler<f64, Cpu>,
    row: usize,
}

impl Handler<f64, Cpu> for NoiseHandler<'_> {
    fn inner(&mut self) -> &mut dyn Handler<f64, Cpu> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<f64, Cpu>) {
        let mut rng = Rng::named(11, site.name());
        let before: Tensor<(usize, usize)> = Normal::filled((self.row, LATENT), 0.0, 1.0).draw(&mut rng);
        assert_eq!(before.numel(), self.row * LATENT);
        self.inner.context().rng = rng;
        self.inner.sample(site);
    }
}

impl Effect<f64, Cpu> for NoiseFrom {
    fn around(&self, inner: &mut dyn Handler<f64, Cpu>, body: &mut dyn FnMut(&mut dyn Handler<f64, Cpu>)) {
        body(&mut NoiseHandler { inner, row: self.0 });
    }
}

/// The loss and its gradient in each number of each parameter, pathwise.
fn loss(batch: &Batch, given: &Given, row: usize, params: &mut ParamStore<f64, Cpu>) -> (f64, ByName) {
    let (loss, _, mut grads) = try_grad(|| {
        let guide = amortised.with(NoiseFrom(row));
        let pair = Pair::draw(&chain, &guide, (batch, given, 0.7), params, Rng::seed(0), true)?;
        Ok::<_, ppl::Error>((pair.guide.log_prob_sum() - pair.model.log_prob_sum(), ()))
    })
    .expect("a run without mistakes");
    (loss.item(), by_name(params, &mut grads))
}

#[track_caller]
fn close(what: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-11 * expected.abs().max(1.0), "{what}: {found}, not {expected}");
}

#[test]
fn weights_are_those_of_the_sequences_one_by_one() {
    let reference = reference();
    let sequences: Vec<&Sequence> = reference.sequences.iter().collect();
    let batch = Batch::new(&sequences, 0.0);
    for flows in 0..3 {
        let given = Given { flows, ..Given::new(&reference.world) };
        let mut params = ParamStore::new(1);
        let together = weigh(&amortised.with(NoiseFrom(0)), (&batch, &given, 1.0), &mut params, 0);
        for (row, sequence) in sorted(&sequences).into_iter().enumerate() {
            let alone = Batch::new(&[sequence], 0.0);
            let run = weigh(&amortised.with(NoiseFrom(row)), (&alone, &given, 1.0), &mut params, 0);
            for t in 0..sequence.len() {
                let (whole, one) = (values(&together.drawn, t).to_vec(), values(&run.drawn, t).to_vec());
                for (found, expected) in whole[row * LATENT..][..LATENT].iter().zip(one) {
                    close("a draw", *found, expected);
                }
            }
            close(&format!("row {row}, {flows} flows"), together.log_weights()[row], run.log_weights()[0]);
        }
    }
}

#[test]
fn loss_and_gradients_are_sums_over_the_sequences() {
    let reference = reference();
    let sequences: Vec<&Sequence> = reference.sequences.iter().collect();
    let batch = Batch::new(&sequences, 0.0);
    for flows in 0..3 {
        let given = Given { flows, ..Given::new(&reference.world) };
        let mut params = ParamStore::new(1);
        let (together, gradients) = loss(&batch, &given, 0, &mut params);
        let alone: Vec<_> = sorted(&sequences)
            .into_iter()
            .enumerate()
            .map(|(row, sequence)| loss(&Batch::new(&[sequence], 0.0), &given, row, &mut params))
            .collect();
        close("the loss", together, alone.iter().map(|(loss, _)| loss).sum());
        let mut nonzero = 0;
        for (k, (name, found)) in gradients.iter().enumerate() {
            for (i, found) in found.iter().enumerate() {
                let expected = alone.iter().map(|(_, gradients)| gradients[k].1[i]).sum();
                close(&format!("{flows} flows, {name}[{i}]"), *found, expected);
                nonzero += usize::from(*found != 0.0);
            }
        }
        // 28 of the model, 60 + 3 + 6 + 66 of the guide; of a flow's 69 some are masked.
        assert!(nonzero >= 28 + 120 + 30 * flows, "{nonzero}");
    }
}

/// What stands after the ends is read by nobody, be it no number.
#[test]
fn what_padding_holds_does_not_matter() {
    let reference = reference();
    let sequences: Vec<&Sequence> = reference.sequences.iter().collect();
    for flows in [0, 2] {
        let given = Given { flows, ..Given::new(&reference.world) };
        let run = |padding| loss(&Batch::new(&sequences, padding), &given, 0, &mut ParamStore::new(1));
        let zeros = run(0.0);
        for padding in [1e6, f64::NAN] {
            assert_eq!(run(padding), zeros, "{padding}");
        }
    }
}
