//! ppl: a probabilistic programming language in Rust. Models and guides are ordinary functions
//! under `#[model]` and `#[guide]`; two primitives, `sample!` and `param!`, get their meaning from
//! effect handlers; tensors and networks are dfdx's; a guide that does not fit its model does not
//! compile, and traces are typed structs.
//!
//! A first model, its guide, and inference:
//!
//! ```
#![doc = include_str!("../tests/first_model.rs")]
//! ```
//!
//! Where to go from here:
//!
//! - the statements of a model: [`sample!`], [`param!`], [`module!`], [`plate!`], [`factor!`],
//!   [`deterministic!`], [`submodel!`], [`markov!`], [`mem!`], inside functions under [`macro@model`] and [`macro@guide`];
//! - [`distributions`], one a file, over the contract in [`distribution`];
//! - effects around a model (`condition`, `intervene`, `replay`, …): the methods of
//!   [`Program`](model::Program); a handler of one's own: [`handler`];
//! - layers of networks, ours and dfdx's: [`nn`]; normalising flows: [`flows`]; parameters: [`params`];
//! - inference: [`infer::Svi`], its objectives and optimisers;
//! - exact sums over discrete sites: [`infer::TraceEnumElbo`], [`infer::InferDiscrete`]; weighted draws: [`infer::Importance`],
//!   [`infer::SmcFilter`], in [`infer::monte_carlo`];
//! - programs whose sites come and go: [`infer::Executions`], [`infer::TraceMetropolis`];
//! - in `f64`: the same names in [`prelude64`] instead of [`prelude`].
//!
//! # A guide with and without a flow
//!
//! Four random walks in the plane, of whose places only the sum of both coordinates is seen, so that the
//! coordinates depend on one another. The guide `plain` cannot say so; `flown` can, with an inverse
//! autoregressive flow behind its normal distributions. By `diff`, one line is changed, the name's, and two
//! are added. For three steps of `x` the best loss there is, minus the log-evidence, is 17.8; after 300 steps of
//! Adam `plain` comes to 28.0 and `flown` to 18.8:
//!
//! ```
//! use ppl::flows::AffineAutoregressive;
//! # use ppl::infer::{Adam, RunOptions, Svi, TraceElbo};
//! use ppl::nn::Linear;
//! use ppl::prelude::*;
//!
//! type Points = Tensor<Rank2<4, 2>>;
//! type Sums = Tensor<Rank1<4>>;
//!
//! #[model]
//! fn walk(x: &[Sums]) {
//!     plate!("sequences", 4, |_| {
//!         let mut z = Points::zeros();
//!         for (t, x) in x.iter().enumerate() {
//!             z = sample!("z_{t}": Points, Normal::new(z, 1.0).to_event::<Axis<1>>());
//!             sample!("x_{t}", Normal::new(z.sum::<Rank1<4>, _>(), 0.5), obs = x);
//!         }
//!     });
//! }
//!
//! #[guide(walk)]
//! fn plain(x: &[Sums]) {
//!     let combiner = module!("combiner", Linear::<Const<2>, Const<2>>::build);
//!     plate!("sequences", 4, |_| {
//!         let mut z = Points::zeros();
//!         for (t, x) in x.iter().enumerate() {
//!             let next = Normal::new(combiner.forward(z + x.broadcast::<Rank2<4, 2>, _>()), 0.5).to_event::<Axis<1>>();
//!             z = sample!("z_{t}", next);
//!         }
//!     });
//! }
//!
//! #[guide(walk)]
//! fn flown(x: &[Sums]) {
//!     let combiner = module!("combiner", Linear::<Const<2>, Const<2>>::build);
//!     let flow = module!("flow", |init| AffineAutoregressive::new(init, 2, &[16]));
//!     plate!("sequences", 4, |_| {
//!         let mut z = Points::zeros();
//!         for (t, x) in x.iter().enumerate() {
//!             let next = Normal::new(combiner.forward(z + x.broadcast::<Rank2<4, 2>, _>()), 0.5).to_event::<Axis<1>>();
//!             let next = TransformedDistribution::new(next, flow.clone());
//!             z = sample!("z_{t}", next);
//!         }
//!     });
//! }
//! # let x = [0.5, 1.5, 0.7].map(Sums::full);
//! # let mut svi = Svi::new(walk, plain, Adam::new(0.02), TraceElbo::with_particles(16)).seed(1);
//! # svi.run(RunOptions::steps(300), (&x[..],))?;
//! # let without = svi.evaluate((&x[..],))?;
//! # let mut svi = Svi::new(walk, flown, Adam::new(0.02), TraceElbo::with_particles(16)).seed(1);
//! # svi.run(RunOptions::steps(300), (&x[..],))?;
//! # let with = svi.evaluate((&x[..],))?;
//! # assert!((17.0..20.0).contains(&with) && (26.0..30.0).contains(&without), "{with}, {without}");
//! # Ok::<(), ppl::Error>(())
//! ```

