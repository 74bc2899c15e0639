//! Handlers of names and values: scope, equalize, infer_config.

use ppl::infer::{Executions, InferDiscrete};
use ppl::prelude64::*;
use ppl::site::SiteKind;

type Scalar = Tensor<()>;

#[model]
fn pair() -> usize {
    let a: Scalar = sample!("a", Bernoulli::new(0.3));
    let b: Scalar = sample!("b", Bernoulli::new(0.6));
    sample!("y", Normal::new(&a + &b, 1.0), obs = Scalar::scalar(1.5));
    (a + b).item() as usize
}

#[test]
fn a_scope_stands_before_all_names() {
    let (_, seen) = trace(&pair.scope("left"), (), 0).unwrap();
    assert_eq!(seen.sites().map(|site| site.address.as_str()).collect::<Vec<_>>(), ["left/a", "left/b", "left/y"]);
    let (_, seen) = trace(&pair.scope("in").scope("out"), (), 0).unwrap();
    assert!(seen.site("out/in/a").is_some());
}

#[test]
fn equal_sites_have_the_value_of_the_first() {
    let likelihood = |mean: f64| (-0.5 * (1.5 - mean).powi(2)).exp();
    let once = Executions::of(pair.equalize(Equalize::new(["a", "b"])), ()).explore().unwrap();
    let (zero, two) = (0.7 * likelihood(0.0), 0.3 * likelihood(2.0));
    assert!((once.probability(&2) - two / (zero + two)).abs() < 1e-12 && once.executions() == 2);
    let both = Executions::of(pair.equalize(Equalize::new(["a", "b"]).keep_densities()), ()).explore().unwrap();
    let (zero, two) = (0.7 * 0.4 * likelihood(0.0), 0.3 * 0.6 * likelihood(2.0));
    assert!((both.probability(&2) - two / (zero + two)).abs() < 1e-12);
    let (_, seen) = trace(&pair.equalize(Equalize::new(["a", "b"])), (), 1).unwrap();
    assert_eq!(seen.value::<Scalar>("a"), seen.value::<Scalar>("b"));
    assert_eq!(seen.site("b").unwrap().kind, SiteKind::Intervened);
}

#[test]
fn sites_are_marked_from_outside() {
    let marked = pair.infer_config(InferConfig::new().enumerate("a").enumerate("b").enumerate("y"));
    let discrete = InferDiscrete::new(marked, (), &ParamStore::new(0)).unwrap();
    let all = Executions::of(pair, ()).explore().unwrap();
    let evidence = discrete.enumerated().log_evidence().unwrap();
    assert!((evidence - all.log_evidence()).abs() < 1e-12, "{evidence}");
    assert!(InferDiscrete::new(pair, (), &ParamStore::new(0)).is_err());
}
