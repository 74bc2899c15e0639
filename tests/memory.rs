//! Many steps do not grow the process.

use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::prelude::*;

type Scalar = Tensor<()>;

#[model]
fn rows_of(x: &Tensor<Rank1<8>>) {
    let scale: Scalar = param!("scale", Scalar::scalar(1.0), constraint = Positive);
    let mut sum = Scalar::scalar(0.0);
    for i in 0..2 {
        let z: Scalar = sample!("z_{i}", Normal::new(0.0, 1.0));
        sum = sum + z;
    }
    plate!("data", 8, subsample = 4, |rows| {
        sample!("x", Normal::new(sum.spread((rows.len(),)), scale), obs = x.gather::<(usize,)>(&rows.to_vec()));
    });
}

#[guide(rows_of)]
fn rows_guide(_x: &Tensor<Rank1<8>>) {
    for i in 0..2 {
        let loc: Scalar = param!("loc_{i}", Scalar::scalar(0.0));
        let scale: Scalar = param!("scale_{i}", Scalar::scalar(1.0), constraint = Positive);
        sample!("z_{i}", Normal::new(loc, scale));
    }
}

/// The resident memory of this process in KiB, where Linux says it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[test]
fn a_hundred_thousand_steps_do_not_grow_memory() {
    let x = Tensor::from([0.5, 1.5, 1.0, 2.0, 0.0, 1.0, 1.2, 0.8]);
    let mut svi = Svi::new(rows_of, rows_guide, Adam::new(0.001), TraceElbo::default()).seed(1);
    let mut run = |steps: u32| {
        for _ in 0..steps {
            svi.step(&x).unwrap();
            svi.params().constrained("scale").unwrap();
        }
        svi.evaluate(&x).unwrap();
    };
    run(1_000);
    let Some(before) = resident() else {
        println!("skipped: no /proc/self/status with VmRSS on this system");
        return;
    };
    run(100_000);
    let after = resident().expect("it was there before");
    // A tensor that stays behind at each step takes more than 100 bytes: 10 MiB in all.
    assert!(after < before + 1024, "from {before} to {after} KiB");
}
