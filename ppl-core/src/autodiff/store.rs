//! The gradients of a backward pass that is under way: ours by identity, and those of dfdx's own operations as dfdx keeps them.

use std::collections::hash_map::Entry;

use dfdx::shapes::Shape;
use dfdx::tensor::Storage;
use rustc_hash::FxHashMap;

use super::identity::Identity;
use crate::dtype::Dtype;
use crate::tensor::Tensor;
use crate::threads;

/// Gradients as dfdx keeps them, which is what its own backward operations write into.
pub(crate) type DfdxGradients<E, D> = dfdx::tensor::Gradients<E, D>;

/// How many elements one thread adds at a time.
const CHUNK: usize = 16 * 1024;

/// The gradients so far. Tensors cross over between the two kinds in `Tensor::into_dfdx` and `Tensor::from_dfdx`, which record
/// that their gradients do.
#[derive(Clone, Debug)]
pub(crate) struct GradientStore<E, D: Storage<E>> {
    /// An empty one is that of an intermediate value, and has been used.
    own: FxHashMap<Identity, Vec<E>>,
    dfdx: DfdxGradients<E, D>,
}

impl<E, D: Storage<E>> GradientStore<E, D> {
    /// Nothing yet, with space for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        let own = FxHashMap::with_capacity_and_hasher(count, Default::default());
        GradientStore { own, dfdx: DfdxGradients::leaky() }
    }

    /// Runs `f` on a store of nothing but these gradients of dfdx's.
    pub(crate) fn around<R>(grads: &mut DfdxGradients<E, D>, f: impl FnOnce(&mut Self) -> R) -> R {
        let mut store = Self::with_capacity(0);
        std::mem::swap(store.dfdx(), grads);
        let result = f(&mut store);
        std::mem::swap(store.dfdx(), grads);
        result
    }

    /// What dfdx's operations write into.
    pub(crate) fn dfdx(&mut self) -> &mut DfdxGradients<E, D> {
        &mut self.dfdx
    }

    /// The gradient of an intermediate value, which nothing adds to any more; `None` if nothing has.
    pub(crate) fn take(&mut self, of: Identity) -> Option<Vec<E>> {
        match self.own.entry(of) {
            Entry::Occupied(found) => Some(std::mem::take(found.into_mut())),
            Entry::Vacant(place) => {
                place.insert(Vec::new());
                None
            }
        }
    }
}

impl<E: Dtype, D: Storage<E>> GradientStore<E, D> {
    /// The gradient of `t`, to be added to: zeros if nothing has been.
    pub(crate) fn of<S: Shape>(&mut self, t: &Tensor<S, E, D>) -> &mut Vec<E> {
        self.own.entry(t.id).or_insert_with(|| vec![E::of(0.0); t.numel()])
    }

    /// Adds to the gradient of `t`; the first to do so gives it its buffer.
    pub(crate) fn add<S: Shape>(&mut self, t: &Tensor<S, E, D>, gains: Vec<E>) {
        debug_assert_eq!(gains.len(), t.numel(), "a gradient of other sizes");
        self.add_by(t.id, gains);
    }

    /// [`GradientStore::add`] by identity.
    pub(crate) fn add_by(&mut self, of: Identity, gains: Vec<E>) {
        match self.own.entry(of) {
            Entry::Vacant(place) => {
                place.insert(gains);
            }
            Entry::Occupied(found) => threads::each_chunk(found.into_mut(), CHUNK, &|c, gradient| {
                gradient.iter_mut().zip(&gains[c * CHUNK..]).for_each(|(g, &gain)| *g += gain);
            }),
        }
    }

    /// Adds to the gradient of `t`, which is one number.
    pub(crate) fn add_number<S: Shape>(&mut self, t: &Tensor<S, E, D>, gain: E) {
        self.own.entry(t.id).and_modify(|gradient| gradient[0] += gain).or_insert_with(|| vec![gain]);
    }
}
