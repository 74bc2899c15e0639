//! Stan's CSV from CmdStan, and files that are none: the error names file, line and column.

use std::fs;
use std::path::PathBuf;

use ppl_infer::draws::{Role, layout};
use ppl_infer::export::{StanCsv, StanRun, read_stan_csv};

/// As CmdStan 2.35 writes it, with `save_warmup=1`, a matrix, and a tree as deep as allowed.
const CMDSTAN: &str = "\
# stan_version_major = 2
# stan_version_minor = 35
# stan_version_patch = 0
# model = line_model
# method = sample (Default)
#   sample
#     num_samples = 2
#     num_warmup = 1
#     save_warmup = true
#     thin = 1 (Default)
#     algorithm = hmc (Default)
#       hmc
#         engine = nuts (Default)
#           nuts
#             max_depth = 3
lp__,accept_stat__,stepsize__,treedepth__,n_leapfrog__,divergent__,energy__,mu,w.1.1,w.2.1,w.1.2,w.2.2
-9.5,0.1,2,1,1,1,10,9,9,9,9,9
# Adaptation terminated
# Step size = 0.5
# Diagonal elements of inverse mass matrix:
# 1, 2, 3, 4, 5
-7.25,0.9,0.5,3,7,0,8.125,0.5,11,21,12,22
-6.5,1,0.5,2,3,0,7,-1e-05,-inf,inf,nan,1
# 
#  Elapsed Time: 0.005 seconds (Warm-up)
";

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_file_of_cmdstan_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for text in [CMDSTAN.to_owned(), CMDSTAN.replace('\n', "\r\n")] {
        let draws = read_stan_csv(&[file(&folder, "output.csv", &text)]).unwrap();
        let of = |name: &str, dims: &[usize]| (name.to_owned(), dims.to_vec(), Role::Latent);
        assert_eq!(draws.variables(), layout([of("mu", &[]), of("w", &[2, 2])]));
        let chain = &draws.chains()[0];
        assert_eq!(chain.len(), 2, "without the row of warm-up");
        assert_eq!(chain.row(0), [0.5, 11.0, 12.0, 21.0, 22.0]);
        assert!(chain.row(1)[2].is_nan() && chain.row(1)[3] == f64::INFINITY && chain.row(1)[1] == f64::NEG_INFINITY);
        let stats = chain.stats()[0];
        let numbers = [stats.log_density, stats.accept_probability, stats.step_size, stats.energy];
        assert_eq!((numbers, stats.depth, stats.evaluations), ([-7.25, 0.9, 0.5, 8.125], 3, 7));
        assert!(stats.depth_saturated && !chain.stats()[1].depth_saturated && !stats.diverging);
    }
}

/// What fixed parameters and static HMC write, and a column of a sampler that we do not know.
#[test]
fn columns_that_are_not_there_are_zero_and_unknown_ones_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "output.csv", "lp__,int_time__,x\n-1,0.5,2\n");
    let draws = read_stan_csv(&[path]).unwrap();
    assert_eq!(draws.columns(0), [[2.0]]);
    assert_eq!(draws.chains()[0].stats()[0].log_density, -1.0);
    assert_eq!(draws.chains()[0].stats()[0].depth, 0);
}

#[test]
fn errors_name_file_line_and_column() {
    let cases = [
        (CMDSTAN.replace("0.9,0.5,3,7", "0.9,o.5,3,7"), "line 22, column `stepsize__`: `o.5` is not a number"),
        (CMDSTAN.replace("11,21", ",21"), "line 22, column `w.1.1`: `` is not a number"),
        (CMDSTAN.replace("3,7,0", "3,7.5,0"), "line 22, column `n_leapfrog__`: `7.5` is not a count"),
        (CMDSTAN.replace("3,7,0", "3,7,2"), "line 22, column `divergent__`: `2` is neither 0 nor 1"),
        (CMDSTAN.replace(",12,22", ",12"), "line 22: a row of 11 numbers, but there are 12 columns"),
        (CMDSTAN.replace(",12,22", ",12,22,32"), "line 22: a row of 13 numbers, but there are 12 columns"),
        (
            CMDSTAN.replace("w.1.2,w.2.2", "w.2.2,w.1.2"),
            "line 16: the columns of `w` are not those of an array, each once, the first index fastest",
        ),
        (CMDSTAN.replace("lp__", "# ppl_variable = latent x\nlp__"), "line 17: column `mu` stands where `x` belongs"),
        (CMDSTAN.replace("lp__", "# ppl_variable = x\nlp__"), "line 16: `x` does not describe a variable"),
        ("# nothing\n".into(), "it ends before a line of names"),
        (String::new(), "it ends before a line of names"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in cases {
        let path = file(&folder, "broken.csv", &text);
        let error = read_stan_csv(&[&path]).unwrap_err().to_string();
        assert_eq!(error, format!("{}: {expected}", path.display()));
    }
    let missing = folder.path().join("missing.csv");
    let error = read_stan_csv(&[&missing]).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: opening: ", missing.display())), "{error}");
}

#[test]
fn chains_of_two_runs_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = file(&folder, "1.csv", CMDSTAN);
    let second = file(&folder, "2.csv", &CMDSTAN.replace(",mu,", ",nu,"));
    let error = read_stan_csv(&[&first, &second]).unwrap_err().to_string();
    let problem = "line 16: not of the run of the first file: column 9 is `nu`, but is to be `mu`";
    assert_eq!(error, format!("{}: {problem}", second.display()));
}

#[test]
fn a_file_of_another_run_is_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, dims: &[usize]| (name.to_owned(), dims.to_vec(), Role::Latent);
    let [ours, theirs] = [layout([of("x", &[2])]), layout([of("x", &[])])];
    let path = folder.path().join("draws.csv");
    drop(StanCsv::create(&path, &ours, &StanRun::default()).unwrap());
    let before = fs::read(&path).unwrap();
    let error = StanCsv::resume(&path, &theirs, 0).unwrap_err().to_string();
    assert!(error.ends_with("column 9 is `x.1`, but is to be `x`"), "{error}");
    let error = StanCsv::resume(&path, &ours, 2).unwrap_err().to_string();
    assert_eq!(error, format!("{}: it has 0 whole rows, but 2 are to be kept", path.display()));
    assert_eq!(fs::read(&path).unwrap(), before, "a refused file is as it was");
}
