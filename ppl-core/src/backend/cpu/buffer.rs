//! A CPU tensor's buffer as a slice, without a copy.
//!
//! dfdx lends single elements of a buffer (`Index`) but not the buffer. Copying it out and in
//! instead makes the VAE update take 1.5 times as long (measured in the design's spike), so these
//! two functions widen the lent element to the whole buffer.
//!
//! A pointer made from one element and used for its neighbours is allowed by the Tree Borrows model
//! of Rust's aliasing rules and not by the stricter Stacked Borrows; dfdx offers no other way in.

use dfdx::shapes::{HasShape, Shape, Unit};
use dfdx::tensor::Cpu;

use crate::tensor::Inner;

/// The elements of a contiguous tensor.
pub(super) fn slice<S: Shape, E: Unit>(tensor: &Inner<S, E, Cpu>) -> &[E] {
    let n = tensor.shape().num_elements();
    if n == 0 {
        return &[];
    }
    let first: *const E = &tensor[S::Concrete::default()];
    // SAFETY: every tensor of ours is contiguous and in row-major order (the invariant of
    // `crate::tensor`, which copies on broadcast and permutation), so its buffer is a `Vec` of
    // exactly `n` elements that starts at element zero. The slice borrows the tensor, which keeps
    // the buffer alive and, being borrowed, unchanged.
    unsafe { std::slice::from_raw_parts(first, n) }
}

/// The elements of a contiguous tensor, to be written. A buffer that is shared with another tensor
/// is copied first, by dfdx.
pub(super) fn slice_mut<S: Shape, E: Unit>(tensor: &mut Inner<S, E, Cpu>) -> &mut [E] {
    let n = tensor.shape().num_elements();
    if n == 0 {
        return &mut [];
    }
    let first: *mut E = &mut tensor[S::Concrete::default()];
    // SAFETY: as in `slice`; `IndexMut` has made the buffer this tensor's alone, and the exclusive
    // borrow keeps it so.
    unsafe { std::slice::from_raw_parts_mut(first, n) }
}
