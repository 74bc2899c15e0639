//! Distributions made from another: folded, censored, transformed, expanded; walks, stored samples
//! and flat priors. Reference values: NumPyro and scipy in double precision, and closed forms.

use std::sync::Arc;

use ppl_core::autodiff::grad;
use ppl_core::constraint::{Positive, UNIT_INTERVAL};
use ppl_core::distribution::{Distribution, Expand};
use ppl_core::distributions::{
    Censored, Empirical, Exponential, Folded, GaussianRandomWalk, HalfNormal, ImproperUniform, LogNormal, Normal,
    TransformedDistribution, Uniform,
};
use ppl_core::rng::Rng;
use ppl_core::transform::{Affine, Compose, Exp, Inverse, Map, Sigmoid, StickBreaking};
use ppl_core::{Axis, Cpu, Rank1, Rank2, Tensor};

type Vector<const N: usize> = Tensor<Rank1<N>, f64, Cpu>;

#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!(f == e || (f - e).abs() <= tolerance * e.abs().max(1.0), "{found:?} is not {expected:?}");
    }
}

#[test]
fn a_folded_normal_around_zero_is_half_normal() {
    let (folded, half) = (
        Folded::new(Normal::<Rank1<4>, f64, Cpu>::new(0.0, Vector::from([0.5, 1.0, 2.0, 4.0]))),
        HalfNormal::new(Vector::from([0.5, 1.0, 2.0, 4.0])),
    );
    let x = Vector::from([0.0, 0.3, 30.0, -1.0]);
    close(&folded.log_prob(&x).to_vec(), &half.log_prob(&x).to_vec(), 1e-13);
    close(&folded.cdf(&x).unwrap().to_vec(), &half.cdf(&x).unwrap().to_vec(), 1e-13);
    close(&folded.survival(&x).unwrap().to_vec(), &half.survival(&x).unwrap().to_vec(), 1e-13);
    assert!(folded.draw(&mut Rng::seed(0)).to_vec().iter().all(|v| *v >= 0.0));
}

#[test]
fn a_folded_normal_off_zero_sums_both_sides() {
    // scipy.stats.foldnorm(c=0.75, scale=2): logpdf and cdf at 0.4 and 5.
    let folded = Folded::new(Normal::<Rank1<2>, f64, Cpu>::filled(Default::default(), 1.5, 2.0));
    let x = Vector::from([0.4, 5.0]);
    close(&folded.log_prob(&x).to_vec(), &FOLDED_LOG_PROB, 1e-12);
    close(&folded.cdf(&x).unwrap().to_vec(), &FOLDED_CDF, 1e-12);
}

#[test]
fn folded_probabilities_keep_their_digits_on_both_sides() {
    // mpmath: Φ(11) − Φ(9).
    let folded = Folded::new(Normal::<Rank1<2>, f64, Cpu>::new(Vector::from([-10.0, 10.0]), 1.0));
    let found = folded.cdf(&Vector::from([1.0, 1.0])).unwrap().to_vec();
    assert!(found.iter().all(|f| (f / 1.128_588_404_043_181e-19 - 1.0).abs() < 1e-12), "{found:?}");
}

const FOLDED_LOG_PROB: [f64; 2] = [-1.2089804692960908, -3.120090249392193];
const FOLDED_CDF: [f64; 2] = [0.12010356047986459, 0.9593638180937921];

#[test]
fn censored_observations_score_their_probabilities() {
    // NumPyro's LeftCensoredDistribution of Normal(0.3, 1.2).
    let normal = || Normal::<Rank1<3>, f64, Cpu>::filled(Default::default(), 0.3, 1.2);
    let left = Censored::left(normal(), [false, true, true]);
    let expected = [-1.1151489788875162, -0.22605827119070318, -8.681958025478766];
    close(&left.log_prob(&Vector::from([0.5, 1.3, -4.0])).to_vec(), &expected, 1e-12);
    // scipy.stats.norm(0.3, 1.2).logsf: far into the tail.
    let right = Censored::right(normal(), [true, true, true]);
    let expected = [-0.8351344120604769, -59.290428194607024, -310.41063989921];
    close(&right.log_prob(&Vector::from([0.5, 13.0, 30.0])).to_vec(), &expected, 1e-12);
}

