//! What a transform makes of a set.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Tensor;
use crate::transform::{Compose, Map};

use super::{Constraint, Support, first_outside};

/// The image of a constraint under a transform: the support of a transformed distribution.
///
/// A value lies outside where its origin is none of the base's; where the transform works on rows or
/// is not one to one, also where the origin's image is another value.
#[derive(Clone, Debug)]
pub struct Image<E: Dtype, D: Backend<E>> {
    base: Support<E, D>,
    transform: Map<E, D>,
}

impl<E: Dtype, D: Backend<E>> Image<E, D> {
    /// The image of `base` under `transform`.
    pub fn new(base: Support<E, D>, transform: Map<E, D>) -> Self {
        Image { base, transform }
    }

    /// How many trailing axes of the image hold one event of the transform.
    fn axes(&self, dims: &[usize]) -> usize {
        let to = self.transform.event_lens().1;
        let sizes = dims.iter().rev().scan(1, |len, dim| {
            *len *= dim;
            Some(*len)
        });
        if to == 1 { 0 } else { sizes.take_while(|len| *len < to).count() + 1 }
    }

    /// The sizes of the origin of a tensor of these sizes.
    fn base_dims(&self, dims: &[usize]) -> Vec<usize> {
        let (from, to) = self.transform.event_lens();
        if from == to {
            return dims.to_vec();
        }
        let kept = dims.len().saturating_sub(self.axes(dims));
        let within: usize = dims[kept..].iter().product();
        let rows = within.checked_div(to).unwrap_or(0);
        dims[..kept].iter().copied().chain([rows * from]).collect()
    }

    /// The first element that is not the image of what the transform says is its origin.
    fn not_an_image(&self, values: &[E], origin: Tensor<(usize,), E, D>) -> Option<usize> {
        let (from, to) = self.transform.event_lens();
        if self.transform.is_bijective() && (from, to) == (1, 1) {
            return None;
        }
        let again = self.transform.forward(origin).to_vec();
        let size = |at: usize| {
            let event = &values[at / to * to..][..to];
            event.iter().fold(1.0, |max: f64, v| max.max(v.wide().abs()))
        };
        let off = |at: usize| (values[at].wide() - again[at].wide()).abs();
        (0..again.len()).find(|&at| off(at).is_nan() || off(at) > 1e3 * E::epsilon().wide() * size(at))
    }
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Image<E, D> {
    fn describe(&self) -> String {
        format!("the image under {} of what is {}", self.transform.name(), self.base.describe())
    }
    fn event_axes(&self) -> usize {
        if self.transform.event_lens() == (1, 1) { self.base.event_axes() } else { self.base.event_axes().max(1) }
    }
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        let (from, to) = self.transform.event_lens();
        if to > 0 && !values.len().is_multiple_of(to) {
            return Some(values.len() / to * to);
        }
        if let Some(nan) = first_outside(values, |_| true) {
            return Some(nan);
        }
        let origin = self.transform.inverse(Tensor::vector(values.to_vec()));
        let outside = self.base.violation(&origin.to_vec(), &self.base_dims(dims));
        let at = |at: usize| if from == to { at } else { at.checked_div(from).unwrap_or(0) * to };
        outside.map(at).into_iter().chain(self.not_an_image(values, origin)).min()
    }
    fn each_inside(&self, values: &[E]) -> Option<Vec<bool>> {
        let numbers = self.transform.event_lens() == (1, 1) && self.transform.is_bijective();
        // The map's own parameters go with the elements too, so it is asked only where there are values.
        match values {
            [] => numbers.then(|| self.base.each_inside(values)).flatten(),
            _ => self.base.each_inside(&self.transform.inverse(Tensor::vector(values.to_vec())).to_vec()),
        }
    }
    fn is_discrete(&self) -> bool {
        self.base.is_discrete()
    }
    fn biject_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        let base = self.base.biject_to(&self.base_dims(dims))?;
        Some(Arc::new(Compose::new(vec![base, self.transform.clone()])))
    }
    fn transform_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        let base = self.base.transform_to(&self.base_dims(dims))?;
        Some(Arc::new(Compose::new(vec![base, self.transform.clone()])))
    }
}
