//! Log-likelihoods of draws against densities by hand, and WAIC and LOO against ArviZ.

use std::f64::consts::TAU;

use ppl::infer::diagnostics::{LogLikelihood, loo, waic};
use ppl::infer::draws::{Draws, Role};
use ppl::infer::{Predictive, log_likelihood};
use ppl::prelude64::*;
use ppl::site::SiteMask;

use crate::by_hand::{draws, numbers};

type Scalar = Tensor<()>;
type Eight = Tensor<Rank1<8>>;

/// The log-density of a Normal number.
fn normal(x: f64, loc: f64, scale: f64) -> f64 {
    -0.5 * (((x - loc) / scale).powi(2) + TAU.ln()) - scale.ln()
}

#[model]
fn regression(x: &Eight, y: &Eight) {
    let a: Scalar = sample!("a", Normal::new(0.0, 10.0));
    let b: Scalar = sample!("b", Normal::new(0.0, 10.0));
    let s: Scalar = sample!("s", HalfNormal::new(1.0));
    plate!("rows", 8, |_| sample!("y", Normal::new(x * b + a, s.broadcast::<Rank1<8>, _>()), obs = y));
}

const Y: [f64; 8] = [1.3, 1.2, 2.4, 2.3, 3.9, 3.0, 4.1, 4.9];

fn x() -> [f64; 8] {
    std::array::from_fn(|i| i as f64 / 4.0)
}

/// Four chains of a hundred draws of a, b and s, evenly spread.
fn posterior() -> Draws {
    let spread = |slope: f64, k: usize| (slope * (k + 1) as f64).fract() - 0.5;
    let row = |k| {
        let [a, b, s] = [0.6180339887498949, 0.7548776662466927, 0.5698402909980532].map(|slope| spread(slope, k));
        vec![0.9 + 0.8 * a, 2.0 + 0.6 * b, 0.5 + 0.3 * s]
    };
    let chains: Vec<Vec<Vec<f64>>> = (0..4).map(|c| (0..100).map(|d| row(100 * c + d)).collect()).collect();
    draws(&[("a", &[]), ("b", &[]), ("s", &[])], &chains)
}

#[test]
fn waic_and_loo_of_a_regression_are_those_of_arviz() {
    let (posterior, x, y) = (posterior(), Eight::from(x()), Eight::from(Y));
    let found = log_likelihood(regression, (&x, &y), &posterior).unwrap();
    // numpy and ArviZ 0.23.4, `az.loo` and `az.waic` of the same 400 draws.
    let near = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-10, "{found}, not {expected}");
    near(found.values().iter().sum(), -2928.8014009922354);
    near(found.relative_efficiency(), 2.185821303397289);
    let loo_found = found.loo().unwrap();
    near(loo_found.elpd_loo, -10.469240205273803);
    near(loo_found.se, 3.3141924918847687);
    near(loo_found.p_loo, 4.626584980115001);
    near(loo_found.pareto_k[1], 0.20686360011745883);
    let waic_found = found.waic().unwrap();
    near(waic_found.elpd_waic, -10.058403510467711);
    near(waic_found.p_waic, 4.215748285308909);
    // By hand, of the same table.
    let values = found.values();
    let table = LogLikelihood::new(&values, 4, 100, 8).unwrap();
    assert_eq!((loo(&table, found.relative_efficiency()).unwrap(), waic(&table)), (loo_found, waic_found));
}

#[test]
fn each_element_of_a_plate_is_an_observation() {
    let (posterior, x, y) = (posterior(), Eight::from(x()), Eight::from(Y));
    let found = log_likelihood(regression, (&x, &y), &posterior).unwrap();
    assert_eq!(found.names()[..3], ["y[0]", "y[1]", "y[2]"]);
    assert_eq!((found.num_observations(), found.draws().variables()[0].role), (8, Role::Deterministic));
    let rows = posterior.chains().iter().flat_map(|chain| chain.rows());
    for (row, terms) in rows.zip(found.values().chunks(8)) {
        for i in 0..8 {
            let expected = normal(Y[i], row[0] + row[1] * i as f64 / 4.0, row[2]);
            assert!((terms[i] - expected).abs() < 1e-12 * expected.abs().max(1.0), "{i}: {} {expected}", terms[i]);
        }
    }
    let thinned = Predictive::posterior(regression, (&x, &y), &posterior).thin(7).log_likelihood().unwrap();
    assert_eq!(thinned.draws().num_draws(), 15);
    assert_eq!(thinned.draws().chains()[1].row(2), found.draws().chains()[1].row(14));
}

