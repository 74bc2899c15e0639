//! The gradient of a loss in each number of each parameter.

use ppl::autodiff::Gradients;
use ppl::prelude64::*;

/// Gradients by full name, in the order of the store.
pub(crate) type ByName = Vec<(String, Vec<f64>)>;

pub(crate) fn by_name(params: &mut ParamStore<f64, Cpu>, grads: &mut Gradients<f64, Cpu>) -> ByName {
    let mut all = ByName::new();
    params.each_tensor_mut(|name, tensor| {
        let mut of = Vec::new();
        tensor.update(grads, &mut |_, g| of.extend_from_slice(g)).expect("a gradient");
        all.push((name.to_owned(), of));
    });
    all
}
