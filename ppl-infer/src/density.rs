//! The contract of a target: a log-density over a flat, unconstrained vector, and its gradient.

use std::error::Error;

use ppl_core::Dtype;

/// The log of a density over ℝⁿ, up to a constant, with its gradient: all that a sampler asks of a target.
///
/// ```
/// use std::convert::Infallible;
///
/// use ppl_infer::LogDensity;
///
/// struct StandardNormal(usize);
///
/// impl LogDensity<f64> for StandardNormal {
///     type Error = Infallible;
///
///     fn dim(&self) -> usize {
///         self.0
///     }
///
///     fn evaluate(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, Infallible> {
///         gradient.iter_mut().zip(position).for_each(|(g, x)| *g = -x);
///         Ok(-0.5 * position.iter().map(|x| x * x).sum::<f64>())
///     }
/// }
/// ```
pub trait LogDensity<E: Dtype> {
    /// What can go wrong; [`std::convert::Infallible`] where nothing can.
    type Error: Error;

    /// The number of coordinates.
    fn dim(&self) -> usize;

    /// The log-density at a position, up to a constant; its gradient is written over `gradient`. Both
    /// slices have [`dim`](LogDensity::dim) elements.
    ///
    /// −∞, NaN and a gradient that is not finite are values, not errors: a sampler does not go there.
    ///
    /// # Errors
    /// What the caller must mend. It ends the chain.
    fn evaluate(&mut self, position: &[E], gradient: &mut [E]) -> Result<f64, Self::Error>;
}
