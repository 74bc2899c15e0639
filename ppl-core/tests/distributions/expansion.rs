//! Larger batches of distributions that are made of others, and of those over sequences: each element is
//! the one that it repeats, and `expand` commutes with masks and events.

// One check for all.
mod repeats;

use std::sync::Arc;

use self::repeats::{Numbers, close, draws_differ, numbers, positive, repeats};
use crate::finite_differences::{irregular, panic_message};
use ppl_core::autodiff::grad;
use ppl_core::constraint::Positive;
use ppl_core::distribution::{Distribution, Expand};
use ppl_core::distributions::{
    Categorical, Censored, Delta, Dirichlet, DirichletMultinomial, DiscreteHmm, Empirical, ExpRelaxedCategorical,
    Exponential, Folded, GaussianHmm, GaussianRandomWalk, Gumbel, ImproperUniform, InverseWishart,
    LowRankMultivariateNormal, Mixture, MixtureSameFamily, Multinomial, MultivariateNormal, MultivariateStudentT,
    Normal, OneHotCategorical, RelaxedOneHotCategorical, TransformedDistribution, Unit, Wishart, ZeroInflatedPoisson,
};
use ppl_core::rng::Rng;
use ppl_core::transform::{Affine, Compose, Exp, Inverse, Map, Power, StickBreaking};
use ppl_core::{Axes2, Axis, Const, Cpu, Rank1, Rank2, Rank3, Tensor};

fn rows() -> Normal<Rank2<2, 3>, f64, Cpu> {
    Normal::new(numbers(Rank2::<2, 3>::default()), positive(Rank2::<2, 3>::default()))
}

/// One axis of one element, to be repeated.
fn single() -> Normal<(usize, Const<3>), f64, Cpu> {
    Normal::new(numbers((1, Const)), positive((1, Const)))
}

const MASK: [bool; 6] = [true, false, true, true, false, true];

#[test]
fn masks_repeat() {
    let masked = rows().mask(MASK);
    let large = repeats(&masked, (4, Const::<2>, Const::<3>));
    let x = numbers((4, Const::<2>, Const::<3>));
    let other = rows().expand((4, Const::<2>, Const::<3>)).mask(MASK.repeat(4));
    assert_eq!(large.log_prob(&x), other.log_prob(&x));
    draws_differ(&large);
    // Once more, and along an axis of one element.
    repeats(&large, (2, 4, Const::<2>, Const::<3>));
    repeats(&single().mask([true, false, true]), (2, Const::<3>));
    repeats(&Dirichlet::new(positive(Rank2::<2, 3>::default())).mask([false, true]), (4, Const::<2>, Const::<3>));
}

#[test]
fn events_stay_the_last_axes() {
    let shape = (4, Const::<2>, Const::<3>);
    let (one, two) = (rows().to_event::<Axis<1>>(), rows().to_event::<Axes2<0, 1>>());
    let large = repeats(&one, shape);
    assert_eq!((large.batch_shape(), large.event_dims()), ((4, Const), vec![3]));
    let x = numbers(shape);
    assert_eq!(large.log_prob(&x), rows().expand(shape).to_event::<Axis<2>>().log_prob(&x));
    let large = repeats(&two, shape);
    assert_eq!((large.batch_shape(), large.event_dims()), ((4,), vec![2, 3]));
    assert_eq!(large.log_prob(&x), rows().expand(shape).to_event::<Axes2<1, 2>>().log_prob(&x));
    draws_differ(&large);
    repeats(&single().to_event::<Axis<1>>(), (5, Const::<3>));
    // Of events, of masks, under masks.
    repeats(&rows().to_event::<Axis<1>>().to_event::<Axis<0>>(), shape);
    repeats(&rows().mask(MASK).to_event::<Axis<1>>(), shape);
    repeats(&rows().to_event::<Axis<1>>().mask([true, false]), shape);
    let vectors = MultivariateNormal::from_scale_tril(
        numbers(Rank2::<2, 2>::default()),
        Tensor::<Rank3<2, 2, 2>, f64>::from([[[1.0, 0.0], [0.5, 2.0]], [[0.3, 0.0], [-0.2, 0.7]]]),
    );
    repeats(&vectors.clone().to_event::<Axis<0>>(), (3, Const::<2>, Const::<2>, Const::<2>));
    repeats(&vectors.mask([true, false]), (3, Const::<2>, Const::<2>, Const::<2>));
}

