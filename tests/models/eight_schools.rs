//! Rubin's eight schools, uncentred: the effects of coaching in eight schools, and how they differ.

use ppl::backend::Backend;
use ppl::infer::ModelDensity;
use ppl::prelude::*;

use super::Task;

/// One number for each school.
pub(crate) type Schools<E> = Tensor<Rank1<8>, E>;

/// The estimated effects.
pub(crate) const EFFECTS: [f64; 8] = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
/// Their standard errors.
pub(crate) const ERRORS: [f64; 8] = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0];

#[model(dtype = E)]
pub(crate) fn eight_schools<E: Dtype>(effects: &Schools<E>, errors: &Schools<E>)
where
    Cpu: Backend<E>,
{
    let mu: Tensor<(), E> = sample!("mu", Normal::new(0.0, 5.0));
    let tau: Tensor<(), E> = sample!("tau", HalfCauchy::new(5.0));
    plate!("schools", 8, |_| {
        let eta: Schools<E> = sample!("eta", Normal::standard());
        let theta = deterministic!("theta", mu + tau * eta);
        sample!("y", Normal::new(theta, errors), obs = effects);
    });
}

/// Does a task with the model and its data.
pub(crate) fn with<E: Dtype, T: Task<E>>(task: T) -> T::Output
where
    Cpu: Backend<E>,
{
    let [effects, errors] = [EFFECTS, ERRORS].map(|numbers| Schools::from(numbers.map(E::of)));
    task.run(ModelDensity::new(eight_schools, (&effects, &errors)).expect("a continuous model"))
}
