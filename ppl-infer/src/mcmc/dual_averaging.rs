//! Step sizes that follow the acceptance: Nesterov's dual averaging of log ε.

use serde::{Deserialize, Serialize};

/// Dual averaging, by Hoffman and Gelman (2014), section 3.2: the step size of the next iteration moves with the
/// mean of target − acceptance, and an average of all of them, later ones with more weight, is the one to keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DualAveraging {
    target: f64,
    /// How strongly log ε is drawn to the error; γ = 0.05.
    scale: f64,
    /// How slowly weights of later iterations fall; κ = 0.75.
    decay: f64,
    /// By how much the first iterations are damped; t₀ = 10.
    delay: f64,
    /// What log ε shrinks to: μ.
    centre: f64,
    count: f64,
    mean_error: f64,
    mean_log_step: f64,
    log_step: f64,
}

impl DualAveraging {
    /// Begins at a step size, for a target acceptance in (0, 1); γ = 0.05, κ = 0.75, t₀ = 10 and
    /// μ = log 10ε, as Stan.
    pub fn new(step_size: f64, target: f64) -> Self {
        DualAveraging {
            target,
            scale: 0.05,
            decay: 0.75,
            delay: 10.0,
            centre: (10.0 * step_size).ln(),
            count: 0.0,
            mean_error: 0.0,
            mean_log_step: 0.0,
            log_step: step_size.ln(),
        }
    }

    /// Begins anew at a step size.
    pub fn restart(&mut self, step_size: f64) {
        *self = DualAveraging::new(step_size, self.target);
    }

    /// Learns from the acceptance that the present step size had; NaN counts as 0.
    pub fn learn(&mut self, accept_probability: f64) {
        let acceptance = if accept_probability.is_nan() { 0.0 } else { accept_probability.min(1.0) };
        self.count += 1.0;
        let weight = 1.0 / (self.count + self.delay);
        self.mean_error = (1.0 - weight) * self.mean_error + weight * (self.target - acceptance);
        self.log_step = self.centre - self.mean_error * self.count.sqrt() / self.scale;
        let weight = self.count.powf(-self.decay);
        self.mean_log_step = (1.0 - weight) * self.mean_log_step + weight * self.log_step;
    }

    /// The step size of the next iteration.
    pub fn step_size(&self) -> f64 {
        self.log_step.exp()
    }

    /// The step size to keep: the average, or the first one where nothing was learned.
    pub fn final_step_size(&self) -> f64 {
        if self.count > 0.0 { self.mean_log_step.exp() } else { self.step_size() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of Stan's src/test/unit/mcmc/stepsize_adaptation_test.cpp: state, acceptance, step size.
    fn stan(count: f64, mean_error: f64, mean_log_step: f64, centre: f64) -> DualAveraging {
        DualAveraging { count, mean_error, mean_log_step, centre, ..DualAveraging::new(1.0, 0.5) }
    }

    #[track_caller]
    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found}, not {expected}");
    }

    #[test]
    fn a_step_at_the_target_is_kept() {
        let mut averaging = DualAveraging { centre: 0.0, ..DualAveraging::new(1.0, 0.65) };
        averaging.learn(0.65);
        assert_eq!(averaging.step_size(), 1.0);
    }

    #[test]
    fn steps_are_those_of_stan() {
        let mut averaging = stan(273.0, 0.00513820936953773, 0.886351350781597, 2.488109515349);
        averaging.learn(1.0);
        near(averaging.step_size(), 3.95863527373545, 1e-14);

        let mut averaging = stan(79.0, 0.0209457573689391, 0.821976337071218, 4.13018724667137);
        averaging.learn(0.728285153733299);
        near(averaging.step_size(), 2.40769920051673, 1e-14);
        near(averaging.count, 80.0, 0.0);
        near(averaging.mean_error, 0.0181765250233587, 1e-14);
        near(averaging.mean_log_step, 0.824095816988227, 1e-14);
        near(averaging.final_step_size(), 0.824095816988227_f64.exp(), 1e-14);

        let mut averaging = stan(79.0, 0.0206811620891896, 0.825842987938587, 4.13018305456267);
        averaging.learn(0.684248188546772);
        near(averaging.step_size(), 2.31161210908631, 5e-14);
        near(averaging.mean_error, 0.0184041693043455, 1e-14);
        near(averaging.mean_log_step, 0.826295412288499, 1e-14);
    }

    #[test]
    fn constants_and_restarts_are_those_of_stan() {
        let mut averaging = DualAveraging::new(0.3, 0.8);
        assert_eq!((averaging.scale, averaging.decay, averaging.delay), (0.05, 0.75, 10.0));
        assert_eq!(averaging.centre, 3_f64.ln());
        averaging.learn(0.1);
        averaging.restart(0.3);
        assert_eq!(averaging, DualAveraging::new(0.3, 0.8));
        assert_eq!(averaging.final_step_size(), 0.3_f64.ln().exp());
    }

    #[test]
    fn what_is_no_probability_is_taken_for_one() {
        let learned = |acceptance| {
            let mut averaging = DualAveraging::new(0.3, 0.8);
            averaging.learn(acceptance);
            averaging
        };
        assert_eq!(learned(f64::NAN), learned(0.0));
        assert_eq!(learned(1.5), learned(1.0));
    }
}
