//! Parameters with priors: weights as latent sites.

use ppl::distribution::Distribution as _;
use ppl::handlers::Lift;
use ppl::infer::{LogDensity, ModelDensity};
use ppl::nn::{Dfdx, Linear};
use ppl::prelude64::*;

type Table = Tensor<(usize, Const<2>)>;
type Column = Tensor<(usize, Const<1>)>;

const NOISE: f64 = 0.7;

#[model]
fn linear(x: &Table, y: &Column) {
    let net: Linear<Const<2>, Const<1>, f64> = module!("net", |init| Linear::new(init, Const, Const));
    sample!("y", Normal::new(net.forward(x), NOISE).to_event::<Axis<1>>(), obs = y);
}

fn data() -> (Table, Column) {
    let x = Table::from_vec(vec![1.0, 0.5, -0.3, 2.0, 0.8, -1.0, 0.2, 0.4], (4, Const));
    (x, Column::from_vec(vec![1.2, -0.4, 1.9, 0.3], (4, Const)))
}

fn priors() -> Lift<f64, Cpu> {
    Lift::new().normal("net.*", 2.0).prior("net.bias", |n| Laplace::filled((n,), 0.5, 1.5))
}

#[test]
fn a_lifted_density_is_priors_and_likelihood_with_its_gradient() {
    let (x, y) = data();
    let mut density = ModelDensity::new(linear.lift(priors()), (&x, &y)).unwrap();
    let names: Vec<&str> = density.sites().iter().map(|site| site.name.as_str()).collect();
    assert_eq!(names, ["net.weight", "net.bias"]);
    let position = [0.4, -0.9, 0.1];
    let by_hand = |p: &[f64]| {
        let [a, b, c] = [p[0], p[1], p[2]].map(Tensor::<()>::scalar);
        let normal =
            |value: &Tensor<()>, scale: f64| Normal::<(), f64, Cpu>::new(0.0, scale).log_prob_sum(value).item();
        let prior = normal(&a, 2.0) + normal(&b, 2.0) + Laplace::<(), f64, Cpu>::new(0.5, 1.5).log_prob_sum(&c).item();
        let rows = x.to_vec();
        let likelihood = rows
            .chunks(2)
            .zip(y.to_vec())
            .map(|(x, y)| normal(&Tensor::scalar(y - p[0] * x[0] - p[1] * x[1] - p[2]), NOISE));
        prior + likelihood.sum::<f64>()
    };
    let mut gradient = [0.0; 3];
    let found = density.evaluate(&position, &mut gradient).unwrap();
    assert!((found - by_hand(&position)).abs() < 1e-12, "{found}");
    for i in 0..3 {
        let at = |h: f64| {
            let mut moved = position;
            moved[i] += h;
            by_hand(&moved)
        };
        let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((gradient[i] - slope).abs() < 1e-8, "{gradient:?}: {slope}");
    }
}

#[test]
fn a_module_of_dfdx_is_lifted_too() {
    use dfdx::nn::builders as d;
    #[model]
    fn network(x: &Table, y: &Column) {
        let net = module!("net", Dfdx::<(d::Linear<2, 3>, d::Tanh, d::Linear<3, 1>)>::build);
        let mean: Column = net.forward(x);
        sample!("y", Normal::new(mean, NOISE), obs = y);
    }
    let (x, y) = data();
    let mut density = ModelDensity::new(network.lift(Lift::new().normal("net.*", 1.0)), (&x, &y)).unwrap();
    assert_eq!(density.dim(), 2 * 3 + 3 + 3 + 1);
    let position: Vec<f64> = (0..13).map(|i| (f64::from(i) * 0.7).sin()).collect();
    let mut gradient = vec![0.0; 13];
    density.evaluate(&position, &mut gradient).unwrap();
    for i in 0..13 {
        let mut at = |h: f64| {
            let mut moved = position.clone();
            moved[i] += h;
            density.log_density(&moved).unwrap()
        };
        let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((gradient[i] - slope).abs() < 1e-7, "{i}: {} for {slope}", gradient[i]);
    }
}

#[test]
fn a_constrained_parameter_takes_its_prior_as_it_is() {
    #[model]
    fn scaled() {
        let scale: Tensor<()> = param!("scale", Tensor::scalar(1.0), constraint = Positive);
        deterministic!("seen", scale);
    }
    let lifted = scaled.lift(Lift::<f64, Cpu>::new().prior("scale", |n| LogNormal::filled((n,), 0.3, 0.5)));
    let (_, run) = trace(&lifted, (), 3).unwrap();
    let (drawn, seen) = (run.value::<Tensor<(usize,)>>("scale").unwrap(), run.value::<Tensor<()>>("seen").unwrap());
    assert!((drawn.to_vec()[0] - seen.item()).abs() < 1e-12 && seen.item() > 0.0 && seen.item() != 1.0);
}

#[test]
fn a_prior_that_leaves_the_constraint_is_named() {
    #[model]
    fn scaled() {
        let _: Tensor<()> = param!("scale", Tensor::scalar(1.0), constraint = Positive);
    }
    let lifted = scaled.lift(Lift::<f64, Cpu>::new().normal("scale", 1.0));
    let runs: Vec<_> = (0..20).map(|seed| trace(&lifted, (), seed)).collect();
    let errors: Vec<String> = runs.iter().filter_map(|run| run.as_ref().err().map(ToString::to_string)).collect();
    // Half of all draws are negative: that none of twenty is has a probability of one in a million.
    assert!(!errors.is_empty() && errors.len() < 20);
    assert!(errors.iter().all(|error| error.contains("`scale`") && error.contains("prior drew -")), "{errors:?}");
}

#[test]
fn what_lift_cannot_do_is_named() {
    let (x, y) = data();
    let failed = |lift: Lift<f64, Cpu>| trace(&linear.lift(lift), (&x, &y), 0).unwrap_err().to_string();
    let error = failed(Lift::new().normal("net.*", 1.0).normal("ent.*", 1.0));
    assert!(error.contains("`ent.*`") && error.contains("fits"), "{error}");
    let error = failed(Lift::new().normal("net.weight", 1.0));
    assert!(error.contains("`net.bias`") && error.contains("no prior"), "{error}");
    let error = failed(Lift::new().prior("net.*", |_| Normal::filled((7,), 0.0, 1.0)));
    assert!(error.contains("`net.weight`") && error.contains("[7]"), "{error}");
}
