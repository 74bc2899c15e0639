//! The gradients that a backward pass leaves, looked up by tensor.

use std::cell::RefCell;

use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::Storage;

use super::recorder::BackwardOp;
use super::store::{DfdxGradients, GradientStore};
use crate::backend::Backend;
use crate::error::Error;
use crate::tensor::{Inner, elements_of};
use crate::{Dtype, Tensor};

/// Gradients of one loss with respect to the tracked tensors that took part in it.
///
/// Gradients of intermediate values are freed as the backward pass uses them; those of leaves
/// (tensors made by [`Tensor::tracked`]) stay.
#[derive(Clone, Debug)]
pub struct Gradients<E: Dtype, D: Backend<E>> {
    // A cell, since dfdx can ask whether a gradient exists only by making it.
    inner: RefCell<GradientStore<E, D>>,
}

impl<E: Dtype, D: Backend<E>> Gradients<E, D> {
    /// Fills the loss's gradient with one and runs the operations backwards.
    pub(crate) fn backward(loss: &Tensor<(), E, D>, operations: Vec<BackwardOp<E, D>>) -> Result<Self, Error> {
        let mut store = GradientStore::with_capacity(operations.len());
        if let Some(inner) = loss.on_device() {
            let seed = store.dfdx().get_or_alloc_mut(inner).map_err(device_error::<E, D>)?;
            inner.device().try_fill_with_ones(seed).map_err(device_error::<E, D>)?;
        } else {
            store.add(loss, vec![E::of(1.0)]);
        }
        for operation in operations.into_iter().rev() {
            operation(&mut store).map_err(device_error::<E, D>)?;
        }
        Ok(Gradients { inner: RefCell::new(store) })
    }

    /// The gradient with respect to `t`, shaped like it: zeros where it took no part.
    ///
    /// `None` where `t` is an intermediate value whose gradient was freed.
    pub fn get<S: Shape>(&self, t: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        if let Some(inner) = t.on_device() {
            return Some(self.get_inner(inner)?.reshape_like(&t.shape()));
        }
        let mut store = self.inner.borrow_mut();
        let gradient = store.of(t);
        (gradient.len() == t.numel()).then(|| Tensor::from_vec(gradient.clone(), t.shape()))
    }

    /// [`Gradients::get`] of a tensor of dfdx's.
    pub(crate) fn get_inner<S: Shape>(&self, t: &Inner<S, E, D>) -> Option<Tensor<S, E, D>> {
        let mut store = self.inner.borrow_mut();
        let grads = store.dfdx();
        let buffer = grads.get_or_alloc_mut(t).ok()?;
        let whole = <D as Storage<E>>::len(t.device(), buffer) == t.shape().num_elements();
        whole.then(|| Tensor::from_dfdx(grads.get(t)))
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
        if let Some(inner) = t.on_device() {
            let mut gradient = take_from_dfdx(self.inner.get_mut().dfdx(), inner).map_err(device_error::<E, D>)?;
            t.change(&mut |values| f(values, &mut gradient));
        } else {
            let gradient = self.inner.get_mut().of(t);
            t.change(&mut |values| f(values, gradient));
        }
        Ok(())
    }

    /// [`Gradients::update`] for dfdx's tensor, by copies.
    pub(crate) fn update_inner<S: Shape>(
        &mut self,
        t: &mut Inner<S, E, D>,
        f: &mut dyn FnMut(&mut [E], &mut [E]),
    ) -> Result<(), Error> {
        let mut gradient = take_from_dfdx(self.inner.get_mut().dfdx(), t).map_err(device_error::<E, D>)?;
        let mut values = elements_of(t);
        f(&mut values, &mut gradient);
        t.copy_from(&values);
        Ok(())
    }
}

/// A tensor's gradient out of dfdx's, which is zero afterwards.
pub(crate) fn take_from_dfdx<S: Shape, E: Dtype, D: Backend<E>>(
    grads: &mut DfdxGradients<E, D>,
    t: &Inner<S, E, D>,
) -> Result<Vec<E>, D::Err> {
    grads.get_or_alloc_mut(t)?;
    let gradient = elements_of(&grads.get(t));
    t.device().try_fill_with_zeros(grads.get_or_alloc_mut(t)?)?;
    Ok(gradient)
}

fn device_error<E: Dtype, D: Backend<E>>(error: D::Err) -> Error {
    Error::Device(error.to_string())
}
