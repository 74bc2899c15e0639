//! What a structure proposes, and the joint normal distribution that it is.

use ppl_core::address::Address;
use ppl_core::backend::Backend;
use ppl_core::constraint::{LowerCholesky, Positive};
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{MultivariateNormal, Normal};
use ppl_core::handler::Handler;
use ppl_core::ops::Triangle;
use ppl_core::params::ParamStore;
use ppl_core::primitives::{param, param_constrained};
use ppl_core::transform::Flat;
use ppl_core::{Axis, Dtype, Error, Tensor};

use crate::model_density::LatentSite;

use super::super::delta::{LOC, by_site, name_of};
use super::super::family::{Family, Layout, Located, Numbers, Proposal, draw, values};
use super::super::gaussian::{Gaussian, squared};
use super::super::joint_normal::{Covariance, first_factor};
use super::{Conditional, Step, Structured};

/// The standard deviations of a site given the others, by site.
const SCALE: &str = "auto_scale";
/// The Cholesky factor of a site's covariance given the others, by site.
const SCALE_TRIL: &str = "auto_scale_tril";
/// The weights of a dependency, by both sites.
const WEIGHT: &str = "auto_weight";

/// The name of the weights between two sites.
fn weight_name(site: &LatentSite, upstream: &LatentSite) -> Address {
    name_of(WEIGHT, &format!("{}.{}", site.name, upstream.name))
}

/// What was drawn of a site.
struct Drawn<E: Dtype, D: Backend<E>> {
    numbers: Flat<E, D>,
    /// u.
    standardised: Flat<E, D>,
}

/// A site's location, and the scaled sum of what it depends on, so far as it depends on anything.
struct Mean<E: Dtype, D: Backend<E>> {
    loc: Flat<E, D>,
    shift: Option<Flat<E, D>>,
}

impl<E: Dtype, D: Backend<E>> Mean<E, D> {
    fn shifted(&self, scaled: impl FnOnce(&Flat<E, D>) -> Flat<E, D>) -> Flat<E, D> {
        match &self.shift {
            Some(shift) => &self.loc + scaled(shift),
            None => self.loc.clone(),
        }
    }
}

impl Structured {
    fn mean<E: Dtype, D: Backend<E>>(
        layout: &Layout<E>,
        step: &Step,
        drawn: &[Option<Drawn<E, D>>],
        handler: &mut dyn Handler<E, D>,
    ) -> Mean<E, D> {
        let site = &layout.sites[step.site];
        let first = layout.start[site.range.clone()].to_vec();
        let loc = param(handler, name_of(LOC, &site.name), |_| Tensor::vector(first));
        let mut shift: Option<Flat<E, D>> = None;
        for &up in &step.upstream {
            let (upstream, Some(found)) = (&layout.sites[up], &drawn[up]) else { continue };
            if site.range.is_empty() || upstream.range.is_empty() {
                continue;
            }
            let sizes = (site.range.len(), upstream.range.len());
            let first = |_: &mut _| Tensor::full_like(E::of(0.0), sizes);
            let weights: Tensor<(usize, usize), E, D> = param(handler, weight_name(site, upstream), first);
            let term = weights.matmul(&found.standardised);
            shift = Some(shift.map_or_else(|| term.clone(), |shift| shift + &term));
        }
        Mean { loc, shift }
    }

    fn draw<E: Dtype, D: Backend<E>>(
        &self,
        site: &LatentSite,
        conditional: Conditional,
        mean: &Mean<E, D>,
        handler: &mut dyn Handler<E, D>,
    ) -> Result<Drawn<E, D>, Error> {
        let (n, name) = (site.range.len(), name_of("auto_latent", &site.name));
        match conditional {
            Conditional::Delta => {
                let numbers = mean.shifted(Clone::clone);
                Ok(Drawn { standardised: &numbers - &mean.loc, numbers })
            }
            Conditional::Normal => {
                let first = |_: &mut _| Tensor::full_like(E::of(self.init_scale), (n,));
                let scale = param_constrained(handler, name_of(SCALE, &site.name), first, Positive);
                let shifted = mean.shifted(|shift| &scale * shift);
                let numbers = draw(handler, name, Normal::new(shifted, &scale).to_event::<Axis<0>>())?;
                Ok(Drawn { standardised: (&numbers - &mean.loc) / scale, numbers })
            }
            Conditional::MultivariateNormal => {
                let first = |_: &mut _| Tensor::vector(first_factor(n, self.init_scale)).reshape_like(&(n, n));
                let factor: Tensor<(usize, usize), E, D> =
                    param_constrained(handler, name_of(SCALE_TRIL, &site.name), first, LowerCholesky);
                let shifted = mean.shifted(|shift| factor.matmul(shift));
                let numbers = draw(handler, name, MultivariateNormal::from_scale_tril(shifted, &factor))?;
                let standardised = factor.solve_triangular_vector(&(&numbers - &mean.loc), Triangle::Lower);
                Ok(Drawn { standardised, numbers })
            }
        }
    }
}

