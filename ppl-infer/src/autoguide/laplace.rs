//! The normal distribution with the curvature of the density at its mode.

use ppl_core::backend::Backend;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::{Cpu, Dtype, Error, Tensor};

use super::delta::PointUnconstrained;
use super::family::Located;
use super::gaussian::Gaussian;
use super::rows::has_all_rows;
use super::{AutoGuide, AutoLaplaceApproximation};
use crate::density::LogDensity;
use crate::model_density::{LatentSite, ModelDensity};

impl<M, E: Dtype> AutoLaplaceApproximation<M, E> {
    /// The normal distribution of the unconstrained numbers whose mean is the mode that was found, and whose precision
    /// is the negative Hessian of the log-density there. The Hessian is made of central differences of exact
    /// gradients; in f64 about eight digits of it are good where the density is smooth on the scale of the numbers.
    ///
    /// # Errors
    /// The first error of a run, a plate of latent sites that has some of its rows, or the site of a direction along which the density does not fall: the mode was not
    /// reached, or the posterior has none.
    pub fn laplace<A: Clone, D: Backend<E>>(
        &self,
        params: &ParamStore<E, D>,
        args: impl IntoArgs<Args = A>,
    ) -> Result<Gaussian, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        let mut density = ModelDensity::with_params(self.model.clone(), args, params.clone())?;
        has_all_rows(density.sites())?;
        let loc = PointUnconstrained.location(&self.layout, params);
        let precision = negative_hessian(&mut density, &loc)?;
        let covariance = inverse(&precision, &self.layout.sites)?;
        Ok(Gaussian { sites: self.layout.sites.clone(), loc, covariance })
    }
}

impl<M: Clone, E: Dtype> AutoLaplaceApproximation<M, E> {
    /// The guide that draws from [`AutoGuide::laplace`]'s normal distribution, with quantiles: it has no parameters.
    ///
    /// # Errors
    /// As there.
    pub fn laplace_approximation<A: Clone, D: Backend<E>>(
        &self,
        params: &ParamStore<E, D>,
        args: impl IntoArgs<Args = A>,
    ) -> Result<AutoGuide<M, Gaussian, E>, Error>
    where
        M: Model<A, E = E, D = D>,
    {
        let family = self.laplace(params, args)?;
        Ok(AutoGuide { model: self.model.clone(), family, layout: self.layout.clone() })
    }
}

/// Of the log-density, symmetric.
fn negative_hessian<E: Dtype>(
    density: &mut impl LogDensity<E, Error = Error>,
    loc: &[f64],
) -> Result<Vec<Vec<f64>>, Error> {
    let n = loc.len();
    // The error of a central difference is h² times a third derivative, and that of rounding ε/h.
    let relative = if E::NAME == "f64" { 1e-5 } else { 5e-3 };
    let mut rows = Vec::with_capacity(n);
    for i in 0..n {
        let step = relative * loc[i].abs().max(1.0);
        let mut slope = |sign: f64| -> Result<(f64, Vec<E>), Error> {
            let mut position: Vec<E> = loc.iter().map(|&x| E::of(x)).collect();
            position[i] = E::of(loc[i] + sign * step);
            let mut gradient = vec![E::of(0.0); n];
            density.evaluate(&position, &mut gradient)?;
            Ok((position[i].wide(), gradient))
        };
        let ((high, up), (low, down)) = (slope(1.0)?, slope(-1.0)?);
        rows.push(up.iter().zip(&down).map(|(u, d)| (d.wide() - u.wide()) / (high - low)).collect::<Vec<f64>>());
    }
    Ok((0..n).map(|i| (0..n).map(|j| 0.5 * (rows[i][j] + rows[j][i])).collect()).collect())
}

/// Of a positive definite matrix.
fn inverse(matrix: &[Vec<f64>], sites: &[LatentSite]) -> Result<Vec<Vec<f64>>, Error> {
    let n = matrix.len();
    let matrix = Tensor::<(usize, usize), f64, Cpu>::from_vec(matrix.concat(), (n, n));
    let factor = matrix.try_cholesky().map_err(|bad| no_mode(bad.pivot, bad.value, sites))?;
    Ok(factor.cholesky_inverse().to_vec().chunks(n.max(1)).map(<[f64]>::to_vec).collect())
}

fn no_mode(at: usize, curvature: f64, sites: &[LatentSite]) -> Error {
    let site = sites.iter().find(|site| site.range.contains(&at));
    let (name, element) = site.map_or((String::new(), at), |site| (site.name.clone(), at - site.range.start));
    let problem = format!(
        "the log-density does not fall along its unconstrained number {element}, given those before (curvature {curvature:e}): \
         the point is no mode; take more steps, with a falling learning rate, or another guide"
    );
    Error::Site { site: name, problem }
}
