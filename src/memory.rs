//! What the process does with memory that it has freed.

/// Keeps freed buffers for the next step instead of giving them back to the system.
///
/// Under glibc a buffer of more than 128 KiB is a mapping of its own, which is unmapped when freed
/// and faulted in again, page by page, at the next step; for a step of a few milliseconds that can
/// double the time. Call this once, at the start of `main`; it changes a setting of the process and
/// does nothing where there is no glibc. An allocator that keeps its pages does as well.
pub fn keep_freed_buffers() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const ONE_GIB: libc::c_int = 1 << 30;
        // SAFETY: `mallopt` only sets two thresholds of the allocator; any values are allowed, and
        // it locks the allocator while it does so.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, ONE_GIB);
            libc::mallopt(libc::M_TRIM_THRESHOLD, ONE_GIB);
        }
    }
}
