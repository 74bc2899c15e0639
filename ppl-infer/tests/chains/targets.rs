//! Targets of the tests of chains.

use std::convert::Infallible;

use ppl_core::Dtype;
use ppl_infer::mcmc::{Adaptation, MetricShape};
use ppl_infer::{LogDensity, McmcOptions, Target};

/// Independent normals with standard deviations 1, 2, 3.
#[derive(Clone, Debug)]
pub(crate) struct Normals;

impl<E: Dtype> LogDensity<E> for Normals {
    type Error = Infallible;

    fn dim(&self) -> usize {
        3
    }

    fn evaluate(&mut self, x: &[E], gradient: &mut [E]) -> Result<f64, Infallible> {
        let mut log_density = 0.0;
        for (i, (g, x)) in gradient.iter_mut().zip(x).enumerate() {
            let sd = 1.0 + i as f64;
            *g = E::of(-x.wide() / (sd * sd));
            log_density -= 0.5 * (x.wide() / sd).powi(2);
        }
        Ok(log_density)
    }
}

impl<E: Dtype> Target<E> for Normals {}

/// Neal's funnel, on which trajectories diverge.
#[derive(Clone, Debug)]
pub(crate) struct Funnel;

impl LogDensity<f64> for Funnel {
    type Error = Infallible;

    fn dim(&self) -> usize {
        2
    }

    fn evaluate(&mut self, at: &[f64], gradient: &mut [f64]) -> Result<f64, Infallible> {
        let (v, x) = (at[0], at[1]);
        let square = x * x * (-v).exp();
        (gradient[0], gradient[1]) = (-v / 9.0 - 0.5 + 0.5 * square, -x * (-v).exp());
        Ok(-v * v / 18.0 - 0.5 * v - 0.5 * square)
    }
}

impl Target<f64> for Funnel {}

/// Three short chains.
pub(crate) fn short() -> McmcOptions {
    McmcOptions { chains: 3, warmup: 120, draws: 60, seed: 7, ..McmcOptions::default() }
}

/// Short chains with each kind of metric, and with both schedules of warm-up.
pub(crate) fn with_each_metric() -> Vec<McmcOptions> {
    let blocks = vec![(vec![2, 0], MetricShape::Dense), (vec![1], MetricShape::FisherDiagonal)];
    let shapes = [MetricShape::Identity, MetricShape::Diagonal, MetricShape::Dense, MetricShape::Blocks(blocks)];
    let overlapping = shapes.into_iter().map(|metric| McmcOptions { metric, ..short() });
    overlapping.chain([McmcOptions { adaptation: Adaptation::Stan, ..short() }]).collect()
}
