//! Normal distributions of all unconstrained numbers together: diagonal, full, of low rank.

use ppl_core::address::Address;
use ppl_core::backend::Backend;
use ppl_core::constraint::{LowerCholesky, Positive};
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{LowRankMultivariateNormal, MultivariateNormal, Normal};
use ppl_core::handler::Handler;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::primitives::{param, param_constrained};
use ppl_core::transform::Flat;
use ppl_core::{Axis, Dtype, Error, Tensor};

use super::delta::LOC;
use super::family::{Family, Layout, Located, Proposal, draw, values};
use super::gaussian::{Gaussian, diagonal, squared};
use super::{AutoDiagonalNormal, AutoGuide, AutoLowRankMultivariateNormal, AutoMultivariateNormal, Named};

/// The first standard deviation of each number, as in Pyro and NumPyro.
pub(super) const INIT_SCALE: f64 = 0.1;

const SCALE: &str = "auto_scale";
const SCALE_TRIL: &str = "auto_scale_tril";
const COV_FACTOR: &str = "auto_cov_factor";
const COV_DIAG: &str = "auto_cov_diag";

/// A family of normal distributions.
pub trait Covariance<E: Dtype, D: Backend<E>>: Located<E, D> {
    /// Its mean and covariance with these parameters.
    fn gaussian(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Gaussian;
}

macro_rules! joint_normals {
    ($($(#[$doc:meta])* $Family:ident($($field:ident: $type:ty),*) = $name:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $Family {
            /// The first standard deviation of each number; default 0.1.
            pub init_scale: f64,
            $(
                /// The number of columns of W; by default the root of the dimension, rounded up.
                pub $field: $type,
            )*
        }

        impl Default for $Family {
            fn default() -> Self {
                $Family { init_scale: INIT_SCALE, $($field: None)* }
            }
        }

        impl Named for $Family {
            const NAME: &'static str = $name;
        }

        impl<E: Dtype, D: Backend<E>> Located<E, D> for $Family {
            fn location(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Vec<f64> {
                values(params, LOC, &layout.start)
            }
        }
    )+};
}

joint_normals! {
    /// Independent normal distributions, in two vectors.
    Diagonal() = "AutoDiagonalNormal";
    /// Any covariance.
    Full() = "AutoMultivariateNormal";
    /// Covariances W Wᵀ + diag(d).
    LowRank(rank: Option<usize>) = "AutoLowRankMultivariateNormal";
}

macro_rules! constructors {
    ($($Guide:ident of $Family:ident;)+) => {$(
        impl<M, E: Dtype> $Guide<M, E> {
            /// The guide of a model with these arguments and default options; see [`AutoGuide::of`] for others.
            ///
            /// # Errors
            /// As [`AutoGuide::of`].
            pub fn new<A: Clone, D: Backend<E>>(model: M, args: impl IntoArgs<Args = A>) -> Result<Self, Error>
            where
                M: Model<A, E = E, D = D> + Clone,
            {
                AutoGuide::of(model, $Family::default(), args)
            }
        }
    )+};
}

constructors! {
    AutoDiagonalNormal of Diagonal;
    AutoMultivariateNormal of Full;
    AutoLowRankMultivariateNormal of LowRank;
}

/// The parameter of the means.
fn location<E: Dtype, D: Backend<E>>(layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Flat<E, D> {
    param(handler, Address::fixed(LOC), |_| layout.start())
}

fn latent<E: Dtype, D: Backend<E>>(
    layout: &Layout<E>,
    handler: &mut dyn Handler<E, D>,
    distribution: impl Distribution<E, D>,
) -> Result<Proposal<E, D>, Error> {
    Ok(layout.split(&draw(handler, Address::fixed("auto_latent"), distribution)?))
}

impl<E: Dtype, D: Backend<E>> Family<E, D> for Diagonal {
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        let loc = location(layout, handler);
        let first = |_: &mut _| Tensor::full_like(E::of(self.init_scale), (layout.dim(),));
        let scale = param_constrained(handler, Address::fixed(SCALE), first, Positive);
        latent(layout, handler, Normal::new(loc, scale).to_event::<Axis<0>>())
    }
}

impl<E: Dtype, D: Backend<E>> Covariance<E, D> for Diagonal {
    fn gaussian(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Gaussian {
        let scales = values(params, SCALE, &vec![E::of(self.init_scale); layout.dim()]);
        let covariance = diagonal(scales.into_iter().map(|scale| scale * scale));
        Gaussian { sites: layout.sites.clone(), loc: self.location(layout, params), covariance }
    }
}

/// The first Cholesky factor, row by row.
pub(super) fn first_factor<E: Dtype>(n: usize, scale: f64) -> Vec<E> {
    (0..n * n).map(|at| E::of(if at / n == at % n { scale } else { 0.0 })).collect()
}

impl<E: Dtype, D: Backend<E>> Family<E, D> for Full {
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        let (loc, n) = (location(layout, handler), layout.dim());
        let first = |_: &mut _| Tensor::vector(first_factor(n, self.init_scale)).reshape_like(&(n, n));
        let factor: Tensor<(usize, usize), E, D> =
            param_constrained(handler, Address::fixed(SCALE_TRIL), first, LowerCholesky);
        latent(layout, handler, MultivariateNormal::from_scale_tril(loc, factor))
    }
}

impl<E: Dtype, D: Backend<E>> Covariance<E, D> for Full {
    fn gaussian(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Gaussian {
        let n = layout.dim();
        let factor = values(params, SCALE_TRIL, &first_factor::<E>(n, self.init_scale));
        let rows: Vec<Vec<f64>> = factor.chunks(n.max(1)).map(<[f64]>::to_vec).collect();
        Gaussian { sites: layout.sites.clone(), loc: self.location(layout, params), covariance: squared(&rows) }
    }
}

impl LowRank {
    fn rank(&self, n: usize) -> usize {
        self.rank.unwrap_or_else(|| (n as f64).sqrt().ceil() as usize).max(1)
    }
}

impl<E: Dtype, D: Backend<E>> Family<E, D> for LowRank {
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        let (loc, n, rank) = (location(layout, handler), layout.dim(), self.rank(layout.dim()));
        // Half of the first variance comes from each part. W = 0 would be a saddle point.
        let sd = self.init_scale * (0.5 / rank as f64).sqrt();
        let factor = param(handler, Address::fixed(COV_FACTOR), |init| init.normal((n, rank), sd));
        let first = |_: &mut _| Tensor::full_like(E::of(0.5 * self.init_scale * self.init_scale), (n,));
        let diagonal = param_constrained(handler, Address::fixed(COV_DIAG), first, Positive);
        latent(layout, handler, LowRankMultivariateNormal::new(loc, factor, diagonal))
    }
}

impl<E: Dtype, D: Backend<E>> Covariance<E, D> for LowRank {
    fn gaussian(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Gaussian {
        let (n, rank) = (layout.dim(), self.rank(layout.dim()));
        let factor = values(params, COV_FACTOR, &vec![E::of(0.0); n * rank]);
        let rows: Vec<Vec<f64>> = factor.chunks(rank).map(<[f64]>::to_vec).collect();
        let mut covariance = squared(&rows);
        let noise = values(params, COV_DIAG, &vec![E::of(0.5 * self.init_scale * self.init_scale); n]);
        noise.into_iter().enumerate().for_each(|(i, d)| covariance[i][i] += d);
        Gaussian { sites: layout.sites.clone(), loc: self.location(layout, params), covariance }
    }
}

impl Named for Gaussian {
    const NAME: &'static str = "Gaussian";
}

/// A normal distribution that is known: no parameters.
impl<E: Dtype, D: Backend<E>> Family<E, D> for Gaussian {
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        let narrow = |numbers: &[f64]| numbers.iter().map(|&x| E::of(x)).collect();
        let n = layout.dim();
        let loc: Flat<E, D> = Tensor::vector(narrow(&self.loc));
        let covariance = Tensor::vector(narrow(&self.covariance.concat())).reshape_like(&(n, n));
        latent::<E, D>(layout, handler, MultivariateNormal::<(usize, usize), E, D>::new(loc, covariance))
    }
}

impl<E: Dtype, D: Backend<E>> Located<E, D> for Gaussian {
    fn location(&self, _: &Layout<E>, _: &ParamStore<E, D>) -> Vec<f64> {
        self.loc.clone()
    }
}

impl<E: Dtype, D: Backend<E>> Covariance<E, D> for Gaussian {
    fn gaussian(&self, _: &Layout<E>, _: &ParamStore<E, D>) -> Gaussian {
        self.clone()
    }
}