#[test]
fn an_interval_scores_its_probability_from_the_nearer_tail() {
    let normal = || Normal::<Rank1<4>, f64, Cpu>::filled(Default::default(), 0.0, 1.0);
    let upper = Vector::from([1.0, 11.0, -10.0, 0.25]);
    let interval = Censored::interval(normal(), upper);
    // mpmath, 40 digits; the last is an exact observation.
    let expected = [-0.38171514630212605, -53.23131022558312, -53.23131022558312, -0.9501885332046727];
    close(&interval.log_prob(&Vector::from([-1.0, 10.0, -11.0, 0.25])).to_vec(), &expected, 1e-11);
}

#[test]
fn gradients_of_censored_observations_are_finite_differences() {
    let at = |rate: f64| {
        let rates = Tensor::<(), f64, Cpu>::scalar(rate);
        Censored::right(Exponential::new(&rates), [true]).log_prob(&Tensor::scalar(3.0)).item()
    };
    let rate = Tensor::<(), f64, Cpu>::scalar(0.7).tracked();
    let (_, grads) = grad(|| Censored::right(Exponential::new(&rate), [true]).log_prob(&Tensor::scalar(3.0)));
    let difference = (at(0.7 + 1e-6) - at(0.7 - 1e-6)) / 2e-6;
    assert!((grads.get(&rate).unwrap().item() - difference).abs() < 1e-8);
}

#[test]
fn a_walk_scores_its_steps() {
    // NumPyro's GaussianRandomWalk(scale=0.7, num_steps=4).
    let walk = GaussianRandomWalk::<Rank1<4>, f64, Cpu>::new(0.7);
    close(&[walk.log_prob(&Vector::from([0.5, -0.2, 0.3, 1.9])).item()], &[-5.871503336655597], 1e-12);
    let scales = Vector::from([0.5, 2.0]);
    let walks = GaussianRandomWalk::<Rank2<2, 3>, f64, Cpu>::new(&scales);
    assert_eq!(walks.variance().unwrap().to_vec(), [0.25, 0.5, 0.75, 4.0, 8.0, 12.0]);
    assert_eq!(walks.batch_shape(), Rank1::<2>::default());
}

#[test]
fn walks_have_independent_steps_and_a_gradient() {
    let n = 20_000;
    let walk = GaussianRandomWalk::<(usize, usize), f64, Cpu>::with_shape(1.5, (n, 3));
    let x = walk.draw(&mut Rng::seed(8)).to_vec();
    // Steps have variance 2.25 and neighbours have covariance 0: with 20,000 walks the standard
    // errors are 0.0225 and 0.0159. Six of them: a false alarm once in 5e8.
    let step = |row: &[f64], t: usize| if t == 0 { row[0] } else { row[t] - row[t - 1] };
    let mean = |f: &dyn Fn(&[f64]) -> f64| x.chunks_exact(3).map(f).sum::<f64>() / n as f64;
    for t in 0..3 {
        let variance = mean(&|row| step(row, t).powi(2));
        assert!((variance - 2.25).abs() < 6.0 * 0.0225, "{t}: {variance}");
        let next = mean(&|row| step(row, t) * step(row, (t + 1) % 3));
        assert!(next.abs() < 6.0 * 0.0159, "{t}: {next}");
    }
    let scale = Tensor::<(), f64, Cpu>::scalar(1.5).tracked();
    let (sum, grads) = grad(|| GaussianRandomWalk::<Rank1<3>, f64, Cpu>::new(&scale).draw(&mut Rng::seed(1)).sum_all());
    assert!((grads.get(&scale).unwrap().item() - sum.item() / 1.5).abs() < 1e-12);
}

