//! Densities integrate to one, masses sum to one, quantiles invert the cdf, and the precisions agree.

use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::{Cpu, Dtype};

use crate::families::{Family, families, family, row, wide};
use crate::quadrature::{between, cuts, density};
use crate::reference::{Scale, cases, difference, tolerance};

/// Every set of parameters of the tables, and those of ordinary size.
fn all_sets() -> impl Iterator<Item = (Family<f64, Cpu>, Vec<f64>)> {
    let ordinary = families().into_iter().flat_map(|f| f.typical.iter().map(move |p| (f, p.to_vec())));
    cases().into_iter().map(|case| (family(&case.family), case.parameters)).chain(ordinary)
}

#[test]
fn densities_integrate_to_the_cdf_and_to_one() {
    for (family, parameters) in all_sets().filter(|(family, _)| !family.is_discrete()) {
        let place = format!("{} {parameters:?}", family.name);
        let probability = |cuts: &[f64]| {
            let ends = [cuts[0], cuts[cuts.len() - 1]];
            family.filled(&parameters, 2).cdf(&row(&ends)).map_or(1.0, |p| wide(&p)[1] - wide(&p)[0])
        };
        let cuts = cuts(&family, &parameters);
        let all = probability(&cuts);
        assert!(all > 0.999, "{place}: the cdf says {all} from {:?} to {:?}", cuts[0], cuts.last());
        let cuts = resolved(&family, &parameters, cuts);
        let total: f64 = between(&cuts, |x| density(&family, &parameters, x)).iter().sum();
        let (expected, off) = (probability(&cuts), (total - probability(&cuts)).abs());
        assert!(off < 1e-9, "{place}: the density integrates to {total}, the cdf says {expected}");
    }
}

/// The cuts between which floats tell the points apart. Left out are what no float tells from the upper
/// end, a pole there (floats near 1 are coarse), and numbers so near 0 that densities overflow.
fn resolved(family: &Family<f64, Cpu>, parameters: &[f64], mut cuts: Vec<f64>) -> Vec<f64> {
    if cuts[0] >= 0.0 {
        cuts.retain(|&c| c >= 1e-300);
    }
    if let Some(reached) = family.filled(parameters, cuts.len()).cdf(&row(&cuts)) {
        cuts.truncate(wide(&reached).iter().filter(|&&p| p < 1.0).count());
    }
    let density = density(family, parameters, &cuts);
    let coarse = |i: usize| density[i] > density[i - 1] && cuts[i] - cuts[i - 1] < 1e-8 * cuts[i].abs();
    let told = (1..cuts.len()).rev().find(|&i| !coarse(i)).map_or(1, |i| i + 1);
    cuts.truncate(told);
    cuts
}

/// More masses than this are not summed.
const MOST: usize = 100_000;

/// The whole numbers from 0 up to where all mass is, with their masses; `None` if there are too many.
pub(crate) fn masses<E: Dtype, D: Backend<E>>(family: &Family<E, D>, parameters: &[f64]) -> Option<Vec<(f64, f64)>> {
    const CHUNK: usize = 500;
    let mass = |values: Vec<f64>| {
        let log_mass = wide(&family.filled(parameters, values.len()).log_prob(&row(&values)));
        values.into_iter().zip(log_mass.into_iter().map(f64::exp))
    };
    if let Some(support) = family.filled(parameters, 1).enumerate_support() {
        return (support.len() <= MOST).then(|| mass(support.iter().map(|v| wide(v)[0]).collect()).collect());
    }
    let (mut found, mut total) = (Vec::new(), 0.0);
    while total < 1.0 - 0.01 * tolerance::<E>() && found.len() < MOST {
        let before = found.len();
        found.extend(mass((before..before + CHUNK).map(|k| k as f64).collect()));
        let more: f64 = found[before..].iter().map(|(_, mass)| mass).sum();
        total += more;
        if total > 0.5 && more < 1e-3 * tolerance::<E>() {
            return Some(found);
        }
    }
    (found.len() < MOST).then_some(found)
}

