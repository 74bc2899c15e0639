//! The checks themselves: paths that no family takes yet, against known answers, and right
//! distributions with something wrong, which must be found.

use std::sync::Arc;

use ppl_core::distribution::ParameterError;
use ppl_core::distributions::{Exponential, Normal};
use ppl_core::rng::Rng;
use ppl_core::{Cpu, Tensor};

use crate::families::{Boxed, Family, Row, Univariate, family, numbers, wide};
use crate::quadrature::{between, quantiles};
use crate::{pathwise, sampling};

type Values = Row<f64, Cpu>;

/// A distribution without cdf and quantiles, with draws stretched by a factor.
struct Disguised {
    base: Boxed<f64, Cpu>,
    stretch: f64,
}

impl Univariate<f64, Cpu> for Disguised {
    fn log_prob(&self, value: &Values) -> Values {
        self.base.log_prob(value)
    }
    fn log_prob_sum(&self, value: &Values) -> Tensor<(), f64> {
        self.base.log_prob_sum(value)
    }
    fn draw(&self, rng: &mut Rng) -> Values {
        self.base.draw(rng) * self.stretch
    }
    fn has_rsample(&self) -> bool {
        self.base.has_rsample()
    }
    fn outside(&self, value: &Values) -> Option<usize> {
        self.base.outside(value)
    }
    fn has_discrete_support(&self) -> bool {
        self.base.has_discrete_support()
    }
    fn mean(&self) -> Option<Values> {
        None
    }
    fn variance(&self) -> Option<Values> {
        None
    }
    fn entropy(&self) -> Option<Values> {
        None
    }
    fn cdf(&self, _: &Values) -> Option<Values> {
        None
    }
    fn survival(&self, _: &Values) -> Option<Values> {
        None
    }
    fn log_cdf(&self, _: &Values) -> Option<Values> {
        None
    }
    fn log_survival(&self, _: &Values) -> Option<Values> {
        None
    }
    fn icdf(&self, _: &Values) -> Option<Values> {
        None
    }
    fn enumerate_support(&self) -> Option<Vec<Values>> {
        None
    }
    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.base.check_parameters()
    }
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.base.parameters_at(element)
    }
    fn masked_log_prob(&self, mask: Arc<[bool]>, value: &Values) -> Values {
        self.base.masked_log_prob(mask, value)
    }
    fn expanded_log_prob(&self, mask: Arc<[bool]>, value: [&Values; 2]) -> [Values; 3] {
        self.base.expanded_log_prob(mask, value)
    }
    fn event_log_prob(&self, mask: Arc<[bool]>, value: &Values) -> Tensor<(), f64> {
        self.base.event_log_prob(mask, value)
    }
}

fn normal() -> Family<f64, Cpu> {
    Family::continuous("Normal without a cdf", |p| {
        Box::new(Disguised { base: numbers(Normal::new(&p[0], &p[1])), stretch: 1.0 })
    })
}

fn stretched_exponential() -> Family<f64, Cpu> {
    Family::continuous("Exponential with draws too large", |p| {
        Box::new(Disguised { base: numbers(Exponential::new(&p[0])), stretch: 1.03 })
    })
}

#[test]
fn unbounded_densities_integrate() {
    // Γ(0.05) with its pole at 0, and the arcsine density with poles at 0 and 1.
    let gamma = |x: &[f64]| x.iter().map(|x| x.powf(-0.95) * (-x).exp()).collect();
    let breaks = [0.0, 1e-300, 1e-200, 1e-100, 1e-10, 1.0, 10.0, 100.0];
    // The part below 1e-300 is 20 · 1e-15.
    let total: f64 = between(&breaks[1..], gamma).iter().sum();
    assert!((total - 19.470_085_311_255_51).abs() < 1e-10, "{total}");
    let arcsine = |x: &[f64]| x.iter().map(|x| 1.0 / (x * (1.0 - x)).sqrt()).collect();
    let total: f64 = between(&[1e-30, 0.5, 0.99], arcsine).iter().sum();
    assert!((total - 2.0 * 0.99_f64.sqrt().asin()).abs() < 1e-12, "{total}");
}

