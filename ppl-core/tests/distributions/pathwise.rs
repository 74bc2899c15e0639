//! Pathwise gradients: at each draw −(∂F/∂θ)/f, and in the mean those of the expectation.

use ppl_core::autodiff::grad;
use ppl_core::rng::Rng;
use ppl_core::{Cpu, Tensor};

use crate::families::{Family, Row, families, row, wide};
use crate::quadrature::{between, cuts, density};
use crate::sampling::deviation;

type Rows = Vec<Row<f64, Cpu>>;

/// Rows of `n` equal parameters, as leaves.
fn leaves(parameters: &[f64], n: usize) -> Rows {
    parameters.iter().map(|&p| row(&vec![p; n]).tracked()).collect()
}

/// The gradient of a sum, element by element of each leaf.
fn gradient(leaves: &Rows, f: impl Fn() -> Tensor<(), f64>) -> Vec<Vec<f64>> {
    let (_, grads) = grad(f);
    leaves.iter().map(|leaf| wide(&grads.get(leaf).expect("a leaf"))).collect()
}

/// Draws, and the derivative of each by each of its parameters.
pub(crate) fn draws(family: &Family<f64, Cpu>, parameters: &[f64], n: usize, seed: u64) -> (Vec<f64>, Vec<Vec<f64>>) {
    let leaves = leaves(parameters, n);
    let drawn = wide(&(family.build)(&leaves).draw(&mut Rng::seed(seed)));
    (drawn, gradient(&leaves, || (family.build)(&leaves).draw(&mut Rng::seed(seed)).sum_all()))
}

/// The families with pathwise gradients, their typical sets, and which of the parameters has one.
fn tested() -> impl Iterator<Item = (Family<f64, Cpu>, &'static [f64], Vec<usize>)> {
    let differentiable = families::<f64, Cpu>().into_iter().filter(|f| f.filled(f.typical[0], 1).has_rsample());
    differentiable.flat_map(|family| {
        let moving = (0..family.parameters.len()).filter(|&i| !family.is_fixed(i)).collect::<Vec<_>>();
        family.typical.iter().map(move |parameters| (family, *parameters, moving.clone()))
    })
}

/// ∂F(x; θ)/∂θ by five-point differences, with the step that was taken.
fn slope_of_cdf(family: &Family<f64, Cpu>, parameters: &[f64], which: usize, x: &[f64]) -> Option<(Vec<f64>, f64)> {
    // An infinite bound does not move.
    let h = if parameters[which].is_finite() { 1e-3 * parameters[which].abs().max(0.05) } else { 1.0 };
    let at = |steps: f64| {
        let mut moved = parameters.to_vec();
        moved[which] += steps * h;
        Some(wide(&family.filled(&moved, x.len()).cdf(&row(x))?))
    };
    let (far, near) = ([at(2.0)?, at(-2.0)?], [at(1.0)?, at(-1.0)?]);
    let slope = |i: usize| (8.0 * (near[0][i] - near[1][i]) - (far[0][i] - far[1][i])) / (12.0 * h);
    Some(((0..x.len()).map(slope).collect(), h))
}

#[test]
fn a_draw_moves_so_that_its_probability_stays() {
    for (family, parameters, moving) in tested().filter(|(family, ..)| family.monotone_draws) {
        let (x, found) = draws(&family, parameters, 100, 5);
        let densities = density(&family, parameters, &x);
        for which in moving {
            let Some((slope, h)) = slope_of_cdf(&family, parameters, which, &x) else { continue };
            let beside_kink = |x: f64| (family.kinks)(parameters).iter().any(|kink| (x - kink).abs() <= 2.0 * h);
            for i in (0..x.len()).filter(|&i| !beside_kink(x[i])) {
                let expected = -slope[i] / densities[i];
                // The cdf's rounding, seen through the differences.
                let rounding = 1e-14 / (h * densities[i]);
                let off = (found[which][i] - expected).abs();
                let place = format!("{} {parameters:?}: ∂x/∂θ[{which}] at {}", family.name, x[i]);
                assert!(off <= 1e-6 * expected.abs().max(1e-3) + rounding, "{place}: {}, {expected}", found[which][i]);
            }
        }
    }
}

/// sin(arctan x), whose expectation every distribution has, and whose slope does not swing in the
/// tails as that of sin x does; and its derivative.
pub(crate) fn bounded_slope(x: f64) -> f64 {
    (1.0 + x * x).powf(-1.5)
}

