//! Which draws of a warm-up the metric is estimated from: overlapping windows, that follow the chain from its first draws on.

use serde::{Deserialize, Serialize};

/// A schedule in which the metric is estimated anew after every draw, from a window that ends at the present draw. A
/// second window runs behind it, and takes its place once it is as long as asked for; so an estimate has always many
/// draws, and never old ones. At first windows are short, later they grow; at last only the step size is tuned. The step
/// size is averaged through all of it and begins anew only once, with the first metric. A matrix, which takes more draws and must
/// be factorised, has no short windows, and is estimated only where a window takes the place of another, and at last.
///
/// Seyboldt, Carlson and Carpenter, *Preconditioning Hamiltonian Monte Carlo by Minimizing Fisher Divergence* (2026),
/// and nuts-rs, whose defaults these are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverlappingWindows {
    /// The iterations of the warm-up; default 1000.
    pub warmup: usize,
    /// Those of the first stage, whose windows do not grow; default 30 % of them.
    pub early: usize,
    /// The length of a window in the first stage, in draws; default 10.
    pub early_size: usize,
    /// The length of the first window after it, in draws; default 80.
    pub size: usize,
    /// How much longer each window is than the one before, after the first stage; at least 1, default 1.5.
    pub growth: f64,
    /// The iterations of the last stage, in which the metric stays; default 15 %.
    pub last: usize,
}

impl Default for OverlappingWindows {
    fn default() -> Self {
        OverlappingWindows::of(1000)
    }
}

/// The shortest warm-up in which a metric is estimated.
const SHORTEST: usize = 20;

impl OverlappingWindows {
    /// The default schedule for so many iterations; as in Stan, of fewer than 20 all are for the step size.
    pub fn of(warmup: usize) -> Self {
        let share = |percent: usize| warmup.saturating_mul(percent) / 100;
        let last = if warmup < SHORTEST { warmup } else { share(15) };
        OverlappingWindows { warmup, early: share(30), early_size: 10, size: 80, growth: 1.5, last }
    }

    /// Where the last stage begins.
    pub(super) fn end(&self) -> usize {
        self.warmup.saturating_sub(self.last)
    }

    /// The window after one of so many draws: at least one draw longer.
    fn after(&self, size: usize) -> usize {
        // A cast takes what is not a number for 0, and stays in range.
        ((size as f64 * self.growth).round() as usize).max(size.saturating_add(1))
    }
}

/// Which window the present draw is in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    schedule: OverlappingWindows,
    /// The length of the next window, after the first stage.
    size: usize,
    /// The draws in the window behind.
    behind: usize,
}

impl Place {
    pub(super) fn new(schedule: OverlappingWindows) -> Self {
        Place { schedule, size: schedule.size, behind: 0 }
    }

    pub(super) fn schedule(&self) -> &OverlappingWindows {
        &self.schedule
    }

    /// Counts the draw of an iteration before the last stage; whether the window behind takes the other's place now. It
    /// does where it is long enough, and the one to follow it has room before the last stage.
    pub(super) fn switches(&mut self, iteration: usize) -> bool {
        let schedule = &self.schedule;
        if iteration == schedule.early {
            self.size = self.size.max(self.behind);
        }
        let early = iteration < schedule.early;
        let (size, next) =
            if early { (schedule.early_size, schedule.early_size) } else { (self.size, schedule.after(self.size)) };
        self.behind += 1;
        let switches = self.behind >= size && iteration.saturating_add(next) <= schedule.end();
        if switches {
            self.behind = 0;
            self.size = if early { self.size } else { next };
        }
        switches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The iterations after which windows change.
    fn switches(schedule: OverlappingWindows) -> Vec<usize> {
        let mut place = Place::new(schedule);
        (0..schedule.end()).filter(|&iteration| place.switches(iteration)).collect()
    }

    /// By hand: every tenth draw up to 300, then after 80, 120 and 180 more; 270 more are not left before 850.
    #[test]
    fn windows_are_short_at_first_and_grow_later() {
        let mut expected: Vec<usize> = (0..30).map(|k| 10 * k + 9).collect();
        expected.extend([379, 499]);
        assert_eq!(switches(OverlappingWindows::of(1000)), expected);
        let longer = OverlappingWindows { last: 50, ..OverlappingWindows::of(1000) };
        expected.push(679);
        assert_eq!(switches(longer), expected);
    }

    #[test]
    fn stages_scale_with_the_warmup() {
        let schedule = OverlappingWindows::of(120);
        assert_eq!((schedule.early, schedule.end()), (36, 102));
        assert_eq!(switches(schedule), [9, 19, 29]);
        assert_eq!((OverlappingWindows::of(20).end(), OverlappingWindows::of(19).end()), (17, 0));
        assert!(switches(OverlappingWindows::of(0)).is_empty());
    }

    #[test]
    fn hostile_schedules_end() {
        let growth = |growth| switches(OverlappingWindows { growth, ..OverlappingWindows::of(1000) }).len();
        assert!(growth(f64::NAN) > growth(f64::INFINITY));
        assert_eq!(growth(0.0), growth(-1.0));
        assert!(switches(OverlappingWindows { last: 5000, ..OverlappingWindows::of(1000) }).is_empty());
        let single = OverlappingWindows { early_size: 0, size: 0, ..OverlappingWindows::of(40) };
        assert_eq!(switches(single)[..15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15]);
    }
}