#[test]
fn stored_samples_weigh_what_they_weigh() {
    let samples: Vec<Vector<2>> = [[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]].map(Vector::from).to_vec();
    let logs = Tensor::vector(vec![0.0, 2.0_f64.ln(), f64::NEG_INFINITY]);
    let stored = Empirical::weighted(samples, logs);
    close(&[stored.log_prob(&Vector::from([1.0, 2.0])).item()], &[-(3.0_f64.ln())], 1e-14);
    assert_eq!(stored.log_prob(&Vector::from([1.0, 4.0])).item(), f64::NEG_INFINITY);
    close(&stored.mean().unwrap().to_vec(), &[7.0 / 3.0, 10.0 / 3.0], 1e-14);
    close(&stored.variance().unwrap().to_vec(), &[8.0 / 9.0, 8.0 / 9.0], 1e-14);
    assert_eq!(stored.enumerate_support().unwrap().len(), 2);
    let mut rng = Rng::seed(3);
    let first = (0..9000).filter(|_| stored.draw(&mut rng).to_vec() == [1.0, 2.0]).count() as f64;
    // Binomial(9000, 1/3): mean 3000, deviation 44.7. Six of them: once in 5e8.
    assert!((first - 3000.0).abs() < 269.0, "{first}");
    assert!(Empirical::weighted(vec![Vector::from([0.0])], Tensor::vector(vec![f64::NAN])).check_parameters().is_err());
}

#[test]
fn a_flat_prior_is_flat_inside_and_starts_inside() {
    let flat = ImproperUniform::<Rank1<3>, Rank1<3>, f64, Cpu>::new(
        Arc::new(Positive),
        Default::default(),
        Default::default(),
    );
    let scores = flat.log_prob(&Vector::from([1e-300, 0.0, 1e300])).to_vec();
    assert_eq!(scores, [0.0, f64::NEG_INFINITY, 0.0]);
    assert!(flat.draw(&mut Rng::seed(0)).to_vec().iter().all(|v| (0.1..8.0).contains(v)));
    let unit = ImproperUniform::<(), (), f64, Cpu>::new(Arc::new(UNIT_INTERVAL), (), ());
    assert_eq!(unit.log_prob(&Tensor::scalar(2.0)).item(), f64::NEG_INFINITY);
}

#[test]
fn a_transformed_normal_is_log_normal() {
    let scale = Vector::from([0.5, 1.0, 2.0, 1.0]);
    let (made, known) = (TransformedDistribution::new(Normal::new(0.3, &scale), Exp), LogNormal::new(0.3, &scale));
    let x = Vector::from([1e-8, 0.0, 1e9, -1.0]);
    close(&made.log_prob(&x).to_vec(), &known.log_prob(&x).to_vec(), 1e-13);
    close(&made.cdf(&x).unwrap().to_vec(), &known.cdf(&x).unwrap().to_vec(), 1e-13);
    let q = Vector::from([0.1, 0.5, 0.9, 1e-10]);
    close(&made.icdf(&q).unwrap().to_vec(), &known.icdf(&q).unwrap().to_vec(), 1e-13);
    assert_eq!(made.draw(&mut Rng::seed(2)).to_vec().len(), 4);
    let support = made.support();
    assert_eq!(support.violation(&[1.0, 2.0, -1.0, 3.0], &[4]), Some(2));
}

#[test]
fn a_decreasing_transform_turns_the_cdf_around() {
    let loc = Tensor::vector(vec![1.0, 1.0]);
    let base = Uniform::<Rank1<2>, f64, Cpu>::filled(Default::default(), 0.0, 1.0);
    let turned = TransformedDistribution::new(base, Affine::new(loc, Tensor::vector(vec![-2.0, 2.0])));
    // On (−1, 1) and (1, 3).
    let x = Vector::from([0.5, 1.5]);
    close(&turned.cdf(&x).unwrap().to_vec(), &[0.75, 0.25], 1e-14);
    close(&turned.log_prob(&x).to_vec(), &[-(2.0_f64.ln()); 2], 1e-14);
    close(&turned.icdf(&Vector::from([0.75, 0.25])).unwrap().to_vec(), &[0.5, 1.5], 1e-14);
}