/// The function whose expectation is tested, and its derivative: sin arctan x, or, on a circle, sin x.
fn tested_function(family: &Family<f64, Cpu>) -> (fn(f64) -> f64, fn(f64) -> f64) {
    if family.period.is_some() { (f64::sin, f64::cos) } else { (|x| x.atan().sin(), bounded_slope) }
}

/// ∂E[sin arctan x]/∂θ: −∫ h′(x) ∂F/∂θ dx by parts, which holds where the support moves too; without a
/// cdf ∫ h(x) f(x) ∂ln f/∂θ dx.
pub(crate) fn slope_of_bounded(family: &Family<f64, Cpu>, parameters: &[f64]) -> Vec<f64> {
    let cuts = cuts(family, parameters);
    let of = |which| between(&cuts, |points| bounded_terms(family, parameters, which, points)).iter().sum();
    (0..parameters.len()).map(of).collect()
}

/// The integrand for one parameter.
fn bounded_terms(family: &Family<f64, Cpu>, parameters: &[f64], which: usize, points: &[f64]) -> Vec<f64> {
    let (x, leaves) = (row(points), leaves(parameters, points.len()));
    let distribution = || (family.build)(&leaves);
    let (function, derivative) = tested_function(family);
    if distribution().cdf(&x).is_some() {
        let slopes = &gradient(&leaves, || distribution().cdf(&x).expect("as before").sum_all())[which];
        return points.iter().zip(slopes).map(|(&x, slope)| -derivative(x) * slope).collect();
    }
    let scores = &gradient(&leaves, || distribution().log_prob(&x).sum_all())[which];
    let terms = points.iter().zip(density(family, parameters, points)).zip(scores);
    // Where the density is zero the score may overflow.
    terms.map(|((&x, f), score)| if f == 0.0 { 0.0 } else { f * function(x) * score }).collect()
}

/// ∂E[x]/∂θ and ∂E[x²]/∂θ, where there are.
fn slopes_of_moments(family: &Family<f64, Cpu>, parameters: &[f64]) -> [Option<Vec<f64>>; 2] {
    let leaves = leaves(parameters, 1);
    let distribution = || (family.build)(&leaves);
    let finite = |x: Option<Row<f64, Cpu>>| x.filter(|x| x.item().is_finite());
    let (mean, variance) = (finite(distribution().mean()), finite(distribution().variance()));
    let mean_slope = mean.as_ref().map(|_| gradient(&leaves, || distribution().mean().expect("as before").sum_all()));
    let variance_slope =
        variance.map(|_| gradient(&leaves, || distribution().variance().expect("as before").sum_all()));
    let flat = |slopes: &Vec<Vec<f64>>| -> Vec<f64> { slopes.iter().map(|s| s[0]).collect() };
    let square = mean_slope.as_ref().zip(variance_slope).map(|(m, v)| {
        let mean = mean.as_ref().expect("as before").item();
        flat(m).iter().zip(flat(&v)).map(|(m, v)| 2.0 * mean * m + v).collect()
    });
    [mean_slope.as_ref().map(flat), square]
}

// A mean of 10 000 terms lies 6 standard errors off with probability 2e-9 where it is normal, and one
// of the 1500 or so of this test with 3e-6. Terms of which one has a fiftieth of the sum of squares
// have no standard error to speak of (x² in a heavy tail) and are left to sin(arctan x).
#[test]
fn pathwise_gradients_are_those_of_the_expectation() {
    for (family, parameters, moving) in tested() {
        let (x, found) = draws(&family, parameters, 10_000, 6);
        let bounded = slope_of_bounded(&family, parameters);
        // On a circle the mean of a draw has no gradient, as a draw jumps from one end to the other.
        let circle = family.period.is_some();
        let [first, second] = if circle { [None, None] } else { slopes_of_moments(&family, parameters) };
        let (_, derivative) = tested_function(&family);
        let functions: [(&str, Option<Vec<f64>>, fn(f64) -> f64); 3] =
            [("x", first, |_| 1.0), ("x²", second, |x| 2.0 * x), ("sin(arctan x)", Some(bounded), derivative)];
        for (name, expected, slope) in functions {
            let Some(expected) = expected else { continue };
            for &which in &moving {
                let terms: Vec<f64> = found[which].iter().zip(&x).map(|(g, &x)| g * slope(x)).collect();
                let squares: f64 = terms.iter().map(|t| t * t).sum();
                let tame = terms.iter().all(|t| t * t <= 0.02 * squares);
                let z = deviation::<f64>(&terms, expected[which]);
                let place = format!("{} {parameters:?}: ∂E[{name}]/∂θ[{which}]", family.name);
                assert!(!tame || z < 6.0, "{place} = {}: {z} standard errors", expected[which]);
            }
        }
    }
}
