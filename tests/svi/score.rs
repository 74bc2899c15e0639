//! Score-function gradients against closed forms, enumeration and quadrature; what a baseline does.

use ppl::infer::TraceElbo;
use ppl::infer::elbo::DecayingAverage;
use ppl::prelude64::*;

use crate::chain::{Scalar, chain, closed_form};
use crate::coin::Coin;
use crate::gradients::estimates;
use crate::scored::Scored;

#[guide(chain)]
fn scored_guide(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.8), constraint = Positive);
    sample!("z", Scored(Normal::new(loc, scale)));
}

#[test]
fn a_scored_normal_has_the_gradient_of_the_pathwise_one() {
    let x = Scalar::scalar(2.0);
    let found = estimates((&chain, &scored_guide), (&x,), TraceElbo::with_particles(100), 200);
    for (i, exact) in closed_form(2.0, 0.5, 0.8).into_iter().enumerate() {
        found[i].agrees(["loss", "d/d loc", "d/d ln scale"][i], exact, 0.0, 0.03);
    }
}

/// z ~ Coin(−0.4), and 20 observations x ~ N(2 z, 1).
#[model]
fn coin(x: &Tensor<Rank1<20>>) {
    let z: Scalar = sample!("z", Coin(Scalar::scalar(-0.4)));
    plate!("data", 20, |_| {
        sample!("x", Normal::new((z * 2.0).broadcast::<Rank1<20>, _>(), 1.0), obs = x);
    });
}

#[guide(coin)]
fn coin_guide(_x: &Tensor<Rank1<20>>) {
    let logit: Scalar = param!("logit", Scalar::scalar(0.7));
    sample!("z", Coin(logit));
}

fn tosses() -> Tensor<Rank1<20>> {
    Tensor::from(std::array::from_fn(|i| 1.1 + (i as f64).sin()))
}

/// −ELBO of a coin of this logit and its derivative, by enumeration.
fn enumerated(x: &[f64], logit: f64) -> [f64; 2] {
    let ln_sigmoid = |l: f64| -(-l).exp().ln_1p();
    let ln_normal = |r: f64| -0.5 * r * r - 0.5 * (2.0 * std::f64::consts::PI).ln();
    let joint =
        |z: f64| ln_sigmoid(if z == 1.0 { -0.4 } else { 0.4 }) + x.iter().map(|x| ln_normal(x - 2.0 * z)).sum::<f64>();
    let (f1, f0) = (joint(1.0) - ln_sigmoid(logit), joint(0.0) - ln_sigmoid(-logit));
    let q = ln_sigmoid(logit).exp();
    [-(q * f1 + (1.0 - q) * f0), -q * (1.0 - q) * (f1 - f0)]
}

#[test]
fn a_coins_gradient_is_that_of_enumeration() {
    let x = tosses();
    let [loss, slope] = enumerated(&x.to_vec(), 0.7);
    let found = estimates((&coin, &coin_guide), (&x,), TraceElbo::with_particles(100), 200);
    found[0].agrees("loss", loss, 0.0, 0.05);
    found[1].agrees("d/d logit", slope, 0.0, 0.05);
}

#[test]
fn a_baseline_keeps_the_mean_and_lowers_the_variance() {
    let x = tosses();
    let slope = enumerated(&x.to_vec(), 0.7)[1];
    let run =
        |baseline| estimates((&coin, &coin_guide), (&x,), TraceElbo { baseline, ..TraceElbo::default() }, 6_000)[1];
    // Given the steps before, each step's gradient is unbiased, so the steps are uncorrelated.
    let with = run(DecayingAverage::new(0.9));
    let without = run(DecayingAverage::new(1.0));
    with.agrees("with a baseline", slope, 0.0, 0.1);
    without.agrees("without a baseline", slope, 0.0, 0.4);
    assert!(with.sd < 0.5 * without.sd, "{} {}", with.sd, without.sd);
}

/// a ~ N(0, 1), k ~ Coin(0.3), x ~ N(a + 2 k, 1).
#[model]
fn mixed(x: &Scalar) {
    let a: Scalar = sample!("a", Normal::new(0.0, 1.0));
    let k: Scalar = sample!("k", Coin(Scalar::scalar(0.3)));
    sample!("x", Normal::new(a + k * 2.0, 1.0), obs = x);
}

/// A pathwise site whose value a scored one depends on.
#[guide(mixed)]
fn mixed_guide(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.2));
    let scale: Scalar = param!("scale", Scalar::scalar(0.9), constraint = Positive);
    let slope: Scalar = param!("slope", Scalar::scalar(-0.8));
    let shift: Scalar = param!("shift", Scalar::scalar(0.5));
    let a: Scalar = sample!("a", Normal::new(loc, scale));
    sample!("k", Coin(slope * a + shift));
}

/// −ELBO of the mixed guide by quadrature: the trapezoidal rule, exact to rounding for such
/// integrands.
fn mixed_loss(x: f64, [loc, ln_scale, slope, shift]: [f64; 4]) -> f64 {
    let ln_sigmoid = |l: f64| -(-l).exp().ln_1p();
    let ln_normal = |r: f64| -0.5 * r * r - 0.5 * (2.0 * std::f64::consts::PI).ln();
    let (scale, h) = (ln_scale.exp(), 0.01);
    let at = |i: i32| {
        let e = h * f64::from(i);
        let a = loc + scale * e;
        let under = |k: f64| {
            let sign = 2.0 * k - 1.0;
            let ln_k = ln_sigmoid(sign * (slope * a + shift));
            let ln_q = ln_normal(e) - ln_scale + ln_k;
            let ln_p = ln_normal(a) + ln_sigmoid(sign * 0.3) + ln_normal(x - a - 2.0 * k);
            (ln_normal(e) + ln_k).exp() * (ln_q - ln_p)
        };
        h * (under(0.0) + under(1.0))
    };
    (-1000..=1000).map(at).sum()
}

#[test]
fn pathwise_and_scored_sites_work_together() {
    let x = Scalar::scalar(1.7);
    let start = [0.2, 0.9_f64.ln(), -0.8, 0.5];
    let found = estimates((&mixed, &mixed_guide), (&x,), TraceElbo::with_particles(100), 300);
    found[0].agrees("loss", mixed_loss(1.7, start), 0.0, 0.02);
    for i in 0..4 {
        let shifted = |by: f64| {
            let mut at = start;
            at[i] += by;
            mixed_loss(1.7, at)
        };
        let exact = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
        found[i + 1].agrees(["loc", "ln scale", "slope", "shift"][i], exact, 1e-8, 0.03);
    }
}
