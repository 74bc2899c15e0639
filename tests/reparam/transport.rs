//! All latent sites through a flow: the exact change of variables, and what a sampler sees of an exact map.

use ppl::flows::{AffineAutoregressive, Stack};
use ppl::infer::diagnostics::{Chains, Summary};
use ppl::infer::{Adam, LogDensity, ModelDensity, RunOptions, Svi, TraceElbo};
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::transform::{LowerCholeskyAffine, Permute, Transform};

use super::densities::{gradient_by_differences, schools};
use super::funnel::first_coordinate;

type Scalar = Tensor<()>;
type Vector = Tensor<(usize,)>;

#[test]
fn the_density_of_z_is_that_of_its_image_with_the_jacobian() {
    let effects = Tensor::from([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]);
    let errors = Tensor::from([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]);
    let mut init = Init::new(Rng::seed(3));
    let flow = Stack::<f64>::new()
        .then(AffineAutoregressive::new(&mut init, 10, &[12]))
        .then(Permute::reversed(10))
        .then(AffineAutoregressive::new(&mut init, 10, &[12]));
    let mut plain = ModelDensity::new(schools, (&effects, &errors)).unwrap();
    let mut moved = ModelDensity::new(schools.neutra(NeuTra::new(flow.clone(), 10)), (&effects, &errors)).unwrap();
    assert_eq!((moved.dim(), moved.sites().len(), moved.sites()[0].name.as_str()), (10, 1, "neutra_base"));
    for seed in 0..5 {
        let z = Normal::<_, f64, Cpu>::standard_like((10usize,)).draw(&mut Rng::seed(seed));
        let image = flow.forward(z.clone());
        let log_det = flow.log_abs_det(&z, &image).item();
        let expected = plain.log_density(&image.to_vec()).unwrap() + log_det;
        let found = moved.log_density(&z.to_vec()).unwrap();
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} and {expected}");
        gradient_by_differences(&mut moved, &z.to_vec());
        // The typed trace reads theta as before.
        let trace: super::densities::SchoolsTrace = moved.trace(&z.to_vec()).unwrap().typed().unwrap();
        assert_eq!((trace.mu.value.item(), trace.mu.log_prob), (image.to_vec()[0], 0.0));
        assert_eq!(trace.theta.value.to_vec(), image.to_vec()[2..]);
    }
}

#[test]
fn a_flow_goes_over_sites_that_a_strategy_has_made() {
    let effects = Tensor::from([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]);
    let errors = Tensor::from([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]);
    let flow = AffineAutoregressive::<f64>::new(&mut Init::new(Rng::seed(4)), 10, &[12]);
    let decentred = schools.reparam(Reparam::new().site("theta", LocScale::new(0.0)));
    let mut first = ModelDensity::new(decentred.clone(), (&effects, &errors)).unwrap();
    let mut both = ModelDensity::new(decentred.neutra(NeuTra::new(flow.clone(), 10)), (&effects, &errors)).unwrap();
    let z = Vector::vector(vec![0.3, -0.5, 1.0, 0.2, -1.4, 0.0, 0.7, -0.1, 0.4, 0.9]);
    let image = flow.forward(z.clone());
    let expected = first.log_density(&image.to_vec()).unwrap() + flow.log_abs_det(&z, &image).item();
    let found = both.log_density(&z.to_vec()).unwrap();
    assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} and {expected}");
    gradient_by_differences(&mut both, &z.to_vec());
}

const LOC: [f64; 2] = [1.0, -2.0];
/// Standard deviations 10 and 0.5, correlation 0.99.
const TRIL: [[f64; 2]; 2] = [[10.0, 0.0], [0.495, 0.070_533_680]];

#[model]
fn correlated() {
    let a: Scalar = sample!("a", Normal::new(LOC[0], TRIL[0][0]));
    sample!("b": Scalar, Normal::new((a - LOC[0]) * (TRIL[1][0] / TRIL[0][0]) + LOC[1], TRIL[1][1]));
}

