//! Work shared among threads, piece by piece.
//!
//! The work is behind a reference to `dyn`, called once a piece, so that what cuts, steals and joins is
//! compiled once an element type and not once a kernel. Pieces are fixed by their caller, so that
//! threads change no result.

use rayon::prelude::*;

/// Runs `work` on each chunk of `len` elements, the last of which may be shorter, with its number.
pub(crate) fn each_chunk<T: Send>(values: &mut [T], len: usize, work: &(dyn Fn(usize, &mut [T]) + Sync)) {
    if values.len() <= len {
        if !values.is_empty() {
            work(0, values);
        }
    } else {
        values.par_chunks_mut(len).enumerate().for_each(|(c, chunk)| work(c, chunk));
    }
}

/// Runs `work` on each item, with its number.
pub(crate) fn each<T: Send>(items: &mut [T], work: &(dyn Fn(usize, &mut T) + Sync)) {
    if items.len() <= 1 {
        items.iter_mut().enumerate().for_each(|(i, item)| work(i, item));
    } else {
        items.par_iter_mut().enumerate().for_each(|(i, item)| work(i, item));
    }
}
