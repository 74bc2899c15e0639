//! The logarithm of the probability between two points, from the nearer tail.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::distribution::{Distribution, log_probability};
use crate::dtype::Dtype;
use crate::functions::apply;
use crate::functions::special::Logsubexp;
use crate::tensor::Tensor;

/// ln(F(upper) − F(lower)): −∞ where `upper` is less. A difference of probabilities, or, where these are
/// too small for their digits, of their logarithms.
pub(super) fn log_between<P, S, E, D>(
    base: &P,
    lower: &Tensor<S, E, D>,
    upper: &Tensor<S, E, D>,
) -> Option<Tensor<S, E, D>>
where
    P: Distribution<E, D, Value = Tensor<S, E, D>, Batch = S>,
    S: Shape,
    E: Dtype,
    D: Backend<E>,
{
    let (below, reached) = (base.cdf(lower)?, base.cdf(upper)?);
    let (above, beyond) = (base.survival(lower)?, base.survival(upper)?);
    let low: Vec<bool> = below.read(|p| p.iter().map(|p| p.wide() < 0.5).collect());
    // The larger of the two probabilities, on the side that counts.
    let larger = reached.select(&low, above.clone());
    let between = log_probability((reached - below).select(&low, above - beyond));
    // A NaN stays one.
    let known = |p: &E| p.is_nan() || *p >= E::min_positive_value() / E::epsilon();
    let known: Vec<bool> = larger.read(|p| p.iter().map(known).collect());
    if known.iter().all(|&it| it) {
        return Some(between);
    }
    let difference = |a: Tensor<S, E, D>, b: Tensor<S, E, D>| {
        let shape = a.shape();
        apply(Logsubexp, [a.into_flat(), b.into_flat()], shape)
    };
    let from_below = difference(base.log_cdf(upper)?, base.log_cdf(lower)?);
    let from_above = difference(base.log_survival(lower)?, base.log_survival(upper)?);
    Some(between.select(&known, from_below.select(&low, from_above)))
}