#[test]
fn gradients_reach_base_and_value_through_a_transform() {
    let value = |loc: f64, x: f64| {
        let base = Normal::<(), f64, Cpu>::new(loc, 0.8);
        TransformedDistribution::new(base, Exp).log_prob(&Tensor::scalar(x)).item()
    };
    let (loc, x) = (Tensor::<(), f64, Cpu>::scalar(0.2).tracked(), Tensor::<(), f64, Cpu>::scalar(1.7).tracked());
    let (_, grads) = grad(|| TransformedDistribution::new(Normal::new(&loc, 0.8), Exp).log_prob(&x));
    let h = 1e-6;
    let along_loc = (value(0.2 + h, 1.7) - value(0.2 - h, 1.7)) / (2.0 * h);
    let along_x = (value(0.2, 1.7 + h) - value(0.2, 1.7 - h)) / (2.0 * h);
    assert!((grads.get(&loc).unwrap().item() - along_loc).abs() < 1e-8);
    assert!((grads.get(&x).unwrap().item() - along_x).abs() < 1e-8);
}

#[test]
fn broken_sticks_lie_on_the_simplex() {
    let base = Normal::<Rank2<4, 2>, f64, Cpu>::standard().to_event::<Axis<1>>();
    let made = TransformedDistribution::with_shape(base, Arc::new(StickBreaking::new(3)), Rank2::<4, 3>::default());
    assert_eq!((made.event_dims(), made.batch_shape()), (vec![3], Rank1::<4>::default()));
    let draw = made.draw(&mut Rng::seed(4));
    assert!(draw.to_vec().chunks_exact(3).all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-12));
    assert!(made.log_prob(&draw).to_vec().iter().all(|v| v.is_finite()));
    let outside: Tensor<Rank2<4, 3>, f64, Cpu> =
        Tensor::from([[0.5, 0.6, 0.2], [0.2, 0.3, 0.5], [-0.1, 0.6, 0.5], [0.1, 0.1, 0.8]]);
    let found = made.support().violation(&outside.to_vec(), &[4, 3]);
    assert_eq!(found, Some(0));
}

#[test]
fn the_inverse_of_a_transform_undoes_it() {
    let there = TransformedDistribution::new(Normal::<(), f64, Cpu>::new(0.4, 1.3), Exp);
    let back = TransformedDistribution::new(there, Inverse::new(Arc::new(Exp)));
    let normal = Normal::<(), f64, Cpu>::new(0.4, 1.3);
    for x in [-3.0, 0.2, 4.0] {
        let x = Tensor::scalar(x);
        close(&[back.log_prob(&x).item()], &[normal.log_prob(&x).item()], 1e-13);
    }
}

#[test]
#[should_panic(expected = "maps vectors of 2 numbers, and events of Normal have 1; see `to_event`")]
fn a_transform_of_vectors_needs_events() {
    let base = Normal::<Rank2<4, 2>, f64, Cpu>::standard();
    let _ = TransformedDistribution::with_shape(base, Arc::new(StickBreaking::new(3)), Rank2::<4, 3>::default());
}

#[test]
fn expanding_repeats_the_batch() {
    let row = Normal::new(Vector::from([0.0, 1.0, 2.0]), 0.5);
    let rows = row.expand(Rank2::<2, 3>::default());
    let x = Tensor::from([[0.1, 0.2, 0.3], [1.1, 1.2, 1.3]]);
    let found = rows.log_prob(&x).array();
    for (i, each) in [[0.1, 0.2, 0.3], [1.1, 1.2, 1.3]].into_iter().enumerate() {
        assert_eq!(found[i].to_vec(), row.log_prob(&Vector::from(each)).to_vec());
    }
    // One number for all, and its gradient is the sum.
    let loc = Tensor::<(), f64, Cpu>::scalar(0.5).tracked();
    let (_, grads) =
        grad(|| Normal::<(), _, _>::new(&loc, 1.0).expand((4,)).log_prob(&Tensor::vector(vec![1.5; 4])).sum_all());
    assert_eq!(grads.get(&loc).unwrap().item(), 4.0);
}

#[test]
#[should_panic(expected = "expand")]
fn an_axis_that_differs_does_not_expand() {
    let _ = Normal::new(Vector::from([0.0, 1.0, 2.0]), 0.5).expand(Rank2::<3, 2>::default());
}

