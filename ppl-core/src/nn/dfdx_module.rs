//! dfdx's modules as ours: their tensors are parameters, their operations go to our recorder.

use std::borrow::Borrow;
use std::convert::Infallible;

use dfdx::nn::tensor_collection::{
    RecursiveWalker, TensorCollection, TensorOptions, TensorVisitor, ViewTensorMut, ViewTensorName, ViewTensorRef,
};
use dfdx::nn::{BuildOnDevice, Module as DfdxForward};
use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{PutTape, SplitTape};
use rand::RngCore;

use crate::autodiff::{GradTape, Gradients, no_grad};
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::{Error, ShapeError};
use crate::params::{Init, Module, ParamTensor, Visitor, VisitorMut, shaped};
use crate::shared::Shared;
use crate::tensor::{Inner, Taped, Tensor};
use crate::transform::Flat;

/// A module of dfdx: a layer, a tuple of layers, or a struct with `TensorCollection`.
///
/// Its forward pass is dfdx's immutable one: dropout is off, and batch normalisation uses its
/// running statistics, which are kept among the parameters but never updated.
///
/// ```
/// use dfdx::nn::builders::{Linear, ReLU};
/// use ppl_core::{Rank2, Tensor, nn::Dfdx, params::Init, rng::Rng};
///
/// type Net = (Linear<4, 8>, ReLU, Linear<8, 2>);
/// let net = Dfdx::<Net>::build(&mut Init::new(Rng::seed(0)));
/// let y: Tensor<Rank2<3, 2>> = net.forward(Tensor::<Rank2<3, 4>>::zeros());
/// ```
#[derive(Clone, Debug)]
pub struct Dfdx<M> {
    module: M,
    /// Whether the weights are leaves of differentiation: dfdx's tensors have no place for it.
    tracked: bool,
}

impl<B> Dfdx<B> {
    /// Builds a module that dfdx describes by the type `B` (from `dfdx::nn::builders`), with dfdx's
    /// own initial values, drawn from a seed that `init` gives.
    pub fn build<E: Dtype, D: Backend<E>>(init: &mut Init<E, D>) -> Dfdx<B::Built>
    where
        B: BuildOnDevice<D, E>,
    {
        Dfdx::new(B::build_on_device(&D::seeded(init.rng().next_u64())))
    }
}

impl<M> Dfdx<M> {
    /// Wraps a module that was built already, with the values it has.
    pub fn new<E: Dtype, D: Backend<E>>(mut module: M) -> Self
    where
        M: TensorCollection<E, D>,
    {
        walk_mut(&mut module, &mut Settle);
        Dfdx { module, tracked: false }
    }

    /// dfdx's module.
    pub fn module(&self) -> &M {
        &self.module
    }

    /// The module's output for a tensor or a reference to one.
    ///
    /// # Panics
    /// Where dfdx's module does, as for sizes known only at run time that do not fit.
    #[must_use]
    #[track_caller]
    pub fn forward<S: Shape, R: Shape, E: Dtype, D: Backend<E>>(
        &self,
        x: impl Borrow<Tensor<S, E, D>>,
    ) -> Tensor<R, E, D>
    where
        M: DfdxForward<Taped<S, E, D>, Output = Taped<R, E, D>>,
    {
        let x = x.borrow();
        let tracked = self.tracked || x.is_tracked();
        let run = |x: Tensor<S, E, D>| Tensor::from_dfdx(self.module.forward(x.into_dfdx()));
        // dfdx's fresh tapes always record, so what is constant must be run without a recorder.
        if tracked { run(x.tracked()) } else { no_grad(|| run(x.clone())).detach() }
    }
}

impl<M, E: Dtype, D: Backend<E>> Module<E, D> for Dfdx<M>
where
    M: TensorCollection<E, D> + Clone + Shared + 'static,
{
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        let mut show = Show { visitor, tracked: self.tracked };
        let Ok(_) = M::iter_tensors(&mut RecursiveWalker { m: (&self.module, String::new()), f: &mut show });
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        walk_mut(&mut self.module, &mut Lend { visitor, tracked: &mut self.tracked });
    }
}

/// Walks a module's tensors, which the visitor may change.
fn walk_mut<M, E: Dtype, D: Backend<E>, V>(module: &mut M, visitor: &mut V)
where
    M: TensorCollection<E, D>,
    V: TensorVisitor<E, D, Viewer = (ViewTensorMut, ViewTensorName), Err = Infallible>,
{
    let Ok(_) = M::iter_tensors(&mut RecursiveWalker { m: (module, String::new()), f: visitor });
}

