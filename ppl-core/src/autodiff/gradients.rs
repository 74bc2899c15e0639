//! The gradients that a backward pass leaves, looked up by tensor.

use std::cell::RefCell;

use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::Storage;

use super::recorder::BackwardOp;
use super::store::{DfdxGradients, GradientStore};
use crate::{Dtype, Tensor, backend::Backend, error::Error, tensor::Inner};

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
        if D::OWN_GRADIENTS {
            store.add(loss, vec![E::of(1.0)]);
        } else {
            let seed = store.dfdx().get_or_alloc_mut(&loss.inner).map_err(device_error::<E, D>)?;
            loss.inner.device().try_fill_with_ones(seed).map_err(device_error::<E, D>)?;
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
        if !D::OWN_GRADIENTS {
            return self.get_inner(&t.inner);
        }
        let mut store = self.inner.borrow_mut();
        bring_over(&mut store, t).ok()?;
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
        if !D::OWN_GRADIENTS {
            return self.update_inner(&mut t.inner, f);
        }
        let store = self.inner.get_mut();
        bring_over(store, t).map_err(device_error::<E, D>)?;
        let gradient = store.of(t);
        D::change(&mut t.inner, &mut |values| f(values, gradient));
        Ok(())
    }

    /// [`Gradients::update`] for dfdx's tensor.
    pub(crate) fn update_inner<S: Shape>(
        &mut self,
        t: &mut Inner<S, E, D>,
        f: &mut dyn FnMut(&mut [E], &mut [E]),
    ) -> Result<(), Error> {
        D::update_in_place(self.inner.get_mut().dfdx(), t, f).map_err(device_error::<E, D>)
    }
}

/// Adds what dfdx's operations have left for a tensor, one that went over to dfdx before the recorder was opened.
fn bring_over<S: Shape, E: Dtype, D: Backend<E>>(
    store: &mut GradientStore<E, D>,
    t: &Tensor<S, E, D>,
) -> Result<(), D::Err> {
    if store.has_foreign() {
        let left: Vec<E> = take_from_dfdx(store.dfdx(), &t.inner)?;
        if left.iter().any(|&g| g != E::of(0.0)) {
            store.add(t, left);
        }
    }
    Ok(())
}

/// A tensor's gradient out of dfdx's, which is zero afterwards.
pub(crate) fn take_from_dfdx<S: Shape, E: Dtype, D: Backend<E>>(
    grads: &mut DfdxGradients<E, D>,
    t: &Inner<S, E, D>,
) -> Result<Vec<E>, D::Err> {
    grads.get_or_alloc_mut(t)?;
    // dfdx reads a first element even where there is none.
    let empty = t.shape().num_elements() == 0;
    let gradient = if empty { Vec::new() } else { grads.get(t).as_vec() };
    let buffer = grads.get_or_alloc_mut(t)?;
    t.device().try_fill_with_zeros(buffer)?;
    Ok(gradient)
}

fn device_error<E: Dtype, D: Backend<E>>(error: D::Err) -> Error {
    Error::Device(error.to_string())
}
