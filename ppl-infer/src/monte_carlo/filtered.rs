//! What a particle filter leaves: the particles of every time, their weights and their parents.

use rand::RngCore;

use super::resampling::Resampling;
use super::weights::{Estimate, Weights};

/// The particles of one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation<X> {
    pub(super) states: Vec<X>,
    pub(super) parents: Vec<usize>,
    pub(super) weights: Weights,
    pub(super) resampled: bool,
}

impl<X> Generation<X> {
    /// The states of the particles.
    pub fn states(&self) -> &[X] {
        &self.states
    }

    /// The number of each particle's parent at the time before; empty at time 0.
    pub fn parents(&self) -> &[usize] {
        &self.parents
    }

    /// The weights of the particles given the data up to this time.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Whether the parents were chosen by their weights, because those had become too unequal.
    pub fn resampled(&self) -> bool {
        self.resampled
    }

    /// ln p(data of this time | data before), as the particles estimate it.
    pub fn log_evidence(&self) -> f64 {
        self.weights.log_sum()
    }

    /// The filtered mean of a function of the state: given the data up to this time. Its standard error is that of
    /// independent particles, which those of a common parent are not quite.
    pub fn mean(&self, f: impl FnMut(&X) -> f64) -> Estimate {
        self.weights.mean(self.states.iter().map(f))
    }
}

/// What a particle filter found: all particles of all times.
#[derive(Clone, Debug, PartialEq)]
pub struct Filtered<X> {
    pub(super) generations: Vec<Generation<X>>,
}

impl<X> Filtered<X> {
    /// The times, from 0 on.
    pub fn generations(&self) -> &[Generation<X>] {
        &self.generations
    }

    /// The log-evidence of all data. Its exponential is unbiased, whatever the number of particles and whenever they are
    /// resampled; the logarithm is too low by half its variance or so. How far off it is, other seeds tell.
    ///
    /// Del Moral, *Feynman-Kac Formulae* (2004), theorem 7.4.2.
    pub fn log_evidence(&self) -> f64 {
        self.generations.iter().map(Generation::log_evidence).sum()
    }

    /// The states that led to a particle of the last time, and that particle's.
    ///
    /// # Panics
    /// If there is no particle of that number.
    pub fn trajectory(&self, particle: usize) -> Vec<&X> {
        let numbers = self.ancestry(particle);
        self.generations.iter().zip(numbers).map(|(generation, at)| &generation.states[at]).collect()
    }

    /// The numbers of the particles that led to a particle of the last time, and its own.
    ///
    /// # Panics
    /// If there is no particle of that number.
    pub fn ancestry(&self, particle: usize) -> Vec<usize> {
        let mut numbers = vec![particle; self.generations.len()];
        for time in (1..self.generations.len()).rev() {
            numbers[time - 1] = self.generations[time].parents[numbers[time]];
        }
        numbers
    }

    /// For each particle of the last time, the number of its ancestor at a time.
    ///
    /// # Panics
    /// If there is no such time.
    pub fn ancestors(&self, time: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.last().states.len()).collect();
        for generation in self.generations[time + 1..].iter().rev() {
            numbers.iter_mut().for_each(|number| *number = generation.parents[*number]);
        }
        numbers
    }

    /// How many particles of a time have descendants at the last one: where they are few, means given all data are
    /// means of few.
    ///
    /// # Panics
    /// If there is no such time.
    pub fn survivors(&self, time: usize) -> usize {
        let mut numbers = self.ancestors(time);
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len()
    }

    /// The smoothed mean of a function of the state at a time: given all data. See [`survivors`](Filtered::survivors).
    ///
    /// # Panics
    /// If there is no such time.
    pub fn smoothed_mean(&self, time: usize, mut f: impl FnMut(&X) -> f64) -> f64 {
        let states = &self.generations[time].states;
        self.last().weights.mean(self.ancestors(time).into_iter().map(|at| f(&states[at]))).mean
    }

    /// The number of a particle of the last time, drawn by its weight.
    pub fn draw(&self, rng: &mut dyn RngCore) -> usize {
        self.last().weights.resample(Resampling::Multinomial, 1, rng)[0]
    }

    fn last(&self) -> &Generation<X> {
        self.generations.last().expect("a filter has run over at least one datum")
    }
}