/// Nothing is built on the walk.
type Unbuilt<S, E, D> = Result<Option<Inner<S, E, D>>, Infallible>;

/// Shows each tensor to our visitor.
struct Show<'v, 'f, E: Dtype, D: Backend<E>> {
    visitor: &'v mut Visitor<'f, E, D>,
    tracked: bool,
}

impl<E: Dtype, D: Backend<E>> TensorVisitor<E, D> for Show<'_, '_, E, D> {
    type Viewer = (ViewTensorRef, ViewTensorName);
    type Err = Infallible;
    type E2 = E;
    type D2 = D;

    fn visit<S: Shape>(
        &mut self,
        options: TensorOptions<S, E, D>,
        (tensor, name): (&Inner<S, E, D>, String),
    ) -> Unbuilt<S, E, D> {
        let (tensor, tracked) = (&mut tensor.clone(), &mut self.tracked.clone());
        self.visitor.named(&name, &Weight { tensor, tracked, learns: options.do_gradient_update });
        Ok(None)
    }
}

/// Lends each tensor to our visitor.
struct Lend<'v, 'f, E: Dtype, D: Backend<E>> {
    visitor: &'v mut VisitorMut<'f, E, D>,
    tracked: &'v mut bool,
}

impl<E: Dtype, D: Backend<E>> TensorVisitor<E, D> for Lend<'_, '_, E, D> {
    type Viewer = (ViewTensorMut, ViewTensorName);
    type Err = Infallible;
    type E2 = E;
    type D2 = D;

    fn visit<S: Shape>(
        &mut self,
        options: TensorOptions<S, E, D>,
        (tensor, name): (&mut Inner<S, E, D>, String),
    ) -> Unbuilt<S, E, D> {
        let mut weight = Weight { tensor, tracked: self.tracked, learns: options.do_gradient_update };
        self.visitor.named(&name, &mut weight);
        Ok(None)
    }
}

/// Puts each tensor on the thread's handle of the device, contiguous, as ours are.
struct Settle;

impl<E: Dtype, D: Backend<E>> TensorVisitor<E, D> for Settle {
    type Viewer = (ViewTensorMut, ViewTensorName);
    type Err = Infallible;
    type E2 = E;
    type D2 = D;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, E, D>,
        (tensor, _): (&mut Inner<S, E, D>, String),
    ) -> Unbuilt<S, E, D> {
        *tensor = D::current().tensor_from_vec(tensor.as_vec(), *tensor.shape());
        Ok(None)
    }
}

/// A tensor of a dfdx module.
struct Weight<'t, S: Shape, E: Dtype, D: Backend<E>> {
    tensor: &'t mut Inner<S, E, D>,
    /// The module's flag.
    tracked: &'t mut bool,
    /// False for what dfdx keeps out of gradient updates: running statistics.
    learns: bool,
}

impl<S: Shape, E: Dtype, D: Backend<E>> ParamTensor<E, D> for Weight<'_, S, E, D> {
    fn dims(&self) -> Vec<usize> {
        self.tensor.shape().concrete().into()
    }

    fn to_vec(&self) -> Vec<E> {
        self.tensor.as_vec()
    }

    fn track(&mut self) {
        *self.tracked = true;
    }

    fn untrack(&mut self) {
        *self.tracked = false;
    }

    fn update(&mut self, grads: &mut Gradients<E, D>, f: &mut dyn FnMut(&mut [E], &mut [E])) -> Result<(), Error> {
        if self.learns { grads.update_inner(self.tensor, f) } else { Ok(()) }
    }

    fn gradient(&self, grads: &Gradients<E, D>) -> Option<Vec<E>> {
        self.learns.then(|| grads.get_inner(self.tensor).map(|gradient| gradient.to_vec())).flatten()
    }

    fn weighed(&self, slopes: Vec<E>) -> Result<Option<Tensor<(), E, D>>, ShapeError> {
        let taped = self.tensor.clone().put_tape(GradTape { tracked: *self.tracked });
        if self.learns { Tensor::from_dfdx(taped).weighed(slopes) } else { Ok(None) }
    }

    fn set(&mut self, values: &[E]) -> Result<(), ShapeError> {
        *self.tensor = Tensor::try_from_vec(values.to_vec(), *self.tensor.shape())?.into_dfdx().split_tape().0;
        Ok(())
    }

    fn put(&mut self, numbers: &Flat<E, D>) -> Result<(), ShapeError> {
        let (inner, tape) = shaped(numbers, *self.tensor.shape())?.into_dfdx().split_tape();
        *self.tensor = inner;
        *self.tracked |= tape.tracked;
        Ok(())
    }

    fn learns(&self) -> bool {
        self.learns
    }
}