#[test]
fn through_the_exact_map_a_sampler_sees_a_standard_normal() {
    let exact = LowerCholeskyAffine::new(Vector::vector(LOC.into()), Tensor::<_, f64>::from(TRIL).realize().unwrap());
    let mut density = ModelDensity::new(correlated.neutra(NeuTra::new(exact, 2)), ()).unwrap();
    let constant = density.log_density(&[0.0, 0.0]).unwrap();
    assert!((constant + std::f64::consts::TAU.ln()).abs() < 1e-12);
    for z in [[0.3, -1.0], [2.0, 2.5], [-4.0, 0.1]] {
        let mut gradient = [0.0; 2];
        let found = density.evaluate(&z, &mut gradient).unwrap();
        assert!((found - constant + 0.5 * (z[0] * z[0] + z[1] * z[1])).abs() < 1e-12);
        assert!(gradient.iter().zip(z).all(|(g, z)| (g + z).abs() < 1e-12), "{gradient:?}");
    }
    let (draws, divergences) = first_coordinate(&mut density, 1000);
    assert_eq!(divergences, 0);
    let chains: Vec<&[f64]> = draws.iter().map(Vec::as_slice).collect();
    let row = Summary::new(&[("z", Chains::new(&chains).unwrap())]).unwrap().rows.remove(0);
    // Within 4.5 standard errors, 7e-6 each.
    assert!(row.mean.abs() < 4.5 * row.mcse_mean && (row.sd - 1.0).abs() < 4.5 * row.mcse_sd, "{row:?}");
}

/// A bent density: x ~ N(0, 1), y ~ N(x² / 2, 0.3).
#[model]
fn banana() {
    let x: Scalar = sample!("x", Normal::standard());
    sample!("y": Scalar, Normal::new(x.square() * 0.5, 0.3));
}

/// The banana with both coordinates in one vector, as a target for a flow.
#[model]
fn banana_at() {
    let xy: Tensor<Rank1<2>> = sample!("xy", Normal::new(Tensor::<Rank1<2>>::zeros(), 100.0).to_event::<Axis<0>>());
    let (x, y) = (xy.at(0), xy.at(1));
    let density = Normal::standard().log_prob(&x) + Normal::new(x.square() * 0.5, 0.3).log_prob(&y);
    factor!("density", density);
}

#[guide(banana_at)]
fn flown() {
    let flow = module!("flow", |init| AffineAutoregressive::<f64>::new(init, 2, &[32]));
    let base = Normal::<Rank1<2>, f64, Cpu>::standard().to_event::<Axis<0>>();
    sample!("xy", TransformedDistribution::new(base, flow));
}

#[test]
fn a_flow_that_a_guide_has_learnt_straightens_the_density() {
    let optimizer = Adam::new(0.01);
    let mut svi = Svi::new(banana_at, flown, optimizer, TraceElbo::with_particles(32)).seed(1);
    svi.run(RunOptions::steps(600), ()).unwrap();
    let flow = svi.params().get::<AffineAutoregressive<f64>>("flow").unwrap();
    let mut plain = ModelDensity::new(banana, ()).unwrap();
    let mut tracked = ModelDensity::new(banana.neutra(NeuTra::new(flow.clone(), 2)), ()).unwrap();
    let mut moved = ModelDensity::new(banana.neutra(NeuTra::trained(flow, 2)), ()).unwrap();
    // How far the gradient is from that of a standard normal density, in the mean over standard normal points.
    let gap = |density: &mut dyn FnMut(&[f64], &mut [f64])| {
        let mut total = 0.0;
        for seed in 0..200 {
            let z = Normal::<_, f64, Cpu>::standard_like((2usize,)).draw(&mut Rng::seed(seed)).to_vec();
            let mut gradient = [0.0; 2];
            density(&z, &mut gradient);
            total += gradient.iter().zip(&z).map(|(g, z)| (g + z).powi(2)).sum::<f64>();
        }
        total / 200.0
    };
    let before = gap(&mut |z, gradient| {
        plain.evaluate(z, gradient).unwrap();
    });
    let after = gap(&mut |z, gradient| {
        moved.evaluate(z, gradient).unwrap();
    });
    assert!(after < 0.02 * before, "before {before}, after {after}");
    // Weights that are constants leave value and gradient as they are.
    let (mut a, mut b) = ([0.0; 2], [0.0; 2]);
    assert_eq!(moved.evaluate(&[0.4, -1.2], &mut a).unwrap(), tracked.evaluate(&[0.4, -1.2], &mut b).unwrap());
    assert_eq!(a, b);
}
