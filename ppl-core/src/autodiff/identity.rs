//! What tells a tensor from all others in a map of gradients.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that no other tensor of this process has. Clones and other shapes of a tensor keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(u64);

/// How many numbers a thread takes at a time, so that threads seldom meet.
const BLOCK: u64 = 1 << 20;

static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The number that is given next; 0 before the first block.
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

impl Identity {
    /// A new one.
    #[inline]
    pub(crate) fn fresh() -> Self {
        NEXT.with(|next| {
            let mut number = next.get();
            if number.is_multiple_of(BLOCK) {
                number = BLOCK * NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) + 1;
            }
            next.set(number + 1);
            Identity(number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_give_no_number_twice() {
        let some = || (0..1000).map(|_| Identity::fresh().0).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(some)).collect();
        let mut all = some();
        threads.into_iter().for_each(|thread| all.extend(thread.join().unwrap()));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 5000);
    }
}
