//! Documentation, `cfg`, lints, visibilities and patterns of arguments go where they belong.

#![allow(dead_code)]

use ppl::prelude::*;

/// A documented model.
#[model]
#[cfg(any(unix, windows))]
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn documented((first, _): (f64, f64), [a, ..]: [f64; 2], mut last: f64) -> f64 {
    last += a;
    sample!("z": Tensor<()>, Normal::new(first, 1.0));
    last
}

#[model]
#[cfg(not(any(unix, windows)))]
fn left_out() {
    this.is.never_compiled();
}

pub(crate) fn main() {
    assert_eq!(trace(&documented, ((0.0, 1.0), [2.0, 3.0], 4.0), 0).unwrap().0, 6.0);
    let _: &dyn std::fmt::Debug = &DocumentedValues { z: None };
    assert_eq!(documented::NAME, "documented");
}
