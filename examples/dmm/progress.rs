//! The progress bar over a whole run, and the lines between.

use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "epoch {prefix} {wide_bar} {elapsed_precise}, {eta_precise} left; {msg}";

/// How far a run is. Where stderr is no terminal, only the lines are shown.
pub struct Progress {
    bar: ProgressBar,
    epochs: u64,
    /// The last evaluation.
    evaluated: String,
}

impl Progress {
    /// A run of so many epochs of so many steps, of which some steps were taken before.
    pub fn new(epochs: u64, steps: u64, taken: u64) -> Self {
        let bar = ProgressBar::new(epochs.saturating_mul(steps).max(taken)).with_position(taken);
        bar.set_style(ProgressStyle::with_template(TEMPLATE).expect("a template"));
        bar.reset_eta();
        Progress { bar, epochs, evaluated: String::new() }
    }

    /// An epoch, from 1, begins.
    pub fn begin(&self, epoch: u64) {
        self.bar.set_prefix(format!("{epoch}/{}", self.epochs));
    }

    /// A step was taken; the annealed loss per time step so far in this epoch.
    pub fn step(&self, annealed: f64) {
        self.bar.inc(1);
        self.bar.set_message(format!("annealed {annealed:.3}{}", self.evaluated));
    }

    /// The model was judged after an epoch: a line.
    pub fn evaluated(&mut self, epoch: u64, annealed: Option<f64>, [train, valid, test]: [f64; 3]) {
        self.evaluated = format!(", NLL train {train:.3}, valid {valid:.3}");
        let annealed = annealed.map_or_else(String::new, |loss| format!("annealed {loss:.4}, "));
        self.line(&format!("epoch {epoch:>4}: {annealed}NLL train {train:.4}, valid {valid:.4}, test {test:.4}"));
    }

    /// A line on stderr, above the bar where there is one.
    fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}
