//! Normalising flows under SVI: as guides of posteriors that no normal fits, and as densities of data.

use ppl::flows::{
    AffineAutoregressive, AffineCoupling, BatchNorm, Flow, Planar, Radial, Spline, SplineAutoregressive, Stack,
};
use ppl::infer::{Adam, RunOptions, Svi, TraceElbo};
use ppl::params::ParamEntry;
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::transform::Permute;

/// Draws in a step, as independent copies of the posterior: a plate, so that a step is one run.
const DRAWS: usize = 64;

type Points = Tensor<Rank2<DRAWS, 2>>;
type Numbers = Tensor<Rank1<DRAWS>>;

fn column<const N: usize>(points: &Tensor<Rank2<N, 2>>, which: usize) -> Tensor<Rank1<N>> {
    points.matmul(&Tensor::<Rank1<2>>::from([f64::from(which == 0), f64::from(which == 1)]))
}

/// Two standard normals of which 0.25 = z₂ − z₁² + noise is observed: a banana.
#[model]
fn banana(_flow: &str) {
    plate!("draws", DRAWS, |_| {
        let z: Points = sample!("z", Normal::filled(Rank2::<DRAWS, 2>::default(), 0.0, 1.0).to_event::<Axis<1>>());
        let loc: Numbers = column(&z, 1) - column(&z, 0).square();
        sample!("y", Normal::new(loc, 0.15), obs = Numbers::full(0.25));
    });
}

/// Two standard normals, of whose squares 1.5 and 1 are observed: four modes.
#[model]
fn modes(_flow: &str) {
    plate!("draws", DRAWS, |_| {
        let z: Points = sample!("z", Normal::filled(Rank2::<DRAWS, 2>::default(), 0.0, 1.0).to_event::<Axis<1>>());
        sample!("first", Normal::new(column(&z, 0).square(), 0.5), obs = Numbers::full(1.5));
        sample!("second", Normal::new(column(&z, 1).square(), 0.5), obs = Numbers::full(1.0));
    });
}

/// Two standard normals, of which the sum of squares is observed: a ring.
#[model]
fn ring(_flow: &str) {
    plate!("draws", DRAWS, |_| {
        let z: Points = sample!("z", Normal::filled(Rank2::<DRAWS, 2>::default(), 0.0, 1.0).to_event::<Axis<1>>());
        let square: Numbers = column(&z, 0).square() + column(&z, 1).square();
        sample!("y", Normal::new(square, 1.0), obs = Numbers::full(4.0));
    });
}

/// Two layers (eight of the simplest ones) of one kind.
fn stack(init: &mut Init<f64, Cpu>, flow: &str) -> Stack<f64> {
    let layers = if flow == "Planar" || flow == "Radial" { 8 } else { 2 };
    (0..layers).fold(Stack::new(), |stack, _| match flow {
        "AffineAutoregressive" => stack.then(AffineAutoregressive::new(init, 2, &[16, 16])).then(Permute::reversed(2)),
        "AffineCoupling" => stack.then(AffineCoupling::new(init, 2, &[16, 16])).then(Permute::reversed(2)),
        "SplineAutoregressive" => {
            stack.then(SplineAutoregressive::with_bins(init, 2, &[16], 16, 6.0)).then(Permute::reversed(2))
        }
        "Spline" => stack.then(Spline::with_bins(init, 2, 16, 6.0)),
        "Planar" => stack.then(Planar::new(init, 2)),
        "Radial" => stack.then(Radial::new(init, 2)),
        "Masked" => stack.then(AffineAutoregressive::new(init, 2, &[16]).inverse_flow()).then(Permute::reversed(2)),
        _ => panic!("no flow `{flow}`"),
    })
}

macro_rules! guides {
    ($model:ident, $by_flow:ident, $mean_field:ident) => {
        #[guide($model)]
        fn $by_flow(flow: &str) {
            let flow: Stack<f64> = module!("flow", |init| stack(init, flow));
            plate!("draws", DRAWS, |_| {
                let base = Normal::filled(Rank2::<DRAWS, 2>::default(), 0.0, 1.0).to_event::<Axis<1>>();
                sample!("z", TransformedDistribution::new(base, flow));
            });
        }

        #[guide($model)]
        fn $mean_field(_flow: &str) {
            // Off the saddle between modes.
            let loc: Tensor<Rank1<2>> = param!("loc", Tensor::from([0.5, 0.4]));
            let scale: Tensor<Rank1<2>> = param!("scale", Tensor::from([0.5, 0.5]), constraint = Positive);
            plate!("draws", DRAWS, |_| {
                let (loc, scale): (Points, Points) = (loc.broadcast::<_, Axis<0>>(), scale.broadcast::<_, Axis<0>>());
                sample!("z", Normal::new(loc, scale).to_event::<Axis<1>>());
            });
        }
    };
}

