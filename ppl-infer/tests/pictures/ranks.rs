//! Histograms of ranks: every draw in the bin of its rank.

use ppl_infer::diagnostics::{Chains, ranks};
use ppl_infer::pictures::rank_counts;
use rand::{Rng, SeedableRng, rngs::StdRng};

#[test]
fn counts_are_those_of_ranks() {
    let mut rng = StdRng::seed_from_u64(8);
    // Whole numbers, so that many are tied.
    let draws: Vec<Vec<f64>> = (0..3).map(|_| (0..70).map(|_| f64::from(rng.gen_range(0..40))).collect()).collect();
    let chains = Chains::new(&draws.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    let all: Vec<f64> = draws.concat();
    for bins in [1, 7, 20, 210, 500] {
        let counts = rank_counts(&chains, bins);
        for (chain, counts) in draws.iter().zip(&counts) {
            let mut expected = vec![0; bins];
            for x in chain {
                let below = all.iter().filter(|y| *y < x).count() as f64;
                let tied = all.iter().filter(|y| *y == x).count() as f64;
                let rank = below + (tied + 1.0) / 2.0;
                let bin = (0..bins).find(|&bin| rank <= (bin + 1) as f64 * 210.0 / bins as f64).unwrap();
                expected[bin] += 1;
            }
            assert_eq!(*counts, expected, "{bins} bins");
        }
        assert_eq!(counts.iter().flatten().sum::<usize>(), 210);
    }
    let scores = ppl_infer::diagnostics::z_scale(&chains);
    let mut by_rank: Vec<(f64, f64)> = ranks(&chains).into_iter().zip(scores).collect();
    by_rank.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(by_rank.windows(2).all(|pair| (pair[0].0 < pair[1].0) == (pair[0].1 < pair[1].1)), "ranks of diagnostics");
}

#[test]
fn chains_that_do_not_overlap_fill_a_half_each() {
    let [low, high] = [[1.0, 3.0, 2.0, 4.0], [8.0, 5.0, 6.0, 7.0]];
    let chains = Chains::new(&[&low, &high]).unwrap();
    assert_eq!(rank_counts(&chains, 4), [[2, 2, 0, 0], [0, 0, 2, 2]]);
    assert_eq!(rank_counts(&chains, 0), [[0; 0], [0; 0]]);
    let hostile = Chains::new(&[&[1.0, f64::NAN]]).unwrap();
    assert_eq!(rank_counts(&hostile, 2), [[0, 0]]);
}
