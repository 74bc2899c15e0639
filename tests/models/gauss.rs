//! A hundred independent normals whose standard deviations go from 0.1 to 10.

use ppl::backend::Backend;
use ppl::infer::ModelDensity;
use ppl::prelude::*;

use super::Task;
use super::tables::Table;

#[model(dtype = E)]
pub(crate) fn gauss<E: Dtype>(mean: &Tensor<(usize,), E>, sd: &Tensor<(usize,), E>)
where
    Cpu: Backend<E>,
{
    let _: Tensor<(usize,), E> = sample!("x", Normal::new(mean, sd).to_event::<Axis<0>>());
}

/// Does a task with the model.
pub(crate) fn with<E: Dtype, T: Task<E>>(task: T) -> Option<T::Output>
where
    Cpu: Backend<E>,
{
    let table = Table::read("gauss100")?;
    let [mean, sd] = ["mean", "sd"].map(|name| table.vector(name));
    Some(task.run(ModelDensity::new(gauss, (&mean, &sd)).expect("a continuous model")))
}