guides!(banana, banana_flow, banana_normal);
guides!(modes, modes_flow, modes_normal);
guides!(ring, ring_flow, ring_normal);

/// ln of the evidence of one copy, by a grid.
fn log_evidence(log_likelihood: impl Fn(f64, f64) -> f64) -> f64 {
    const STEP: f64 = 0.01;
    let place = |i: usize| (i as f64 - 600.0) * STEP;
    let at = |a: f64, b: f64| (normal(a, 1.0) + normal(b, 1.0) + log_likelihood(a, b)).exp();
    let sum: f64 = (0..1201).map(|i| (0..1201).map(|j| at(place(i), place(j))).sum::<f64>()).sum();
    (sum * STEP * STEP).ln()
}

/// The log-density of N(0, sd).
fn normal(x: f64, sd: f64) -> f64 {
    -0.5 * (x / sd).powi(2) - sd.ln() - 0.5 * std::f64::consts::TAU.ln()
}

/// KL from a fitted guide to the posterior, in nats: what its ELBO of 200 · 64 draws lacks of the evidence.
macro_rules! divergence {
    ($model:ident, $guide:ident, $flow:expr, $steps:expr, $evidence:expr) => {{
        let mut svi = Svi::new($model, $guide, Adam::new(0.01), TraceElbo::default()).seed(11);
        svi.run(RunOptions::steps($steps), ($flow,)).unwrap();
        svi.optimizer_mut().set_learning_rate(0.001);
        svi.run(RunOptions::steps($steps / 2), ($flow,)).unwrap();
        let loss = (0..200).map(|_| svi.evaluate(($flow,)).unwrap()).sum::<f64>() / 200.0;
        loss / DRAWS as f64 + $evidence
    }};
}

// The bounds in these tests are up to four times what this seed gives: 0.005 for the autoregressive flow,
// 0.010 for the coupling, 0.025 and 0.005 for splines, 0.25 for planar, 0.32 for masked and 0.08 for radial
// flows. The best normals with diagonal covariances have 0.65, 1.29 and 1.54. Seeds are fixed, so nothing
// fails by chance.

#[test]
fn flows_fit_a_banana_where_a_normal_does_not() {
    let evidence = log_evidence(|a, b| normal(0.25 - b + a * a, 0.15));
    assert!(divergence!(banana, banana_normal, "", 1000, evidence) > 0.6);
    for (flow, least) in [
        ("AffineAutoregressive", 0.01),
        ("AffineCoupling", 0.02),
        ("SplineAutoregressive", 0.05),
        ("Planar", 0.35),
        ("Masked", 0.4),
    ] {
        let found = divergence!(banana, banana_flow, flow, 1000, evidence);
        assert!(found < least, "{flow}: {found}");
    }
}

#[test]
fn splines_fit_four_modes_where_a_normal_does_not() {
    let evidence = log_evidence(|a, b| normal(1.5 - a * a, 0.5) + normal(1.0 - b * b, 0.5));
    assert!(divergence!(modes, modes_normal, "", 1000, evidence) > 1.2);
    for flow in ["Spline", "SplineAutoregressive"] {
        let found = divergence!(modes, modes_flow, flow, 1500, evidence);
        assert!(found < 0.02, "{flow}: {found}");
    }
}

#[test]
fn radial_flows_fit_a_ring_where_a_normal_does_not() {
    let evidence = log_evidence(|a, b| normal(4.0 - a * a - b * b, 1.0));
    assert!(divergence!(ring, ring_normal, "", 1000, evidence) > 1.4);
    let found = divergence!(ring, ring_flow, "Radial", 1500, evidence);
    assert!(found < 0.15, "{found}");
}

/// Rows of data.
const ROWS: usize = 2000;

type Data = Tensor<Rank2<ROWS, 2>>;

/// x₁ ~ N(0, 1), x₂ ~ N(x₁² / 2, 0.3), and minus the mean log-density of these rows.
fn data(seed: u64) -> (Data, f64) {
    let mut source = Init::<f64, Cpu>::new(Rng::seed(seed));
    let mut draw = || source.normal((), 1.0).item();
    let (mut rows, mut loss) = (Vec::new(), 0.0);
    for _ in 0..ROWS {
        let (a, e) = (draw(), 0.3 * draw());
        rows.extend([a, 0.5 * a * a + e]);
        loss -= (normal(a, 1.0) + normal(e, 0.3)) / ROWS as f64;
    }
    (Tensor::from_vec(rows, Default::default()), loss)
}

