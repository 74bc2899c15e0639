//! Hostile parameters and values: nothing panics or hangs, `check_parameters` errs exactly where the
//! table of domains says, and valid parameters give no NaN.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use rand::Rng as _;

use crate::families::{Family, Kind, Row, families, row, wide};

/// Numbers that parameters and values should not be, or only just.
pub(crate) const HOSTILE: [f64; 17] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    -0.5,
    1.0 + 1e-7,
    5e-324,
    1e-300,
    -1e-300,
    1e-38,
    1e300,
    -1e300,
    1e38,
];

/// Runs `work` on a thread of its own and fails, by name, where it does not end: 100 times as long as
/// the slowest family takes.
pub(crate) fn in_time(name: &str, work: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = channel();
    let thread = std::thread::spawn(move || {
        work();
        sender.send(()).expect("the test waits");
    });
    match receiver.recv_timeout(Duration::from_secs(100)) {
        Err(RecvTimeoutError::Timeout) => panic!("{name} hangs"),
        Err(RecvTimeoutError::Disconnected) | Ok(()) => {}
    }
    if let Err(panic) = thread.join() {
        eprintln!("{name} panicked with hostile numbers");
        std::panic::resume_unwind(panic);
    }
}

/// The parameter's name and its index at element `element`, from its name in the table.
fn index(name: &str, element: usize) -> (&str, Vec<usize>) {
    match name.split_once('[') {
        None => (name, vec![element]),
        Some((name, entry)) => (name, vec![element, entry.trim_end_matches(']').parse().expect("a number")]),
    }
}

/// Every number of `HOSTILE` as each parameter, at the second of three elements.
fn one_hostile_parameter<E: Dtype, D: Backend<E>>(family: &Family<E, D>) {
    for (which, (name, domain)) in family.parameters.iter().enumerate() {
        for hostile in HOSTILE {
            let mut columns: Vec<Vec<f64>> = family.typical[0].iter().map(|&p| vec![p; 3]).collect();
            columns[which][1] = hostile;
            let rows: Vec<Row<E, D>> = columns.iter().map(|c| row(c)).collect();
            let checked = (family.build)(&rows).check_parameters();
            let place = format!("{} with {name} = {hostile}: {checked:?}", family.name);
            let seen: Vec<f64> = rows.iter().map(|r| wide(r)[1]).collect();
            let (name, element) = index(name, 1);
            if !(domain.holds)(seen[which]) {
                let error = checked.expect_err(&place);
                assert_eq!((error.parameter, error.element), (name, element), "{place}");
                assert_eq!(error.constraint, domain.words, "{place}");
                assert!(error.value == seen[which] || error.value.is_nan() && hostile.is_nan(), "{place}");
            } else if let Some((joint, _)) = family.joint.filter(|(_, holds)| !holds(&seen)) {
                let error = checked.expect_err(&place);
                assert_eq!((error.parameter, error.element[0]), (joint, 1), "{place}");
            } else {
                assert_eq!(checked, Ok(()), "{place}");
            }
        }
    }
}

/// Whether the table of domains allows these parameters.
fn allowed<E: Dtype, D: Backend<E>>(family: &Family<E, D>, parameters: &[f64]) -> bool {
    let seen: Vec<f64> = parameters.iter().map(|&p| E::of(p).wide()).collect();
    family.parameters.iter().zip(&seen).all(|((_, domain), &p)| (domain.holds)(p))
        && family.joint.is_none_or(|(_, holds)| holds(&seen))
}

/// Everything that can be asked of one element.
fn exercise<E: Dtype, D: Backend<E>>(family: &Family<E, D>, parameters: &[f64], value: f64) {
    let distribution = family.filled(parameters, 1);
    let place = format!("{} {parameters:?} at {value}", family.name);
    let valid = allowed(family, parameters);
    assert_eq!(distribution.check_parameters().is_ok(), valid, "{place}");
    let log_prob = wide(&distribution.log_prob(&row(&[value])))[0];
    let sum = distribution.log_prob_sum(&row(&[value])).item().wide();
    let draw = distribution.draw(&mut Rng::seed(1));
    distribution.cdf(&draw);
    let cdf = distribution.cdf(&row(&[value])).map(|p| wide(&p)[0]);
    let logs = [distribution.log_cdf(&row(&[value])), distribution.log_survival(&row(&[value]))];
    for q in [value, 0.0, 1e-300, 0.5, 1.0] {
        distribution.icdf(&row(&[q]));
    }
    let _ = (distribution.mean(), distribution.variance(), distribution.entropy());
    if valid && !value.is_nan() {
        assert!(!log_prob.is_nan() && !sum.is_nan(), "{place}: log_prob {log_prob}, {sum}");
        let outside = distribution.outside(&row(&[value])).is_some() && family.between.is_empty();
        assert!(!outside || log_prob == f64::NEG_INFINITY, "{place}: log_prob {log_prob} outside the support");
        let logs: Vec<f64> = logs.iter().flatten().map(|p| wide(p)[0]).collect();
        assert!(logs.iter().all(|&p| p <= 0.0), "{place}: log_cdf, log_survival {logs:?}");
        assert!(cdf.is_none_or(|p| (0.0..=1.0).contains(&p)), "{place}: cdf {cdf:?}");
    }
}

/// All pairs of a hostile parameter and a hostile value, then random mixtures of hostile and other
/// numbers of all sizes.
fn hostile_everything<E: Dtype, D: Backend<E>>(family: &Family<E, D>) {
    let is_value = |v: f64| family.kind != Kind::Categories || (0.0..1e6).contains(&v) && v == v.round();
    for which in 0..family.parameters.len() {
        for hostile in HOSTILE {
            let mut parameters = family.typical[0].to_vec();
            parameters[which] = hostile;
            HOSTILE.into_iter().filter(|&v| is_value(v)).for_each(|value| exercise(family, &parameters, value));
        }
    }
    let mut rng = Rng::seed(17);
    let mut number = || match rng.gen_range(0..3) {
        0 => HOSTILE[rng.gen_range(0..HOSTILE.len())],
        1 => rng.gen_range(-3.0..3.0),
        _ => f64::from_bits(rng.r#gen()),
    };
    for _ in 0..300 {
        let parameters: Vec<f64> = family.parameters.iter().map(|_| number()).collect();
        let value = number();
        if is_value(value) {
            exercise(family, &parameters, value);
        }
    }
}

fn nothing_panics_or_hangs<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        in_time(family.name, move || {
            one_hostile_parameter(&family);
            hostile_everything(&family);
        });
    }
}

both_dtypes! {
    numbers = nothing_panics_or_hangs;
}
