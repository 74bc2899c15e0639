//! A normal prior and a normal sample, weighed by their precisions n / scale².

use crate::dtype::Dtype;
use crate::functions::Function;

/// The posterior's scale, of the prior's scale, the sample's and its count.
#[derive(Clone, Copy, Debug)]
pub(super) struct PosteriorScale;

/// The posterior's loc, of the prior's loc and scale, and the sample's mean, scale and count.
#[derive(Clone, Copy, Debug)]
pub(super) struct PosteriorLoc;

/// The root of the sample's precision over the prior's: no square overflows.
fn root_odds(prior: f64, sample: f64, count: f64) -> f64 {
    prior / sample * count.sqrt()
}

/// 1 / √(1 + t²).
fn falling(t: f64) -> f64 {
    1.0 / t.hypot(1.0)
}

impl<E: Dtype> Function<E, 3> for PosteriorScale {
    fn name(&self) -> &'static str {
        "posterior"
    }
    fn value(&self, args: [E; 3]) -> E {
        let [prior, sample, count] = args.map(E::wide);
        let t = root_odds(prior, sample, count);
        // From the narrower of the two.
        E::of(if t > 1.0 { sample / count.sqrt() * falling(1.0 / t) } else { prior * falling(t) })
    }
    fn partials(&self, args: [E; 3], value: E) -> [E; 3] {
        let ([prior, sample, count], value) = (args.map(E::wide), value.wide());
        let (of_prior, of_sample) = (value / prior, value / sample);
        let to_count = -0.5 * value * of_sample * of_sample;
        [of_prior.powi(3), count * of_sample.powi(3), to_count].map(E::of)
    }
}

impl<E: Dtype> Function<E, 5> for PosteriorLoc {
    fn name(&self) -> &'static str {
        "posterior"
    }
    /// From the nearer of the two, so that what is far away leaves it its digits.
    fn value(&self, args: [E; 5]) -> E {
        let [loc, prior, mean, sample, count] = args.map(E::wide);
        let t = root_odds(prior, sample, count);
        E::of(if t == 0.0 {
            loc
        } else if t > 1.0 {
            mean + (loc - mean) * falling(t).powi(2)
        } else {
            loc + (mean - loc) * falling(1.0 / t).powi(2)
        })
    }
    fn partials(&self, args: [E; 5], _: E) -> [E; 5] {
        let [loc, prior, mean, sample, count] = args.map(E::wide);
        let t = root_odds(prior, sample, count);
        let (rest, share) = (falling(t).powi(2), falling(1.0 / t).powi(2));
        if t == 0.0 {
            let to_count = (mean - loc) * (prior / sample).powi(2);
            return [1.0, 0.0, 0.0, 0.0, to_count].map(E::of);
        }
        let slope = (mean - loc) * rest * share;
        [rest, 2.0 * slope / prior, share, -2.0 * slope / sample, slope / count].map(E::of)
    }
}