/// A flow as the density of data, fitted by maximum likelihood: nothing is latent.
#[model]
fn density(x: &Data, flow: &str) {
    let flow: Stack<f64> = module!("flow", |init| stack(init, flow));
    let base = Normal::filled(Rank2::<ROWS, 2>::default(), 0.0, 1.0).to_event::<Axis<1>>();
    plate!("rows", ROWS, |_| {
        sample!("x", TransformedDistribution::new(base, flow), obs = x);
    });
}

#[guide(density)]
fn nothing(_x: &Data, _flow: &str) {}

/// A normal of the best mean and covariance has a loss of 2.57, the true density one of 1.62 on these rows;
/// the fitted flows come within 0.012 of it.
#[test]
fn flows_learn_the_density_of_data() {
    let ((seen, _), (unseen, best)) = (data(1), data(2));
    for flow in ["Masked", "AffineCoupling"] {
        let mut svi = Svi::new(density, nothing, Adam::new(0.01), TraceElbo::default()).seed(5);
        svi.run(RunOptions::steps(400), (&seen, flow)).unwrap();
        let found = svi.evaluate((&unseen, flow)).unwrap() / ROWS as f64;
        assert!((best - 0.02..best + 0.04).contains(&found), "{flow}: {found}, not {best}");
    }
}

/// The same far from the origin and on another scale, which batch normalisation takes out.
#[model]
fn far_density(x: &Data) {
    let flow: Stack<f64> = module!("flow", |init| {
        let mut stack = stack(init, "Masked").then(BatchNorm::new(init, 2));
        stack.set_training(true);
        stack
    });
    let base = Normal::filled(Rank2::<ROWS, 2>::default(), 0.0, 1.0).to_event::<Axis<1>>();
    plate!("rows", ROWS, |_| {
        sample!("x", TransformedDistribution::new(base, flow), obs = x);
    });
}

#[guide(far_density)]
fn nothing_far(_x: &Data) {}

/// Puts a changed flow in the place of the stored one.
fn change(params: &mut ParamStore<f64, Cpu>, f: impl FnOnce(&mut Stack<f64>)) {
    let mut flow: Stack<f64> = params.get("flow").expect("the model has it");
    f(&mut flow);
    params.insert("flow", ParamEntry::new(Box::new(flow), None));
}

#[test]
fn batch_normalisation_learns_its_statistics_beside_the_parameters() {
    let far = |(x, loss): (Data, f64)| (x * 50.0 + 1000.0, loss + 2.0 * 50f64.ln());
    let ((seen, _), (unseen, best)) = (far(data(1)), far(data(2)));
    let flat = Tensor::from_vec(seen.to_vec(), (2 * ROWS,));
    let mut svi = Svi::new(far_density, nothing_far, Adam::new(0.01), TraceElbo::default()).seed(5);
    for _ in 0..400 {
        svi.step(&seen).unwrap();
        change(svi.params_mut(), |flow| flow.update_statistics(&flat));
    }
    change(svi.params_mut(), |flow| flow.set_training(false));
    let found = svi.evaluate(&unseen).unwrap() / ROWS as f64;
    assert!((best - 0.02..best + 0.04).contains(&found), "{found}, not {best}");
}

/// A run with flows, statistics and permutations is saved and gone on with in another one.
#[test]
fn a_resumed_run_is_the_unbroken_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let (seen, _) = data(1);
    let flat = Tensor::from_vec(seen.to_vec(), (2 * ROWS,));
    let start = |seed| Svi::new(far_density, nothing_far, Adam::new(0.01), TraceElbo::default()).seed(seed);
    let mut unbroken = start(5);
    unbroken.step(&seen).unwrap();
    change(unbroken.params_mut(), |flow| flow.update_statistics(&flat));
    unbroken.save(&path).unwrap();
    let mut resumed = start(6);
    resumed.load(&path, &seen).unwrap();
    for _ in 0..2 {
        assert_eq!(resumed.step(&seen).unwrap().to_bits(), unbroken.step(&seen).unwrap().to_bits());
    }
    for svi in [&mut resumed, &mut unbroken] {
        change(svi.params_mut(), |flow| flow.set_training(false));
    }
    assert_eq!(resumed.evaluate(&seen).unwrap().to_bits(), unbroken.evaluate(&seen).unwrap().to_bits());
}