fn masses_sum_to_one<E: Dtype, D: Backend<E>>() {
    for (exact, parameters) in all_sets() {
        let family = family::<E, D>(exact.name);
        let one = family.filled(&parameters, 1);
        assert_eq!(one.has_discrete_support(), family.is_discrete(), "{}", family.name);
        assert!(family.is_discrete() || one.enumerate_support().is_none(), "{}", family.name);
        let Some(masses) = family.is_discrete().then(|| masses(&family, &parameters)).flatten() else { continue };
        let total: f64 = masses.iter().map(|(_, mass)| mass).sum();
        assert!((total - 1.0).abs() < tolerance::<E>(), "{} {parameters:?} sums to {total}", family.name);
        let values: Vec<f64> = masses.iter().filter(|(_, mass)| *mass > 0.0).map(|(value, _)| *value).collect();
        let outside = family.filled(&parameters, values.len()).outside(&row(&values));
        assert_eq!(outside, None, "{} {parameters:?}", family.name);
    }
}

#[test]
fn every_discrete_family_has_masses_to_sum() {
    for family in families::<f64, Cpu>().into_iter().filter(|f| f.is_discrete()) {
        for parameters in family.typical {
            assert!(masses(&family, parameters).is_some(), "{} {parameters:?}", family.name);
        }
    }
}

/// The cdf of a quantile is the probability, and back.
fn continuous_round_trip<E: Dtype, D: Backend<E>>(family: &Family<E, D>, parameters: &[f64]) {
    let probabilities = [0.001, 0.05, 0.3, 0.5, 0.7, 0.9];
    let distribution = family.filled(parameters, probabilities.len());
    let Some(value) = distribution.icdf(&row(&probabilities)) else { return };
    let reached = distribution.cdf(&value).expect("a cdf, where there are quantiles");
    let again = distribution.icdf(&reached).expect("quantiles");
    assert_eq!(distribution.outside(&value), None, "{}", family.name);
    let pairs = wide(&reached).into_iter().zip(probabilities).chain(wide(&again).into_iter().zip(wide(&value)));
    // What the rounding of the value changes in its cdf.
    let densities = wide(&distribution.log_prob(&value)).into_iter().map(f64::exp);
    let rounding = densities.zip(wide(&value)).map(|(f, x)| f * x.abs() * E::epsilon().wide());
    for ((found, expected), rounding) in pairs.zip(rounding.chain(std::iter::repeat(0.0))) {
        let off = (found - expected).abs();
        let allowed = tolerance::<E>() * expected.abs().max(1e-2) + rounding;
        assert!(off <= allowed, "{} {parameters:?}: {found}, not {expected}", family.name);
    }
}

/// A value is the quantile of its cdf (in `f64`; the cdf of `f32` may have been rounded upwards), and
/// of a probability half its mass below.
fn discrete_round_trip<E: Dtype, D: Backend<E>>(family: &Family<E, D>, parameters: &[f64]) {
    let masses = masses(family, parameters).expect("not too many");
    let (values, masses): (Vec<f64>, Vec<f64>) = masses.into_iter().filter(|(_, mass)| *mass > 1e-4).unzip();
    let distribution = family.filled(parameters, values.len());
    let (Some(reached), true) = (distribution.cdf(&row(&values)), distribution.icdf(&row(&masses)).is_some()) else {
        return;
    };
    let quantile = |probabilities: &[f64]| wide(&distribution.icdf(&row(probabilities)).expect("as before"));
    let half: Vec<f64> = wide(&reached).iter().zip(&masses).map(|(p, mass)| p - 0.5 * mass).collect();
    assert_eq!(quantile(&half), values, "{} {parameters:?}", family.name);
    if E::NAME == "f64" {
        assert_eq!(quantile(&wide(&reached)), values, "{} {parameters:?}", family.name);
    }
}

fn quantiles_invert_the_cdf<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        for parameters in family.typical {
            if family.is_discrete() {
                discrete_round_trip(&family, parameters);
            } else {
                continuous_round_trip(&family, parameters);
            }
        }
    }
}

both_dtypes! {
    masses_sum = masses_sum_to_one;
    round_trip = quantiles_invert_the_cdf;
}

/// Log-densities of `f32` are those of `f64` at draws of `f32`, whose number is the same in both.
#[test]
fn single_precision_densities_are_those_of_double() {
    for family in families::<f32, Cpu>() {
        let double = self::family::<f64, Cpu>(family.name);
        for parameters in family.typical {
            let parameters: Vec<f64> = parameters.iter().map(|&p| f64::from(p as f32)).collect();
            let single = family.filled(&parameters, 500);
            let draws = single.draw(&mut Rng::seed(31)).detach();
            let expected = wide(&double.filled(&parameters, 500).log_prob(&row(&wide(&draws))));
            let wrong = difference::<f32>(&wide(&single.log_prob(&draws)), &expected, Scale::Logarithm);
            assert_eq!(wrong, None, "{} {parameters:?}", family.name);
        }
    }
}