#[test]
fn absolute_values_and_censored_ones_repeat() {
    let shape = (4, Const::<2>, Const::<3>);
    draws_differ(&repeats(&Folded::new(rows()), shape));
    repeats(&Folded::new(single()), (2, Const::<3>));
    repeats(&Censored::left(rows(), MASK), shape);
    repeats(&Censored::right(rows(), MASK), shape);
    repeats(&Censored::right(single(), [true, false, true]), (2, Const::<3>));
    repeats(&Censored::right(rows(), MASK).mask(MASK).to_event::<Axis<1>>(), shape);
    let upper = numbers(Rank2::<2, 3>::default()).tracked();
    let interval = Censored::interval(rows(), upper.clone());
    repeats(&interval, shape);
    // The slope along a bound is the sum over its copies.
    let x = upper.detach() - 0.5;
    let (_, one) = grad(|| interval.log_prob_sum(&x));
    let (_, four) = grad(|| interval.expand(shape).log_prob_sum(&x.expand(shape)));
    let four: Vec<f64> = four.get(&upper).unwrap().to_vec().iter().map(|g| g / 4.0).collect();
    close(&four, &one.get(&upper).unwrap().to_vec(), "slope");
}

#[test]
fn transformed_values_repeat_with_the_parameters_of_their_transform() {
    let shape = (4, Const::<2>, Const::<3>);
    draws_differ(&repeats(&TransformedDistribution::new(rows(), Exp), shape));
    let (loc, scale) = (numbers((6,)).tracked(), positive((6,)));
    let affine = TransformedDistribution::new(rows(), Affine::new(loc.clone(), scale.clone()));
    repeats(&affine, shape);
    repeats(&TransformedDistribution::new(single(), Affine::new(numbers((3,)), positive((3,)))), (2, Const::<3>));
    let x = numbers(Rank2::<2, 3>::default());
    let (_, one) = grad(|| affine.log_prob_sum(&x));
    let (_, four) = grad(|| affine.expand(shape).log_prob_sum(&x.expand(shape)));
    let four: Vec<f64> = four.get(&loc).unwrap().to_vec().iter().map(|g| g / 4.0).collect();
    close(&four, &one.get(&loc).unwrap().to_vec(), "slope");
    // Some parts have parameters and some have none; some run backwards.
    let back = Inverse::new(Arc::new(Affine::new(loc.detach(), scale.clone())));
    let parts: Vec<Map<f64, Cpu>> = vec![Arc::new(back), Arc::new(Exp), Arc::new(Power::new(scale))];
    let base = rows().to_event::<Axis<1>>();
    draws_differ(&repeats(&TransformedDistribution::new(base, Compose::new(parts)), shape));
}

#[test]
fn a_transform_that_changes_sizes_keeps_its_events() {
    let base = rows().to_event::<Axis<1>>();
    let made = TransformedDistribution::with_shape(base, Arc::new(StickBreaking::new(4)), Rank2::<2, 4>::default());
    let large = repeats(&made, (5, Const::<2>, Const::<3>));
    let drawn: Numbers<(usize, Const<2>, Const<4>)> = large.draw(&mut Rng::seed(1));
    assert_eq!(drawn.dims(), [5, 2, 4]);
    // A base whose shape is its matrices'.
    let factor = Tensor::<Rank2<2, 2>, f64>::from([[1.0, 0.0], [0.5, 2.0]]);
    let normal = MultivariateNormal::from_scale_tril(Tensor::from([0.1, 0.2]), factor);
    repeats(
        &TransformedDistribution::new(normal, Affine::new(numbers((2,)), positive((2,)))),
        (3, Const::<2>, Const::<2>),
    );
}

