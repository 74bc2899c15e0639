//! Loops in the machine's widest vector registers, chosen at run time.

use pulp::{Arch, Simd, WithSimd};

/// Runs `work`, compiled for the widest registers that this machine has. Its closure must be
/// `#[inline(always)]`, as must be what it calls in its loops: other functions keep the registers that
/// every machine has. Sums are not put in another order, so that all registers give the same numbers.
#[inline(always)]
pub(super) fn in_widest(work: impl FnMut()) {
    Arch::new().dispatch(Work(work));
}

// A struct and not the closure itself, which the compiler would call through a function of its own.
struct Work<F>(F);

impl<F: FnMut()> WithSimd for Work<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        (self.0)();
    }
}
