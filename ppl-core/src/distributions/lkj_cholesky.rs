//! The LKJ distribution of correlation matrices, by their Cholesky factors.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::{Backend, BlockFunction, Blocks};
use crate::constraint::{CorrCholesky, Positive, Support};
use crate::distribution::{Distribution, Expand, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::ops::Batch;
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor, shape_from_dims};

use super::scale_matrix::batch_of;
use super::shapes::{batch_shape, check_value_shape, number_at};
use super::standard_gamma::log_standard_gamma;
use super::univariate::draws::draws;

// Densities, moments and draws, row by row.
mod rows;

use rows::{Draw, Entropy, LogProb, Moment, share};

/// Cholesky factors L of random `dim` × `dim` correlation matrices L Lᵀ whose density is proportional to
/// det(L Lᵀ)^(concentration − 1): uniform for a concentration of 1, near the identity for larger ones, and
/// near the singular matrices for smaller ones.
///
/// Density of L, with respect to the entries below the diagonal: Π Lᵢᵢ^(dim − 1 − i + 2 (concentration − 1)) for
/// i = 1, …, dim − 1 (the first row is 0), divided by Π π^(i/2) Γ(aᵢ) / Γ(aᵢ + i/2) with
/// aᵢ = concentration + (dim − 1 − i) / 2. The diagonal has the gradient.
///
/// Shapes: values have the batch's axes and two more of `dim` elements each; `concentration` has the batch's
/// shape or is one number. Draws carry gradients to it.
///
/// ```
/// use ppl_core::{Cpu, Rank2, Tensor, distribution::Distribution, distributions::LKJCholesky};
/// let uniform = LKJCholesky::<Rank2<2, 2>, f64, Cpu>::new(2, 1.0);
/// // The correlation is uniform between −1 and 1.
/// let factor = Tensor::from([[1.0, 0.0], [0.6, 0.8]]);
/// assert!((uniform.log_prob(&factor).item() - 0.5_f64.ln()).abs() < 1e-15);
/// ```
///
/// Reference: Lewandowski, Kurowicka, Joe, *Generating random correlation matrices based on vines and
/// extended onion method*, 2009, whose onion method draws; Stan Functions Reference, *Cholesky LKJ correlation
/// distribution*.
#[derive(Clone, Debug)]
pub struct LKJCholesky<M: Shape, E: Dtype, D: Backend<E>> {
    shape: M,
    concentration: Operand<Batch<M>, E, D>,
}

const NAME: &str = "LKJCholesky";

impl<M: Shape, E: Dtype, D: Backend<E>> LKJCholesky<M, E, D> {
    /// Factors of `dim` rows, in a batch of the shape of `concentration`. The sizes are part of the type
    /// too, and may be fixed there: `LKJCholesky::<Rank2<3, 3>, f64, Cpu>::new(3, 2.0)`.
    ///
    /// # Panics
    /// If the matrices' type fixes other sizes than `dim` rows and columns, or `concentration` is one
    /// number for a batch with axes: then use [`LKJCholesky::filled`].
    #[track_caller]
    pub fn new(dim: usize, concentration: impl IntoTensor<Batch<M>, E, D>) -> Self {
        let concentration = concentration.into_operand();
        let batch = batch_shape(NAME, &[("concentration", &concentration)]);
        let dims = [batch.concrete().into(), vec![dim, dim]].concat();
        match shape_from_dims(&dims) {
            Some(shape) => LKJCholesky { shape, concentration },
            None => panic!("{NAME}: the matrices' type does not hold those of shape {dims:?}"),
        }
    }

    /// Factors of this shape, (.., dim, dim).
    ///
    /// # Panics
    /// If it is not square, or `concentration` is neither a number nor of the batch's shape.
    #[track_caller]
    pub fn filled(shape: M, concentration: impl IntoTensor<Batch<M>, E, D>) -> Self {
        let (concentration, dims): (_, Vec<usize>) = (concentration.into_operand(), shape.concrete().into());
        let square = dims.len() >= 2 && dims[dims.len() - 1] == dims[dims.len() - 2];
        assert!(square, "{NAME}: a matrix of shape {dims:?} is not square");
        if let Operand::Full(concentration) = &concentration {
            check_value_shape(NAME, concentration.shape(), batch_of(shape));
        }
        LKJCholesky { shape, concentration }
    }

    /// The number of rows.
    pub fn dim(&self) -> usize {
        self.shape.concrete().into().last().copied().unwrap_or(1)
    }

    /// The concentration.
    pub fn concentration(&self) -> Tensor<Batch<M>, E, D> {
        self.concentration.spread(batch_of(self.shape))
    }

    /// A function of the concentrations.
    fn map<R: Shape, F: BlockFunction<1>>(&self, f: F, shape: R) -> Tensor<R, E, D> {
        let count = batch_of(self.shape).num_elements();
        D::blocks(f, [self.concentration().into_flat()], Blocks::equal(count)).reshape_like(&shape)
    }
}

impl<M: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for LKJCholesky<M, E, D> {
    type Expanded = LKJCholesky<R, E, D>;
    type ExpandedBatch = Batch<R>;

