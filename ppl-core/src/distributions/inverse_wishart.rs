//! The inverse Wishart distribution of positive-definite matrices.

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

use super::bartlett::{self, Dual4, Entropy, Moment, Rounding, Weights};
use super::scale_matrix::{ScaleMatrix, batch_of};
use super::shapes::{check_value_shape, number_at};
use super::univariate::Dual;

// Densities and draws of one matrix.
mod element;

use element::{Draw, LogProb, WEIGHTS};

/// Symmetric positive-definite n × n matrices whose inverses have the Wishart distribution with the same
/// `df` and covariance Ψ⁻¹: the conjugate prior of a normal distribution's covariance.
///
/// Density: |Ψ|^(df/2) |X|^(−(df + n + 1)/2) exp(−½ tr(Ψ X⁻¹)) / (2^(n df/2) Γₙ(df/2)), with respect to
/// the entries on and below the diagonal.
///
/// The mean Ψ / (df − n − 1) exists for `df` above n + 1, the variances for `df` above n + 3; they are NaN
/// else.
///
/// Shapes: Ψ and values have the batch's axes and two more of n elements each; `df`, above n − 1, has the
/// batch's shape or is one number. Only the lower triangle of a factor is read.
///
/// Draws carry gradients to all parameters. Where rounding leaves a draw without a Cholesky factor, as
/// that of many with `df` near n − 1, its diagonal is raised by the few units in the last place it takes.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::InverseWishart};
/// let prior = InverseWishart::new(5.0, Tensor::<_, f64>::from([[2.0, 0.5], [0.5, 1.0]]));
/// assert_eq!(prior.mean().unwrap().to_vec(), [1.0, 0.25, 0.25, 0.5]);
/// ```
///
/// Reference: Gelman et al., *Bayesian Data Analysis*, appendix A; variances: von Rosen, *Moments for the
/// inverted Wishart distribution*, 1988. Draws and their gradients are by Bartlett's decomposition.
#[derive(Clone, Debug)]
pub struct InverseWishart<M: Shape, E: Dtype, D: Backend<E>> {
    df: Operand<Batch<M>, E, D>,
    scale: ScaleMatrix<M, E, D>,
}

const NAME: &str = "InverseWishart";

impl<M: Shape, E: Dtype, D: Backend<E>> InverseWishart<M, E, D> {
    /// Degrees of freedom, above n − 1, and the scale matrix Ψ.
    ///
    /// # Panics
    /// If the matrix is not square, or `df` is neither a number nor of the batch's shape.
    #[track_caller]
    pub fn new(df: impl IntoTensor<Batch<M>, E, D>, scale_matrix: impl IntoTensor<M, E, D>) -> Self {
        let matrix = scale_matrix.into_operand();
        Self::made(df.into_operand(), ScaleMatrix::from_matrix(NAME, "scale_matrix", matrix))
    }

    /// Degrees of freedom and the lower Cholesky factor of Ψ, with a positive diagonal: the cheapest
    /// and most exact form.
    ///
    /// # Panics
    /// As [`InverseWishart::new`].
    #[track_caller]
    pub fn from_scale_tril(df: impl IntoTensor<Batch<M>, E, D>, scale_tril: impl IntoTensor<M, E, D>) -> Self {
        Self::made(df.into_operand(), ScaleMatrix::from_tril(NAME, scale_tril.into_operand()))
    }

    #[track_caller]
    fn made(df: Operand<Batch<M>, E, D>, scale: ScaleMatrix<M, E, D>) -> Self {
        if let Operand::Full(df) = &df {
            check_value_shape(NAME, df.shape(), scale.batch());
        }
        InverseWishart { df, scale }
    }

    /// The degrees of freedom.
    pub fn df(&self) -> Tensor<Batch<M>, E, D> {
        self.df.spread(self.scale.batch())
    }

    /// The lower Cholesky factor of Ψ.
    pub fn scale_tril(&self) -> &Tensor<M, E, D> {
        self.scale.tril()
    }

    /// Ψ.
    pub fn scale_matrix(&self) -> Tensor<M, E, D> {
        self.scale.matrix()
    }

    fn count(&self) -> usize {
        self.scale.batch().num_elements()
    }

    fn moment(&self, formula: fn(f64, [Dual4; 4]) -> Dual4) -> Option<Tensor<M, E, D>> {
        let args = [self.df().into_flat(), self.scale_matrix().into_flat()];
        let moments = D::blocks(Moment { n: self.scale.size(), formula }, args, Blocks::equal(self.count()));
        Some(moments.reshape_like(&self.scale.tril().shape()))
    }
}

impl<M: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for InverseWishart<M, E, D> {
    type Expanded = InverseWishart<R, E, D>;
    type ExpandedBatch = Batch<R>;

