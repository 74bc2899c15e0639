//! Which iterations of a warm-up serve for what: Stan's three stages.

/// The schedule of a warm-up: at first, and at last, only the step size is tuned; between, the metric is estimated
/// in windows that double. Stan Reference Manual, *HMC algorithm parameters*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The iterations of the warm-up; default 1000.
    pub warmup: usize,
    /// Those of the first stage; default 75.
    pub initial: usize,
    /// Those of the first window; default 25.
    pub base: usize,
    /// Those of the last stage; default 50.
    pub last: usize,
}

impl Default for Windows {
    fn default() -> Self {
        Windows { warmup: 1000, initial: 75, base: 25, last: 50 }
    }
}

/// The shortest warm-up in which a metric is estimated.
const SHORTEST: usize = 20;

impl Windows {
    /// Stan's schedule for so many iterations: the stages are rescaled to 15, 75 and 10 % where there are too few
    /// for the default ones.
    pub fn of(warmup: usize) -> Self {
        let default = Windows { warmup, ..Windows::default() };
        if warmup >= default.initial + default.base + default.last { default } else { default.rescaled() }
    }

    fn rescaled(self) -> Self {
        // Rounded down, as Stan does.
        let (initial, last) = ((0.15 * self.warmup as f64) as usize, (0.1 * self.warmup as f64) as usize);
        Windows { initial, last, base: self.warmup - initial - last, ..self }
    }

    /// The windows: where each begins, and where it ends, exclusive. None where there are fewer than 20
    /// iterations, or no room between the stages.
    pub fn windows(&self) -> Vec<(usize, usize)> {
        let end = self.warmup.saturating_sub(self.last);
        let mut windows = Vec::new();
        if self.warmup < SHORTEST || self.base == 0 || self.initial + self.base > end {
            return windows;
        }
        let (mut begin, mut size) = (self.initial, self.base);
        while begin < end {
            // A window after the first takes in the next one, twice as long, where that has no room.
            let stop = if begin > self.initial && begin + 3 * size > end { end } else { begin + size };
            windows.push((begin, stop));
            (begin, size) = (stop, 2 * size);
        }
        windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last iteration of each window, and how many are in it: what Stan's windowed_adaptation.hpp prints, compiled
    /// and run for (75, 25, 50).
    #[test]
    fn windows_double_as_those_of_stan() {
        let found = |warmup: usize| -> Vec<(usize, usize)> {
            Windows::of(warmup).windows().iter().map(|(begin, end)| (end - 1, end - begin)).collect()
        };
        assert_eq!(found(150), [(99, 25)]);
        assert_eq!(found(160), [(99, 25), (109, 10)]);
        assert_eq!(found(200), [(99, 25), (149, 50)]);
        assert_eq!(found(250), [(99, 25), (199, 100)]);
        assert_eq!(found(300), [(99, 25), (149, 50), (249, 100)]);
        assert_eq!(found(500), [(99, 25), (149, 50), (249, 100), (449, 200)]);
        assert_eq!(found(1000), [(99, 25), (149, 50), (249, 100), (449, 200), (949, 500)]);
        assert_eq!(found(2000), [(99, 25), (149, 50), (249, 100), (449, 200), (849, 400), (1949, 1100)]);
    }

    /// Stan's windowed_adaptation_test.cpp: 100 iterations become 15, 75 and 10; below 20 there is no estimate. The
    /// one window ends where the class ends it once it is restarted.
    #[test]
    fn short_warmups_are_rescaled() {
        assert_eq!(Windows::of(100), Windows { warmup: 100, initial: 15, base: 75, last: 10 });
        assert_eq!(Windows::of(100).windows(), [(15, 90)]);
        assert_eq!(Windows::of(50).windows(), [(7, 45)]);
        assert_eq!(Windows::of(20).windows(), [(3, 18)]);
        assert_eq!(Windows::of(149).windows(), [(22, 135)]);
        assert!((0..20).all(|warmup| Windows::of(warmup).windows().is_empty()));
    }

    #[test]
    fn hostile_schedules_have_no_windows() {
        assert_eq!(Windows { base: 0, ..Windows::default() }.windows(), []);
        assert_eq!(Windows { initial: 990, ..Windows::default() }.windows(), []);
        assert_eq!(Windows { last: 5000, ..Windows::default() }.windows(), []);
    }
}
