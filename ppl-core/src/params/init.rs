//! Random initial values of parameters.

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::Tensor;

/// What an initialiser draws from: a stream of the caller's seed that belongs to the parameter's
/// name, so that it does not depend on the order in which parameters are made.
#[derive(Debug)]
pub struct Init<E: Dtype, D: Backend<E>> {
    rng: Rng,
    of: std::marker::PhantomData<fn() -> (E, D)>,
}

impl<E: Dtype, D: Backend<E>> Init<E, D> {
    /// An initialiser that draws from `rng`.
    pub fn new(rng: Rng) -> Self {
        Init { rng, of: std::marker::PhantomData }
    }

    /// The generator.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// Independent normal numbers with mean 0.
    pub fn normal<S: Shape>(&mut self, shape: S, sd: f64) -> Tensor<S, E, D> {
        self.fill(shape, |rng| sd * rng.sample::<f64, _>(StandardNormal))
    }

    /// Independent uniform numbers within `±bound`.
    pub fn uniform<S: Shape>(&mut self, shape: S, bound: f64) -> Tensor<S, E, D> {
        self.fill(shape, |rng| bound * (2.0 * rng.r#gen::<f64>() - 1.0))
    }

    /// The same number everywhere.
    pub fn constant<S: Shape>(&mut self, shape: S, value: f64) -> Tensor<S, E, D> {
        Tensor::full_like(E::of(value), shape)
    }

    fn fill<S: Shape>(&mut self, shape: S, mut draw: impl FnMut(&mut Rng) -> f64) -> Tensor<S, E, D> {
        let values = (0..shape.num_elements()).map(|_| E::of(draw(&mut self.rng))).collect();
        Tensor::from_vec(values, shape)
    }
}
