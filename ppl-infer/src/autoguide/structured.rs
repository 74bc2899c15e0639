//! A normal distribution of each site given others, on which its mean depends linearly.

use ppl_core::address::fits;
use ppl_core::backend::Backend;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::{Dtype, Error};

use crate::model_density::LatentSite;

use super::family::Named;
use super::joint_normal::INIT_SCALE;
use super::{AutoGuide, AutoStructured};

// The family of a structure.
mod conditionals;

const NAME: &str = "AutoStructured";

/// The distribution of a site's unconstrained numbers, given those of the sites that it depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conditional {
    /// A point.
    Delta,
    /// An independent normal distribution for each number.
    #[default]
    Normal,
    /// A normal distribution with any covariance.
    MultivariateNormal,
}

/// Normal distributions of the unconstrained numbers of sites, each given those of the sites that it depends on:
///
/// zᵢ ~ N(mᵢ + Sᵢ Σⱼ Wᵢⱼ uⱼ, Sᵢ Sᵢᵀ), with uⱼ = Sⱼ⁻¹ (zⱼ − mⱼ),
///
/// where j runs through the sites that i depends on, and S is diagonal, a Cholesky factor, or, of a point, the unit
/// matrix without noise. So W has no units, and m is the mean of each site by itself. Parameters by site: m is
/// `auto_loc.SITE`, S is `auto_scale.SITE` or `auto_scale_tril.SITE`, W is `auto_weight.SITE.UPSTREAM`, which begins at 0.
///
/// Names are full names of sites, or their beginnings with a final `*`.
///
/// ```
/// use ppl_infer::autoguide::{Conditional, Structured};
/// // Each of `theta_0`, `theta_1`, … is normal given `mu` and `tau`, and these two are given one another.
/// let structure = Structured::new(Conditional::Normal).depends("theta_*", "mu").depends("theta_*", "tau").depends("tau", "mu");
/// # let _ = structure;
/// ```
///
/// Reference: Pyro's `AutoStructured`; Bishop, *Pattern Recognition and Machine Learning*, 8.1.4 (linear-Gaussian models).
#[derive(Clone, Debug, PartialEq)]
pub struct Structured {
    /// The first standard deviation of each number; 0.1 unless it is changed.
    pub init_scale: f64,
    others: Conditional,
    sites: Vec<(String, Conditional)>,
    /// Downstream, upstream.
    dependencies: Vec<(String, String)>,
    on_all_before: bool,
}

impl Structured {
    /// Sites that do not depend on one another, each with such a distribution.
    pub fn new(conditional: Conditional) -> Self {
        Structured {
            init_scale: INIT_SCALE,
            others: conditional,
            sites: Vec::new(),
            dependencies: Vec::new(),
            on_all_before: false,
        }
    }

    /// Another distribution for these sites; of several that fit, the last given counts.
    #[must_use]
    pub fn site(mut self, name: impl Into<String>, conditional: Conditional) -> Self {
        self.sites.push((name.into(), conditional));
        self
    }

    /// Lets these sites depend on others, `upstream`. The order of the model does not matter.
    #[must_use]
    pub fn depends(mut self, site: impl Into<String>, upstream: impl Into<String>) -> Self {
        self.dependencies.push((site.into(), upstream.into()));
        self
    }

    /// Lets each site depend on all sites before it, in the order of the model: sites may then have any covariances.
    #[must_use]
    pub fn on_all_before(mut self) -> Self {
        self.on_all_before = true;
        self
    }

    fn conditional(&self, site: &LatentSite) -> Conditional {
        // A covariance of nothing has no Cholesky factor.
        let named = self.sites.iter().rev().find(|(pattern, _)| fits(pattern, &site.name));
        match named.map_or(self.others, |(_, conditional)| *conditional) {
            Conditional::MultivariateNormal if site.range.is_empty() => Conditional::Normal,
            conditional => conditional,
        }
    }

    /// The sites, each after those that it depends on.
    ///
    /// # Errors
    /// A name without a site; a site that is upstream of itself.
    fn steps(&self, sites: &[LatentSite]) -> Result<Vec<Step>, Error> {
        for (name, _) in &self.sites {
            named(sites, name)?;
        }
        let before = |site: usize| if self.on_all_before { (0..site).collect() } else { Vec::new() };
        let mut upstream: Vec<Vec<usize>> = (0..sites.len()).map(before).collect();
        for (site, from) in &self.dependencies {
            let from = named(sites, from)?;
            for down in named(sites, site)? {
                for &up in &from {
                    if up == down {
                        return Err(circle(sites, &[down]));
                    }
                    if !upstream[down].contains(&up) {
                        upstream[down].push(up);
                    }
                }
            }
        }
        let order = sorted(&upstream).map_err(|around| circle(sites, &around))?;
        let step = |site: usize| Step {
            site,
            conditional: self.conditional(&sites[site]),
            upstream: std::mem::take(&mut upstream[site]),
        };
        Ok(order.into_iter().map(step).collect())
    }
}