#[test]
fn kinks_and_jumps_integrate() {
    let laplace = |x: &[f64]| x.iter().map(|x| 0.5 * (-(x - 0.3).abs()).exp()).collect();
    let total: f64 = between(&[-40.0, 0.0, 40.0], laplace).iter().sum();
    assert!((total - 1.0).abs() < 1e-12, "{total}");
    let uniform = |x: &[f64]| x.iter().map(|x| f64::from((0.3..0.7).contains(x))).collect();
    let total: f64 = between(&[0.0, 1.0], uniform).iter().sum();
    assert!((total - 0.4).abs() < 1e-12, "{total}");
}

#[test]
fn bisection_finds_quantiles() {
    let family = family::<f64, Cpu>("Normal");
    let found = quantiles(&family, &[0.0, 1.0], &[1e-9, 0.25, 0.5, 0.999]);
    let expected = [-5.997_807_015_008_182, -0.674_489_750_196_081_7, 0.0, 3.090_232_306_167_813];
    assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-12), "{found:?}");
}

#[test]
fn without_a_cdf_the_density_is_integrated() {
    let (with, without, parameters) = (family::<f64, Cpu>("Normal"), normal(), [-1.5, 0.5]);
    let known = sampling::known_cdf(&without, &parameters, &[]);
    assert!(known.len() > 50);
    for (x, found) in known {
        let expected = wide(&with.filled(&parameters, 1).cdf(&crate::families::row(&[x])).expect("a cdf"))[0];
        assert!((found - expected).abs() < 1e-11, "{x}: {found}, {expected}");
    }
    let slopes = [with, without].map(|family| pathwise::slope_of_bounded(&family, &parameters));
    assert!(slopes[0].iter().zip(&slopes[1]).all(|(a, b)| (a - b).abs() < 1e-9), "{slopes:?}");
}

#[test]
fn draws_too_large_by_three_percent_are_found() {
    let family = stretched_exponential();
    let mut draws = wide(&family.filled(&[1.0], sampling::DRAWS).draw(&mut Rng::seed(0)));
    draws.sort_unstable_by(f64::total_cmp);
    let honest = self::family::<f64, Cpu>("Exponential");
    let distance = sampling::kolmogorov_smirnov(&draws, &sampling::known_cdf(&honest, &[1.0], &draws));
    assert!(distance * (sampling::DRAWS as f64).sqrt() > 2.9, "{distance}");
    // The derivative of a draw is 3 % too large as well.
    let (x, slope) = pathwise::draws(&family, &[1.0], 10_000, 6);
    let expected = pathwise::slope_of_bounded(&honest, &[1.0])[0];
    let terms: Vec<f64> = slope[0].iter().zip(&x).map(|(g, &x)| g * pathwise::bounded_slope(x)).collect();
    assert!((slope[0][0] / -x[0] - 1.0).abs() < 1e-12 && sampling::deviation::<f64>(&terms, 1.5 * expected) > 6.0);
}

#[test]
fn masses_that_are_wrong_are_found() {
    let right: Vec<f64> = (0..100_000).map(|i| f64::from(i % 10 >= 7)).collect();
    let sorted = |mut draws: Vec<f64>| {
        draws.sort_unstable_by(f64::total_cmp);
        draws
    };
    let draws = sorted(right);
    assert!(sampling::chi_square(&draws, &[(0.0, 0.7), (1.0, 0.3)]) > 0.99);
    assert!(sampling::chi_square(&draws, &[(0.0, 0.71), (1.0, 0.29)]) < 1e-7);
    // Mass where no draw is.
    assert!(sampling::chi_square(&draws, &[(0.0, 0.7), (1.0, 0.299), (2.0, 0.001)]) < 1e-7);
}
