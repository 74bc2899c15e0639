//! The last pair of point and image that a flow has mapped.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::autodiff::{recording, same};
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::Flat;

/// Rows, their images, and ln |det J| of each.
#[derive(Clone)]
pub(super) struct Pair<E: Dtype, D: Backend<E>> {
    pub(super) x: Flat<E, D>,
    pub(super) y: Flat<E, D>,
    pub(super) log_det: Flat<E, D>,
}

/// A pair, and the recorder under which it was made.
struct Kept<E: Dtype, D: Backend<E>> {
    pair: Pair<E, D>,
    recorder: Option<Arc<()>>,
}

/// The pair that was mapped last.
///
/// It stands for its point or its image only where that is the same tensor and where operations go to
/// the same recorder as then: there the tape already leads from the one to the other, so that
/// gradients are those of a map computed anew.
pub(super) struct Memory<E: Dtype, D: Backend<E>>(Mutex<Option<Kept<E, D>>>);

impl<E: Dtype, D: Backend<E>> Memory<E, D> {
    pub(super) fn new() -> Self {
        Memory(Mutex::new(None))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept<E, D>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the pair, as weights are about to change.
    pub(super) fn clear(&mut self) {
        *self.lock() = None;
    }

    /// Keeps a pair instead of the last one.
    pub(super) fn keep(&self, pair: &Pair<E, D>) {
        *self.lock() = Some(Kept { pair: pair.clone(), recorder: recording() });
    }

    /// The pair, if it is one that `is_asked` for and was made under the recorder of now.
    pub(super) fn find(&self, is_asked: impl FnOnce(&Pair<E, D>) -> bool) -> Option<Pair<E, D>> {
        let kept = self.lock();
        let Kept { pair, recorder } = kept.as_ref()?;
        let same_recorder = same(recorder.as_ref(), recording().as_ref());
        (same_recorder && is_asked(pair)).then(|| pair.clone())
    }
}

impl<E: Dtype, D: Backend<E>> Clone for Memory<E, D> {
    /// An empty one: the clone's weights may change.
    fn clone(&self) -> Self {
        Memory::new()
    }
}

impl<E: Dtype, D: Backend<E>> fmt::Debug for Memory<E, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}
