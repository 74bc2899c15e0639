//! Values that lie in one of several sets.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::Map;

use super::{Constraint, Flat, Support};

/// Values each of which lies in at least one of several sets of one kind of event: where a mixture
/// of different families has a density. No map leads onto it.
#[derive(Clone, Debug)]
pub struct Union<E: Dtype, D: Backend<E>> {
    sets: Vec<Support<E, D>>,
}

impl<E: Dtype, D: Backend<E>> Union<E, D> {
    /// The union of the sets.
    pub fn new(sets: Vec<Support<E, D>>) -> Self {
        Union { sets }
    }
}

/// For each event of `len` numbers, whether it lies outside of `set`.
pub(crate) fn outside<E: Dtype, D: Backend<E>>(
    set: &Support<E, D>,
    values: &[E],
    dims: &[usize],
    len: usize,
) -> Vec<bool> {
    let mut outside = vec![false; values.len() / len.max(1)];
    let mut values = values.to_vec();
    // What is known to lie inside takes the place of each event found outside, so that the next is found.
    let zeros = Flat::<E, D>::vector(vec![E::of(0.0); values.len()]);
    let inside = set.transform_to(dims).map_or_else(|| zeros.to_vec(), |map| map.forward(zeros.clone()).to_vec());
    while let Some(at) = set.violation(&values, dims) {
        let event = at / len.max(1);
        if std::mem::replace(&mut outside[event], true) {
            // Even the replacement lies outside: nothing more can be said about later events.
            break;
        }
        let range = event * len..(event + 1) * len;
        values[range.clone()].copy_from_slice(&inside[range]);
    }
    outside
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Union<E, D> {
    fn describe(&self) -> String {
        self.sets.iter().map(|set| set.describe()).collect::<Vec<_>>().join(", or ")
    }

    fn event_axes(&self) -> usize {
        self.sets.iter().map(|set| set.event_axes()).max().unwrap_or(0)
    }

    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        let kept = dims.len().saturating_sub(Constraint::<E, D>::event_axes(self));
        let len: usize = dims[kept..].iter().product();
        let each: Vec<Vec<bool>> = self.sets.iter().map(|set| outside(set, values, dims, len)).collect();
        (0..values.len() / len.max(1)).find(|&event| each.iter().all(|set| set[event])).map(|event| event * len)
    }

    fn is_discrete(&self) -> bool {
        self.sets.iter().all(|set| set.is_discrete())
    }

    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::constraint::{Boolean, Bounds, Interval, Positive};
    use crate::{Cpu, Tensor};

    #[test]
    fn a_value_in_one_of_the_sets_is_admitted() {
        let bounds = Bounds::new(Tensor::vector(vec![-2.0, -4.0]), Tensor::vector(vec![-1.0, -3.0]));
        let union = Union::<f64, Cpu>::new(vec![Arc::new(Positive), Arc::new(bounds)]);
        assert_eq!(union.violation(&[-1.5, -3.5], &[2]), None);
        assert_eq!(union.violation(&[1.0, -1.5], &[2]), Some(1));
        assert_eq!(union.violation(&[-3.5, -3.5], &[2]), Some(0));
        assert_eq!(union.violation(&[f64::NAN, 1.0], &[2]), Some(0));
        assert!(!union.is_discrete() && union.describe().contains(", or "));
    }

    #[test]
    fn sets_without_a_map_are_searched_too() {
        let between = Interval { low: 2.0, high: 3.0 };
        let union = Union::<f64, Cpu>::new(vec![Arc::new(Boolean), Arc::new(between)]);
        assert_eq!(union.violation(&[0.0, 2.5, 1.0, 1.5, 3.5], &[5]), Some(3));
    }
}
