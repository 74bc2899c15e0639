//! Values that hold under one recorder.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::recorder::recording;

/// A value, and the recorder under which it was made.
type Kept<T> = (T, Option<Arc<()>>);

/// A value computed from weights once for each recorder, since under another one its gradients would
/// not reach the weights. Clones share it; who changes the weights must replace it.
pub(crate) struct PerRecorder<T>(Arc<Mutex<Option<Kept<T>>>>);

impl<T: Clone> PerRecorder<T> {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        PerRecorder(Arc::new(Mutex::new(None)))
    }

    /// The value made under the recorder of now, or else a new one.
    pub(crate) fn get_or(&self, make: impl FnOnce() -> T) -> T {
        let now = recording();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((value, then)) if same(then.as_ref(), now.as_ref()) => value.clone(),
            _ => {
                let value = make();
                *kept = Some((value.clone(), now));
                value
            }
        }
    }
}

/// Whether two marks are of the same recorder, or both of none.
pub(crate) fn same(then: Option<&Arc<()>>, now: Option<&Arc<()>>) -> bool {
    match (then, now) {
        (Some(then), Some(now)) => Arc::ptr_eq(then, now),
        (None, None) => true,
        _ => false,
    }
}

impl<T> Clone for PerRecorder<T> {
    fn clone(&self) -> Self {
        PerRecorder(self.0.clone())
    }
}

impl<T> fmt::Debug for PerRecorder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerRecorder")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::autodiff::{grad, no_grad};

    #[test]
    fn each_recorder_has_its_own_value_with_its_own_gradient() {
        let weight = Tensor::<(), f64>::scalar(3.0).tracked();
        let kept = PerRecorder::new();
        let clone = kept.clone();
        let square = || kept.get_or(|| &weight * &weight);
        for _ in 0..2 {
            let (value, grads) = grad(|| square() + clone.get_or(|| unreachable!("made by the other one")));
            assert_eq!((value.item(), grads.get(&weight).unwrap().item()), (18.0, 12.0));
        }
        assert_eq!(square().item(), 9.0);
        let (value, grads) = grad(|| no_grad(square) + square());
        assert_eq!((value.item(), grads.get(&weight).unwrap().item()), (18.0, 6.0));
    }
}
