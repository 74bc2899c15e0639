//! The Dirichlet-multinomial distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::{Backend, BlockFunction};
use crate::constraint::{Counts, Positive, Support};
use crate::distribution::{Distribution, Expand, ParameterError};
use crate::dtype::Dtype;
use crate::functions::gamma_function::{HALF_LN_TWO_PI, digamma_difference, stirling_correction};
use crate::rng::Rng;
use crate::tensor::{IntoTensor, Tensor};

use super::multinomial::{counts, factorial_rest, outside};
use super::proportions::{Moment, moment, shares};
use super::relative_entropy::relative_entropy;
use super::rows::{Rows, batch_of};
use super::shapes::{WithoutLast, elements};
use super::standard_gamma::log_standard_gamma;

/// How often each of K categories comes up in `total_count` draws whose probabilities are those of a
/// [`Dirichlet`](super::Dirichlet), which is integrated out.
///
/// Probability: n B(Σ αₖ, n) / Π xₖ B(αₖ, xₖ), over the categories with xₖ > 0, for whole xₖ that sum to
/// n, the total count.
///
/// Shapes: `concentration` has the batch's axes and one more, the last, with the K categories; the total
/// count is one number. Values are floats of the parameter's shape; `f32` holds counts up to 2²⁴.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::DirichletMultinomial};
/// let flat = DirichletMultinomial::new(Tensor::<_, f64>::from([1.0, 1.0]), 3);
/// assert!((flat.log_prob(&Tensor::from([1.0, 2.0])).item() - 0.25_f64.ln()).abs() < 1e-14);
/// ```
///
/// Reference: Johnson, Kotz, Balakrishnan, *Discrete Multivariate Distributions*, ch. 35.13.
#[derive(Clone, Debug)]
pub struct DirichletMultinomial<S: Shape, E: Dtype, D: Backend<E>> {
    concentration: Rows<S, E, D>,
    total_count: usize,
}

impl<S: Shape, E: Dtype, D: Backend<E>> DirichletMultinomial<S, E, D> {
    /// The concentrations of the categories along the last axis, and the number of draws.
    ///
    /// # Panics
    /// If `concentration` is a number or has no categories.
    #[track_caller]
    pub fn new(concentration: impl IntoTensor<S, E, D>, total_count: usize) -> Self {
        let operand = concentration.into_operand();
        let concentration = Rows::new("DirichletMultinomial", "concentration", "categories", operand);
        DirichletMultinomial { concentration, total_count }
    }

    /// The concentrations of all categories.
    pub fn concentration(&self) -> Tensor<S, E, D> {
        self.concentration.tensor()
    }

    /// The number of draws.
    pub fn total_count(&self) -> usize {
        self.total_count
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for DirichletMultinomial<S, E, D> {
    type Expanded = DirichletMultinomial<R, E, D>;
    type ExpandedBatch = WithoutLast<R>;

    /// The last axis of `shape` has the categories, as that of the parameter.
    #[track_caller]
    fn expand(&self, shape: R) -> DirichletMultinomial<R, E, D> {
        DirichletMultinomial { concentration: self.concentration.expand(shape), total_count: self.total_count }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for DirichletMultinomial<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = WithoutLast<S>;

    fn name(&self) -> &'static str {
        "DirichletMultinomial"
    }

    fn batch_shape(&self) -> WithoutLast<S> {
        batch_of(self.concentration.shape())
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.concentration.len()]
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let (rows, concentration) = (&self.concentration, self.concentration().to_vec());
        let mut values = Vec::with_capacity(concentration.len());
        for row in concentration.chunks_exact(rows.len()) {
            let log_gammas: Vec<f64> = row.iter().map(|a| log_standard_gamma(a.wide(), rng)).collect();
            values.extend(counts(self.total_count, &shares(&log_gammas), rng).into_iter().map(E::of));
        }
        Tensor::from_vec(values, rows.shape())
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<WithoutLast<S>, E, D> {
        let value = elements("DirichletMultinomial", value, self.concentration.shape());
        let f = LogProb { total_count: self.total_count, len: self.concentration.len() };
        self.concentration.beside(f, value).reshape_like(&self.batch_shape())
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Counts { total: self.total_count })
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        Some(moment(&self.concentration, Moment::CountMean(self.total_count as f64)))
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        Some(moment(&self.concentration, Moment::CountVariance(self.total_count as f64)))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.concentration.check_each("concentration", &Positive)
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let mut shown = self.concentration.shown("concentration", element);
        shown.push(("total_count", self.total_count as f64));
        shown
    }
}

/// The log-probability of a row of counts.
#[derive(Clone, Copy, Debug)]
struct LogProb {
    total_count: usize,
    len: usize,
}

/// ln Γ(z) − (z ln z − z), what the relative entropies leave of a gamma function.
fn gamma_rest(z: f64) -> f64 {
    HALF_LN_TWO_PI + stirling_correction(z) - 0.5 * z.ln()
}

impl BlockFunction<2> for LogProb {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.len; 2], 1)
    }

    fn work(&self) -> usize {
        80 * self.len
    }

    /// By Stirling's formula, in which what grows with counts and concentrations is their entropy
    /// relative to the shares that both have together.
    fn value(&self, [x, concentration]: [&[f64]; 2], out: &mut [f64]) {
        if let Some(none) = outside(x, self.total_count) {
            out[0] = none;
            return;
        }
        let (n, sum) = (self.total_count as f64, concentration.iter().sum::<f64>());
        if n == 0.0 {
            out[0] = 0.0;
            return;
        }
        let term = |(&x, &a): (&f64, &f64)| {
            let share = (a + x) / (sum + n);
            let of_counts = relative_entropy(x, n * share, (x / n / share).ln());
            let of_concentrations = relative_entropy(a, sum * share, (a / sum / share).ln());
            let rest = if x == 0.0 { 0.0 } else { gamma_rest(a + x) - gamma_rest(a) - factorial_rest(x) };
            rest - of_counts - of_concentrations
        };
        let terms: f64 = x.iter().zip(concentration).map(term).sum();
        out[0] = terms + factorial_rest(n) - gamma_rest(sum + n) + gamma_rest(sum);
    }

    fn pullback(
        &self,
        [x, concentration]: [&[f64]; 2],
        out: &[f64],
        upstream: &[f64],
        [_, to_concentration]: [Option<&mut [f64]>; 2],
    ) {
        let (Some(to), true) = (to_concentration, out[0] > f64::NEG_INFINITY) else { return };
        let all = digamma_difference(concentration.iter().sum(), self.total_count as f64);
        for (g, (&a, &x)) in to.iter_mut().zip(concentration.iter().zip(x)) {
            *g += upstream[0] * (digamma_difference(a, x) - all);
        }
    }
}