#[test]
fn a_transform_that_rounds_keeps_its_direction() {
    let flat = |v: f32| Tensor::from_vec(vec![v], (1,));
    let far = Affine::new(flat(1.7e9), flat(100.0));
    let normal = TransformedDistribution::new(Normal::<(), f32, Cpu>::new(0.0, 1.0), far);
    let cdf = |x: f32| normal.cdf(&Tensor::scalar(f64::from(x))).unwrap().item();
    assert!(cdf(1.7e9 - 256.0) < 0.1 && cdf(1.7e9 + 256.0) > 0.9);
    let flat = |v: f64| Tensor::from_vec(vec![v], (1,));
    let steep: Vec<Map<f64, Cpu>> = vec![Arc::new(Affine::new(flat(50.0), flat(20.0))), Arc::new(Sigmoid)];
    let logistic = TransformedDistribution::new(Normal::<(), f64, Cpu>::new(0.0, 1.0), Compose::new(steep));
    assert!(logistic.cdf(&Tensor::scalar(0.9)).unwrap().item() < 0.01);
}

#[test]
fn a_censored_value_that_cannot_be_has_no_slope() {
    for (x, right) in [(50.0, true), (-50.0, false)] {
        let (high, x) = (Vector::from([2.0]).tracked(), Vector::from([x]).tracked());
        let uniform = || Uniform::new(0.0, &high);
        let censored = || if right { Censored::right(uniform(), [true]) } else { Censored::left(uniform(), [true]) };
        let (value, grads) = grad(|| censored().log_prob(&x).sum_all());
        assert_eq!(value.item(), f64::NEG_INFINITY);
        assert_eq!(grads.get(&high).unwrap().to_vec(), [0.0]);
        assert_eq!(grads.get(&x).unwrap().to_vec(), [0.0]);
    }
}

/// Value and gradients of a score with respect to leaves.
fn scored(leaves: &[Tensor<(), f64, Cpu>], score: impl Fn() -> Tensor<(), f64, Cpu>) -> Vec<f64> {
    let (value, grads) = grad(score);
    std::iter::once(value.item()).chain(leaves.iter().map(|leaf| grads.get(leaf).unwrap().item())).collect()
}

fn leaf(value: f64) -> Tensor<(), f64, Cpu> {
    Tensor::scalar(value).tracked()
}

// Expected values of the tests below: mpmath with 60 digits.
#[test]
fn a_censored_regression_learns_from_what_is_sixty_deviations_away() {
    let leaves = [leaf(1.0), leaf(1.25), leaf(1.0)];
    let [intercept, slope, scale] = &leaves;
    let observed = || Normal::new(intercept + slope * 2.0, scale);
    let expected = [-1805.013560680567, 60.016657420241125, 120.03331484048225, 3600.9994452144675];
    let right = scored(&leaves, || Censored::right(observed(), [true]).log_prob(&Tensor::scalar(63.5)));
    close(&right, &expected, 1e-12);
    let mirrored = [expected[0], -expected[1], -expected[2], expected[3]];
    let left = scored(&leaves, || Censored::left(observed(), [true]).log_prob(&Tensor::scalar(-56.5)));
    close(&left, &mirrored, 1e-12);
}

#[test]
fn an_interval_far_away_has_a_score_and_a_gradient() {
    let wide = [-1805.013560680567, 60.016657420241125, 3600.9994452144675];
    let mirrored = [wide[0], -wide[1], wide[2]];
    let narrow = [-1805.9962142325324, 60.00360216695369, 3599.4322780409];
    let cases = [(60.0, 61.0, wide), (60.0, f64::INFINITY, wide), (-61.0, -60.0, mirrored), (60.0, 60.0078125, narrow)];
    for (lower, upper, expected) in cases {
        let leaves = [leaf(0.0), leaf(1.0)];
        let normal = || Normal::new(&leaves[0], &leaves[1]);
        let score = || Censored::interval(normal(), Tensor::scalar(upper)).log_prob(&Tensor::scalar(lower));
        close(&scored(&leaves, score), &expected, 1e-10);
    }
    // Nothing is between points the other way around, and nothing pulls.
    let leaves = [leaf(0.0), leaf(1.0)];
    let score = || {
        Censored::interval(Normal::new(&leaves[0], &leaves[1]), Tensor::scalar(60.0)).log_prob(&Tensor::scalar(61.0))
    };
    assert_eq!(scored(&leaves, score), [f64::NEG_INFINITY, 0.0, 0.0]);
}

