//! How blocks can move.

use std::fmt;

use crate::mcmc::{HmcOptions, MetricShape, MetropolisOptions, NutsOptions};

use super::block_kernel::BlockKernel;

/// A kernel over a block's unconstrained numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Gradient {
    /// The no-U-turn sampler.
    Nuts(NutsOptions),
    /// Hamiltonian Monte Carlo.
    Hmc(HmcOptions),
    /// Random-walk Metropolis.
    Metropolis(MetropolisOptions),
}

/// A kernel over the unconstrained numbers of a block's continuous sites, tuned in the warm-up. The options of
/// [`Nuts`](crate::mcmc::Nuts), [`Hmc`](crate::mcmc::Hmc) and [`Metropolis`](crate::mcmc::Metropolis) become one.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned {
    /// The kernel.
    pub kernel: Gradient,
    /// The mean probability of acceptance that the warm-up aims at; default 0.8, and 0.234 of a random walk.
    pub target_accept: f64,
    /// What the metric looks like that the warm-up estimates; default diagonal.
    pub metric: MetricShape,
}

impl Tuned {
    /// With the defaults of the kernel.
    pub fn new(kernel: impl Into<Tuned>) -> Self {
        kernel.into()
    }

    /// With another probability of acceptance to aim at.
    #[must_use]
    pub fn target_accept(self, target_accept: f64) -> Self {
        Tuned { target_accept, ..self }
    }

    /// With a metric of another shape.
    #[must_use]
    pub fn metric(self, metric: MetricShape) -> Self {
        Tuned { metric, ..self }
    }
}

/// Draws discrete sites from their conditional, found by running the model with each of their values.
///
/// Elements of a plate are independent given all else, so that as many runs as the site has values serve the whole
/// plate. Where something outside the plate depends on several elements together, which is looked for in every
/// step, elements are drawn one after another. Sites of the same plates are drawn jointly while there are few
/// combinations of their values, and one after another otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enumerate {
    /// The most combinations of values of several sites that are drawn jointly; default 32.
    pub most_combinations: usize,
}

impl Default for Enumerate {
    fn default() -> Self {
        Enumerate { most_combinations: 32 }
    }
}

/// Metropolis–Hastings on discrete sites, one after another; the elements of a plate at once, where they are
/// independent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiscreteMetropolis {
    /// Proposes a draw from the site's own distribution, given the sites before it. Of any support.
    #[default]
    Prior,
    /// Proposes one of the other values, all with the same probability. Of finite support.
    Uniform,
}

/// How a block moves. The options of kernels, and kernels of one's own, become one by [`Into`].
#[derive(Clone)]
#[non_exhaustive]
pub enum Rule {
    /// By a tuned kernel over unconstrained numbers.
    Tuned(Tuned),
    /// By drawing discrete sites from their conditional.
    Enumerate(Enumerate),
    /// By accepting or rejecting values of discrete sites.
    Discrete(DiscreteMetropolis),
    /// By a kernel of the user's.
    Own(Box<dyn BlockKernel>),
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Tuned(tuned) => tuned.fmt(f),
            Rule::Enumerate(enumerate) => enumerate.fmt(f),
            Rule::Discrete(discrete) => discrete.fmt(f),
            Rule::Own(_) => f.write_str("BlockKernel"),
        }
    }
}

macro_rules! tuned_from {
    ($($Options:ident => $Kernel:ident, $target:expr;)*) => {$(
        impl From<$Options> for Tuned {
            fn from(options: $Options) -> Self {
                Tuned { kernel: Gradient::$Kernel(options), target_accept: $target, metric: MetricShape::default() }
            }
        }
        impl From<$Options> for Rule {
            fn from(options: $Options) -> Self {
                Rule::Tuned(options.into())
            }
        }
    )*};
}

tuned_from! {
    NutsOptions => Nuts, 0.8;
    HmcOptions => Hmc, 0.8;
    MetropolisOptions => Metropolis, 0.234;
}

macro_rules! rule_from {
    ($($Options:ident => $Rule:ident;)*) => {$(
        impl From<$Options> for Rule {
            fn from(options: $Options) -> Self {
                Rule::$Rule(options)
            }
        }
    )*};
}

rule_from! {
    Tuned => Tuned;
    Enumerate => Enumerate;
    DiscreteMetropolis => Discrete;
}

impl<K: BlockKernel + 'static> From<K> for Rule {
    fn from(kernel: K) -> Self {
        Rule::Own(Box::new(kernel))
    }
}
