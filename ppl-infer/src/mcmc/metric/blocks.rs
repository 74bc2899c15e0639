//! A partition of the coordinates, each part with a metric of its own.

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use serde::{Deserialize, Serialize};

use super::{InvalidMetric, Metric};

/// Some coordinates and their metric.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block<E> {
    coordinates: Vec<usize>,
    metric: Metric<E>,
    /// The coordinates' momenta, gathered, and what becomes of them.
    gathered: Vec<E>,
    result: Vec<E>,
}

/// Makes blocks, if they name each coordinate once.
pub(super) fn partition<E: Dtype>(blocks: Vec<(Vec<usize>, Metric<E>)>) -> Result<Vec<Block<E>>, InvalidMetric> {
    let dim: usize = blocks.iter().map(|(coordinates, _)| coordinates.len()).sum();
    let named: Vec<usize> = blocks.iter().flat_map(|(coordinates, _)| coordinates.iter().copied()).collect();
    let mut times = vec![0; dim];
    named.iter().filter(|&&at| at < dim).for_each(|&at| times[at] += 1);
    if let Some(coordinate) = times.iter().position(|&times| times != 1) {
        return Err(InvalidMetric::Partition { coordinate, times: times[coordinate] });
    }
    let wrong = |(coordinates, metric): &(Vec<usize>, Metric<E>)| coordinates.len() != metric.dim();
    if let Some(block) = blocks.iter().position(wrong) {
        let (coordinates, metric) = &blocks[block];
        return Err(InvalidMetric::Block { block, coordinates: coordinates.len(), dim: metric.dim() });
    }
    Ok(blocks.into_iter().map(|(coordinates, metric)| Block::new(coordinates, metric)).collect())
}

impl<E: Dtype> Block<E> {
    fn new(coordinates: Vec<usize>, metric: Metric<E>) -> Self {
        let zeros = vec![E::of(0.0); coordinates.len()];
        Block { coordinates, metric, gathered: zeros.clone(), result: zeros }
    }

    /// How many coordinates there are.
    pub fn dim(&self) -> usize {
        self.coordinates.len()
    }

    /// The coordinates, in the order of the metric.
    pub fn coordinates(&self) -> &[usize] {
        &self.coordinates
    }

    /// The metric of these coordinates.
    pub fn metric(&self) -> &Metric<E> {
        &self.metric
    }

    pub(super) fn velocity(&mut self, momentum: &[E], velocity: &mut [E]) {
        self.gathered.iter_mut().zip(&self.coordinates).for_each(|(p, &at)| *p = momentum[at]);
        self.metric.velocity(&self.gathered, &mut self.result);
        self.scatter(velocity);
    }

    pub(super) fn draw_momentum(&mut self, rng: &mut Rng, momentum: &mut [E]) {
        self.metric.draw_momentum(rng, &mut self.result);
        self.scatter(momentum);
    }

    pub(super) fn draw_displacement(&mut self, rng: &mut Rng, displacement: &mut [E]) {
        self.metric.draw_displacement(rng, &mut self.result);
        self.scatter(displacement);
    }

    fn scatter(&self, out: &mut [E]) {
        self.coordinates.iter().zip(&self.result).for_each(|(&at, &result)| out[at] = result);
    }
}
