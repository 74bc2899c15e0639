//! A diagonal inverse mass matrix: a variance for each coordinate.

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use serde::{Deserialize, Serialize};

use super::{InvalidMetric, standard_normals};

/// A diagonal inverse mass matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiagonalMetric<E> {
    variances: Vec<E>,
    deviations: Vec<E>,
}

impl<E: Dtype> DiagonalMetric<E> {
    /// The metric with these variances.
    ///
    /// # Errors
    /// If one of them is not positive and finite, in the element type.
    pub fn new(variances: &[f64]) -> Result<Self, InvalidMetric> {
        let is_sound = |v: f64| E::of(v).is_normal() && v > 0.0;
        if let Some(coordinate) = variances.iter().position(|&v| !is_sound(v)) {
            return Err(InvalidMetric::Variance { coordinate, value: variances[coordinate] });
        }
        let of = |f: fn(f64) -> f64| variances.iter().map(|&v| E::of(f(v))).collect();
        Ok(DiagonalMetric { variances: of(|v| v), deviations: of(f64::sqrt) })
    }

    /// The number of coordinates.
    pub fn dim(&self) -> usize {
        self.variances.len()
    }

    /// The diagonal of the inverse mass matrix.
    pub fn variances(&self) -> &[E] {
        &self.variances
    }

    pub(super) fn velocity(&self, momentum: &[E], velocity: &mut [E]) {
        let products = momentum.iter().zip(&self.variances);
        velocity.iter_mut().zip(products).for_each(|(out, (&p, &v))| *out = v * p);
    }

    pub(super) fn draw_momentum(&self, rng: &mut Rng, momentum: &mut [E]) {
        standard_normals(rng, momentum);
        momentum.iter_mut().zip(&self.deviations).for_each(|(p, &sd)| *p /= sd);
    }

    pub(super) fn draw_displacement(&self, rng: &mut Rng, displacement: &mut [E]) {
        standard_normals(rng, displacement);
        displacement.iter_mut().zip(&self.deviations).for_each(|(x, &sd)| *x *= sd);
    }
}
