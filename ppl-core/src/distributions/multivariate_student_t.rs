//! The multivariate Student's t distribution.

use std::f64::consts::PI;
use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::{Backend, Blocks};
use crate::constraint::{Positive, Real, RealVector, Support};
use crate::distribution::{BaseForm, Distribution, Expand, ParameterError, TakeBase, check_parameter};
use crate::dtype::Dtype;
use crate::ops::{Batch, Vectors};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::scale_matrix::{ScaleMatrix, batch_of, vectors_of};
use super::shapes::{LastAxis, check_value_shape, number_at};
use super::standard_gamma::log_standard_gamma;
use super::univariate::draws::draws;

// Densities, entropies and draws of one element of the batch.
mod element;

use element::{Draw, Entropy, LogProb, Mean, Stretch};

/// Student's t distribution of n numbers with `df` degrees of freedom, moved by `loc` and stretched by L
/// (`scale_tril`): loc + L z / √(c / df) for n standard normal numbers z and c of the χ² distribution with `df`
/// degrees of freedom. L Lᵀ is not the covariance, which is df / (df − 2) as large.
///
/// Density: Γ((df + n)/2) / (Γ(df/2) (π df)^(n/2) det L) · (1 + |L⁻¹(x − loc)|² / df)^(−(df + n)/2).
///
/// The mean exists (is not NaN) for `df` above 1; the variance is finite for `df` above 2, infinite above 1
/// and NaN else. Draws carry gradients to all parameters, to `df` through that of c; those that the dtype
/// cannot hold become its largest number.
///
/// Shapes: L has the batch's axes and two more of n elements each, `loc` and values have the batch's axes and
/// one more, and `df` has the batch's shape. `df` and `loc` may be one number. Only the lower triangle of L is
/// read.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::MultivariateStudentT};
/// let factor = Tensor::<_, f64>::from([[2.0, 0.0], [1.0, 1.0]]);
/// let robust = MultivariateStudentT::new(4.0, Tensor::from([0.0, 1.0]), factor);
/// assert_eq!(robust.variance().unwrap().to_vec(), [8.0, 4.0]);
/// ```
///
/// Reference: Kotz, Nadarajah, *Multivariate t Distributions and Their Applications*, 2004, ch. 1; gradients of
/// draws: Figurnov, Mohamed, Mnih, *Implicit reparameterization gradients*, 2018.
#[derive(Clone, Debug)]
pub struct MultivariateStudentT<M: Shape, E: Dtype, D: Backend<E>> {
    df: Operand<Batch<M>, E, D>,
    loc: Operand<Vectors<M>, E, D>,
    scale: ScaleMatrix<M, E, D>,
}

const NAME: &str = "MultivariateStudentT";

impl<M: Shape, E: Dtype, D: Backend<E>> MultivariateStudentT<M, E, D> {
    /// Degrees of freedom, centre and lower-triangular scale, with a positive diagonal.
    ///
    /// # Panics
    /// If the matrix is not square, `loc` has another shape than its rows, or `df` is neither a number nor of
    /// the batch's shape.
    #[track_caller]
    pub fn new(
        df: impl IntoTensor<Batch<M>, E, D>,
        loc: impl IntoTensor<Vectors<M>, E, D>,
        scale_tril: impl IntoTensor<M, E, D>,
    ) -> Self {
        let scale = ScaleMatrix::from_tril(NAME, scale_tril.into_operand());
        let (df, loc) = (df.into_operand(), loc.into_operand());
        if let Operand::Full(df) = &df {
            check_value_shape(NAME, df.shape(), scale.batch());
        }
        if let Operand::Full(loc) = &loc {
            check_value_shape(NAME, loc.shape(), scale.vectors());
        }
        MultivariateStudentT { df, loc, scale }
    }

    /// The degrees of freedom.
    pub fn df(&self) -> Tensor<Batch<M>, E, D> {
        self.df.spread(self.scale.batch())
    }

