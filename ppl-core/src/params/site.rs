//! A parameter statement on its way through the handlers.

use crate::address::Address;
use crate::backend::Backend;
use crate::constraint::Support;
use crate::dtype::Dtype;
use crate::error::Error;

use super::{ErasedModule, Init, Module};

/// A parameter statement as handlers see it: a tensor, or a whole module, by name. Tensors are
/// unconstrained here; the statement maps them onto their constraint.
pub trait ParamSite<E: Dtype, D: Backend<E>> {
    /// Its name.
    fn address(&self) -> &Address;

    /// The set that a tensor's constrained value lives in; `None` for modules and free tensors.
    fn constraint(&self) -> Option<&Support<E, D>>;

    /// The value, once there is one.
    fn value(&self) -> Option<&dyn ErasedModule<E, D>>;

    /// Sets the value.
    ///
    /// # Errors
    /// If it has another type or other shapes than the statement's.
    fn set_value(&mut self, value: &dyn ErasedModule<E, D>) -> Result<(), Error>;

    /// Makes the value from the statement's own initialiser.
    ///
    /// # Errors
    /// If the initial value is not one the statement allows. The site then has one that is, with
    /// which the run goes on, but which is not to be kept.
    fn initialise(&mut self, init: &mut Init<E, D>) -> Result<(), Error>;
}

/// An initial value, and what is wrong with the one that was asked for.
pub type Initial<M> = (M, Result<(), Error>);

/// A parameter statement with its type and its initialiser.
pub struct TypedParam<M, F, E: Dtype, D: Backend<E>> {
    address: Address,
    constraint: Option<Support<E, D>>,
    init: Option<F>,
    value: Option<M>,
}

impl<M: Module<E, D>, F: FnOnce(&mut Init<E, D>) -> Initial<M>, E: Dtype, D: Backend<E>> TypedParam<M, F, E, D> {
    /// A statement without a value yet.
    pub fn new(address: Address, constraint: Option<Support<E, D>>, init: F) -> Self {
        TypedParam { address, constraint, init: Some(init), value: None }
    }

    /// The value, if a handler has set one; else the initialiser, if it was not used.
    pub fn into_value(self) -> Result<M, Option<F>> {
        self.value.ok_or(self.init)
    }
}

impl<M: Module<E, D>, F: FnOnce(&mut Init<E, D>) -> Initial<M>, E: Dtype, D: Backend<E>> ParamSite<E, D>
    for TypedParam<M, F, E, D>
{
    fn address(&self) -> &Address {
        &self.address
    }

    fn constraint(&self) -> Option<&Support<E, D>> {
        self.constraint.as_ref()
    }

    fn value(&self) -> Option<&dyn ErasedModule<E, D>> {
        self.value.as_ref().map(|value| value as &dyn ErasedModule<E, D>)
    }

    fn set_value(&mut self, value: &dyn ErasedModule<E, D>) -> Result<(), Error> {
        match value.as_any().downcast_ref::<M>() {
            Some(typed) => {
                self.value = Some(typed.clone());
                Ok(())
            }
            None => Err(Error::Param {
                param: self.address.to_string(),
                problem: format!(
                    "the statement has type {}, but the stored value has type {}",
                    std::any::type_name::<M>(),
                    value.type_name()
                ),
            }),
        }
    }

    fn initialise(&mut self, init: &mut Init<E, D>) -> Result<(), Error> {
        let Some(f) = self.init.take() else { return Ok(()) };
        let (value, result) = f(init);
        self.value = Some(value);
        result
    }
}
