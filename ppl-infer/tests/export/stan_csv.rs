//! Stan's CSV: what was written comes back to the last bit, whatever names and numbers there are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ppl_infer::draws::{ChainDraws, Draws, Role, SampleStats, Variable, layout};
use ppl_infer::export::{InverseMass, StanCsv, StanRun, read_stan_csv};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::runs::{run, variables};

/// Writes each chain to a file of its own.
pub(crate) fn write(folder: &Path, draws: &Draws) -> Vec<PathBuf> {
    let write = |(number, chain): (usize, &ChainDraws)| {
        let path = folder.join(format!("chain-{number}.csv"));
        let setup = StanRun { model: "eight schools".into(), chain: number, seed: 7, ..StanRun::default() };
        let mut csv = StanCsv::create(&path, draws.variables(), &setup).unwrap();
        csv.adaptation(0.25, InverseMass::Diagonal(&[1.5, 0.5])).unwrap();
        chain.rows().zip(chain.stats()).for_each(|(row, stats)| csv.row(row, stats).unwrap());
        csv.finish(Duration::from_millis(1500), Duration::from_secs(2)).unwrap();
        path
    };
    draws.chains().iter().enumerate().map(write).collect()
}

fn back(draws: &Draws) -> Draws {
    let folder = tempfile::tempdir().unwrap();
    read_stan_csv(&write(folder.path(), draws)).unwrap()
}

#[test]
fn a_run_comes_back() {
    let draws = run(variables(), &[5, 5]);
    assert_eq!(back(&draws), draws);
}

#[test]
fn interrupted_empty_and_missing_chains_come_back() {
    for lengths in [&[4, 0, 7][..], &[0, 0]] {
        let draws = run(variables(), lengths);
        assert_eq!(back(&draws), draws);
    }
    let nothing = run(Vec::new(), &[3]);
    assert_eq!(back(&nothing), nothing, "stats of rows without numbers");
    assert_eq!(back(&Draws::default()), Draws::default());
}

fn number() -> impl Strategy<Value = f64> {
    let edges = [0.0, -0.0, 0.1, 1e300, -1e-300, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::INFINITY, f64::NEG_INFINITY];
    // Every bit pattern but those of NaN.
    let any = any::<u64>().prop_map(f64::from_bits).prop_filter("a number", |x| !x.is_nan());
    prop_oneof![any, proptest::sample::select(edges.to_vec())]
}

fn variables_of_any_name() -> impl Strategy<Value = Vec<(String, Vec<usize>, Role)>> {
    let name = prop_oneof![".{0,6}", "[a,.%\"#/_ =\n\r]{0,6}", "[a-c]{1,3}(__)?"];
    let role = prop_oneof![Just(Role::Latent), Just(Role::Deterministic)];
    vec((name, vec(0..4_usize, 0..4), role), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn whatever_is_written_comes_back(
        mut parts in variables_of_any_name(),
        numbers in vec(number(), 4 * 27 * 2),
        of_stats in vec(number(), 4),
    ) {
        parts.dedup_by(|a, b| a.0 == b.0);
        parts.iter_mut().enumerate().for_each(|(i, part)| part.0.push_str(&format!("{i}__")[..i % 4]));
        let names: std::collections::HashSet<_> = parts.iter().map(|part| part.0.clone()).collect();
        prop_assume!(names.len() == parts.len());
        let variables = layout(parts);
        let width = variables.last().map_or(0, |v| v.range.end);
        let mut chain = ChainDraws::new(width);
        for row in numbers.chunks_exact(4 * 27) {
            let [log_density, accept_probability, step_size, energy] = [0, 1, 2, 3].map(|i| of_stats[i]);
            let stats = SampleStats { log_density, accept_probability, step_size, energy, ..SampleStats::default() };
            chain.push(&row[..width], stats);
        }
        let draws = Draws::new(variables, vec![chain]);
        let found = back(&draws);
        prop_assert_eq!(found.variables(), draws.variables());
        let bits = |draws: &Draws| draws.chains()[0].rows().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&found), bits(&draws));
        prop_assert_eq!(found, draws);
    }
}

#[test]
fn nan_comes_back_as_nan() {
    let mut chain = ChainDraws::new(1);
    chain.push(&[f64::NAN], SampleStats { energy: f64::NAN, ..SampleStats::default() });
    let variables = layout([("x".to_owned(), vec![], Role::Latent)]);
    let found = back(&Draws::new(variables, vec![chain]));
    assert!(found.chains()[0].row(0)[0].is_nan() && found.chains()[0].stats()[0].energy.is_nan());
}

