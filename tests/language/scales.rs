//! Sites whose log-density is weighted where they are written.

use ppl::prelude::*;

type Scalar = Tensor<()>;

#[model]
fn annealed(weight: f64) -> Scalar {
    let z: Scalar = sample!("z", Normal::standard(), scale = weight);
    let later: Scalar = sample!("later", Normal::new(&z, 1.0));
    sample!("x", Normal::new(&later, 1.0), obs = Scalar::scalar(0.5), scale = 2.0 * weight);
    z
}

#[guide(annealed)]
fn annealed_guide(weight: f64) {
    sample!("z", Normal::new(1.0, 1.0), scale = weight);
    sample!("later", Normal::standard());
}

#[test]
fn only_the_statement_with_a_scale_is_weighted() {
    let (_, plain) = trace(&annealed, (1.0,), 0).unwrap();
    let (_, weighted) = trace(&annealed, (0.25,), 0).unwrap();
    let of = |seen: &Trace<f32, Cpu>, name| f64::from(seen.site(name).unwrap().log_prob.item());
    assert!((of(&weighted, "z") - 0.25 * of(&plain, "z")).abs() < 1e-6);
    assert_eq!(of(&weighted, "later"), of(&plain, "later"));
    assert!((of(&weighted, "x") - 0.25 * of(&plain, "x")).abs() < 1e-6);
    let (_, guide) = trace(&annealed_guide, (0.25,), 0).unwrap();
    assert_eq!(guide.site("z").unwrap().scale, 0.25);
    assert_eq!(guide.site("later").unwrap().scale, 1.0);
}

#[test]
fn a_scale_that_is_none_names_its_site() {
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = trace(&annealed, (wrong,), 0).unwrap_err().to_string();
        assert!(error.contains("`z`") && error.contains(&format!("{wrong}")), "{error}");
    }
}