pub use ppl_core::*;
/// Inference: objectives, optimisers, stochastic variational inference.
pub use ppl_infer as infer;

// What the process does with memory that it has freed.
pub mod memory;
pub use ppl_macros::{Module, deterministic, factor, guide, markov, model, module, param, plate, sample, submodel};

/// Everything a model in `f32` needs.
pub mod prelude {
    pub use ppl_core::Tensor;
    pub use ppl_core::autodiff::grad;
    pub use ppl_core::constraint::{
        self, Boolean, Bounds, Circular, CorrCholesky, CorrMatrix, GreaterThan, GreaterThanEq, HalfOpenInterval,
        IntegerBounds, IntegerInterval, IntegerRange, Interval, LessThan, LessThanEq, LowerBound, LowerCholesky,
        NonNegative, NonNegativeInteger, OneHot, Ordered, Positive, PositiveDefinite, PositiveInteger, PositiveOrdered,
        Real, RealVector, Simplex, Sphere, UNIT_INTERVAL,
    };
    pub use ppl_core::distribution::Distribution;
    pub use ppl_core::distributions::*;
    pub use ppl_core::flows;
    pub use ppl_core::handlers::{Block, Equalize, InferConfig, Lift, LocScale, NeuTra, Reparam, TransformBase};
    pub use ppl_core::mem;
    pub use ppl_core::memo::Memo;
    pub use ppl_core::model::{Guide, Model, Program, trace};
    pub use ppl_core::params::{Init, Module, ParamStore};
    pub use ppl_core::plate::Rows;
    pub use ppl_core::trace::{Site, Trace};
    pub use ppl_core::transform;
    pub use ppl_core::values::ValueMap;
    pub use ppl_core::{
        Axes2, Axes3, Axes4, Axis, Const, ConstShape, Cpu, Dim, Dtype, Rank0, Rank1, Rank2, Rank3, Rank4, Shape,
    };
    pub use ppl_macros::{Module, deterministic, factor, guide, markov, model, module, param, plate, sample, submodel};
}

/// What the macros' expansion names. Not for use by hand; it may change with any version.
#[doc(hidden)]
pub mod __private {
    pub use ppl_core::address::{Address, SiteIndex};
    pub use ppl_core::backend::Backend;
    pub use ppl_core::checks::{Ch, End, Fits, HasSite, SiteInfo, Sites, Untyped, check_guide, check_site};
    pub use ppl_core::error::Error;
    pub use ppl_core::guide::{AnySite, Probe, SiteOfModel, same_arguments};
    pub use ppl_core::handler::Handler;
    pub use ppl_core::mem;
    pub use ppl_core::memo::Memo;
    pub use ppl_core::model::{Guide, Model, Program, ValuesOf};
    pub use ppl_core::params::{Init, Module, Visitor, VisitorMut};
    pub use ppl_core::plate::{PlateRows, Rows};
    pub use ppl_core::primitives::*;
    pub use ppl_core::shared::Shared;
    pub use ppl_core::trace::{Site, TraceReader, TypedTrace};
    pub use ppl_core::values::{FamilyIndex, IntoValueMap, SiteValue, ValueMap};
    pub use ppl_core::{Cpu, Dtype};
    pub use std::boxed::Box;
    pub use std::collections::BTreeMap;
}

/// Everything a model in `f64` needs: the [`prelude`] with tensors and annotations of that dtype.
pub mod prelude64 {
    pub use super::prelude::*;
    pub use ppl_macros::{guide64 as guide, model64 as model};

    /// A tensor of `f64`, unless `E` says otherwise.
    pub type Tensor<S, E = f64, D = Cpu> = ppl_core::Tensor<S, E, D>;
}