#[test]
fn a_folded_normal_has_logarithms_of_both_tails() {
    let leaves = [leaf(50.0), leaf(1.0)];
    let folded = || Folded::new(Normal::new(&leaves[0], &leaves[1]));
    let below = scored(&leaves, || folded().log_cdf(&Tensor::scalar(0.5)).unwrap());
    close(&below, &[-1229.9463189088274, -49.520185563987499, 2451.2491854173812], 1e-11);
    let leaves = [leaf(1.5), leaf(2.0)];
    let folded = || Folded::new(Normal::new(&leaves[0], &leaves[1]));
    let above = scored(&leaves, || folded().log_survival(&Tensor::scalar(100.0)).unwrap());
    close(&above, &[-1217.5975097522599, 24.635143930391263, 1213.2808385717697], 1e-11);
    assert_eq!(folded().log_cdf(&Tensor::scalar(100.0)).unwrap().item(), 0.0);
    assert_eq!(folded().log_cdf(&Tensor::scalar(-1.0)).unwrap().item(), f64::NEG_INFINITY);
    assert_eq!(folded().log_survival(&Tensor::scalar(-1.0)).unwrap().item(), 0.0);
    let near = Tensor::scalar(1.25);
    assert!((folded().log_cdf(&near).unwrap().item() - folded().cdf(&near).unwrap().item().ln()).abs() < 1e-14);
}

#[test]
fn a_transform_hands_on_the_tail_that_it_maps_to() {
    let made = TransformedDistribution::new(Normal::<(), f64, Cpu>::new(0.5, 2.0), Exp);
    let direct = LogNormal::<(), f64, Cpu>::new(0.5, 2.0);
    let flat = |v: f64| Tensor::from_vec(vec![v], (1,));
    let turned =
        TransformedDistribution::new(Normal::<(), f64, Cpu>::new(-0.5, 2.0), Affine::new(flat(0.0), flat(-1.0)));
    let turned = TransformedDistribution::new(turned, Exp);
    for x in [1e-60, 0.3, 5.0, 1e60] {
        let x = Tensor::scalar(x);
        let expected = [direct.log_cdf(&x).unwrap().item(), direct.log_survival(&x).unwrap().item()];
        close(&[made.log_cdf(&x).unwrap().item(), made.log_survival(&x).unwrap().item()], &expected, 1e-13);
        close(&[turned.log_cdf(&x).unwrap().item(), turned.log_survival(&x).unwrap().item()], &expected, 1e-13);
        assert_eq!(made.survival(&x), direct.survival(&x));
    }
    // Nothing has these as its image.
    let [below, above] = [Tensor::scalar(-1.0), Tensor::scalar(1.5)];
    assert_eq!(made.log_cdf(&below).unwrap().item(), f64::NEG_INFINITY);
    assert_eq!([made.log_survival(&below).unwrap().item(), made.survival(&below).unwrap().item()], [0.0, 1.0]);
    let share = TransformedDistribution::new(Normal::<(), f64, Cpu>::new(0.5, 2.0), Sigmoid);
    assert_eq!([share.log_cdf(&above).unwrap().item(), share.survival(&above).unwrap().item()], [0.0; 2]);
    assert_eq!(share.log_survival(&above).unwrap().item(), f64::NEG_INFINITY);
}

#[test]
fn an_event_and_a_mask_have_logarithms_of_probabilities() {
    let base = Normal::<Rank1<2>, f64, Cpu>::filled(Default::default(), 0.0, 1.0);
    let far = Vector::from([-40.0, -50.0]);
    let event = base.clone().to_event::<Axis<0>>();
    close(&[event.log_cdf(&far).unwrap().item()], &[-2059.4398031531737], 1e-12);
    let near = Vector::from([0.5, 1.5]);
    let cdf = event.cdf(&near).unwrap().item();
    close(&[event.log_survival(&near).unwrap().item()], &[(1.0 - cdf).ln()], 1e-13);
    assert_eq!(event.log_survival(&Vector::from([40.0, 40.0])).unwrap().item(), f64::NEG_INFINITY);
    let masked = base.clone().mask([true, false]);
    assert_eq!(masked.log_cdf(&far), base.log_cdf(&far));
    assert_eq!(masked.log_survival(&far), base.log_survival(&far));
}