    /// The last two axes of `shape` are those of the matrices.
    #[track_caller]
    fn expand(&self, shape: R) -> LKJCholesky<R, E, D> {
        let dims: Vec<usize> = shape.concrete().into();
        let dim = self.dim();
        assert!(dims.ends_with(&[dim, dim]), "{NAME}: {dim} rows and columns do not expand to shape {dims:?}");
        LKJCholesky { shape, concentration: self.concentration.expand(batch_of(shape)) }
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for LKJCholesky<M, E, D> {
    type Value = Tensor<M, E, D>;
    type Batch = Batch<M>;

    fn name(&self) -> &'static str {
        NAME
    }

    fn batch_shape(&self) -> Batch<M> {
        batch_of(self.shape)
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.dim(); 2]
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<M, E, D> {
        let (n, flat) = (self.dim(), self.concentration().into_flat());
        let numbers: Vec<f64> = flat.read(|values| values.iter().map(|v| v.wide()).collect());
        let noise = draws(self.shape.num_elements(), rng, |e, rng| {
            let (i, j) = (e / n % n, e % n);
            if j > i || i == 0 {
                return 0.0;
            }
            if j < i {
                return rng.sample(StandardNormal);
            }
            let a = share(numbers[e / (n * n)], n, i);
            log_standard_gamma(a, rng) - a.ln()
        });
        let draw = Draw { n, smallest: E::min_positive_value().wide() };
        let blocks = Blocks::equal(numbers.len());
        D::blocks(draw, [flat, Flat::vector(noise)], blocks).reshape_like(&self.shape)
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Tensor<M, E, D>) -> Tensor<Batch<M>, E, D> {
        check_value_shape(NAME, value.shape(), self.shape);
        let args = [value.flat(), self.concentration().into_flat()];
        let log_prob = LogProb::new::<E>(self.dim());
        let count = batch_of(self.shape).num_elements();
        D::blocks(log_prob, args, Blocks::equal(count)).reshape_like(&self.batch_shape())
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(CorrCholesky)
    }

    /// The mean of each entry: 0 below the diagonal. It is no factor itself.
    fn mean(&self) -> Option<Tensor<M, E, D>> {
        Some(self.map(Moment::Mean(self.dim()), self.shape))
    }

    fn variance(&self) -> Option<Tensor<M, E, D>> {
        Some(self.map(Moment::Variance(self.dim()), self.shape))
    }

    fn entropy(&self) -> Option<Tensor<Batch<M>, E, D>> {
        Some(self.map(Entropy { n: self.dim() }, self.batch_shape()))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("concentration", &self.concentration, &Positive)
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![("concentration", number_at(&self.concentration, element))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cpu, Rank1, Rank2, Rank3};

    #[test]
    fn one_row_has_one_factor() {
        let one = LKJCholesky::<Rank2<1, 1>, f64, Cpu>::new(1, 0.5);
        assert_eq!(one.draw(&mut Rng::seed(0)).array(), [[1.0]]);
        assert_eq!(one.log_prob(&Tensor::from([[1.0]])).item(), 0.0);
    }

    #[test]
    fn the_batch_is_that_of_the_concentration() {
        let concentration = Tensor::<Rank1<2>, f64, Cpu>::from([0.5, 3.0]);
        let lkj = LKJCholesky::<Rank3<2, 4, 4>, _, _>::new(4, &concentration);
        assert_eq!((lkj.dim(), lkj.batch_shape(), lkj.event_dims()), (4, Default::default(), vec![4, 4]));
        let alone = LKJCholesky::<Rank2<4, 4>, f64, Cpu>::new(4, 3.0);
        assert_eq!(lkj.entropy().unwrap().to_vec()[1], alone.entropy().unwrap().item());
        let many = lkj.expand((3usize, 2usize, 4usize, 4usize));
        assert_eq!(many.concentration().to_vec(), [0.5, 3.0, 0.5, 3.0, 0.5, 3.0]);
    }

    // With a concentration of 1e-3 half of the gammas are below 1e-301, far below what a diagonal holds.
    #[test]
    fn nearly_singular_draws_are_factors() {
        let lkj = LKJCholesky::<_, f32, Cpu>::filled((1000usize, 3usize, 3usize), 1e-3);
        let draws = lkj.draw(&mut Rng::seed(1));
        assert_eq!(lkj.support().violation(&draws.to_vec(), &draws.dims()), None);
        assert!(lkj.log_prob(&draws).to_vec().iter().all(|l| l.is_finite()));
    }

    #[test]
    #[should_panic(expected = "LKJCholesky: the matrices' type does not hold those of shape [3, 3]")]
    fn the_type_has_the_sizes() {
        let _ = LKJCholesky::<Rank2<2, 2>, f64, Cpu>::new(3, 1.0);
    }

    #[test]
    #[should_panic(expected = "LKJCholesky: a matrix of shape [2, 3] is not square")]
    fn a_matrix_is_square() {
        let _ = LKJCholesky::<_, f64, Cpu>::filled((2usize, 3usize), 1.0);
    }
}
