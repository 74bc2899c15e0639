//! Divergences between normal distributions over vectors.

use dfdx::shapes::Shape;

use crate::backend::{Backend, Blocks};
use crate::distribution::{Distribution, Family};
use crate::distributions::shapes::LastAxis;
use crate::distributions::{LowRankMultivariateNormal, MultivariateNormal};
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::ops::{Batch, Triangle, Vectors};
use crate::tensor::{Flat, Tensor};

use super::KlDivergence;
use super::covariances::{Divergence, OfFactor, OfLowRank};

impl<M: Shape, E: Dtype, D: Backend<E>> KlDivergence<MultivariateNormal<M, E, D>, E, D>
    for MultivariateNormal<M, E, D>
{
    #[track_caller]
    fn kl_divergence(&self, other: &MultivariateNormal<M, E, D>) -> Tensor<Batch<M>, E, D> {
        let (p, q) = (self.scale_tril(), other.scale_tril());
        check_shapes("KL(MultivariateNormal ‖ MultivariateNormal)", p.dims(), q.dims());
        // The trace of Σq⁻¹ Σp is the sum of squares of Lq⁻¹ Lp.
        let ratio = q.solve_triangular(&p.tril(0), Triangle::Lower).square();
        let trace = ratio.sum::<Vectors<M>, LastAxis<M>>().sum::<Batch<M>, LastAxis<Vectors<M>>>();
        let distance = q.mahalanobis(&self.loc(), &other.loc());
        let size = self.event_dims().into_iter().product::<usize>() as f64;
        (trace + distance - E::of(size)) * E::of(0.5) + q.log_abs_det_triangular() - p.log_abs_det_triangular()
    }
}

/// A normal distribution over vectors as means and covariances.
trait MeanAndCovariance<E: Dtype, D: Backend<E>>: Distribution<E, D> {
    /// Both, flat.
    fn mean_and_covariance(&self) -> [Flat<E, D>; 2];
}

impl<M: Shape, E: Dtype, D: Backend<E>> MeanAndCovariance<E, D> for MultivariateNormal<M, E, D> {
    fn mean_and_covariance(&self) -> [Flat<E, D>; 2] {
        let n = self.event_dims()[0];
        let count = self.batch_shape().num_elements();
        let covariance = D::blocks(OfFactor { n }, [self.scale_tril().flat()], Blocks::equal(count));
        [self.loc().into_flat(), covariance]
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> MeanAndCovariance<E, D> for LowRankMultivariateNormal<M, E, D> {
    fn mean_and_covariance(&self) -> [Flat<E, D>; 2] {
        let (n, rank) = (self.event_dims()[0], *self.cov_factor().dims().last().expect("a factor has two axes"));
        let count = self.batch_shape().num_elements();
        let parts = [self.cov_factor().flat(), self.cov_diag().into_flat()];
        [self.loc().into_flat(), D::blocks(OfLowRank { n, rank }, parts, Blocks::equal(count))]
    }
}

/// Pairs of which at least one is of low rank: through the n × n covariances.
macro_rules! by_covariances {
    ($($P:ident, $Q:ident;)+) => {$(
        impl<M, N, E, D> KlDivergence<$Q<N, E, D>, E, D> for $P<M, E, D>
        where
            M: Shape,
            N: Shape,
            E: Dtype,
            D: Backend<E>,
        {
            #[track_caller]
            fn kl_divergence(&self, other: &$Q<N, E, D>) -> Tensor<Batch<M>, E, D> {
                let name = concat!("KL(", stringify!($P), " ‖ ", stringify!($Q), ")");
                check_shapes(name, vector_dims(self), vector_dims(other));
                let ([loc, covariance], [other_loc, other]) = (self.mean_and_covariance(), other.mean_and_covariance());
                let (shape, n) = (self.batch_shape(), self.event_dims()[0]);
                let args = [loc, covariance, other_loc, other];
                D::blocks(Divergence { n }, args, Blocks::equal(shape.num_elements())).reshape_like(&shape)
            }
        }
    )+};
}

by_covariances! {
    LowRankMultivariateNormal, LowRankMultivariateNormal;
    LowRankMultivariateNormal, MultivariateNormal;
    MultivariateNormal, LowRankMultivariateNormal;
}

/// Between two of these families without their types, through the covariances.
pub(super) fn registered<E: Dtype, D: Backend<E>>(p: &Family<E, D>, q: &Family<E, D>) -> Option<Flat<E, D>> {
    let ([loc, covariance], [other_loc, other]) = (mean_and_covariance(p)?, mean_and_covariance(q)?);
    let divergence = Divergence { n: p.event };
    Some(D::blocks(divergence, [loc, covariance, other_loc, other], Blocks::equal(p.len)))
}

/// Means and covariances of a family without its type, where it is one over vectors.
fn mean_and_covariance<E: Dtype, D: Backend<E>>(family: &Family<E, D>) -> Option<[Flat<E, D>; 2]> {
    let (n, blocks) = (family.event, Blocks::equal(family.len));
    match (family.name, &family.parameters[..]) {
        ("MultivariateNormal", [loc, factor]) => {
            Some([loc.clone(), D::blocks(OfFactor { n }, [factor.clone()], blocks)])
        }
        ("LowRankMultivariateNormal", [loc, factor, diagonal]) => {
            let of = OfLowRank { n, rank: factor.numel() / diagonal.numel().max(1) };
            Some([loc.clone(), D::blocks(of, [factor.clone(), diagonal.clone()], Blocks::equal(family.len))])
        }
        _ => None,
    }
}

/// The sizes of values.
fn vector_dims<E: Dtype, D: Backend<E>>(normal: &impl Distribution<E, D>) -> Vec<usize> {
    let mut dims: Vec<usize> = normal.batch_shape().concrete().into();
    dims.extend(normal.event_dims());
    dims
}

#[track_caller]
fn check_shapes(operation: &'static str, left: Vec<usize>, right: Vec<usize>) {
    if left != right {
        panic!("{}", ShapeError { operation, problem: "the two have different shapes", left, right });
    }
}