#[test]
fn a_file_looks_as_cmdstan_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let variables = layout([("mu".into(), vec![], Role::Latent), ("w".into(), vec![2, 2], Role::Latent)]);
    let path = folder.path().join("draws.csv");
    let setup = StanRun {
        model: "a\nline".into(),
        chain: 1,
        seed: 42,
        num_warmup: 500,
        num_samples: 1,
        max_depth: Some(10),
        notes: vec![("delta".into(), "0.8".into())],
        ..StanRun::default()
    };
    let mut csv = StanCsv::create(&path, &variables, &setup).unwrap();
    csv.adaptation(0.5, InverseMass::Dense(&[1.0, 0.25, 0.25, 2.0])).unwrap();
    let stats = SampleStats { log_density: -1.5, depth: 2, evaluations: 3, diverging: true, ..SampleStats::default() };
    csv.row(&[0.1, 11.0, 12.0, 21.0, 22.0], &stats).unwrap();
    assert_eq!(csv.rows(), 1);
    csv.finish(Duration::from_millis(1500), Duration::from_millis(250)).unwrap();
    let expected = format!(
        "# ppl_version = {}\n# model = a line\n# method = sample\n#     num_samples = 1\n#     num_warmup = 500\n\
         #     save_warmup = 0\n#     thin = 1\n#     algorithm = hmc\n#         engine = nuts\n\
         #             max_depth = 10\n# id = 2\n# seed = 42\n# delta = 0.8\n# ppl_variable = latent mu\n\
         # ppl_variable = latent w 2 2\n\
         lp__,accept_stat__,stepsize__,treedepth__,n_leapfrog__,divergent__,energy__,reached_max_treedepth__,\
         mu,w.1.1,w.2.1,w.1.2,w.2.2\n\
         # Adaptation terminated\n# Step size = 0.5\n# Elements of inverse mass matrix:\n# 1.0, 0.25\n# 0.25, 2.0\n\
         -1.5,0.0,0.0,2,3,1,0.0,0,0.1,11.0,21.0,12.0,22.0\n\
         # \n#  Elapsed Time: 1.500 seconds (Warm-up)\n#                0.250 seconds (Sampling)\n\
         #                1.750 seconds (Total)\n# \n",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

/// The file of a run that was killed in the middle of a line, and went on from its second draw, is that of a run that
/// was not.
#[test]
fn a_resumed_file_is_that_of_a_run_without_a_break() {
    let folder = tempfile::tempdir().unwrap();
    let draws = run(variables(), &[6]);
    let chain = &draws.chains()[0];
    let whole = write(folder.path(), &draws).remove(0);
    let expected = fs::read(&whole).unwrap();
    for kept in 0..=6 {
        let path = folder.path().join("resumed.csv");
        // Half of the line behind the rows that are kept, and as much as one more where there is one.
        let text = String::from_utf8(expected.clone()).unwrap();
        let rows: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        let above = text.lines().take_while(|l| l.starts_with('#')).count() + 4;
        fs::write(&path, &text[..rows[above + kept] + 9]).unwrap();
        let mut csv = StanCsv::resume(&path, draws.variables(), kept).unwrap();
        assert_eq!(csv.rows(), kept);
        if kept == 0 {
            csv.adaptation(0.25, InverseMass::Diagonal(&[1.5, 0.5])).unwrap();
        }
        for draw in kept..6 {
            csv.row(chain.row(draw), &chain.stats()[draw]).unwrap();
        }
        csv.finish(Duration::from_millis(1500), Duration::from_secs(2)).unwrap();
        assert!(fs::read(&path).unwrap() == expected, "{kept} rows kept");
    }
}

#[test]
fn rows_are_in_the_file_after_a_flush() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("draws.csv");
    let variables: Vec<Variable> = layout([("x".into(), vec![], Role::Latent)]);
    let mut csv = StanCsv::create(&path, &variables, &StanRun::default()).unwrap();
    for draw in 0..3 {
        csv.row(&[f64::from(draw)], &SampleStats::default()).unwrap();
        if draw == 1 {
            csv.sync().unwrap()
        } else {
            csv.flush().unwrap()
        }
        assert_eq!(read_stan_csv(&[&path]).unwrap().columns(0), [(0..=draw).map(f64::from).collect::<Vec<_>>()]);
    }
}

#[test]
fn a_line_without_an_end_is_not_a_draw() {
    let folder = tempfile::tempdir().unwrap();
    let draws = run(variables(), &[3]);
    let path = write(folder.path(), &draws).remove(0);
    let text = fs::read_to_string(&path).unwrap();
    let end = text.find("# \n#  Elapsed").unwrap();
    fs::write(&path, &text[..end - 3]).unwrap();
    let found = read_stan_csv(&[&path]).unwrap();
    assert_eq!(found.num_draws(), 2);
    assert_eq!(found.chains()[0].row(1), draws.chains()[0].row(1));
}
