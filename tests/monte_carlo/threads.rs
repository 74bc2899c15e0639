//! The same work on one thread and on several.

/// Asserts that the results are the same, to the last bit.
#[track_caller]
pub(crate) fn same_on_any<R: PartialEq + std::fmt::Debug + Send>(work: impl Fn() -> R + Sync) {
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool").install(&work);
    assert_eq!(on(1), on(3));
}
