//! Where a mixture of one family has a density: what its components' sets cover together.

use crate::backend::{Backend, Layers};
use crate::dtype::Dtype;
use crate::transform::Map;

use super::{Constraint, Support};

/// Events each of which lies in the set of at least one component, for sets of numbers whose bounds
/// differ from component to component. No map leads onto it.
#[derive(Clone, Debug)]
pub(crate) struct OfComponents<E: Dtype, D: Backend<E>> {
    each: Support<E, D>,
    layers: Layers,
}

impl<E: Dtype, D: Backend<E>> OfComponents<E, D> {
    /// The components' sets; `layers` are the elements before the axis of components, along it, and in
    /// one event.
    pub(crate) fn new(each: Support<E, D>, layers: Layers) -> Self {
        OfComponents { each, layers }
    }
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for OfComponents<E, D> {
    fn describe(&self) -> String {
        format!("{}, for one of the components", self.each.describe())
    }

    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        let Layers { outer, axis, inner } = self.layers;
        if values.len() != outer * inner {
            return Some(0);
        }
        let events = (0..outer).map(|event| &values[event * inner..][..inner]);
        let repeated: Vec<E> = events.flat_map(|event| std::iter::repeat_n(event, axis)).flatten().copied().collect();
        let inside = self.each.each_inside(&repeated)?;
        let admitted =
            |event: usize| (0..axis).any(|k| inside[(event * axis + k) * inner..][..inner].iter().all(|&it| it));
        (0..outer).find(|&event| !admitted(event)).map(|event| event * inner)
    }

    fn is_discrete(&self) -> bool {
        self.each.is_discrete()
    }

    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        None
    }
}
