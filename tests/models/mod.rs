//! The six reference models of `../shared/peers` in the language, generic over the dtype, with their data: shared by tests and
//! benchmarks.

#![allow(dead_code, reason = "each test and benchmark takes what it needs of them")]

use ppl::backend::Backend;
use ppl::infer::ModelDensity;
use ppl::model::Model;
use ppl::{Cpu, Dtype};

// Columns of numbers, and where they are.
pub(crate) mod tables;
// Eight schools, uncentred.
pub(crate) mod eight_schools;
// Logistic regression of two sizes.
pub(crate) mod logistic;
// Independent normals of very different widths.
pub(crate) mod gauss;
// A stationary autoregression.
pub(crate) mod autoregression;
// Radon by county.
pub(crate) mod radon;

/// The models, by the names that they have in `../shared/peers`.
pub(crate) const NAMES: [&str; 6] = ["eight_schools", "logistic_small", "logistic_large", "gauss100", "ar1", "radon"];

/// What is done with a model's density, whichever model it is.
pub(crate) trait Task<E: Dtype>
where
    Cpu: Backend<E>,
{
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<M, A>(self, density: ModelDensity<M, A, E, Cpu>) -> Self::Output
    where
        M: Model<A, E = E, D = Cpu> + Clone + Send,
        A: Clone + Send;
}

/// Does a task with the density of the model of that name; `None` where its data are not there.
pub(crate) fn with<E: Dtype, T: Task<E>>(name: &str, task: T) -> Option<T::Output>
where
    Cpu: Backend<E>,
{
    match name {
        "eight_schools" => Some(eight_schools::with(task)),
        "logistic_small" | "logistic_large" => logistic::with(name, task),
        "gauss100" => gauss::with(task),
        "ar1" => Some(autoregression::with(task)),
        "radon" => radon::with(task),
        _ => panic!("there is no model {name}"),
    }
}
