//! How a learning rate changes with the updates.

use std::f64::consts::PI;

/// What the learning rates of an optimiser are multiplied by, update by update. The names and formulas are those of
/// `torch.optim.lr_scheduler`, the rate being the base rate there (for [`Schedule::OneCycle`] the greatest).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Schedule {
    /// 1 throughout.
    #[default]
    Constant,
    /// `decay` to the power of (updates so far / `every`), smoothly.
    Exponential {
        /// The factor of `every` updates, positive.
        decay: f64,
        /// How many updates it takes.
        every: u64,
    },
    /// Multiplied by `factor` at each of these numbers of updates.
    MultiStep {
        /// The numbers of updates, in any order.
        at: &'static [u64],
        /// The factor, positive.
        factor: f64,
    },
    /// A straight rise from 0 over `warmup` updates, then half a cosine from 1 down to `floor`, reached after `steps`
    /// updates in all and kept. Reference: Loshchilov and Hutter, *SGDR* (ICLR 2017).
    Cosine {
        /// Updates of the rise; the first update has 1 / `warmup`.
        warmup: u64,
        /// Updates until the floor.
        steps: u64,
        /// The last factor, in [0, 1].
        floor: f64,
    },
    /// Half a cosine from 1 to `floor` over `period` updates, and anew, each period `growth` times the one before
    /// (the same reference).
    CosineRestarts {
        /// Updates of the first period.
        period: u64,
        /// How many times as long each next period is.
        growth: u64,
        /// The least factor, in [0, 1].
        floor: f64,
    },
    /// From 1 / `start_divisor` up to 1 along half a cosine over the first `rise` of `steps` updates, then down to
    /// 1 / (`start_divisor` · `end_divisor`), which is kept. Reference: Smith and Topin, *Super-Convergence* (2018).
    OneCycle {
        /// Updates in all.
        steps: u64,
        /// The share of the rise, in (0, 1); torch's is 0.3.
        rise: f64,
        /// The rate over that of the first update; torch's is 25.
        start_divisor: f64,
        /// The rate of the first update over that of the last; torch's is 10⁴.
        end_divisor: f64,
    },
    /// Multiplied by `factor` when the loss has not fallen below its best by more than a share `threshold` for more
    /// than `patience` losses; then `cooldown` losses are not counted. The optimiser hears the loss of each step: a
    /// loss of single steps is noisy, and `window` of them are averaged into one that is counted.
    Plateau {
        /// The factor, in (0, 1).
        factor: f64,
        /// How many averaged losses in a row may bring nothing.
        patience: u64,
        /// The share of the best loss (in magnitude) by which one must be lower to count; torch's is 10⁻⁴.
        threshold: f64,
        /// How many averaged losses after a reduction are not counted.
        cooldown: u64,
        /// How many losses are averaged, at least one.
        window: u64,
    },
}

impl Schedule {
    /// # Panics
    /// If an option is out of its range.
    #[track_caller]
    fn check(&self) {
        let positive = |what: &str, value: f64| {
            assert!(
                value > 0.0 && value.is_finite(),
                "{what} of a schedule must be positive and finite, but it is {value}"
            );
        };
        let floors = |floor: f64| {
            assert!((0.0..=1.0).contains(&floor), "the floor of a schedule lies in [0, 1], but it is {floor}")
        };
        match *self {
            Schedule::Constant => {}
            Schedule::Exponential { decay, every } => {
                positive("the decay", decay);
                positive("the updates", every as f64);
            }
            Schedule::MultiStep { factor, .. } => positive("the factor", factor),
            Schedule::Cosine { warmup, steps, floor } => {
                floors(floor);
                assert!(warmup < steps, "a schedule of {steps} updates cannot rise over {warmup} of them");
            }
            Schedule::CosineRestarts { period, growth, floor } => {
                floors(floor);
                positive("the period", period as f64);
                positive("the growth", growth as f64);
            }
            Schedule::OneCycle { steps, rise, start_divisor, end_divisor } => {
                positive("the divisor at the start", start_divisor);
                positive("the divisor at the end", end_divisor);
                assert!(rise > 0.0 && rise < 1.0, "the share of a schedule's rise lies in (0, 1), but it is {rise}");
                assert!(rise * steps as f64 > 1.0, "a rise over {rise} of {steps} updates has none");
            }
            Schedule::Plateau { factor, window, threshold, .. } => {
                assert!(factor > 0.0 && factor < 1.0, "the factor of a plateau lies in (0, 1), but it is {factor}");
                assert!(threshold >= 0.0, "the threshold of a plateau is not negative, but it is {threshold}");
                positive("the window", window as f64);
            }
        }
    }