#[test]
fn mixtures_repeat_with_their_weights() {
    let weights = || Categorical::new(positive(Rank2::<2, 3>::default()));
    let shape = (4, Const::<2>, Const::<3>);
    let large = repeats(&MixtureSameFamily::new(weights(), rows()), shape);
    assert_eq!(large.mixing().probs().dims(), [4, 2, 3]);
    draws_differ(&large);
    let one = Categorical::new(positive((1, Const::<3>)));
    repeats(&MixtureSameFamily::new(one, single()), (2, Const::<3>));
    let vectors = numbers(Rank3::<2, 3, 2>::default());
    let events = Normal::new(vectors, 1.5).to_event::<Axis<2>>();
    repeats(&MixtureSameFamily::new(weights(), events), (4, Const::<2>, Const::<3>, Const::<2>));

    let two = Categorical::new(positive(Rank2::<3, 2>::default()));
    let line = || Normal::new(numbers(Rank1::<3>::default()), 0.5);
    let pair = Mixture::new(two.clone(), (line(), Gumbel::new(0.5, positive(Rank1::<3>::default()))));
    draws_differ(&repeats(&pair, (4, Const::<3>)));
    let list = Mixture::new(two, vec![line(), Normal::new(1.0, positive(Rank1::<3>::default()))]);
    repeats(&list.mask([true, false, true]), (4, Const::<3>));
    let counts = ZeroInflatedPoisson::with_rate(positive(Rank1::<3>::default()), Tensor::from([0.1, 0.5, 0.9]));
    repeats(&counts.mask([true, false, true]).to_event::<Axis<0>>(), (4, Const::<3>));
    let kinds = Categorical::new(positive(Rank2::<2, 3>::default())).mask([true, false]).to_event::<Axis<0>>();
    let x = Tensor::from_vec(vec![0, 2, 1, 1], (2, Const::<2>));
    let each = Categorical::new(positive(Rank2::<2, 3>::default())).logits().to_vec();
    close(&kinds.expand((2, Const::<2>, Const::<3>)).log_prob(&x).to_vec(), &[each[0], each[1]], "log_prob");
    let soft = RelaxedOneHotCategorical::new(0.75, positive(Rank2::<2, 3>::default()));
    repeats(&soft.mask([true, false]).to_event::<Axis<0>>(), shape);
}

#[test]
fn vectors_and_matrices_repeat() {
    let (shape, weights) = ((4, Const::<2>, Const::<3>), || positive(Rank2::<2, 3>::default()));
    draws_differ(&repeats(&Dirichlet::new(weights()), shape));
    repeats(&Dirichlet::new(positive((1, 3))), (2, 3));
    repeats(&OneHotCategorical::new(weights()), shape);
    repeats(&Multinomial::new(5, weights()), shape);
    repeats(&DirichletMultinomial::new(weights(), 5), shape);
    draws_differ(&repeats(&ExpRelaxedCategorical::new(0.75, weights()), shape));

    let square = (5, Const::<2>, Const::<3>, Const::<3>);
    let loc = || numbers(Rank2::<2, 3>::default());
    let factor = || positive(Rank3::<2, 3, 3>::default()).tril(0);
    let df = || Tensor::from([8.5, 11.0]);
    draws_differ(&repeats(&MultivariateNormal::from_scale_tril(loc(), factor()), square));
    let normal = MultivariateNormal::from_scale_tril(numbers((1, 2)), positive((1, 2, 2)).tril(0));
    repeats(&normal, (3, 2, 2));
    repeats(&MultivariateStudentT::new(df(), loc(), factor()), square);
    let low_rank = LowRankMultivariateNormal::new(loc(), positive(Rank3::<2, 3, 1>::default()), weights());
    repeats(&low_rank, (5, Const::<2>, Const::<3>, Const::<1>));
    repeats(&Wishart::from_scale_tril(df(), factor()), square);
    repeats(&InverseWishart::from_scale_tril(df(), factor()), square);
}

#[test]
fn walks_repeat() {
    let walk = GaussianRandomWalk::<Rank2<2, 3>, f64, Cpu>::new(Tensor::from([0.5, 2.0]));
    draws_differ(&repeats(&walk, (4, Const::<2>, Const::<3>)));
    repeats(&GaussianRandomWalk::<Rank1<3>, f64, Cpu>::new(0.5).mask([true]), (4, Const::<3>));
}

