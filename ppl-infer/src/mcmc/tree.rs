//! Doubling trees: a trajectory grows in either direction until it turns, and a point of it is drawn on the way.
//!
//! Betancourt, *A Conceptual Introduction to Hamiltonian Monte Carlo* (2017), appendix A.3: points have
//! multinomial weights, a draw moves uniformly within a subtree and with a bias to the new half on doubling. As
//! Stan does since 2.21, a turn is also looked for between each half and its neighbour's next point.

use super::trajectory::{Choices, Direction, Trajectory, Visit, symmetric_acceptance};

/// Why a tree stopped growing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It turned back on itself.
    Turned,
    /// A step led out of the path.
    Diverged,
    /// It was as deep as allowed.
    DepthReached,
}

/// What a transition did, beside the draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    /// How often the tree was doubled.
    pub depth: u32,
    /// How many steps were taken.
    pub steps: u32,
    /// The sum over the steps of min(1, weight).
    pub accept_sum: f64,
    /// The sum over the steps of 2·min(1, weight) / (1 + weight).
    pub symmetric_sum: f64,
    /// Why it stopped.
    pub stop: Stop,
}

/// The sum of a subtree: a single point's own, or a place for it.
#[derive(Clone, Copy, Debug)]
enum Sum {
    Own(usize),
    Kept(usize),
}

/// A stretch of the path, with a point drawn from it by weight. Points are numbers of places.
#[derive(Clone, Copy, Debug)]
struct Subtree {
    /// The earliest point.
    earliest: usize,
    /// The latest point.
    latest: usize,
    /// The point drawn.
    drawn: usize,
    /// The sum over all points.
    sum: Sum,
    /// The log of the sum of all weights.
    log_weight: f64,
}

/// What a subtree grew to.
enum Grown {
    Whole(Subtree),
    Stopped(Stop),
}

/// Places for the points and sums of a tree. They are made when a tree first needs them and used again ever
/// after: at most three points and one sum for each level.
#[derive(Clone, Debug)]
pub struct Tree<P, S> {
    points: Vec<P>,
    /// How many ends and draws of subtrees are at each place.
    uses: Vec<u32>,
    free_points: Vec<usize>,
    sums: Vec<S>,
    free_sums: Vec<usize>,
}

impl<P, S> Default for Tree<P, S> {
    fn default() -> Self {
        Tree { points: Vec::new(), uses: Vec::new(), free_points: Vec::new(), sums: Vec::new(), free_sums: Vec::new() }
    }
}

impl<P, S> Tree<P, S> {
    /// The place for the first point, to be filled before a transition.
    pub fn first<T: Trajectory<Point = P, Sum = S>>(&mut self, trajectory: &T) -> &mut P {
        if self.points.is_empty() {
            self.points.push(trajectory.new_point());
            self.uses.push(0);
        }
        &mut self.points[0]
    }

    /// Grows a tree from the first point; returns the point drawn, and what happened.
    ///
    /// # Errors
    /// Those of a step.
    pub fn transition<T: Trajectory<Point = P, Sum = S>>(
        &mut self,
        trajectory: &mut T,
        choices: &mut impl Choices,
        max_depth: u32,
    ) -> Result<(&mut P, Transition), T::Error> {
        self.clear(trajectory);
        let mut whole = self.leaf(0, 0.0);
        let mut report =
            Transition { depth: 0, steps: 0, accept_sum: 0.0, symmetric_sum: 0.0, stop: Stop::DepthReached };
        while report.depth < max_depth {
            let direction = choices.direction();
            let end = whole.end(direction);
            let mut grower = Grower { tree: &mut *self, trajectory: &mut *trajectory, choices, direction };
            let half = match grower.grow(end, report.depth, &mut report)? {
                Grown::Whole(half) => half,
                Grown::Stopped(stop) => {
                    report.stop = stop;
                    break;
                }
            };
            report.depth += 1;
            let take = choices.accept((half.log_weight - whole.log_weight).exp());
            let turned;
            (whole, turned) = self.join(trajectory, whole, half, direction, take);
            if turned {
                report.stop = Stop::Turned;
                break;
            }
        }
        Ok((&mut self.points[whole.drawn], report))
    }

    /// Frees every place but the first point's.
    fn clear<T: Trajectory<Point = P, Sum = S>>(&mut self, trajectory: &T) {
        self.first(trajectory);
        self.uses.fill(0);
        self.free_points.clear();
        self.free_points.extend(1..self.points.len());
        self.free_sums.clear();
        self.free_sums.extend(0..self.sums.len());
    }

    /// The subtree of one point.
    fn leaf(&mut self, at: usize, log_weight: f64) -> Subtree {
        self.uses[at] = 3;
        Subtree { earliest: at, latest: at, drawn: at, sum: Sum::Own(at), log_weight }
    }

    /// A free place for a point.
    fn place<T: Trajectory<Point = P, Sum = S>>(&mut self, trajectory: &T) -> usize {
        self.free_points.pop().unwrap_or_else(|| {
            self.points.push(trajectory.new_point());
            self.uses.push(0);
            self.points.len() - 1
        })
    }

    fn release(&mut self, point: usize) {
        self.uses[point] -= 1;
        if self.uses[point] == 0 {
            self.free_points.push(point);
        }
    }

