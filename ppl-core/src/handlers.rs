//! The handlers, one effect a file: this list is the list of what a run can be told.

// The innermost one: draws what nobody has set.
mod prior;
// Keeps a record of the run.
mod tracer;
// Takes values (and plates' rows) from another trace.
mod replay;
// Cuts draws off from differentiation.
mod detach;
// Observes values.
mod condition;
// Forgets observations, so that data are drawn.
mod uncondition;
// Sets values without scoring them: `do`.
mod intervene;
// Sets values of latent sites, scored as latent.
mod substitute;
// Hides sites from the handlers further in.
mod block;
// Multiplies log-densities.
mod scale;
// Leaves sites out of the log-density.
mod mask;
// Another generator.
mod seed;
// Fixes the rows of plates.
mod subsample;
// Gives latent sites their values by way of other sites.
mod reparam;
// Gives all latent sites their values by way of one vector, through a flow.
mod neutra;
// Makes random variables of parameters.
mod lift;
// Gives parameters their values from a store.
mod params;
// Puts all names under a scope.
mod scope;
// Gives several sites one value.
mod equalize;
// Tells inference what to do with sites.
mod infer_config;

pub use block::Block;
pub use condition::Condition;
pub use detach::{Detach, Detached};
pub use equalize::Equalize;
pub use infer_config::InferConfig;
pub use intervene::Intervene;
pub use lift::Lift;
pub use mask::Mask;
pub use neutra::NeuTra;
pub use params::Params;
pub use prior::Prior;
pub use reparam::{LocScale, Reparam, Strategy, TransformBase};
pub use replay::{Replay, ReplayFrom};
pub use scale::Scale;
pub use scope::Scope;
pub use seed::Seed;
pub use subsample::Subsample;
pub use substitute::Substitute;
pub use tracer::Tracer;
pub use uncondition::Uncondition;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;

/// What a combinator puts between a model and the handlers of its run.
///
/// An effect is the description (which values, which sites); `around` makes its handler on top of
/// the run's and runs the body under it. [`With`](crate::model::With) is a model with an effect.
pub trait Effect<E: Dtype, D: Backend<E>>: Clone {
    /// Runs `body` under this effect's handler, which forwards to `inner`.
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>));
}
