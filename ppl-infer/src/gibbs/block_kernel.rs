//! The contract of kernels that users write for blocks: they see the conditional of their block, and move in it.

use ppl_core::Error;
use ppl_core::rng::Rng;
use ppl_core::shared::Shared;
use serde_json::Value;

/// The density of a block's values given those of all other sites. Values are numbers, each an `f64`, in row-major
/// order; they are constrained: a scale is positive, a category a whole number.
pub trait Conditional {
    /// The block's sites, in the order of the model.
    fn sites(&self) -> Vec<&str>;

    /// The present value of a latent site, of this block or another.
    ///
    /// # Errors
    /// If there is no such site, or its value is not made of numbers.
    fn value(&self, site: &str) -> Result<Vec<f64>, Error>;

    /// The log-density, up to a constant of the block, where some of the block's sites have other values; all
    /// others keep theirs. No sites at all: that of the present values. Nothing moves.
    ///
    /// There is no Jacobian in it: it is a density over the values themselves, and where it is −∞ the values are
    /// impossible.
    ///
    /// # Errors
    /// If a site is not in the block, or the numbers make no value of it; the first error of the model's run.
    fn log_density(&mut self, values: &[(&str, &[f64])]) -> Result<f64, Error>;

    /// Moves: some of the block's sites have these values from now on.
    ///
    /// # Errors
    /// As [`Conditional::log_density`], and if the log-density is not finite there; nothing has moved then.
    fn set(&mut self, values: &[(&str, &[f64])]) -> Result<(), Error>;
}

/// A kernel for a block. A step must leave the block's conditional invariant; the sampler cannot check that.
///
/// A conjugate update, of the mean of normal data with a flat prior:
///
/// ```
/// use ppl_core::Error;
/// use ppl_core::rng::Rng;
/// use ppl_infer::gibbs::{BlockKernel, Conditional};
/// use rand::Rng as _;
/// use rand_distr::StandardNormal;
///
/// #[derive(Clone)]
/// struct DrawMean {
///     data: Vec<f64>,
/// }
///
/// impl BlockKernel for DrawMean {
///     fn step(&mut self, block: &mut dyn Conditional, rng: &mut Rng) -> Result<(), Error> {
///         let (n, scale) = (self.data.len() as f64, block.value("scale")?[0]);
///         let mean = self.data.iter().sum::<f64>() / n;
///         let noise: f64 = rng.sample(StandardNormal);
///         block.set(&[("mean", &[mean + noise * scale / n.sqrt()])])
///     }
/// }
/// ```
pub trait BlockKernel: CloneKernel + Shared {
    /// Moves the block. All that is random comes from `rng`.
    ///
    /// # Errors
    /// Those of the block; they end the chain.
    fn step(&mut self, block: &mut dyn Conditional, rng: &mut Rng) -> Result<(), Error>;

    /// What changes in the kernel from step to step; nothing by default.
    fn save(&self) -> Value {
        Value::Null
    }

    /// Goes on from what was saved.
    ///
    /// # Errors
    /// If it was not saved by a kernel like this one, in words.
    fn restore(&mut self, saved: Value) -> Result<(), String> {
        if saved.is_null() { Ok(()) } else { Err("a state was saved of a kernel that has none".into()) }
    }
}

/// What makes kernels clonable without their type: every chain has its own. `#[derive(Clone)]` is all it needs.
pub trait CloneKernel {
    /// A copy.
    fn boxed(&self) -> Box<dyn BlockKernel>;
}

impl<K: BlockKernel + Clone + 'static> CloneKernel for K {
    fn boxed(&self) -> Box<dyn BlockKernel> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn BlockKernel> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}
