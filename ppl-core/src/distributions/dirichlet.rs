//! The Dirichlet distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::{Backend, BlockFunction};
use crate::constraint::{Positive, Simplex, Support, simplex_slack};
use crate::distribution::{Distribution, Expand, Family, ParameterError};
use crate::dtype::Dtype;
use crate::functions::gamma_function::{
    HALF_LN_TWO_PI, digamma, ln_gamma, ln_minus_digamma, stirling_correction, trigamma,
};
use crate::functions::{RowFunction, apply_rows};
use crate::rng::Rng;
use crate::tensor::{IntoTensor, Tensor};

use super::proportions::{Moment, moment, off_simplex, positive, shares};
use super::relative_entropy::{excess_over_one, relative_entropy};
use super::rows::{Rows, batch_of};
use super::shapes::{WithoutLast, elements};
use super::standard_gamma::{log_standard_gamma, log_standard_gamma_slope};
use super::univariate::draws::draws;

/// Probabilities of K categories: as independent gammas with these concentrations, divided by their
/// sum.
///
/// Density: Γ(Σ αₖ) Π xₖ^(αₖ − 1) / Γ(αₖ) on the simplex, with respect to all coordinates but one. At
/// a coordinate 0 it is ∞ for α < 1 and 0 for α > 1; where both meet it counts as 0.
///
/// Shapes: `concentration` has the batch's axes and one more, the last, with the K categories. Values
/// have its shape. Draws carry pathwise gradients, and no coordinate of a draw is 0.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Dirichlet};
/// let weights = Dirichlet::new(Tensor::<_, f64>::from([2.0, 1.0, 1.0]));
/// assert_eq!(weights.mean().unwrap().to_vec(), [0.5, 0.25, 0.25]);
/// ```
///
/// Reference: Kotz, Balakrishnan, Johnson, *Continuous Multivariate Distributions* I, ch. 49; gradients
/// of draws: Figurnov, Mohamed, Mnih, *Implicit Reparameterization Gradients*, 2018.
#[derive(Clone, Debug)]
pub struct Dirichlet<S: Shape, E: Dtype, D: Backend<E>> {
    pub(super) concentration: Rows<S, E, D>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Dirichlet<S, E, D> {
    /// The concentrations of the categories along the last axis.
    ///
    /// # Panics
    /// If `concentration` is a number or has no categories.
    #[track_caller]
    pub fn new(concentration: impl IntoTensor<S, E, D>) -> Self {
        let operand = concentration.into_operand();
        Dirichlet { concentration: Rows::new("Dirichlet", "concentration", "categories", operand) }
    }

    /// The concentrations of all categories.
    pub fn concentration(&self) -> Tensor<S, E, D> {
        self.concentration.tensor()
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for Dirichlet<S, E, D> {
    type Expanded = Dirichlet<R, E, D>;
    type ExpandedBatch = WithoutLast<R>;

    /// The last axis of `shape` has the categories, as that of the parameter.
    #[track_caller]
    fn expand(&self, shape: R) -> Dirichlet<R, E, D> {
        Dirichlet { concentration: self.concentration.expand(shape) }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Dirichlet<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = WithoutLast<S>;

    fn name(&self) -> &'static str {
        "Dirichlet"
    }

    fn batch_shape(&self) -> WithoutLast<S> {
        batch_of(self.concentration.shape())
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.concentration.len()]
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let (rows, concentration) = (&self.concentration, self.concentration().into_flat());
        let log_gammas: Vec<f64> =
            concentration.read(|all| draws(all.len(), rng, |i, rng| log_standard_gamma(all[i].wide(), rng)));
        let drawn = Drawn { log_gammas: log_gammas.into(), len: rows.len() };
        apply_rows(Arc::new(drawn), concentration, rows.count()).reshape_like(&rows.shape())
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<WithoutLast<S>, E, D> {
        let value = elements("Dirichlet", value, self.concentration.shape());
        let len = self.concentration.len();
        self.concentration
            .beside(LogProb { len, slack: simplex_slack::<E>(len) }, value)
            .reshape_like(&self.batch_shape())
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Simplex)
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        Some(moment(&self.concentration, Moment::Mean))
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        Some(moment(&self.concentration, Moment::Variance))
    }

    fn entropy(&self) -> Option<Tensor<WithoutLast<S>, E, D>> {
        let own = self.concentration.map(Entropy { len: self.concentration.len() });
        Some(self.concentration.each(own, 1).reshape_like(&self.batch_shape()))
    }

    fn family(&self) -> Option<Family<E, D>> {
        Some(self.concentration.family("Dirichlet"))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.concentration.check_each("concentration", &Positive)
    }

    /// The concentrations, the first eight where there are more.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.concentration.shown("concentration", element)
    }
}

/// A draw, as a function of the concentrations with its randomness held fixed.
#[derive(Debug)]
struct Drawn {
    log_gammas: Arc<[f64]>,
    len: usize,
}

impl<E: Dtype> RowFunction<E> for Drawn {
    fn lens(&self) -> (usize, usize) {
        (self.len, self.len)
    }

    fn value(&self, row: usize, _: &[E], y: &mut [E]) {
        let shares = shares(&self.log_gammas[row * self.len..][..self.len]);
        y.iter_mut().zip(shares).for_each(|(y, share)| *y = positive(share));
    }