type Block = Tensor<Rank3<3, 2, 2>>;

/// Sites in plates, in a loop, outside of plates, with scales and masks.
#[model]
fn many(y: &Block, flags: &[bool], weight: f64) {
    let mu: Scalar = sample!("mu", Normal::standard());
    plate!("rows", 3, |_| {
        plate!("columns", 2, |_| {
            let each = Normal::new(mu.broadcast::<Rank3<3, 2, 2>, _>(), 1.0).to_event::<Axis<2>>();
            sample!("y", each, obs = y, scale = weight);
        });
        let seen = Normal::new(mu.broadcast::<Rank1<3>, _>(), 2.0).mask(flags.to_vec());
        sample!("z", seen, obs = Tensor::<Rank1<3>>::from([0.1, f64::NAN, 0.3]));
    });
    for i in plate!("turns", 2) {
        sample!("w_{i}": Scalar, Normal::new(&mu, 1.0), obs = Scalar::scalar(i as f64));
    }
    sample!("whole", Normal::new(mu.broadcast::<Rank1<2>, _>(), 3.0), obs = Tensor::from([1.0, 2.0]));
    factor!("weight", mu);
}

#[test]
fn terms_are_those_of_the_joint_density() {
    let values: Vec<f64> = (0..12).map(|i| 0.25 * f64::from(i) - 1.0).collect();
    let (y, flags) = (Block::from_vec(values.clone(), Rank3::default()), [true, false, true]);
    let posterior = numbers("mu", [0.4, -1.3]);
    let found = log_likelihood(many, (&y, &flags[..], 2.5), &posterior).unwrap();
    let names: Vec<_> = found.draws().variables().iter().map(|v| (v.name.as_str(), v.dims.clone())).collect();
    let expected = [("y", vec![3, 2]), ("z", vec![3]), ("w_0", vec![]), ("w_1", vec![]), ("whole", vec![])];
    assert_eq!(names, expected);
    for (mu, row) in [0.4, -1.3].into_iter().zip(found.draws().chains()[0].rows()) {
        let pairs = values.chunks(2).map(|pair| 2.5 * (normal(pair[0], mu, 1.0) + normal(pair[1], mu, 1.0)));
        let z = [normal(0.1, mu, 2.0), 0.0, normal(0.3, mu, 2.0)];
        let rest = [normal(0.0, mu, 1.0), normal(1.0, mu, 1.0), normal(1.0, mu, 3.0) + normal(2.0, mu, 3.0)];
        let expected: Vec<f64> = pairs.chain(z).chain(rest).collect();
        assert_eq!(row.len(), expected.len());
        assert!(row.iter().zip(&expected).all(|(f, e)| (f - e).abs() < 1e-12), "{row:?}, not {expected:?}");
    }
}

#[model]
fn local(y: &Tensor<Rank1<3>>) {
    plate!("rows", 3, |_| {
        let z: Tensor<Rank1<3>> = sample!("z", Normal::standard());
        sample!("y", Normal::new(z, 1.0), obs = y);
    });
}

#[test]
fn elements_that_a_mask_leaves_out_are_no_observations() {
    let y = Tensor::from([1.0, 2.0, 3.0]);
    let posterior = draws(&[("z", &[3])], &[vec![vec![0.5, 0.6, 0.7]; 2]]);
    let masked = local.mask(SiteMask::Elements([true, false, true].into()));
    let found = log_likelihood(masked, (&y,), &posterior).unwrap();
    assert_eq!(found.names(), ["y[0]", "y[2]"]);
    let row = found.draws().chains()[0].row(1);
    assert!(row[1].is_nan(), "for export, its place is kept");
    let expected = [normal(1.0, 0.5, 1.0), normal(3.0, 0.7, 1.0)];
    assert!(found.values()[2..].iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-12));
    let nothing = local.mask(SiteMask::All(false));
    let error = log_likelihood(nothing, (&y,), &posterior).unwrap_err().to_string();
    assert!(error.contains("`local` observes no data"), "{error}");
}

mod single {
    use ppl::prelude::*;

    #[model]
    pub(super) fn number(y: f32) {
        let mu: Tensor<()> = sample!("mu", Normal::standard());
        sample!("y", Normal::new(mu, 1.0), obs = Tensor::<()>::scalar(y));
    }
}

#[test]
fn single_precision_has_its_digits() {
    let found = log_likelihood(single::number, (0.75_f32,), &numbers("mu", [0.5, 2.0])).unwrap().values();
    let expected = [0.5, 2.0].map(|mu| normal(0.75, mu, 1.0));
    assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-6), "{found:?}");
}
