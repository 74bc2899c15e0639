//! The doubling tree's detailed balance, proved over integers: all random choices are enumerated, with their exact
//! probabilities, for arbitrary weights and arbitrary rules of when a stretch turns.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;

use ppl_core::rng::Rng;
use ppl_infer::mcmc::{Choices, Direction, Stop, Trajectory, Tree, Visit};
use rand::Rng as _;

/// A number, and what it adds to a sum: itself.
type Number = i64;

/// The numbers 0..weights.len() with weights, of which some, and all beyond, are no part of the path.
#[derive(Clone)]
struct Integers {
    weights: Vec<f64>,
    broken: Vec<bool>,
    /// Whether the stretch from i to j ≥ i turns.
    turning: Vec<Vec<bool>>,
    /// A mistake to be found: a stretch is judged by the direction it was found in.
    judges_direction: bool,
    start: Number,
    direction: Direction,
    /// The stretches that were judged.
    judged: RefCell<Vec<(Number, Number)>>,
    /// How many places for points and for sums were asked for.
    made: Cell<[usize; 2]>,
}

impl Integers {
    fn random(seed: u64, n: usize, turning: f64) -> Self {
        let mut rng = Rng::seed(seed);
        let weights = (0..n).map(|_| rng.gen_range(-3.0..3.0_f64).exp()).collect();
        let broken = (0..n).map(|_| rng.gen_bool(0.05)).collect();
        let turning = (0..n).map(|_| (0..n).map(|_| rng.gen_bool(turning)).collect()).collect();
        let (judged, made) = Default::default();
        Integers {
            weights,
            broken,
            turning,
            judges_direction: false,
            start: 0,
            direction: Direction::Forward,
            judged,
            made,
        }
    }
}

impl Trajectory for Integers {
    type Point = Number;
    type Sum = Number;
    type Error = Infallible;

    fn new_point(&self) -> Number {
        self.made.set([self.made.get()[0] + 1, self.made.get()[1]]);
        0
    }

    fn new_sum(&self) -> Number {
        self.made.set([self.made.get()[0], self.made.get()[1] + 1]);
        0
    }

    fn step(&mut self, from: &Number, to: &mut Number, direction: Direction) -> Result<Visit, Infallible> {
        self.direction = direction;
        *to = from + if direction == Direction::Forward { 1 } else { -1 };
        let at = usize::try_from(*to).ok().filter(|&at| at < self.weights.len());
        let Some(at) = at else { return Ok(Visit { log_weight: f64::NEG_INFINITY, diverged: true }) };
        let log_weight = (self.weights[at] / self.weights[self.start as usize]).ln();
        Ok(Visit { log_weight, diverged: self.broken[at] })
    }

    fn own<'p>(&self, point: &'p Number) -> &'p Number {
        point
    }

    fn add(&self, a: &Number, b: &Number, sum: &mut Number) {
        *sum = a + b;
    }

    fn add_assign(&self, sum: &mut Number, other: &Number) {
        *sum += other;
    }

    fn turns(&self, [first, last]: [&Number; 2], [before, after]: [&Number; 2]) -> bool {
        assert!(first < last, "the earlier end comes first");
        assert_eq!(before + after, (*first..=*last).sum::<Number>(), "the sum is that of the stretch {first}..={last}");
        self.judged.borrow_mut().push((*first, *last));
        let turning = self.turning[*first as usize][*last as usize];
        if self.judges_direction { turning ^ (self.direction == Direction::Forward) } else { turning }
    }
}

/// Choices by a script, beyond which the answer is always the first one; the next script is the next branch.
#[derive(Default)]
struct Script {
    answers: Vec<bool>,
    used: usize,
    probability: f64,
}

impl Script {
    fn choose(&mut self, probability: f64) -> bool {
        // Which way a tie or a certainty goes is not for the script to say.
        if probability.is_nan() || probability <= 0.0 {
            return false;
        }
        if probability >= 1.0 {
            return true;
        }
        if self.used == self.answers.len() {
            self.answers.push(true);
        }
        let answer = self.answers[self.used];
        self.used += 1;
        self.probability *= if answer { probability } else { 1.0 - probability };
        answer
    }

    /// Turns to the next branch; whether there is one.
    fn next(&mut self) -> bool {
        while self.answers.last() == Some(&false) {
            self.answers.pop();
        }
        self.answers.last_mut().map(|last| *last = false).is_some()
    }
}

impl Choices for Script {
    fn direction(&mut self) -> Direction {
        if self.choose(0.5) { Direction::Forward } else { Direction::Backward }
    }

    fn accept(&mut self, probability: f64) -> bool {
        self.choose(probability)
    }
}

/// The transition probabilities from every number to every other, and the stops that were met.
fn transitions(integers: &Integers, max_depth: u32, stops: &mut Vec<Stop>) -> Vec<Vec<f64>> {
    let n = integers.weights.len();
    let mut tree = Tree::default();
    let mut table = vec![vec![0.0; n]; n];
    for start in (0..n).filter(|&at| !integers.broken[at]) {
        let mut path = Integers { start: start as Number, ..integers.clone() };
        let mut script = Script::default();
        loop {
            (script.used, script.probability) = (0, 1.0);
            *tree.first(&path) = start as Number;
            let Ok((drawn, report)) = tree.transition(&mut path, &mut script, max_depth);
            table[start][*drawn as usize] += script.probability;
            if !stops.contains(&report.stop) {
                stops.push(report.stop);
            }
            if !script.next() {
                break;
            }
        }
    }
    table
}

