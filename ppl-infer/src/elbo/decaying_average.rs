//! A baseline that follows what was seen.

/// An average in which earlier values count less and less, corrected for its start at nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecayingAverage {
    /// How much of the average a new value leaves, in [0, 1]; default 0.9. With 1 the average stays 0.
    pub decay: f64,
    pub(super) sum: f64,
    pub(super) weight: f64,
}

impl Default for DecayingAverage {
    fn default() -> Self {
        Self::new(0.9)
    }
}

impl DecayingAverage {
    /// An average without values.
    pub fn new(decay: f64) -> Self {
        DecayingAverage { decay, sum: 0.0, weight: 0.0 }
    }

    /// The average; 0 while there are no values.
    pub fn value(&self) -> f64 {
        if self.weight == 0.0 { 0.0 } else { self.sum / self.weight }
    }

    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.sum = self.decay * self.sum + (1.0 - self.decay) * value;
        self.weight = self.decay * self.weight + (1.0 - self.decay);
    }
}
