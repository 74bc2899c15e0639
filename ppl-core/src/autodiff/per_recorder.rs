//! Values that hold under one recorder.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::recorder::recording;

/// A value, and the recorder under which it was made.
type Kept<T> = (T, Option<Weak<()>>);

/// A value computed from weights once for each recorder, since under another one its gradients would
/// not reach the weights. Clones share it, on other threads too; who changes the weights must replace it.
pub(crate) struct PerRecorder<T>(Arc<Mutex<Vec<Kept<T>>>>);

impl<T: Clone> PerRecorder<T> {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        PerRecorder(Arc::new(Mutex::new(vec![])))
    }

    /// The value made under the recorder of now, or else a new one.
    pub(crate) fn get_or(&self, make: impl FnOnce() -> T) -> T {
        let now = recording().as_ref().map(Arc::downgrade);
        let place = |mark: &Option<Weak<()>>| mark.as_ref().map(Weak::as_ptr);
        if let Some((value, _)) = self.lock().iter().find(|(_, then)| place(then) == place(&now)) {
            return value.clone();
        }
        // Not under the lock: a thread that waits for others within `make` may come here again.
        let value = make();
        let mut kept = self.lock();
        kept.retain(|(_, then)| then.as_ref().is_none_or(|then| then.strong_count() > 0));
        kept.push((value.clone(), now));
        value
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// As a thread of a pool does that takes other work while it waits for a part of `make`.
    #[test]
    fn a_value_may_be_asked_for_while_it_is_made() {
        let kept = PerRecorder::new();
        let (done, found) = std::sync::mpsc::channel();
        let again = kept.clone();
        std::thread::spawn(move || done.send(again.clone().get_or(|| again.get_or(|| 1) + 1)));
        assert_eq!(found.recv_timeout(std::time::Duration::from_secs(60)), Ok(2));
        assert_eq!(kept.get_or(|| unreachable!("made by the other thread")), 1);
    }

    #[test]
    fn recorders_inside_and_on_other_threads_leave_a_value_in_place_and_closed_ones_keep_none() {
        let weight = Tensor::<(), f64>::scalar(3.0).tracked();
        let kept = PerRecorder::new();
        let made = std::sync::atomic::AtomicUsize::new(0);
        let square = || {
            kept.get_or(|| {
                made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                &weight * &weight
            })
        };
        let (_, grads) = grad(|| {
            let first = square();
            let (_, inner) = grad(square);
            std::thread::scope(|scope| scope.spawn(|| grad(square)).join().unwrap());
            assert_eq!(inner.get(&weight).unwrap().item(), 6.0);
            first + no_grad(square) + square()
        });
        assert_eq!((grads.get(&weight).unwrap().item(), made.into_inner()), (12.0, 4));
        let (_, _) = grad(|| kept.get_or(|| weight.exp()));
        assert_eq!(kept.lock().len(), 2);
    }
}