/// The greatest failure of π(x)·T(x → y) = π(y)·T(y → x), and of Σₓ π(x)·T(x → y) = π(y), relative to Σ π.
fn imbalance(integers: &Integers, table: &[Vec<f64>]) -> [f64; 2] {
    let weights = &integers.weights;
    let whole = 0..weights.len();
    let total: f64 = weights.iter().sum();
    let of = |failures: &mut dyn Iterator<Item = f64>| failures.fold(0.0, f64::max) / total;
    let pairs = whole.clone().flat_map(|x| whole.clone().map(move |y| (x, y)));
    let detailed = of(&mut pairs.map(|(x, y)| (weights[x] * table[x][y] - weights[y] * table[y][x]).abs()));
    let alive = whole.clone().filter(|&y| !integers.broken[y]);
    let arrived = |y: usize| whole.clone().map(|x| weights[x] * table[x][y]).sum::<f64>();
    [detailed, of(&mut alive.map(|y| (arrived(y) - weights[y]).abs()))]
}

#[track_caller]
fn balanced(integers: &Integers, max_depth: u32, stops: &mut Vec<Stop>) -> Vec<Vec<f64>> {
    let table = transitions(integers, max_depth, stops);
    for (x, row) in table.iter().enumerate().filter(|(x, _)| !integers.broken[*x]) {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12, "the probabilities from {x} sum to one");
    }
    let failure = imbalance(integers, &table);
    assert!(failure.iter().all(|&failure| failure < 1e-12), "balance fails by {failure:?}");
    table
}

#[test]
fn transitions_are_in_detailed_balance() {
    let mut stops = Vec::new();
    for seed in 0..60 {
        // From a path that never turns to one that soon does.
        balanced(&Integers::random(seed, 14, 0.05 * (seed % 10) as f64), 3, &mut stops);
    }
    assert_eq!(stops.len(), 3, "all ways to stop were met: {stops:?}");
}

#[test]
fn deeper_trees_are_in_detailed_balance() {
    for seed in 0..2 {
        balanced(&Integers::random(100 + seed, 18, 0.12), 4, &mut Vec::new());
    }
}

/// Without turns, with equal weights and depth 1: the neighbour in either direction, always (the new half is as
/// heavy as the old). Depth 2: the new half always, and one of its two points.
#[test]
fn transitions_are_those_computed_by_hand() {
    let mut integers = Integers::random(0, 9, 0.0);
    (integers.weights, integers.broken) = (vec![1.0; 9], vec![false; 9]);
    let one = balanced(&integers, 1, &mut Vec::new());
    assert_eq!(one[4], [0.0, 0.0, 0.0, 0.5, 0.0, 0.5, 0.0, 0.0, 0.0]);
    let two = balanced(&integers, 2, &mut Vec::new());
    let far = 1.0 / 8.0;
    // The first doubling leads to 3 or 5, the second two steps beyond either end.
    assert_eq!(two[4], [0.0, far, 2.0 * far, far, 0.0, far, 2.0 * far, far, 0.0]);
}

/// Three stretches for each pair of neighbours: as a whole, and either half with the nearest point of the other one;
/// of single points, one.
#[test]
fn turns_are_looked_for_within_and_between_subtrees() {
    let mut path = Integers::random(0, 32, 0.0);
    (path.weights, path.broken, path.start) = (vec![1.0; 32], vec![false; 32], 16);
    let mut tree = Tree::default();
    *tree.first(&path) = 16;
    // Forward, backward, forward: 16, 17, then 14 and 15, then 18 to 21; nothing is taken.
    let mut script = Script { answers: vec![true, false, false, true, false, false, false], ..Script::default() };
    // Equal halves are taken for certain when doubling.
    let Ok((_, report)) = tree.transition(&mut path, &mut script, 3);
    assert_eq!((report.depth, report.steps, report.stop), (3, 7, Stop::DepthReached));
    let expected = [
        vec![(16, 17)],
        vec![(14, 15), (14, 17), (14, 16), (15, 17)],
        vec![(18, 19), (20, 21), (18, 21), (18, 20), (19, 21), (14, 21), (14, 18), (17, 21)],
    ];
    assert_eq!(path.judged.take(), expected.concat());
}

/// A tree of 2⁸ points needs three places a level at most, and one sum; they are made once.
#[test]
fn places_are_few_and_used_again() {
    let mut path = Integers::random(0, 600, 0.0);
    (path.broken, path.start) = (vec![false; 600], 300);
    let mut tree = Tree::default();
    let mut rng = Rng::seed(13);
    for _ in 0..200 {
        *tree.first(&path) = 300;
        let Ok((_, report)) = tree.transition(&mut path, &mut rng, 8);
        assert_eq!(report.depth, 8);
    }
    let [points, sums] = path.made.get();
    assert!(points <= 3 * 9 && sums <= 9, "{points} points and {sums} sums");
}

/// The proof can fail: a rule that is not symmetric, and weights that are not those of the path.
#[test]
fn mistakes_are_found() {
    let mut worst = [0.0_f64; 2];
    for seed in 0..10 {
        let mut integers = Integers::random(seed, 14, 0.3);
        integers.judges_direction = true;
        let failure = imbalance(&integers, &transitions(&integers, 3, &mut Vec::new()));
        worst[0] = worst[0].max(failure[1]);
        integers.judges_direction = false;
        let table = transitions(&integers, 3, &mut Vec::new());
        integers.weights[7] *= 1.01;
        worst[1] = worst[1].max(imbalance(&integers, &table)[1]);
    }
    assert!(worst.iter().all(|&worst| worst > 1e-5), "{worst:?}");
}
