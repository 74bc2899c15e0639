//! The entropy of the multinomial distribution, by means over the binomial count of each category.

use crate::backend::BlockFunction;
use crate::distributions::counting::binomial_mean::binomial_mean;
use crate::distributions::relative_entropy::relative_entropy;
use crate::distributions::weights::{Form, others};
use crate::functions::gamma_function::{ln_gamma, ln_gamma_ratio};

use super::factorial_rest;

/// The entropy of each row of weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entropy {
    pub(super) total_count: usize,
    pub(super) form: Form,
    pub(super) len: usize,
}

/// x ln(x / m) + m − x.
fn divergence(x: f64, m: f64) -> f64 {
    relative_entropy(x, m, x.ln() - m.ln())
}

impl Entropy {
    fn probs(&self, weights: &[f64]) -> Vec<f64> {
        let total = self.form.total(weights);
        weights.iter().map(|&w| self.form.prob(w, total)).collect()
    }

    /// −ln n! − n Σ p ln p + Σ E ln x! in which Stirling's formula has taken what is large from the
    /// factorials: its terms are of the size of ln n.
    fn of_many(&self, probs: &[f64]) -> f64 {
        let n = self.total_count as f64;
        let of_one = |k: usize| {
            let pair = [probs[k], others(probs, k)];
            binomial_mean(n, pair, |x, _| [divergence(x, n * probs[k]) + factorial_rest(x)])[0]
        };
        (0..probs.len()).filter(|&k| probs[k] > 0.0).map(of_one).sum::<f64>() - factorial_rest(n)
    }

    /// The same as terms that vanish with the probability of all categories but the one of index `most`.
    fn of_few(&self, probs: &[f64], most: usize, log_prob: impl Fn(usize) -> f64) -> f64 {
        let n = self.total_count as f64;
        let of_one = |k: usize| {
            let factorial = binomial_mean(n, [probs[k], others(probs, k)], |x, _| [ln_gamma(x + 1.0)])[0];
            factorial - n * probs[k] * log_prob(k)
        };
        let rest = others(probs, most);
        let chosen = binomial_mean(n, [probs[most], rest], |x, y| [ln_gamma_ratio(x + 1.0, y)])[0];
        let rare = (0..probs.len()).filter(|&k| k != most && probs[k] > 0.0);
        rare.map(of_one).sum::<f64>() - n * probs[most] * (-rest).ln_1p() - chosen
    }
}

impl BlockFunction<1> for Entropy {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([self.len], 1)
    }

    fn work(&self) -> usize {
        10_000 * self.len
    }

    fn value(&self, [weights]: [&[f64]; 1], out: &mut [f64]) {
        let probs = self.probs(weights);
        let most = (0..probs.len()).fold(0, |most, k| if probs[k] > probs[most] { k } else { most });
        out[0] = if probs.iter().any(|p| p.is_nan()) {
            f64::NAN
        } else if self.total_count == 0 {
            0.0
        } else if self.total_count as f64 * others(&probs, most) < 1.0 {
            let total = self.form.total(weights);
            self.of_few(&probs, most, |k| self.form.log_prob(weights[k], total))
        } else {
            self.of_many(&probs)
        };
    }

    /// Along ln p of a category it is E (x ln(x / (n p)) + n p − x), up to a multiple of p, which is nothing
    /// along probabilities that sum to 1.
    fn pullback(&self, [weights]: [&[f64]; 1], _: &[f64], upstream: &[f64], [to]: [Option<&mut [f64]>; 1]) {
        let Some(to) = to else { return };
        let (n, probs) = (self.total_count as f64, self.probs(weights));
        let along = |k: usize| match probs[k] > 0.0 {
            true => {
                let pair = [probs[k], others(&probs, k)];
                upstream[0] * binomial_mean(n, pair, |x, _| [divergence(x, n * probs[k])])[0]
            }
            false => 0.0,
        };
        let along: Vec<f64> = (0..probs.len()).map(along).collect();
        self.form.pullback(weights, &along, to);
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::Distribution;
    use crate::distributions::{Binomial, Multinomial};
    use crate::{Cpu, Tensor};

    /// Two categories are a binomial count; the reference is that family's.
    #[test]
    fn two_categories_have_the_entropy_of_one_count() {
        for (n, p) in
            [(1, 0.5), (3, 1e-12), (10, 0.25), (1000, 1e-3), (1_000_000_000_000, 0.3), (usize::MAX >> 11, 1e-18)]
        {
            let both = Multinomial::new(n, Tensor::<_, f64, Cpu>::from([p, 1.0 - p])).entropy().unwrap().item();
            let one = Binomial::<(), f64, Cpu>::new(n as f64, p).entropy().unwrap().item();
            assert!((both / one - 1.0).abs() < 1e-11, "{n}, {p}: {both:e}, {one:e}");
        }
    }

    #[test]
    fn one_category_is_certain() {
        for n in [0, 1, 7, 1_000_000] {
            assert_eq!(Multinomial::new(n, Tensor::<_, f64, Cpu>::from([2.0])).entropy().unwrap().item(), 0.0);
            let certain = Multinomial::from_logits(n, Tensor::<_, f64, Cpu>::from([1.0, f64::NEG_INFINITY]));
            assert_eq!(certain.entropy().unwrap().item(), 0.0);
        }
    }
}