    fn pullback(&self, row: usize, concentration: &[E], _: &[E], upstream: &[E], gradient: &mut [E]) {
        let log_gammas = &self.log_gammas[row * self.len..][..self.len];
        let shares = shares(log_gammas);
        let mean: f64 = shares.iter().zip(upstream).map(|(s, u)| s * u.wide()).sum();
        for k in 0..self.len {
            let along = shares[k] * (upstream[k].wide() - mean);
            if along != 0.0 {
                gradient[k] += E::of(along * log_standard_gamma_slope(log_gammas[k], concentration[k].wide()));
            }
        }
    }
}

/// Up to this sum of concentrations the logarithms of gamma functions keep enough digits.
const LARGE: f64 = 1e3;

/// The log-density of a row.
#[derive(Clone, Copy, Debug)]
struct LogProb {
    len: usize,
    /// How far a row's sum may be from 1.
    slack: f64,
}

/// (α − 1) ln x, with 0 for α = 1.
fn term(concentration: f64, x: f64) -> f64 {
    if concentration == 1.0 { 0.0 } else { (concentration - 1.0) * x.ln() }
}

/// ln Γ(Σ α) + Σ (α − 1) ln x − ln Γ(α), as it stands.
fn plainly(x: &[f64], concentration: &[f64]) -> f64 {
    let kernel: f64 = x.iter().zip(concentration).map(|(&x, &a)| term(a, x)).sum();
    // A coordinate of infinite density beside one of density 0.
    if kernel.is_nan() {
        let hostile = concentration.iter().any(|a| a.is_nan());
        return if hostile { f64::NAN } else { f64::NEG_INFINITY };
    }
    kernel - concentration.iter().map(|&a| ln_gamma(a)).sum::<f64>() + ln_gamma(concentration.iter().sum())
}

/// The same by Stirling's formula, in which what grows with α is a relative entropy of α to (Σ α) x.
fn by_entropies(x: &[f64], concentration: &[f64], sum: f64) -> f64 {
    let terms = x.iter().zip(concentration).map(|(&x, &a)| {
        let entropy = relative_entropy(a, sum * x, a.ln() - sum.ln() - x.ln());
        0.5 * a.ln() - HALF_LN_TWO_PI - stirling_correction(a) - x.ln() - entropy
    });
    let terms: f64 = terms.sum();
    terms + sum * excess_over_one(x) - 0.5 * sum.ln() + HALF_LN_TWO_PI + stirling_correction(sum)
}

impl BlockFunction<2> for LogProb {
    fn lengths(&self) -> ([usize; 2], usize) {
        ([self.len; 2], 1)
    }

    fn work(&self) -> usize {
        40 * self.len
    }

    fn value(&self, [x, concentration]: [&[f64]; 2], out: &mut [f64]) {
        let sum: f64 = concentration.iter().sum();
        out[0] = match off_simplex(x, self.slack) {
            Some(none) => none,
            None if sum > LARGE && x.iter().all(|&v| v > 0.0) => by_entropies(x, concentration, sum),
            None => plainly(x, concentration),
        };
    }

    fn pullback(
        &self,
        [x, concentration]: [&[f64]; 2],
        out: &[f64],
        upstream: &[f64],
        [to_x, to_concentration]: [Option<&mut [f64]>; 2],
    ) {
        if out[0] == f64::NEG_INFINITY || upstream[0] == 0.0 {
            return;
        }
        let pairs = || x.iter().zip(concentration);
        if let Some(to_x) = to_x {
            for (g, (x, a)) in to_x.iter_mut().zip(pairs()) {
                *g += if *a == 1.0 { 0.0 } else { upstream[0] * (a - 1.0) / x };
            }
        }
        if let Some(to_concentration) = to_concentration {
            let all = digamma(concentration.iter().sum());
            for (g, (x, a)) in to_concentration.iter_mut().zip(pairs()) {
                *g += upstream[0] * (all - digamma(*a) + x.ln());
            }
        }
    }
}

/// The entropy of a row of concentrations.
#[derive(Clone, Copy, Debug)]
struct Entropy {
    len: usize,
}

impl BlockFunction<1> for Entropy {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([self.len], 1)
    }

    fn work(&self) -> usize {
        40 * self.len
    }

    /// ln Γ(α) and ψ(α) by Stirling's formula and what it lacks, so that what grows with α is gone.
    fn value(&self, [concentration]: [&[f64]; 1], out: &mut [f64]) {
        let (sum, k): (f64, f64) = (concentration.iter().sum(), self.len as f64);
        let rest = |a: f64| HALF_LN_TWO_PI + stirling_correction(a);
        let each = |&a: &f64| 0.5 * a.ln() + rest(a) + (a - 1.0) * ln_minus_digamma(a);
        let terms: f64 = concentration.iter().map(each).sum();
        out[0] = terms + (0.5 - k) * sum.ln() - rest(sum) - (sum - k) * ln_minus_digamma(sum);
    }

    fn pullback(&self, [concentration]: [&[f64]; 1], _: &[f64], upstream: &[f64], [to]: [Option<&mut [f64]>; 1]) {
        let Some(to) = to else { return };
        let (sum, k): (f64, f64) = (concentration.iter().sum(), self.len as f64);
        let all = (sum - k) * trigamma(sum);
        to.iter_mut().zip(concentration).for_each(|(g, &a)| *g += upstream[0] * (all - (a - 1.0) * trigamma(a)));
    }
}