#[test]
fn stored_samples_are_drawn_for_each_element() {
    let samples: Vec<Numbers<Rank1<2>>> = [[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [5.0, 0.0]].map(Tensor::from).to_vec();
    let logs = Tensor::vector(vec![0.0, 2.0_f64.ln(), 1.0_f64.ln(), f64::NEG_INFINITY]).tracked();
    let stored = Empirical::weighted(samples, logs.clone());
    let many = repeats(&stored, (4000, Const::<2>));
    assert_eq!((many.batch_shape(), many.enumerate_support().unwrap().len()), ((4000,), 3));
    repeats(&many, (2, 4000, Const::<2>));
    let drawn = many.draw(&mut Rng::seed(2)).to_vec();
    let first = drawn.chunks_exact(2).filter(|row| *row == [1.0, 2.0]).count() as f64;
    // Binomial(4000, ½): deviation 31.6. Six of them: once in 5e8.
    assert!((first - 2000.0).abs() < 190.0, "{first}");
    let never = many.expand((4000, Const::<2>)).log_prob(&Tensor::full_like(9.0, (4000, Const::<2>))).to_vec();
    assert!(never.iter().all(|&l| l == f64::NEG_INFINITY));
    let one = stored.expand((3, Const::<2>));
    let x = Tensor::<Rank1<2>, f64>::from([3.0, 4.0]).expand((3, Const::<2>));
    let (_, grads) = grad(|| one.log_prob_sum(&x));
    close(&grads.get(&logs).unwrap().to_vec(), &[-0.75, 1.5, -0.75, 0.0], "slope");
    assert_eq!(stored.expand((0, Const::<2>)).draw(&mut Rng::seed(1)).dims(), [0, 2]);
}

#[test]
fn points_weights_and_flat_priors_repeat() {
    let point = Delta::new(numbers(Rank2::<2, 3>::default()), Tensor::from([0.5, -1.0]));
    let large = point.expand((4, Const::<2>, Const::<3>));
    assert_eq!((large.batch_shape(), large.event_dims()), ((4, Const), vec![3]));
    let value = large.draw(&mut Rng::seed(0));
    assert_eq!(value.to_vec(), irregular(6).repeat(4));
    assert_eq!(large.log_prob(&value).to_vec(), [0.5, -1.0].repeat(4));
    let whole = Numbers::<Rank1<2>>::from([1.0, 2.0]);
    let each = Delta::elementwise(whole).expand((3, Const::<2>));
    assert_eq!(each.event_dims(), Vec::<usize>::new());
    let kinds = Delta::<_, f64, Cpu>::certain(Tensor::<Rank1<2>, usize, Cpu>::from([7, 9])).expand((3, Const::<2>));
    assert_eq!(kinds.draw(&mut Rng::seed(0)).to_vec(), [7, 9].repeat(3));
    assert_eq!(kinds.log_prob(&kinds.draw(&mut Rng::seed(0))).to_vec(), [0.0; 3]);

    let factor = Unit::new(Numbers::<Rank1<2>>::from([-1.0, 2.0])).expand((2, Const::<2>));
    assert_eq!(factor.log_prob(&()).to_vec(), [-1.0, 2.0, -1.0, 2.0]);

    let flat = ImproperUniform::<Rank1<2>, Rank1<2>, f64, Cpu>::new(
        Arc::new(Positive),
        Default::default(),
        Default::default(),
    );
    repeats(&flat, (3, Const::<2>));
}

#[test]
fn hidden_chains_repeat() {
    let (first, moves) = (Tensor::from([0.5, 0.0]), Tensor::<_, f64>::from([[0.25, 0.0], [-1.0, 2.0]]));
    let seen = || Normal::new(numbers(Rank2::<3, 2>::default()), 0.7);
    let chain = DiscreteHmm::new(first.clone(), moves.clone(), seen());
    let large = repeats(&chain, (4, Const::<3>, Const::<2>));
    assert_eq!((large.batch_shape(), large.event_dims()), ((4,), vec![3]));
    draws_differ(&large);
    let x = large.draw(&mut Rng::seed(4));
    assert_eq!(large.viterbi(&x).dims(), [4, 3]);
    repeats(&large, (2, 4, Const::<3>, Const::<2>));
    // Steps that are masked, vectors that are seen, and logits of one sequence that becomes three.
    repeats(&DiscreteHmm::new(first, moves, seen().mask(MASK)), (4, Const::<3>, Const::<2>));
    let vectors = Normal::new(numbers((1, 3, 2, 2)), 0.7).to_event::<Axis<3>>();
    let chain = DiscreteHmm::new(numbers((1, 2)), numbers((1, 3, 2, 2)), vectors);
    repeats(&chain, (3, 3, 2, 2));
    repeats(&chain.mask([true]), (3, 3, 2, 2));
}

/// Two steps of one hidden number that is seen as two, with a batch of one sequence.
fn walk() -> GaussianHmm<(usize, usize, usize), usize, f64, Cpu> {
    let normal = |dims: (usize, usize, usize, usize), scale: f64| {
        let (a, b, c, d) = dims;
        let eye = Tensor::<(usize, usize), f64>::eye_like((c, d));
        MultivariateNormal::from_scale_tril(numbers((a, b, c)), (eye * scale).expand(dims))
    };
    let initial = MultivariateNormal::from_scale_tril(numbers((1, 1)), positive((1, 1, 1)));
    let (moves, looks) = (numbers((1, 2, 1, 1)), numbers((1, 2, 1, 2)));
    GaussianHmm::with_shape(initial, moves, normal((1, 2, 1, 1), 0.5), looks, normal((1, 2, 2, 2), 0.8), (1, 2, 2))
}

#[test]
fn linear_chains_repeat() {
    let noise = |variance: f64| MultivariateNormal::new(0.0, Tensor::<_, f64>::from([[variance]]));
    let one = || Tensor::<_, f64>::from([[0.9]]);
    let chain = GaussianHmm::<Rank2<3, 1>, _, f64, Cpu>::new(noise(1.0), one(), noise(0.5), one(), noise(2.0));
    let large = repeats(&chain, (4, Const::<3>, Const::<1>));
    assert_eq!((large.batch_shape(), large.event_dims()), ((4,), vec![3, 1]));
    draws_differ(&large);
    repeats(&chain.mask([true]), (4, Const::<3>, Const::<1>));
    repeats(&walk(), (3, 2, 2));
    let large = repeats(&walk(), (5, 3, 2, 2));
    assert_eq!(large.filter(&numbers((5, 3, 2, 2))).loc().dims(), [5, 3, 1]);
    repeats(&walk().to_event::<Axis<0>>(), (5, 1, 2, 2));
}

#[test]
fn shapes_that_do_not_fit_are_told_with_both() {
    let both = |message: String, left: &str, right: &str| {
        assert!(message.contains("expand") && message.contains(&format!("{left} and {right}")), "{message}");
    };
    both(panic_message(|| rows().mask(MASK).expand((3, 3))), "[2, 3]", "[3, 3]");
    both(panic_message(|| rows().to_event::<Axis<1>>().expand((2, 4))), "[2, 3]", "[2, 4]");
    // An event of one element does not repeat either.
    let narrow = Normal::new(numbers((2, 1)), 1.0).to_event::<Axis<1>>();
    both(panic_message(|| narrow.expand((2, 4))), "[2, 1]", "[2, 4]");
    let number = Normal::<(), f64, Cpu>::new(0.0, 1.0).to_event::<Axis<0>>();
    both(panic_message(|| number.expand((2,))), "[]", "[2]");
    both(panic_message(|| Censored::left(rows(), MASK).expand((3, 3))), "[2, 3]", "[3, 3]");
    both(panic_message(|| TransformedDistribution::new(rows(), Exp).expand((3, 3))), "[2, 3]", "[3, 3]");
    let weights = Categorical::new(positive((2, 1)));
    let one = MixtureSameFamily::new(weights, Exponential::new(positive((2, 1))));
    both(panic_message(|| one.expand((2, 3))), "[2, 1]", "[2, 3]");
    let walk_of_one = GaussianRandomWalk::<(usize,), f64, Cpu>::with_shape(1.0, (1,));
    both(panic_message(|| walk_of_one.expand((3,))), "[1]", "[3]");
    let stored = Empirical::new(vec![numbers((1,))]);
    both(panic_message(|| stored.expand((2, 3))), "[1]", "[2, 3]");
    let point = Delta::new(numbers((2, 1)), numbers((2,)));
    both(panic_message(|| point.expand((2, 3))), "[2, 1]", "[2, 3]");
    let chain = DiscreteHmm::new(numbers((1,)), numbers((1, 1)), Normal::new(numbers((1, 1)), 1.0));
    both(panic_message(|| chain.expand((3, 1))), "[1, 1]", "[3, 1]");
    both(panic_message(|| walk().expand((3, 4, 2))), "[1, 2, 2]", "[3, 4, 2]");
    let matrix = MultivariateNormal::new(0.0, positive((1, 1)));
    both(panic_message(|| matrix.expand((2, 2))), "[1, 1]", "[2, 2]");
}