    /// The last two axes of `shape` are those of the matrices.
    #[track_caller]
    fn expand(&self, shape: R) -> InverseWishart<R, E, D> {
        InverseWishart { df: self.df.expand(batch_of(shape)), scale: self.scale.expand(shape) }
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for InverseWishart<M, E, D> {
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
        self.moment(|n, [df, psi, _, _]| above(df, n + 1.0, |df| psi / (df - (n + 1.0))))
    }

    fn variance(&self) -> Option<Tensor<M, E, D>> {
        self.moment(|n, [df, psi, ii, jj]| above(df, n + 3.0, |df| variance(n, [df, psi, ii, jj])))
    }

    fn entropy(&self) -> Option<Tensor<Batch<M>, E, D>> {
        let n = self.scale.size();
        let axes = n as f64 + 1.0;
        // The change from A to the entries of X adds the determinant of X to that of A.
        let entropy = Entropy { n, weights: Weights { each: WEIGHTS.each + 0.5 * axes } };
        let own = D::blocks(entropy, [self.df().into_flat()], Blocks::equal(self.count()));
        let volume = self.scale.tril().log_abs_det_triangular() * E::of(axes);
        let constant = E::of(0.5 * axes * n as f64 * LN_2);
        Some(own.reshape_like(&self.batch_shape()) + volume - constant)
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

/// A moment that exists for `df` above a bound; NaN else.
fn above(df: Dual4, bound: f64, moment: impl FnOnce(Dual4) -> Dual4) -> Dual4 {
    if df.value > bound { moment(df) } else { Dual::constant(f64::NAN) }
}

/// ((df − n + 1) Ψᵢⱼ² + (df − n − 1) Ψᵢᵢ Ψⱼⱼ) / ((df − n) (df − n − 1)² (df − n − 3)).
fn variance(n: f64, [df, psi, ii, jj]: [Dual4; 4]) -> Dual4 {
    let extra = df - n;
    let numerator = (extra + 1.0) * psi.square() + (extra - 1.0) * (ii * jj);
    numerator / (extra - 1.0).square() / extra / (extra - 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distributions::{InverseGamma, Wishart};
    use crate::{Cpu, Rank2};

    type Plain = InverseWishart<Rank2<2, 2>, f64, Cpu>;

    fn spread() -> Tensor<Rank2<2, 2>, f64, Cpu> {
        Tensor::from([[2.0, 0.5], [0.5, 1.0]])
    }

    #[test]
    fn with_one_row_it_is_an_inverse_gamma_distribution() {
        let wishart = InverseWishart::<Rank2<1, 1>, f64, Cpu>::new(0.75, Tensor::from([[4.0]]));
        let gamma = InverseGamma::<(), f64, Cpu>::new(0.375, 2.0);
        for x in [1e-2, 0.25, 3.0, 1e200] {
            let (one, other) =
                (wishart.log_prob(&Tensor::from([[x]])).item(), gamma.log_prob(&Tensor::scalar(x)).item());
            assert!((one - other).abs() < 1e-13 * other.abs().max(1.0), "{x}: {one}, {other}");
        }
        let difference = wishart.entropy().unwrap().item() - gamma.entropy().unwrap().item();
        assert!(difference.abs() < 1e-14);
    }

    /// The largest difference of two gradients, as a share of the largest entry.
    fn apart(found: &[f64], expected: &[f64]) -> f64 {
        let largest = expected.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest
    }

    // |X|^(n + 1) is the Jacobian of the inverse. From 16 rows on other code multiplies and solves.
    #[test]
    fn it_is_the_distribution_of_inverses() {
        for n in [2, 20] {
            let some = Wishart::from_scale_tril(n as f64 + 3.0, Tensor::<(usize, usize), f64, Cpu>::eye_like((n, n)));
            let mut rng = Rng::seed(7);
            let (x, psi) = (some.draw(&mut rng).tracked(), some.draw(&mut rng).tracked());
            let df = Tensor::<(), f64, Cpu>::scalar(n as f64 + 0.5).tracked();
            let (found, gradient) = grad(|| InverseWishart::new(&df, &psi).log_prob(&x));
            let (expected, other) = grad(|| {
                let inverse = Wishart::from_precision(&df, &psi).log_prob(&x.matrix_inverse());
                inverse - x.logdet() * (n as f64 + 1.0)
            });
            assert!((found.item() / expected.item() - 1.0).abs() < 1e-11, "{n}: {found:?}, {expected:?}");
            for leaf in [&x, &psi] {
                let [found, expected] = [&gradient, &other].map(|g| g.get(leaf).unwrap().to_vec());
                assert!(apart(&found, &expected) < 1e-9, "{n}: {}", apart(&found, &expected));
            }
            let [found, expected] = [&gradient, &other].map(|g| g.get(&df).unwrap().item());
            assert!((found / expected - 1.0).abs() < 1e-10, "{n}: {found}, {expected}");
        }
    }

    #[test]
    fn moments_that_do_not_exist_are_nan() {
        let moments = |df: f64| {
            let inverse = Plain::new(df, spread());
            let exists = |moment: Option<Tensor<_, _, _>>| moment.unwrap().to_vec().iter().all(|v: &f64| !v.is_nan());
            (exists(inverse.mean()), exists(inverse.variance()))
        };
        assert_eq!([moments(3.0), moments(4.0), moments(6.0)], [(false, false), (true, false), (true, true)]);
    }

    #[test]
    fn a_parameter_that_is_none_of_its_kind_is_named() {
        let flat = Tensor::from([[1.0, 2.0], [2.0, 1.0]]);
        let named = |inverse: Plain| inverse.check_parameters().unwrap_err().parameter;
        assert_eq!(named(InverseWishart::new(3.0, &flat)), "scale_matrix");
        assert_eq!(named(InverseWishart::from_scale_tril(3.0, &flat)), "scale_tril");
        assert_eq!(named(InverseWishart::new(f64::NAN, spread())), "df");
    }

    // Most of these have a second pivot below the rounding of the entries.
    #[test]
    fn nearly_singular_draws_are_positive_definite() {
        let one = InverseWishart::<Rank2<2, 2>, f32, Cpu>::new(1.5, Tensor::from([[2.0, 0.5], [0.5, 1.0]]));
        let draws = one.expand((2000usize, 2usize, 2usize)).draw(&mut Rng::seed(3));
        let support: Support<f32, Cpu> = Arc::new(PositiveDefinite);
        assert_eq!(support.violation(&draws.to_vec(), &draws.dims()), None);
    }
}
