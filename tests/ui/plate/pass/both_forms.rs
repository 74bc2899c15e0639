//! A plate as a block and as a loop, all rows or some.

use ppl::prelude::*;

#[model]
fn coin(n: usize) -> usize {
    let mut seen = plate!("block", n, subsample = 2, |rows| rows.len());
    for _row in plate!("loop", n, rows = vec![0]) {
        seen += 1;
    }
    'named: for row in plate!("named", n) {
        if row == 1 {
            continue 'named;
        }
        seen += 1;
    }
    plate!("typed", n, |rows: Rows| -> usize { rows.len() }) + seen
}

pub(crate) fn main() {
    assert_eq!(trace(&coin, (3,), 0).unwrap().0, 2 + 1 + 2 + 3);
}