impl<E: Dtype, D: Backend<E>> Family<E, D> for Structured {
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        let mut drawn: Vec<Option<Drawn<E, D>>> = layout.sites.iter().map(|_| None).collect();
        for step in self.steps(&layout.sites)? {
            let mean = Self::mean(layout, &step, &drawn, handler);
            drawn[step.site] = Some(self.draw(&layout.sites[step.site], step.conditional, &mean, handler)?);
        }
        Ok(Proposal {
            parts: drawn.into_iter().flatten().map(|drawn| Numbers::Drawn(drawn.numbers)).collect(),
            jacobians: true,
        })
    }

    fn check(&self, layout: &Layout<E>) -> Result<(), Error> {
        self.steps(&layout.sites).map(|_| ())
    }
}

impl<E: Dtype, D: Backend<E>> Located<E, D> for Structured {
    fn location(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Vec<f64> {
        by_site(layout, params)
    }
}

/// What numbers are made of: so much of each independent standard normal number.
type Rows = Vec<Vec<f64>>;

/// The matrix times these rows.
fn times<'r>(matrix: &[f64], rows: impl Iterator<Item = &'r Vec<f64>> + Clone, out: &mut [Vec<f64>]) {
    let width = rows.clone().count().max(1);
    for (weights, out) in matrix.chunks(width).zip(out) {
        for (weight, row) in weights.iter().zip(rows.clone()) {
            out.iter_mut().zip(row).for_each(|(out, x)| *out += weight * x);
        }
    }
}

impl Structured {
    /// S of a site, row by row.
    fn scale<E: Dtype, D: Backend<E>>(
        &self,
        site: &LatentSite,
        conditional: Conditional,
        params: &ParamStore<E, D>,
    ) -> Vec<f64> {
        let n = site.range.len();
        let name = |kind| name_of(kind, &site.name);
        let diagonal = match conditional {
            Conditional::Delta => vec![1.0; n],
            Conditional::Normal => values(params, name(SCALE).as_str(), &vec![E::of(self.init_scale); n]),
            Conditional::MultivariateNormal => {
                return values(params, name(SCALE_TRIL).as_str(), &first_factor::<E>(n, self.init_scale));
            }
        };
        (0..n * n).map(|at| if at / n == at % n { diagonal[at % n] } else { 0.0 }).collect()
    }
}

impl<E: Dtype, D: Backend<E>> Covariance<E, D> for Structured {
    fn gaussian(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Gaussian {
        let (sites, n) = (&layout.sites, layout.dim());
        // An unknown or circular structure is an error of every run; nothing of it depends on anything here.
        let steps = self.steps(sites).unwrap_or_default();
        let (mut standardised, mut numbers): (Rows, Rows) = (vec![vec![0.0; n]; n], vec![vec![0.0; n]; n]);
        for step in steps {
            let site = &sites[step.site];
            let mut rows = vec![vec![0.0; n]; site.range.len()];
            if step.conditional != Conditional::Delta {
                rows.iter_mut().zip(site.range.clone()).for_each(|(row, at)| row[at] = 1.0);
            }
            for &up in &step.upstream {
                let upstream = &sites[up].range;
                let first = vec![E::of(0.0); rows.len() * upstream.len()];
                let weights = values(params, weight_name(site, &sites[up]).as_str(), &first);
                times(&weights, standardised[upstream.clone()].iter(), &mut rows);
            }
            times(&self.scale(site, step.conditional, params), rows.iter(), &mut numbers[site.range.clone()]);
            standardised[site.range.clone()].clone_from_slice(&rows);
        }
        Gaussian { sites: sites.clone(), loc: by_site(layout, params), covariance: squared(&numbers) }
    }
}