    /// The centre.
    pub fn loc(&self) -> Tensor<Vectors<M>, E, D> {
        self.loc.spread(self.scale.vectors())
    }

    /// The lower-triangular scale.
    pub fn scale_tril(&self) -> &Tensor<M, E, D> {
        self.scale.tril()
    }

    fn blocks<const N: usize>(&self) -> Blocks<N> {
        Blocks::equal(self.scale.batch().num_elements())
    }
}

impl<M: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for MultivariateStudentT<M, E, D> {
    type Expanded = MultivariateStudentT<R, E, D>;
    type ExpandedBatch = Batch<R>;

    /// The last two axes of `shape` are those of the matrices.
    #[track_caller]
    fn expand(&self, shape: R) -> MultivariateStudentT<R, E, D> {
        let (df, loc) = (self.df.expand(batch_of(shape)), self.loc.expand(vectors_of(shape)));
        MultivariateStudentT { df, loc, scale: self.scale.expand(shape) }
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for MultivariateStudentT<M, E, D> {
    type Value = Tensor<Vectors<M>, E, D>;
    type Batch = Batch<M>;

    fn name(&self) -> &'static str {
        NAME
    }

    fn batch_shape(&self) -> Batch<M> {
        self.scale.batch()
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.scale.size()]
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let (n, df) = (self.scale.size(), self.df().into_flat());
        let dfs: Vec<f64> = df.read(|values| values.iter().map(|v| v.wide()).collect());
        let noise = draws(dfs.len() * (n + 1), rng, |e, rng| {
            if e % (n + 1) < n {
                return rng.sample(StandardNormal);
            }
            let half = 0.5 * dfs[e / (n + 1)];
            log_standard_gamma(half, rng) - half.ln()
        });
        let args = [df, self.loc().into_flat(), self.scale.tril().flat(), Flat::vector(noise)];
        let draw = Draw { n, largest: E::max_value().wide() };
        D::blocks(draw, args, self.blocks()).reshape_like(&self.scale.vectors())
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<Batch<M>, E, D> {
        check_value_shape(NAME, value.shape(), self.scale.vectors());
        let args = [value.flat(), self.df().into_flat(), self.loc().into_flat(), self.scale.tril().flat()];
        D::blocks(LogProb { n: self.scale.size() }, args, self.blocks()).reshape_like(&self.batch_shape())
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(RealVector)
    }

    fn mean(&self) -> Option<Self::Value> {
        let args = [self.df().into_flat(), self.loc().into_flat()];
        Some(D::blocks(Mean { n: self.scale.size() }, args, self.blocks()).reshape_like(&self.scale.vectors()))
    }

    fn variance(&self) -> Option<Self::Value> {
        let squares = self.scale.tril().tril(0).square().sum::<Vectors<M>, LastAxis<M>>();
        let args = [self.df().into_flat(), squares.into_flat()];
        Some(D::blocks(Stretch { n: self.scale.size() }, args, self.blocks()).reshape_like(&self.scale.vectors()))
    }

    fn entropy(&self) -> Option<Tensor<Batch<M>, E, D>> {
        let n = self.scale.size();
        let own = D::blocks(Entropy { n }, [self.df().into_flat()], self.blocks()).reshape_like(&self.batch_shape());
        Some(own + self.scale.tril().log_abs_det_triangular() + E::of(0.5 * n as f64 * PI.ln()))
    }

    /// The standard one, of as many degrees of freedom.
    fn with_base<T: TakeBase<E, D, Batch<M>>>(&self, form: BaseForm, take: T) -> Option<T::Output> {
        let standard = || MultivariateStudentT {
            df: self.df.clone(),
            loc: 0.0.into_operand(),
            scale: ScaleMatrix::from_tril(NAME, Operand::Full(Tensor::eye_like(self.scale.tril().shape()))),
        };
        (form == BaseForm::Transform).then(|| take.take(standard(), self.scale.map_from_standard(self.loc.flat())))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("df", &self.df, &Positive)?;
        check_parameter("loc", &self.loc, &Real)?;
        self.scale.check()
    }

    /// The degrees of freedom, and centre and scale at the first entry of the element.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let loc = number_at(&self.loc, element * self.scale.size());
        vec![("df", number_at(&self.df, element)), ("loc", loc), ("scale_tril", self.scale.corner(element))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::StudentT;
    use crate::{Cpu, Rank1, Rank2};

    type Plain<E> = MultivariateStudentT<Rank2<2, 2>, E, Cpu>;

    fn factor<E: Dtype>() -> Tensor<Rank2<2, 2>, E, Cpu> {
        Tensor::from([[E::of(2.0), E::of(0.0)], [E::of(1.0), E::of(0.5)]])
    }

    #[test]
    fn with_one_number_it_is_students() {
        let scale = Tensor::<Rank2<1, 1>, f64, Cpu>::from([[3.0]]);
        for df in [1e-3, 0.5, 4.0, 1e10] {
            let one = MultivariateStudentT::new(df, Tensor::from([1.0]), &scale);
            let other = StudentT::<(), f64, Cpu>::new(df, 1.0, 3.0);
            for x in [-1e300, 1.0, 1.5, 1e10] {
                let (found, expected) =
                    (one.log_prob(&Tensor::from([x])).item(), other.log_prob(&Tensor::scalar(x)).item());
                assert!((found - expected).abs() < 1e-13 * expected.abs().max(1.0), "{df}, {x}: {found}, {expected}");
            }
            let difference = one.entropy().unwrap().item() - other.entropy().unwrap().item();
            assert!(difference.abs() < 1e-12 * other.entropy().unwrap().item().abs(), "{df}: {difference}");
        }
    }

    #[test]
    fn moments_exist_from_their_df_on() {
        let moments = |df: f64| {
            let student = Plain::<f64>::new(df, 0.5, factor());
            (student.mean().unwrap().to_vec()[0], student.variance().unwrap().to_vec()[0])
        };
        assert!(moments(1.0).0.is_nan() && moments(1.0).1.is_nan());
        assert_eq!([moments(2.0), moments(4.0)], [(0.5, f64::INFINITY), (0.5, 8.0)]);
    }

    // The square of the distance overflows in single precision.
    #[test]
    fn the_tails_are_heavy_to_the_end() {
        let (x, single) = ([1e30, -1e36], [1e30_f32, -1e36]);
        let far = Plain::<f64>::new(2.5, 0.0, factor()).log_prob(&Tensor::from(x)).item();
        let found = Plain::<f32>::new(2.5_f32, 0.0, factor()).log_prob(&Tensor::from(single)).item();
        assert!((f64::from(found) / far - 1.0).abs() < 1e-6, "{found}, {far}");
    }

    #[test]
    fn draws_of_few_degrees_of_freedom_are_finite() {
        let student = Plain::<f32>::new(0.01_f32, 0.0, factor()).expand((1000usize, 2usize, 2usize));
        let draws = student.draw(&mut Rng::seed(2)).to_vec();
        assert!(draws.iter().all(|x| x.is_finite()));
        assert!(draws.iter().filter(|x| x.abs() == f32::MAX).count() > 100);
    }

    #[test]
    fn parameters_out_of_their_domain_are_named() {
        let loc = Tensor::<Rank1<2>, f64, Cpu>::from([0.0, f64::INFINITY]);
        let named = |student: Plain<f64>| student.check_parameters().unwrap_err().parameter;
        assert_eq!(named(MultivariateStudentT::new(0.0, 0.0, factor())), "df");
        assert_eq!(named(MultivariateStudentT::new(1.0, loc, factor())), "loc");
        assert_eq!(named(MultivariateStudentT::new(1.0, 0.0, -factor())), "scale_tril");
    }
}
