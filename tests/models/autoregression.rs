//! A stationary autoregression of a hundred steps: every number is standard normal, neighbours correlate by 0.95, and a
//! diagonal metric does not help. Its distribution is written here, as a user would write one.

use std::sync::Arc;

use ppl::backend::{Backend, BlockFunction, Blocks};
use ppl::constraint::Support;
use ppl::distribution::ParameterError;
use ppl::infer::ModelDensity;
use ppl::prelude::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;

use super::Task;

/// How many steps.
pub(crate) const STEPS: usize = 100;
/// The correlation of neighbours.
pub(crate) const RHO: f64 = 0.95;

/// The numbers of a path.
type Path<E> = Tensor<Rank1<STEPS>, E>;

/// x₀ ~ Normal(0, 1), xₜ ~ Normal(ρ·xₜ₋₁, √(1 − ρ²)).
#[derive(Clone, Debug)]
pub(crate) struct Autoregression {
    rho: f64,
}

/// The log-density of a path. It is a quadratic form, whose slopes are found with it.
#[derive(Clone)]
struct LogDensity {
    rho: f64,
}

impl LogDensity {
    /// The precision of a step.
    fn precision(&self) -> f64 {
        1.0 / (1.0 - self.rho * self.rho)
    }

    /// The steps xₜ − ρ·xₜ₋₁.
    fn steps(&self, x: &[f64]) -> impl Iterator<Item = f64> {
        x.iter().zip(&x[1..]).map(|(before, after)| after - self.rho * before)
    }
}

impl BlockFunction<1> for LogDensity {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([STEPS], 1)
    }

    fn work(&self) -> usize {
        4 * STEPS
    }

    fn value(&self, [x]: [&[f64]; 1], out: &mut [f64]) {
        let squares: f64 = self.steps(x).map(|step| step * step).sum();
        let normalizer = 0.5 * (STEPS as f64 * std::f64::consts::TAU.ln() - (STEPS - 1) as f64 * self.precision().ln());
        out[0] = -0.5 * (x[0] * x[0] + self.precision() * squares) - normalizer;
    }

    fn pullback(&self, [x]: [&[f64]; 1], _: &[f64], upstream: &[f64], [gradient]: [Option<&mut [f64]>; 1]) {
        let Some(gradient) = gradient else { return };
        let scale = upstream[0] * self.precision();
        gradient[0] -= upstream[0] * x[0];
        for t in 1..STEPS {
            let slope = scale * (x[t] - self.rho * x[t - 1]);
            gradient[t] -= slope;
            gradient[t - 1] += self.rho * slope;
        }
    }
}

impl<E: Dtype> Distribution<E, Cpu> for Autoregression
where
    Cpu: Backend<E>,
{
    type Value = Path<E>;
    type Batch = ();

    fn name(&self) -> &'static str {
        "Autoregression"
    }

    fn batch_shape(&self) {}

    fn event_dims(&self) -> Vec<usize> {
        vec![STEPS]
    }

    fn draw(&self, rng: &mut Rng) -> Path<E> {
        let mut x: f64 = rng.sample(StandardNormal);
        let mut next = || {
            let here = x;
            x = self.rho * x + (1.0 - self.rho * self.rho).sqrt() * rng.sample::<f64, _>(StandardNormal);
            E::of(here)
        };
        Tensor::from_vec((0..STEPS).map(|_| next()).collect(), Rank1::default())
    }

    fn has_rsample(&self) -> bool {
        false
    }

    fn log_prob(&self, value: &Path<E>) -> Tensor<(), E> {
        let path = value.clone().reshape_like(&(STEPS,));
        Cpu::blocks(LogDensity { rho: self.rho }, [path], Blocks::equal(1)).reshape_like(&())
    }

    fn support(&self) -> Support<E, Cpu> {
        Arc::new(RealVector)
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        let constraint = "between -1 and 1".into();
        let wrong = ParameterError { parameter: "rho", value: self.rho, element: Vec::new(), constraint };
        if self.rho.abs() < 1.0 { Ok(()) } else { Err(wrong) }
    }

    fn parameters_at(&self, _: usize) -> Vec<(&'static str, f64)> {
        vec![("rho", self.rho)]
    }
}

#[model(dtype = E)]
pub(crate) fn autoregression<E: Dtype>(rho: f64) -> Path<E>
where
    Cpu: Backend<E>,
{
    sample!("x", Autoregression { rho })
}

/// Does a task with the model.
pub(crate) fn with<E: Dtype, T: Task<E>>(task: T) -> T::Output
where
    Cpu: Backend<E>,
{
    task.run(ModelDensity::new(autoregression::<E>(), (RHO,)).expect("a continuous model"))
}
