//! A distribution as the image of another one: what reparameterisation of a site is made of.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::distribution::Distribution;
use crate::dtype::Dtype;
use crate::transform::Map;

/// As the image of which other distribution a distribution is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BaseForm {
    /// Of the same family with location `centered` · loc and scale scale^`centered`, moved and stretched by
    /// the rest: x = loc + scale^(1 − `centered`) · (base − `centered` · loc).
    LocScale {
        /// 0 for all of location and scale in the map, 1 for none.
        centered: f64,
    },
    /// Of one with fewer or simpler parameters, as a transformed distribution is of its base.
    Transform,
}

/// What takes the base of a distribution, whatever its type; the batch is `B`, as the distribution's.
pub trait TakeBase<E: Dtype, D: Backend<E>, B: Shape> {
    /// What it makes of it.
    type Output;

    /// A base, and the one-to-one map that makes of its draws those of the distribution. Gradients reach
    /// the distribution's parameters through both.
    fn take<P: Distribution<E, D, Batch = B>>(self, base: P, map: Map<E, D>) -> Self::Output;
}