    fn sum<'a, T: Trajectory<Point = P, Sum = S>>(&'a self, trajectory: &T, sum: Sum) -> &'a S {
        match sum {
            Sum::Own(point) => trajectory.own(&self.points[point]),
            Sum::Kept(at) => &self.sums[at],
        }
    }

    /// Joins a subtree with the one that grew from its end in that direction; whether the whole turns.
    fn join<T: Trajectory<Point = P, Sum = S>>(
        &mut self,
        trajectory: &T,
        old: Subtree,
        new: Subtree,
        direction: Direction,
        take_new: bool,
    ) -> (Subtree, bool) {
        let [earlier, later] = match direction {
            Direction::Forward => [old, new],
            Direction::Backward => [new, old],
        };
        let turned = self.turns(trajectory, earlier, later);
        let sum = self.joined_sum(trajectory, earlier.sum, later.sum);
        let (drawn, dropped) = if take_new { (new.drawn, old.drawn) } else { (old.drawn, new.drawn) };
        [dropped, earlier.latest, later.earliest].into_iter().for_each(|point| self.release(point));
        let log_weight = log_sum_exp(old.log_weight, new.log_weight);
        (Subtree { earliest: earlier.earliest, latest: later.latest, drawn, sum, log_weight }, turned)
    }

    /// Whether two neighbours turn: from end to end, or from one of them to the other's nearest point.
    fn turns<T: Trajectory<Point = P, Sum = S>>(&self, trajectory: &T, earlier: Subtree, later: Subtree) -> bool {
        let point = |at: usize| &self.points[at];
        let own = |at: usize| trajectory.own(point(at));
        let [before, after] = [earlier.sum, later.sum].map(|sum| self.sum(trajectory, sum));
        if trajectory.turns([point(earlier.earliest), point(later.latest)], [before, after]) {
            return true;
        }
        // Of two single points, all three stretches are the same.
        let single = matches!((earlier.sum, later.sum), (Sum::Own(_), Sum::Own(_)));
        !single
            && (trajectory.turns([point(earlier.earliest), point(later.earliest)], [before, own(later.earliest)])
                || trajectory.turns([point(earlier.latest), point(later.latest)], [own(earlier.latest), after]))
    }

    /// The sum of both, in the place of one of them where there is one.
    fn joined_sum<T: Trajectory<Point = P, Sum = S>>(&mut self, trajectory: &T, a: Sum, b: Sum) -> Sum {
        let [a, b] = match (a, b) {
            (Sum::Own(_), Sum::Kept(_)) => [b, a],
            _ => [a, b],
        };
        let at = match a {
            Sum::Kept(at) => at,
            Sum::Own(_) => self.free_sums.pop().unwrap_or_else(|| {
                self.sums.push(trajectory.new_sum());
                self.sums.len() - 1
            }),
        };
        match (a, b) {
            (Sum::Own(a), Sum::Own(b)) => {
                let [a, b] = [a, b].map(|at| trajectory.own(&self.points[at]));
                trajectory.add(a, b, &mut self.sums[at]);
            }
            (_, Sum::Own(b)) => trajectory.add_assign(&mut self.sums[at], trajectory.own(&self.points[b])),
            (_, Sum::Kept(b)) => {
                let (low, high) = self.sums.split_at_mut(at.max(b));
                let [low, high] = [&mut low[at.min(b)], &mut high[0]];
                let (sum, other) = if at < b { (low, high) } else { (high, low) };
                trajectory.add_assign(sum, other);
                self.free_sums.push(b);
            }
        }
        Sum::Kept(at)
    }
}

impl Subtree {
    fn end(&self, direction: Direction) -> usize {
        match direction {
            Direction::Forward => self.latest,
            Direction::Backward => self.earliest,
        }
    }
}

/// Grows subtrees in one direction.
struct Grower<'a, T: Trajectory, C> {
    tree: &'a mut Tree<T::Point, T::Sum>,
    trajectory: &'a mut T,
    choices: &'a mut C,
    direction: Direction,
}

impl<T: Trajectory, C: Choices> Grower<'_, T, C> {
    /// A subtree of 2^depth points beyond `from`, unless it turns or diverges.
    fn grow(&mut self, from: usize, depth: u32, report: &mut Transition) -> Result<Grown, T::Error> {
        if depth == 0 {
            return self.step(from, report);
        }
        let Grown::Whole(first) = self.grow(from, depth - 1, report)? else { return Ok(Grown::Stopped(report.stop)) };
        let end = first.end(self.direction);
        let Grown::Whole(second) = self.grow(end, depth - 1, report)? else { return Ok(Grown::Stopped(report.stop)) };
        let share = (second.log_weight - log_sum_exp(first.log_weight, second.log_weight)).exp();
        let take = self.choices.accept(share);
        let (whole, turned) = self.tree.join(self.trajectory, first, second, self.direction, take);
        Ok(if turned { stopped(report, Stop::Turned) } else { Grown::Whole(whole) })
    }

    /// The subtree of the next point.
    fn step(&mut self, from: usize, report: &mut Transition) -> Result<Grown, T::Error> {
        let to = self.tree.place(self.trajectory);
        let (low, high) = self.tree.points.split_at_mut(from.max(to));
        let [low, high] = [&mut low[from.min(to)], &mut high[0]];
        let (start, end) = if from < to { (low, high) } else { (high, low) };
        let Visit { log_weight, diverged } = self.trajectory.step(start, end, self.direction)?;
        report.steps += 1;
        let probability = log_weight.exp().min(1.0);
        report.accept_sum += if probability.is_nan() { 0.0 } else { probability };
        report.symmetric_sum += symmetric_acceptance(log_weight);
        Ok(if diverged { stopped(report, Stop::Diverged) } else { Grown::Whole(self.tree.leaf(to, log_weight)) })
    }
}

fn stopped(report: &mut Transition, stop: Stop) -> Grown {
    report.stop = stop;
    Grown::Stopped(stop)
}

/// ln(eᵃ + eᵇ).
fn log_sum_exp(a: f64, b: f64) -> f64 {
    let greatest = a.max(b);
    if greatest == f64::NEG_INFINITY { greatest } else { greatest + (-(a - b).abs()).exp().ln_1p() }
}