impl Default for Structured {
    fn default() -> Self {
        Structured::new(Conditional::default())
    }
}

/// A site, and what it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    site: usize,
    conditional: Conditional,
    upstream: Vec<usize>,
}

/// The sites of a name.
///
/// # Errors
/// If there are none.
fn named(sites: &[LatentSite], name: &str) -> Result<Vec<usize>, Error> {
    let found: Vec<usize> = (0..sites.len()).filter(|&at| fits(name, &sites[at].name)).collect();
    if found.is_empty() {
        let known = sites.iter().map(|site| format!("`{}`", site.name)).collect::<Vec<_>>().join(", ");
        let problem = format!("the structure of `{NAME}` names it, but it is no site of the guide; there are {known}");
        return Err(Error::Site { site: name.to_owned(), problem });
    }
    Ok(found)
}

/// Places in an order in which each comes after those upstream of it, else as they are.
///
/// # Errors
/// Places each of which is upstream of the one before it, and the first of the last.
fn sorted(upstream: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let (mut order, mut placed) = (Vec::with_capacity(upstream.len()), vec![false; upstream.len()]);
    while order.len() < upstream.len() {
        let is_ready = |&at: &usize| !placed[at] && upstream[at].iter().all(|&up| placed[up]);
        let Some(next) = (0..upstream.len()).find(is_ready) else { return Err(around(upstream, &placed)) };
        placed[next] = true;
        order.push(next);
    }
    Ok(order)
}

/// A circle among the places that could not be placed, each of which waits for another of them.
fn around(upstream: &[Vec<usize>], placed: &[bool]) -> Vec<usize> {
    let waits_for = |at: usize| upstream[at].iter().copied().find(|&up| !placed[up]);
    let mut path: Vec<usize> = (0..placed.len()).find(|&at| !placed[at]).into_iter().collect();
    while let Some(next) = path.last().and_then(|&at| waits_for(at)) {
        if let Some(start) = path.iter().position(|&at| at == next) {
            return path.split_off(start);
        }
        path.push(next);
    }
    path
}

fn circle(sites: &[LatentSite], around: &[usize]) -> Error {
    let name = |at: usize| format!("`{}`", sites[at].name);
    let path: Vec<String> = around.iter().chain(around.first()).map(|&at| name(at)).collect();
    let problem = format!(
        "it is upstream of itself: in the structure of `{NAME}`, {}; leave out one of these dependencies",
        path.join(" depends on ")
    );
    Error::Site { site: sites[around[0]].name.clone(), problem }
}

impl<M, E: Dtype> AutoStructured<M, E> {
    /// The guide of a model with these arguments and this structure of its latent sites.
    ///
    /// # Errors
    /// As [`AutoGuide::of`]; a name in the structure without a site; a site that is upstream of itself.
    pub fn new<A: Clone, D: Backend<E>>(
        model: M,
        structure: Structured,
        args: impl IntoArgs<Args = A>,
    ) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        let guide = AutoGuide::of(model, structure, args)?;
        guide.family.steps(&guide.layout.sites)?;
        Ok(guide)
    }
}

impl Named for Structured {
    const NAME: &'static str = NAME;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_after_those_upstream_and_circles_are_found() {
        assert_eq!(sorted(&[vec![2], vec![], vec![1]]), Ok(vec![1, 2, 0]));
        assert_eq!(sorted(&[vec![], vec![0], vec![]]), Ok(vec![0, 1, 2]));
        // The first waits for the circle of the other two, but is not in it.
        assert_eq!(sorted(&[vec![1], vec![2], vec![1]]), Err(vec![1, 2]));
    }

    #[test]
    fn sites_depend_on_all_before_and_not_on_those_after() {
        let sites: Vec<LatentSite> = (0..3)
            .map(|i| LatentSite {
                name: format!("z_{i}"),
                distribution: "Normal",
                dims: Vec::new(),
                range: i..i + 1,
                plates: Vec::new(),
            })
            .collect();
        let steps = Structured::default().on_all_before().depends("z_2", "z_0").steps(&sites).unwrap();
        let upstream: Vec<&[usize]> = steps.iter().map(|step| step.upstream.as_slice()).collect();
        assert_eq!(upstream, [&[][..], &[0], &[0, 1]]);
        let error = Structured::default().on_all_before().depends("z_0", "z_2").steps(&sites).unwrap_err().to_string();
        assert!(error.contains("site `z_0`") && error.contains("`z_0` depends on `z_2` depends on `z_0`"), "{error}");
    }
}