    /// The factor of the update after `step` others; that of a plateau is elsewhere.
    fn at(&self, step: u64) -> f64 {
        let steps_so_far = step as f64;
        match *self {
            Schedule::Constant | Schedule::Plateau { .. } => 1.0,
            Schedule::Exponential { decay, every } => decay.powf(steps_so_far / every as f64),
            Schedule::MultiStep { at, factor } => factor.powi(at.iter().filter(|&&at| at <= step).count() as i32),
            Schedule::Cosine { warmup, .. } if step < warmup => (steps_so_far + 1.0) / warmup as f64,
            Schedule::Cosine { warmup, steps, floor } => {
                half_cosine(1.0, floor, (step - warmup) as f64 / (steps - warmup) as f64)
            }
            Schedule::CosineRestarts { period, growth, floor } => {
                let (mut left, mut period) = (step, period);
                while left >= period {
                    left -= period;
                    period = period.saturating_mul(growth);
                }
                half_cosine(1.0, floor, left as f64 / period as f64)
            }
            Schedule::OneCycle { steps, rise, start_divisor, end_divisor } => {
                let (first, top, last) = (start_divisor.recip(), rise * steps as f64 - 1.0, steps as f64 - 1.0);
                if steps_so_far <= top {
                    half_cosine(first, 1.0, steps_so_far / top)
                } else {
                    half_cosine(1.0, first / end_divisor, (steps_so_far - top) / (last - top))
                }
            }
        }
    }
}

/// From `start` to `end` as `share` goes from 0 to 1, and on at `end`.
fn half_cosine(start: f64, end: f64, share: f64) -> f64 {
    end + (start - end) * 0.5 * (1.0 + (PI * share.min(1.0)).cos())
}

/// A schedule, and where it stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Scheduled {
    schedule: Schedule,
    step: u64,
    plateau: Plateau,
}

/// What a plateau remembers.
#[derive(Clone, Debug)]
struct Plateau {
    factor: f64,
    best: f64,
    bad: u64,
    cooling: u64,
    sum: f64,
    count: u64,
}

impl Default for Plateau {
    fn default() -> Self {
        Plateau { factor: 1.0, best: f64::INFINITY, bad: 0, cooling: 0, sum: 0.0, count: 0 }
    }
}

impl Scheduled {
    #[track_caller]
    pub(super) fn new(schedule: Schedule) -> Self {
        schedule.check();
        Scheduled { schedule, ..Self::default() }
    }

    /// The factor of the next update.
    pub(super) fn factor(&self) -> f64 {
        self.schedule.at(self.step) * self.plateau.factor
    }

    /// An update was made.
    pub(super) fn advance(&mut self) {
        self.step += 1;
    }

    /// A step had this loss.
    pub(super) fn observe(&mut self, loss: f64) {
        let Schedule::Plateau { factor, patience, threshold, cooldown, window } = self.schedule else { return };
        let plateau = &mut self.plateau;
        plateau.sum += loss;
        plateau.count += 1;
        if plateau.count < window {
            return;
        }
        let mean = plateau.sum / window as f64;
        (plateau.sum, plateau.count) = (0.0, 0);
        if plateau.best == f64::INFINITY || mean < plateau.best - threshold * plateau.best.abs() {
            (plateau.best, plateau.bad) = (mean, 0);
        } else {
            plateau.bad += 1;
        }
        if plateau.cooling > 0 {
            plateau.cooling -= 1;
            plateau.bad = 0;
        }
        if plateau.bad > patience {
            plateau.factor *= factor;
            (plateau.cooling, plateau.bad) = (cooldown, 0);
        }
    }

    pub(super) fn memory(&self) -> Vec<f64> {
        let Plateau { factor, best, bad, cooling, sum, count } = self.plateau;
        vec![self.step as f64, factor, best, bad as f64, cooling as f64, sum, count as f64]
    }

    pub(super) fn set_memory(&mut self, memory: &[f64]) {
        if let &[step, factor, best, bad, cooling, sum, count] = memory {
            self.step = step as u64;
            let [bad, cooling, count] = [bad, cooling, count].map(|number| number as u64);
            self.plateau = Plateau { factor, best, bad, cooling, sum, count };
        }
    }
}
