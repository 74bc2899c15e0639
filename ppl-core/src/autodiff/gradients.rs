//! The gradients that a backward pass leaves, looked up by tensor.

use std::cell::RefCell;

use dfdx::shapes::Shape;
use dfdx::tensor::Storage;

use super::recorder::{BackwardOp, DfdxGradients};
use crate::{Dtype, Tensor, backend::Backend, error::Error, tensor::Inner};

/// Gradients of one loss with respect to the tracked tensors that took part in it.
///
/// Gradients of intermediate values are freed as the backward pass uses them; those of leaves
/// (tensors made by [`Tensor::tracked`]) stay.
#[derive(Clone, Debug)]
pub struct Gradients<E: Dtype, D: Backend<E>> {
    // A cell, since dfdx can ask whether a gradient exists only by making it.
    inner: RefCell<DfdxGradients<E, D>>,
}

impl<E: Dtype, D: Backend<E>> Gradients<E, D> {
    /// Fills the loss's gradient with one and runs the operations backwards.
    pub(crate) fn backward(loss: &Tensor<(), E, D>, operations: Vec<BackwardOp<E, D>>) -> Result<Self, Error> {
        let mut inner = DfdxGradients::leaky();
        let seed = inner.get_or_alloc_mut(&loss.inner).map_err(device_error::<E, D>)?;
        loss.inner.device().try_fill_with_ones(seed).map_err(device_error::<E, D>)?;
        for operation in operations.into_iter().rev() {
            operation(&mut inner).map_err(device_error::<E, D>)?;
        }
        Ok(Gradients { inner: RefCell::new(inner) })
    }

    /// The gradient with respect to `t`, shaped like it: zeros where it took no part.
    ///
    /// `None` where `t` is an intermediate value whose gradient was freed.
    pub fn get<S: Shape>(&self, t: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let mut inner = self.inner.borrow_mut();
        let buffer = inner.get_or_alloc_mut(&t.inner).ok()?;
        let whole = <D as Storage<E>>::len(t.inner.device(), buffer) == t.numel();
        whole.then(|| Tensor::from_dfdx(inner.get(&t.inner)))
    }

    /// Lends the value of `t` and its gradient as host slices and writes the value back: in place
    /// on the CPU. The gradient is used up.
    ///
    /// # Errors
    /// If the device fails.
    pub fn update<S: Shape>(
        &mut self,
        t: &mut Tensor<S, E, D>,
        f: &mut dyn FnMut(&mut [E], &mut [E]),
    ) -> Result<(), Error> {
        self.update_inner(&mut t.inner, f)
    }

    /// [`Gradients::update`] for dfdx's tensor.
    pub(crate) fn update_inner<S: Shape>(
        &mut self,
        t: &mut Inner<S, E, D>,
        f: &mut dyn FnMut(&mut [E], &mut [E]),
    ) -> Result<(), Error> {
        D::update_in_place(self.inner.get_mut(), t, f).map_err(device_error::<E, D>)
    }
}

fn device_error<E: Dtype, D: Backend<E>>(error: D::Err) -> Error {
    Error::Device(error.to_string())
}
