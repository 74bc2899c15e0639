//! The tape flag that every tensor carries and the thread's stack of recorders.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use dfdx::tensor::{HasErr, Merge, NoneTape, Storage, Tape};
use rustc_hash::FxHashMap;

use super::store::{DfdxGradients, GradientStore};

/// One recorded backward operation.
pub(crate) type BackwardOp<E, D> = Box<dyn FnOnce(&mut GradientStore<E, D>) -> Result<(), <D as HasErr>::Err>>;

thread_local! {
    static RECORDERS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// What stands at one level of the stack.
struct Entry {
    /// A `Vec<BackwardOp<E, D>>`, or `Pause` where recording is off.
    operations: Box<dyn Any>,
    /// Tells this level from all others, for as long as somebody holds it.
    mark: Arc<()>,
    /// What operations of this level have in common.
    shared: FxHashMap<(usize, usize), Rc<dyn Any>>,
}

/// The mark of a stretch that records nothing.
struct Pause;

/// Whether a tensor takes part in differentiation: the tape type of every [`crate::Tensor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GradTape {
    pub(crate) tracked: bool,
}

impl Default for GradTape {
    /// A tape that records: dfdx makes fresh ones (`retaped`) for a layer's weights and for the
    /// second use of a tensor, as in softmax, and one that did not record would lose gradients.
    fn default() -> Self {
        GradTape { tracked: true }
    }
}

impl Merge<NoneTape> for GradTape {
    fn merge(self, _: NoneTape) -> Self {
        self
    }
}

impl Merge<GradTape> for GradTape {
    fn merge(self, other: GradTape) -> Self {
        GradTape { tracked: self.tracked | other.tracked }
    }
}

impl<E: 'static, D: Storage<E>> Tape<E, D> for GradTape {
    const OWNS_TAPE: bool = true;

    fn add_backward_op<F>(&mut self, operation: F)
    where
        F: 'static + FnOnce(&mut DfdxGradients<E, D>) -> Result<(), D::Err>,
    {
        if self.tracked {
            record::<E, D>(move |store| operation(store.dfdx()));
        }
    }
}

/// Pushes a backward operation on this thread's innermost recorder. One of another dtype or device
/// takes nothing, nor does a recorder outside it: what the inner closure computes is its own.
pub(crate) fn record<E: 'static, D: Storage<E>>(
    operation: impl FnOnce(&mut GradientStore<E, D>) -> Result<(), D::Err> + 'static,
) {
    push::<E, D>(Box::new(operation));
}

/// [`record`] of an operation whose type is forgotten, so that this is compiled once.
fn push<E: 'static, D: Storage<E>>(operation: BackwardOp<E, D>) {
    RECORDERS.with_borrow_mut(|stack| {
        let top = stack.last_mut().and_then(|top| top.operations.downcast_mut::<Vec<BackwardOp<E, D>>>());
        if let Some(operations) = top {
            operations.push(operation);
        }
    });
}

/// Whether an operation on tracked tensors would be recorded now, on this thread.
pub fn is_recording() -> bool {
    RECORDERS.with_borrow(|stack| stack.last().is_some_and(|top| !top.operations.is::<Pause>()))
}

/// What tells the recorder that operations go to now from all others; `None` where they go to none.
pub(crate) fn recording() -> Option<Arc<()>> {
    RECORDERS.with_borrow(|stack| {
        let top = stack.last().filter(|top| !top.operations.is::<Pause>());
        top.map(|top| top.mark.clone())
    })
}

/// What operations that this thread's innermost recorder takes have in common under a key, made by the
/// first of them. `None` where [`record`] would take none of this dtype and device.
///
/// # Panics
/// If a key stands for a value of another type.
pub(crate) fn shared<E: 'static, D: Storage<E>, T: 'static>(
    key: (usize, usize),
    new: impl FnOnce() -> T,
) -> Option<Rc<T>> {
    RECORDERS.with_borrow_mut(|stack| {
        let top = stack.last_mut().filter(|top| top.operations.is::<Vec<BackwardOp<E, D>>>())?;
        let found = top.shared.entry(key).or_insert_with(|| Rc::new(new()));
        Some(found.clone().downcast().expect("values of one type under a key"))
    })
}

/// Runs `f` without recording anything, whatever is tracked in it.
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    let _level = Level::push(Box::new(Pause));
    f()
}

/// One level of the stack; dropping it, in a panic too, restores the stack below it.
struct Level {
    depth: usize,
}

impl Level {
    fn push(operations: Box<dyn Any>) -> Self {
        RECORDERS.with_borrow_mut(|stack| {
            stack.push(Entry { operations, mark: Arc::new(()), shared: FxHashMap::default() });
            Level { depth: stack.len() - 1 }
        })
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        // Dropped outside the borrow: a recorded closure may own tensors whose drop is not ours.
        let removed = RECORDERS.with_borrow_mut(|stack| stack.split_off(self.depth.min(stack.len())));
        drop(removed);
    }
}

/// An open recorder of this thread.
pub(crate) struct Recorder<E, D> {
    level: Level,
    of: PhantomData<(E, D)>,
}

impl<E: 'static, D: Storage<E>> Recorder<E, D> {
    /// Opens a recorder on top of the stack.
    pub(crate) fn open() -> Self {
        let level = Level::push(Box::new(Vec::<BackwardOp<E, D>>::with_capacity(16)));
        Recorder { level, of: PhantomData }
    }

    /// Closes the recorder and returns what it recorded, oldest first.
    pub(crate) fn close(self) -> Vec<BackwardOp<E, D>> {
        RECORDERS.with_borrow_mut(|stack| {
            let entry = stack.get_mut(self.level.depth);
            let entry = entry.and_then(|e| e.operations.downcast_mut::<Vec<BackwardOp<E, D>>>());
            entry.map(std::mem::take).unwrap_or_default()
        })
    }
}
