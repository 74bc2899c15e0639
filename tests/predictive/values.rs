//! Values come out of a row as the types that the model has, and go into one.

use ppl::infer::Predictive;
use ppl::infer::draws::Role;

use crate::by_hand::draws;

mod double {
    use ppl::prelude64::*;

    #[model]
    pub(super) fn walk(n: usize, with: bool) -> f64 {
        let scale: Tensor<()> = sample!("scale", Exponential::new(1.0));
        let flags: Tensor<Rank1<2>> = sample!("flags", Bernoulli::new(Tensor::from([0.5, 0.5])));
        let k: Tensor<(), usize> = sample!("k", Categorical::new(Tensor::from([0.2, 0.3, 0.5])));
        let mut z = Tensor::<()>::scalar(k.to_vec()[0] as f64);
        for t in 0..n {
            z = sample!("z_{t}": Tensor<()>, Normal::new(&z, &scale));
        }
        if with {
            submodel!("last", end(&z));
        }
        deterministic!("words": String, format!("{:?}", flags.to_vec()));
        z.item()
    }

    #[model]
    pub(super) fn end(z: &Tensor<()>) {
        sample!("y": Tensor<()>, Poisson::new(z * z + 1e-9), obs = Tensor::scalar(1.0));
    }
}

mod single {
    use ppl::prelude::*;

    #[model]
    pub(super) fn regression(x: &Tensor<Rank1<3>>, y: &Tensor<Rank1<3>>) {
        let w: Tensor<Rank2<2, 2>> = sample!("w", Normal::new(Tensor::<Rank2<2, 2>>::zeros(), 1.0));
        let slope: Tensor<()> = w.sum_all();
        plate!("rows", 3, |_| sample!("y": Tensor<Rank1<3>>, Normal::new(x * slope, 1e-3), obs = y));
    }
}

/// `scale`, `flags`, `k`, `z_0`, `z_1` in another order than the model's.
fn walks() -> ppl::infer::Draws {
    let variables: [(&str, &[usize]); 5] = [("z_0", &[]), ("k", &[]), ("z_1", &[]), ("flags", &[2]), ("scale", &[])];
    draws(&variables, &[vec![vec![0.5, 2.0, -3.0, 1.0, 0.0, 0.25], vec![1.5, 0.0, 4.0, 0.0, 0.0, 0.75]]])
}

#[test]
fn typed_traces_have_the_draws_values() {
    let draws = walks();
    let predictive = Predictive::posterior(double::walk, (2, true), &draws).seed(2);
    let typed: Vec<double::WalkTrace> = predictive.typed().map(Result::unwrap).collect();
    assert_eq!(typed[0].flags.value.to_vec(), [1.0, 0.0]);
    assert_eq!((typed[0].k.value.to_vec(), typed[1].k.value.to_vec()), (vec![2], vec![0]));
    assert_eq!((typed[0].z[&0].value.item(), typed[1].z[&1].value.item()), (0.5, 4.0));
    assert_eq!(typed[0].words.value, "[1.0, 0.0]");
    let y = &typed[0].last.as_ref().unwrap().y;
    assert!(!y.observed && y.log_prob.is_finite());
    let outputs: Vec<f64> = predictive.traces().map(|run| run.unwrap().0).collect();
    assert_eq!(outputs, [-3.0, 4.0]);
}

#[test]
fn collected_values_are_numbers_and_others_are_refused() {
    let draws = walks();
    let predictive = Predictive::posterior(double::walk, (2, true), &draws).seed(2);
    let error = predictive.collect().unwrap_err().to_string();
    assert!(error.contains("draw 0 of chain 0: site `words`") && error.contains("String"), "{error}");
    let found = predictive.keep(["last/y", "flags", "z_1"]).collect().unwrap();
    let names: Vec<_> = found.variables().iter().map(|v| (v.name.as_str(), v.role)).collect();
    assert_eq!(names, [("flags", Role::Latent), ("z_1", Role::Latent), ("last/y", Role::Predicted)]);
    assert_eq!(found.values("flags").unwrap(), [[1.0, 0.0], [0.0, 0.0]]);
    let y = found.quantity("last/y").unwrap().concat();
    assert!(y.iter().all(|y| y.fract() == 0.0 && *y >= 0.0), "{y:?}");
}

#[test]
fn single_precision_takes_and_gives_the_nearest_numbers() {
    use ppl::prelude::*;
    let (x, y) = (Tensor::from([1.0, 2.0, 3.0]), Tensor::<Rank1<3>>::zeros());
    let posterior = draws(&[("w", &[2, 2])], &[vec![vec![0.1, 0.2, 0.3, 0.4]; 50]]);
    let predictive = Predictive::posterior(single::regression, (&x, &y), &posterior).seed(9);
    let first = predictive.typed().next().unwrap().unwrap();
    assert_eq!(first.w.value.to_vec(), [0.1_f32, 0.2, 0.3, 0.4]);
    let found = predictive.collect().unwrap();
    let wide: Vec<f64> = first.y.value.to_vec().into_iter().map(f64::from).collect();
    assert_eq!(found.values("y").unwrap()[0], wide);
    // Each of 150 numbers within 6 of its standard deviations: 3e-7.
    let expected = [1.0, 2.0, 3.0];
    assert!(found.values("y").unwrap().iter().all(|y| y.iter().zip(expected).all(|(y, e)| (y - e).abs() < 6e-3)));
}

#[test]
fn an_index_that_is_none_names_its_site() {
    let bad = draws(
        &[("scale", &[]), ("flags", &[2]), ("k", &[]), ("z_0", &[]), ("z_1", &[])],
        &[vec![vec![1.0, 1.0, 0.0, 0.5, 0.0, 0.0]]],
    );
    let error = Predictive::posterior(double::walk, (2, true), &bad).traces().next().unwrap().err().unwrap();
    assert!(error.to_string().contains("site `k`"), "{error}");
}
