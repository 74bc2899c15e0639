//! The Wishart distribution of positive-definite matrices.

use std::f64::consts::LN_2;
use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::{Backend, Blocks};
use crate::constraint::{GreaterThan, PositiveDefinite, Support, symmetry_slack};
use crate::distribution::{Distribution, Expand, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::ops::Batch;
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::bartlett::{self, Dual4, Entropy, Moment, Rounding};
use super::scale_matrix::{ScaleMatrix, batch_of};
use super::shapes::{check_value_shape, number_at};

// Densities and draws of one matrix.
mod element;

use element::{Draw, LogProb, weights};

/// Symmetric positive-definite n × n matrices: for a whole number `df`, the sum of x xᵀ over `df` vectors of
/// the normal distribution with mean 0 and covariance V.
///
/// Density: |X|^((df − n − 1)/2) exp(−½ tr(V⁻¹ X)) / (2^(n df/2) |V|^(df/2) Γₙ(df/2)), with respect to the
/// entries on and below the diagonal. The mean is df V.
///
/// Shapes: V and values have the batch's axes and two more of n elements each; `df`, above n − 1, has the
/// batch's shape or is one number. Only the lower triangle of a factor is read.
///
/// Draws carry gradients to all parameters. Where rounding leaves a draw without a Cholesky factor, as
/// that of many with `df` near n − 1, its diagonal is raised by the few units in the last place it takes.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Wishart};
/// let wishart = Wishart::new(5.0, Tensor::<_, f64>::from([[2.0, 0.5], [0.5, 1.0]]));
/// assert_eq!(wishart.mean().unwrap().to_vec(), [10.0, 2.5, 2.5, 5.0]);
/// ```
///
/// Reference: Anderson, *An Introduction to Multivariate Statistical Analysis*, ch. 7; draws and their
/// gradients are by Bartlett's decomposition.
#[derive(Clone, Debug)]
pub struct Wishart<M: Shape, E: Dtype, D: Backend<E>> {
    df: Operand<Batch<M>, E, D>,
    scale: ScaleMatrix<M, E, D>,
}

const NAME: &str = "Wishart";

impl<M: Shape, E: Dtype, D: Backend<E>> Wishart<M, E, D> {
    /// Degrees of freedom, above n − 1, and the covariance V of the vectors.
    ///
    /// # Panics
    /// If the matrix is not square, or `df` is neither a number nor of the batch's shape.
    #[track_caller]
    pub fn new(df: impl IntoTensor<Batch<M>, E, D>, covariance_matrix: impl IntoTensor<M, E, D>) -> Self {
        let matrix = covariance_matrix.into_operand();
        Self::made(df.into_operand(), ScaleMatrix::from_matrix(NAME, "covariance_matrix", matrix))
    }

    /// Degrees of freedom and the precision V⁻¹.
    ///
    /// # Panics
    /// As [`Wishart::new`].
    #[track_caller]
    pub fn from_precision(df: impl IntoTensor<Batch<M>, E, D>, precision_matrix: impl IntoTensor<M, E, D>) -> Self {
        let matrix = precision_matrix.into_operand();
        Self::made(df.into_operand(), ScaleMatrix::from_inverse(NAME, "precision_matrix", matrix))
    }

    /// Degrees of freedom and the lower Cholesky factor of V, with a positive diagonal: the cheapest
    /// and most exact form.
    ///
    /// # Panics
    /// As [`Wishart::new`].
    #[track_caller]
    pub fn from_scale_tril(df: impl IntoTensor<Batch<M>, E, D>, scale_tril: impl IntoTensor<M, E, D>) -> Self {
        Self::made(df.into_operand(), ScaleMatrix::from_tril(NAME, scale_tril.into_operand()))
    }

    #[track_caller]
    fn made(df: Operand<Batch<M>, E, D>, scale: ScaleMatrix<M, E, D>) -> Self {
        if let Operand::Full(df) = &df {
            check_value_shape(NAME, df.shape(), scale.batch());
        }
        Wishart { df, scale }
    }

    /// The degrees of freedom.
    pub fn df(&self) -> Tensor<Batch<M>, E, D> {
        self.df.spread(self.scale.batch())
    }

    /// The lower Cholesky factor of V.
    pub fn scale_tril(&self) -> &Tensor<M, E, D> {
        self.scale.tril()
    }

    /// V.
    pub fn covariance_matrix(&self) -> Tensor<M, E, D> {
        self.scale.matrix()
    }

    fn count(&self) -> usize {
        self.scale.batch().num_elements()
    }

    fn moment(&self, formula: fn(f64, [Dual4; 4]) -> Dual4) -> Option<Tensor<M, E, D>> {
        let args = [self.df().into_flat(), self.covariance_matrix().into_flat()];
        let moments = D::blocks(Moment { n: self.scale.size(), formula }, args, Blocks::equal(self.count()));
        Some(moments.reshape_like(&self.scale.tril().shape()))
    }
}

impl<M: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for Wishart<M, E, D> {
    type Expanded = Wishart<R, E, D>;
    type ExpandedBatch = Batch<R>;

    /// The last two axes of `shape` are those of the matrices.
    #[track_caller]
    fn expand(&self, shape: R) -> Wishart<R, E, D> {
        Wishart { df: self.df.expand(batch_of(shape)), scale: self.scale.expand(shape) }
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Wishart<M, E, D> {
    type Value = Tensor<M, E, D>;
    type Batch = Batch<M>;

    fn name(&self) -> &'static str {
        NAME
    }

    fn batch_shape(&self) -> Batch<M> {
        self.scale.batch()
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.scale.size(); 2]
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<M, E, D> {
        let (n, df) = (self.scale.size(), self.df().into_flat());
        let dfs: Vec<f64> = df.read(|df| df.iter().map(|v| v.wide()).collect());
        let noise = Flat::vector(bartlett::noise(&dfs, n, rng));
        let args = [df, self.scale.tril().flat(), noise];
        let draw = Draw { n, rounding: Rounding::of::<E>() };
        D::blocks(draw, args, Blocks::equal(self.count())).reshape_like(&self.scale.tril().shape())
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Tensor<M, E, D>) -> Tensor<Batch<M>, E, D> {
        check_value_shape(NAME, value.shape(), self.scale.tril().shape());
        let args = [value.flat(), self.df().into_flat(), self.scale.tril().flat()];
        let log_prob = LogProb { n: self.scale.size(), slack: symmetry_slack::<E>() };
        D::blocks(log_prob, args, Blocks::equal(self.count())).reshape_like(&self.batch_shape())
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(PositiveDefinite)
    }

    fn mean(&self) -> Option<Tensor<M, E, D>> {
        self.moment(|_, [df, v, _, _]| df * v)
    }

    fn variance(&self) -> Option<Tensor<M, E, D>> {
        self.moment(|_, [df, v, ii, jj]| df * (v.square() + ii * jj))
    }

    fn entropy(&self) -> Option<Tensor<Batch<M>, E, D>> {
        let n = self.scale.size();
        let entropy = Entropy { n, weights: weights(n) };
        let own = D::blocks(entropy, [self.df().into_flat()], Blocks::equal(self.count()));
        let volume = self.scale.tril().log_abs_det_triangular() * E::of(n as f64 + 1.0);
        let constant = E::of(0.5 * (n * (n + 1)) as f64 * LN_2);
        Some(own.reshape_like(&self.batch_shape()) + volume + constant)
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("df", &self.df, &GreaterThan(self.scale.size() as f64 - 1.0))?;
        self.scale.check()
    }

    /// The degrees of freedom and the first entry of the factor.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![("df", number_at(&self.df, element)), ("scale_tril", self.scale.corner(element))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::Gamma;
    use crate::{Cpu, Rank1, Rank2, Rank3};

    type Plain = Wishart<Rank2<2, 2>, f64, Cpu>;

    fn spread() -> Tensor<Rank2<2, 2>, f64, Cpu> {
        Tensor::from([[2.0, 0.5], [0.5, 1.0]])
    }

    #[test]
    fn with_one_row_it_is_a_gamma_distribution() {
        let wishart = Wishart::<Rank2<1, 1>, f64, Cpu>::new(0.75, Tensor::from([[4.0]]));
        let gamma = Gamma::<(), f64, Cpu>::new(0.375, 0.125);
        for x in [1e-200, 0.25, 3.0, 400.0] {
            let (one, other) =
                (wishart.log_prob(&Tensor::from([[x]])).item(), gamma.log_prob(&Tensor::scalar(x)).item());
            assert!((one - other).abs() < 1e-13 * other.abs().max(1.0), "{x}: {one}, {other}");
        }
        let difference = wishart.entropy().unwrap().item() - gamma.entropy().unwrap().item();
        assert!(difference.abs() < 1e-14);
    }

    #[test]
    fn a_parameter_that_is_none_of_its_kind_is_named() {
        let flat = Tensor::from([[1.0, 2.0], [2.0, 1.0]]);
        let named = |wishart: Plain| wishart.check_parameters().unwrap_err().parameter;
        assert_eq!(named(Wishart::new(3.0, &flat)), "covariance_matrix");
        assert_eq!(named(Wishart::from_precision(3.0, &flat)), "precision_matrix");
        assert_eq!(named(Wishart::from_scale_tril(3.0, &flat)), "scale_tril");
        assert_eq!(named(Wishart::new(1.0, spread())), "df");
        assert!(Plain::new(1.0, spread()).log_prob(&spread()).item().is_nan());
    }

    // Most of these have a second pivot below the rounding of the entries.
    #[test]
    fn nearly_singular_draws_are_positive_definite() {
        let one = Wishart::<Rank2<2, 2>, f32, Cpu>::new(1.001, Tensor::from([[2.0, 0.5], [0.5, 1.0]]));
        let draws = one.expand((2000usize, 2usize, 2usize)).draw(&mut Rng::seed(3));
        let support: Support<f32, Cpu> = Arc::new(PositiveDefinite);
        assert_eq!(support.violation(&draws.to_vec(), &draws.dims()), None);
    }

    #[test]
    fn a_larger_batch_repeats_the_parameters() {
        let df = Tensor::<Rank1<2>, f64, Cpu>::from([3.0, 4.0]);
        let both = Wishart::<Rank3<2, 2, 2>, _, _>::new(&df, spread().expand(Rank3::default()));
        let many = both.expand((3usize, 2usize, 2usize, 2usize));
        assert_eq!(many.df().to_vec(), [3.0, 4.0, 3.0, 4.0, 3.0, 4.0]);
        assert_eq!(many.entropy().unwrap().to_vec()[2..4], both.entropy().unwrap().to_vec());
        assert_eq!(both.covariance_matrix().to_vec()[..4], [2.0, 0.5, 0.5, 1.0]);
    }

    #[test]
    #[should_panic(expected = "Wishart: a matrix of shape [2, 3] is not square")]
    fn a_matrix_is_square() {
        let _ = Wishart::new(3.0, Tensor::<Rank2<2, 3>, f64, Cpu>::zeros());
    }
}
