//! Radon by county, varying intercepts, uncentred: 919 homes in 85 counties, with uranium as the counties' predictor.

use ppl::backend::Backend;
use ppl::infer::ModelDensity;
use ppl::prelude::*;

use super::Task;
use super::tables::Table;

/// What is known of the homes and their counties.
pub(crate) struct Homes<E: Dtype>
where
    Cpu: Backend<E>,
{
    /// The county of each home.
    pub(crate) county: Vec<usize>,
    /// Whether it was measured on the ground floor: 1, or in the basement: 0.
    pub(crate) floor: Tensor<(usize,), E>,
    /// The uranium of each county.
    pub(crate) uranium: Tensor<(usize,), E>,
    /// The logarithm of each home's radon.
    pub(crate) radon: Tensor<(usize,), E>,
}

#[model(dtype = E)]
pub(crate) fn radon<E: Dtype>(homes: &Homes<E>)
where
    Cpu: Backend<E>,
{
    let (counties, rows) = (homes.uranium.numel(), homes.radon.numel());
    let mu_a: Tensor<(), E> = sample!("mu_a", Normal::new(0.0, 5.0));
    let g_u: Tensor<(), E> = sample!("g_u", Normal::new(0.0, 5.0));
    let s_a: Tensor<(), E> = sample!("s_a", HalfNormal::new(1.0));
    let a = plate!("counties", counties, |_| {
        let r: Tensor<(usize,), E> = sample!("r", Normal::standard_like((counties,)));
        deterministic!("a", mu_a + g_u * &homes.uranium + s_a * r)
    });
    let beta: Tensor<(), E> = sample!("beta", Normal::new(0.0, 5.0));
    let s_y: Tensor<(), E> = sample!("s_y", HalfNormal::new(2.0));
    plate!("homes", rows, |_| {
        let mean = a.gather::<(usize,)>(&homes.county) + beta * &homes.floor;
        sample!("y", Normal::new(mean, s_y), obs = &homes.radon);
    });
}

/// Does a task with the model and its data.
pub(crate) fn with<E: Dtype, T: Task<E>>(task: T) -> Option<T::Output>
where
    Cpu: Backend<E>,
{
    let (homes, counties) = (Table::read("radon_obs")?, Table::read("radon_county")?);
    let homes = Homes {
        county: homes.column("county").iter().map(|&county| county as usize).collect(),
        floor: homes.vector("floor"),
        uranium: counties.vector("u"),
        radon: homes.vector("y"),
    };
    Some(task.run(ModelDensity::new(radon, &homes).expect("a continuous model")))
}
