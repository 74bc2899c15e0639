//! Logistic regression: 500 rows of 5 columns, and 10,000 of 25.

use ppl::backend::Backend;
use ppl::infer::ModelDensity;
use ppl::prelude::*;

use super::Task;
use super::tables::Table;

#[model(dtype = E)]
pub(crate) fn logistic_regression<E: Dtype>(x: &Tensor<(usize, usize), E>, y: &Tensor<(usize,), E>)
where
    Cpu: Backend<E>,
{
    let (rows, columns) = x.shape();
    let b: Tensor<(), E> = sample!("b", Normal::new(0.0, 2.5));
    let w: Tensor<(usize,), E> = sample!("w", Normal::filled((columns,), 0.0, 2.5).to_event::<Axis<0>>());
    plate!("rows", rows, |_| {
        sample!("y", Bernoulli::from_logits(x.matmul(&w) + b), obs = y);
    });
}

/// Does a task with the model and the data of that name.
pub(crate) fn with<E: Dtype, T: Task<E>>(name: &str, task: T) -> Option<T::Output>
where
    Cpu: Backend<E>,
{
    let table = Table::read(name)?;
    let columns = if name == "logistic_small" { 5 } else { 25 };
    let y = table.vector("y");
    let x: Vec<&[f64]> = (0..columns).map(|j| table.column(&format!("x{j}"))).collect();
    let cells = (0..y.numel()).flat_map(|i| x.iter().map(move |column| E::of(column[i]))).collect();
    let x = Tensor::from_vec(cells, (y.numel(), columns));
    Some(task.run(ModelDensity::new(logistic_regression, (&x, &y)).expect("a continuous model")))
}
