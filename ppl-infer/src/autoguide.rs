//! Guides made of a model alone: each family of posteriors, over the unconstrained numbers of all latent sites, and several
//! families at once, of discrete sites too, each over a block of sites.

use std::marker::PhantomData;
use std::sync::Arc;

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::model::{Guide, IntoArgs, Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::shared::Shared;
use ppl_core::trace::{TraceReader, TypedTrace};
use ppl_core::values::ValueMap;
use ppl_core::{Dtype, Error};

use crate::model_density::{LatentSite, ModelDensity};
use crate::target::{InitStrategy, NoStart, finite_start};

// The contract of a family, and the numbers that it proposes.
mod family;
// Some rows of plates among all of them.
mod rows;
// The run of a model whose latent sites take their values from a family.
mod run;
// A point.
mod delta;
// A mean and a covariance, by site.
mod gaussian;
// Normal distributions of all sites together.
mod joint_normal;
// A normal distribution of each site.
mod normal;
// Normalising flows.
mod flow;
// The curvature at the mode.
mod laplace;
// What a fitted guide says, in the model's types.
mod results;
// A normal distribution of each site given others.
mod structured;
// Discrete sites of finite support.
mod discrete;
// A family without its type.
mod part;
// Parts that are written by hand.
mod callable;
// Which sites belong to which block.
mod blocks;
// Several blocks as one guide.
mod list;

pub use blocks::Blocks;
pub use callable::{AutoCallable, Function, Median, MedianOf, NoMedian, Written};
pub use delta::{Point, PointUnconstrained};
pub use discrete::DiscreteParallel;
pub use family::{Family, Layout, Located, Named, Numbers, Proposal};
pub use flow::{FlowFamily, Iaf, iaf};
pub use gaussian::Gaussian;
pub use joint_normal::{Covariance, Diagonal, Full, LowRank};
pub use list::AutoGuideList;
pub use normal::PerSite;
pub use part::Part;
pub use structured::{Conditional, Structured};

/// A point estimate: the greatest density of the latent values, maximum a posteriori (MAP). As in Pyro, of the values as
/// they are: no Jacobian of the maps onto supports is in it. Parameters `auto_loc.SITE`, unconstrained.
pub type AutoDelta<M, E> = AutoGuide<M, Point, E>;
/// An independent normal distribution for each unconstrained number (mean field), with parameters by site:
/// `auto_loc.SITE` and `auto_scale.SITE`.
pub type AutoNormal<M, E> = AutoGuide<M, PerSite, E>;
/// The same family as [`AutoNormal`], with one vector of means and one of scales: `auto_loc`, `auto_scale`.
pub type AutoDiagonalNormal<M, E> = AutoGuide<M, Diagonal, E>;
/// A normal distribution with any covariance: `auto_loc`, and its Cholesky factor `auto_scale_tril`.
pub type AutoMultivariateNormal<M, E> = AutoGuide<M, Full, E>;
/// A normal distribution whose covariance is W Wᵀ + diag(d): `auto_loc`, `auto_cov_factor`, `auto_cov_diag`.
pub type AutoLowRankMultivariateNormal<M, E> = AutoGuide<M, LowRank, E>;
/// Finds the mode of the unconstrained density (`auto_loc`), and then the normal distribution with the curvature there:
/// [`AutoGuide::laplace`], or as a guide [`AutoGuide::laplace_approximation`].
pub type AutoLaplaceApproximation<M, E> = AutoGuide<M, PointUnconstrained, E>;
/// A standard normal vector pushed through a flow of the user's: module `auto_flow`.
pub type AutoNormalizingFlow<M, F, E> = AutoGuide<M, FlowFamily<F>, E>;
/// Inverse autoregressive flows: module `auto_flow`. Kingma et al., *Improving Variational Inference with Inverse
/// Autoregressive Flow* (NIPS 2016).
pub type AutoIafNormal<M, E, D> = AutoGuide<M, FlowFamily<flow::Iaf<E, D>>, E>;

/// A normal distribution of each site given others, on which its mean depends linearly: parameters by site,
/// `auto_loc.SITE`, `auto_scale.SITE` or `auto_scale_tril.SITE`, and `auto_weight.SITE.UPSTREAM`.
pub type AutoStructured<M, E> = AutoGuide<M, Structured, E>;
/// Independent distributions of the elements of discrete sites, each of which has finitely many values, for models without
/// other latent sites: parameters `auto_probs.SITE`. Beside continuous sites it is a block, [`DiscreteParallel`].
pub type AutoDiscreteParallel<M, E, D> = AutoGuideList<M, E, D, DiscreteParallel>;

/// A guide made of a model: a family of distributions over the unconstrained numbers of its latent sites.
///
/// Which family, by what the posterior is like:
///
/// | the posterior | guide |
/// | --- | --- |
/// | a point will do | [`AutoDelta`], or with the curvature there [`AutoLaplaceApproximation`] |
/// | independent numbers | [`AutoNormal`], [`AutoDiagonalNormal`] |
/// | correlated numbers | [`AutoMultivariateNormal`]; of many, [`AutoLowRankMultivariateNormal`] |
/// | some sites depend on some others | [`AutoStructured`] |
/// | curved, or with several modes | [`AutoIafNormal`], [`AutoNormalizingFlow`] |
/// | discrete sites of finite support | [`AutoDiscreteParallel`] |
/// | several of these, or a part by hand ([`AutoCallable`]) | [`AutoGuideList`], in blocks |
///
/// It is made of the model and its arguments, which are run to find the latent sites, and is then a guide like one
/// that was written by hand: `Svi` fits it, checkpoints hold its parameters, `Predictive::guide` draws from it. In a run
/// it draws its numbers at the first latent site, runs the model's body for the values, and shows nothing else of the
/// model: neither observations nor factors.
///
/// The latent sites must be continuous (discrete ones are for a block of an [`AutoGuideList`]) and the same in every run; one of which this is not true is an error that names it,
/// of the constructor or of the first run. Plates may have some of their rows in a run, given or drawn: parameters are those of
/// all rows, a run takes those of its own, and what is new begins as the rows of the constructor's arguments did.
/// [`AutoNormal`] and [`AutoDelta`] then draw these rows alone, the other families all rows in every run. Loops over latent
/// sites need all their elements.
///
/// References: Kucukelbir et al., *Automatic Differentiation Variational Inference* (JMLR 2017); Pyro's and NumPyro's
/// `AutoGuide`.
#[derive(Clone, Debug)]
pub struct AutoGuide<M, F, E> {
    model: M,
    family: F,
    layout: Arc<Layout<E>>,
}

impl<M, F, E: Dtype> AutoGuide<M, F, E> {
    /// A guide of this family, for the model with these arguments, beginning at seed 0 with [`InitStrategy::default`].
    ///
    /// # Errors
    /// A site or plate that no family over a fixed vector has a place for, with its name; the first error of a run;
    /// no start where the density is finite.
    pub fn of<A, D>(model: M, family: F, args: impl IntoArgs<Args = A>) -> Result<Self, Error>
    where
        A: Clone,
        M: Model<A, E = E, D = D> + Clone,
        D: Backend<E>,
    {
        Self::beginning(model, family, args, &InitStrategy::default(), 0)
    }

    /// [`AutoGuide::of`] whose locations begin where the strategy says, drawn from this seed.
    ///
    /// # Errors
    /// As [`AutoGuide::of`], and values that do not fit their sites.
    pub fn beginning<A, D>(
        model: M,
        family: F,
        args: impl IntoArgs<Args = A>,
        strategy: &InitStrategy,
        seed: u64,
    ) -> Result<Self, Error>
    where
        A: Clone,
        M: Model<A, E = E, D = D> + Clone,
        D: Backend<E>,
    {
        let mut density = ModelDensity::of_a_batch(model.clone(), args.into_args(), ParamStore::new(seed))?;
        let start =
            finite_start(&mut density, strategy, &mut Rng::seed(seed)).map_err(|none| no_start(M::NAME, none))?;
        let layout = Arc::new(Layout::of_all_rows(density.sites(), &start.position));
        Ok(AutoGuide { model, family, layout })
    }

    /// The latent sites, with their places among the unconstrained numbers.
    pub fn sites(&self) -> &[LatentSite] {
        &self.layout.sites
    }

    /// How many unconstrained numbers there are.
    pub fn dim(&self) -> usize {
        self.layout.dim()
    }

    /// The family.
    pub fn family(&self) -> &F {
        &self.family
    }
}

/// The error where locations have nowhere to begin: it names the first site at fault, or the model.
fn no_start(model: &'static str, none: NoStart<Error>) -> Error {
    let (site, problem) = match none {
        NoStart::Target(error) => return error,
        NoStart::Strategy(strategy) => (model.to_owned(), format!("it has no initial values by {strategy}")),
        NoStart::NotFinite { attempts, last } => {
            let problem =
                format!("none of {attempts} starts has a finite density and gradient; give initial values\n{last}");
            (last.at_fault().next().map_or(model.to_owned(), |term| term.name.clone()), problem)
        }
    };
    Error::Site { site, problem }
}

/// What every autoguide of a model is beneath all effects.
#[derive(Clone, Copy, Debug)]
pub struct GuideOf<M>(PhantomData<fn(M)>);

impl<M> Guide<M> for GuideOf<M> {}

impl<M: Program, F: Named + Shared, E: Dtype> Program for AutoGuide<M, F, E> {
    type Base = GuideOf<M::Base>;
    const NAME: &'static str = F::NAME;
}

impl<A, M, F, E, D> Model<A> for AutoGuide<M, F, E>
where
    M: Model<A, E = E, D = D>,
    F: Family<E, D> + Named,
    E: Dtype,
    D: Backend<E>,
{
    type E = E;
    type D = D;
    type Output = ();
    type Trace = Untyped;

    fn run(&self, handler: &mut dyn Handler<E, D>, args: A) {
        let mut propose = run::Propose::new(handler, &self.layout, &self.family, F::NAME);
        self.model.run(&mut propose, args);
        propose.finish();
    }
}

/// The trace of an autoguide has no fields: what it says of the model's sites is in [`AutoGuide::median`],
/// [`AutoGuide::quantiles`] and [`AutoGuide::draws`], typed as the model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Untyped;

impl TypedTrace for Untyped {
    type Values = ValueMap;

    fn read(_: &TraceReader<'_>) -> Result<Self, Error> {
        Ok(Untyped)
    }
}
