//! Parameters: initial values by seed and name, constraints, and stores shared between models.

use ppl_core::address::Address;
use ppl_core::constraint::{Interval, Positive};
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior};
use ppl_core::model::Model;
use ppl_core::params::ParamStore;
use ppl_core::primitives::{param, param_constrained, submodel};
use ppl_core::{Cpu, Error, Rank1, Tensor};
use proptest::prelude::*;

use super::models::*;

const NAMES: [&str; 4] = ["weight", "bias", "loc", "scale"];

/// Asks for parameters in the given order; returns them in that of [`NAMES`].
fn in_order(order: Vec<usize>) -> impl Fn(Handle<'_>) -> Vec<f64> {
    move |h| {
        let mut values = vec![0.0; NAMES.len()];
        for &i in &order {
            values[i] = param(&mut *h, fixed(NAMES[i]), |init| init.normal::<()>((), 1.0)).item();
        }
        values
    }
}

/// Runs something under a store.
fn under<R>(store: &mut ParamStore<f64, Cpu>, f: impl FnOnce(Handle<'_>) -> R) -> (R, Option<Error>) {
    let mut prior = Prior::seeded(0);
    let output = f(&mut Params::new(store, &mut prior));
    (output, Handler::<f64, Cpu>::context(&mut prior).take_error())
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn initial_values_depend_on_seed_and_name_alone(seed in 0..1000u64, order in Just(vec![0, 1, 2, 3]).prop_shuffle()) {
        let (mut one, mut other) = (ParamStore::new(seed), ParamStore::new(seed));
        let (forwards, _) = under(&mut one, in_order(vec![0, 1, 2, 3]));
        let (shuffled, _) = under(&mut other, in_order(order.clone()));
        prop_assert_eq!(&forwards, &shuffled);
        prop_assert_eq!(one.names().collect::<Vec<_>>(), NAMES);
        prop_assert_eq!(other.names().collect::<Vec<_>>(), order.iter().map(|&i| NAMES[i]).collect::<Vec<_>>());
        // The second time the store's own values come back, whatever the run's generator.
        prop_assert_eq!(&under(&mut one, in_order(order)).0, &forwards);
        let (elsewhere, _) = under(&mut ParamStore::new(seed + 1), in_order(vec![0, 1, 2, 3]));
        prop_assert!(elsewhere.iter().zip(&forwards).all(|(a, b)| a != b));
    }

    #[test]
    fn without_a_store_two_statements_of_one_name_agree(seed in 0..1000u64) {
        let mut prior = Prior::seeded(seed);
        let (first, second) = (in_order(vec![0, 1, 2, 3])(&mut prior), in_order(vec![3, 2, 1, 0])(&mut prior));
        prop_assert_eq!(&first, &second);
        prop_assert!(first.windows(2).all(|pair| pair[0] != pair[1]));
    }
}

#[test]
fn two_models_share_a_store() {
    let mut store = ParamStore::new(1);
    let ask = |h: Handle<'_>| param(h, fixed("shared"), |init| init.normal::<()>((), 1.0));
    let (model, _) = under(&mut store, ask);
    let (guide, _) = under(&mut store, |h| {
        let own: Scalar = param(&mut *h, fixed("own"), |init| init.constant((), 3.0));
        assert_eq!(own.item(), 3.0);
        ask(h)
    });
    assert_eq!(model, guide);
    assert!(model.is_tracked());
    assert_eq!(store.names().collect::<Vec<_>>(), ["shared", "own"]);
    store.each_tensor_mut(|_, tensor| tensor.set(&[9.0]).unwrap());
    assert_eq!(under(&mut store, ask).0.item(), 9.0);
}

#[test]
fn parameters_of_submodels_have_their_scope() {
    let inner = body(|h| {
        let _: Scalar = param(h, fixed("w"), |init| init.constant((), 1.0));
    });
    let mut store = ParamStore::new(1);
    let (_, error) = under(&mut store, |h| {
        for i in 0..2 {
            submodel(&mut *h, Address::indexed("layer_{}", &[i]), &inner, ());
        }
        inner.run(h, ());
    });
    assert_eq!((error, store.names().collect::<Vec<_>>()), (None, vec!["layer_0/w", "layer_1/w", "w"]));
}

fn scale(h: Handle<'_>, initial: f64) -> f64 {
    param_constrained(h, fixed("scale"), |init| init.constant::<()>((), initial), Positive).item()
}

#[test]
fn a_constrained_parameter_is_kept_unconstrained() {
    let mut store = ParamStore::new(1);
    let (value, error) = under(&mut store, |h| scale(h, 2.0));
    assert_eq!(error, None);
    assert_near(value, 2.0);
    assert_near(store.get::<Scalar>("scale").unwrap().item(), 2.0f64.ln());
    assert_near(store.constrained("scale").unwrap().to_vec()[0], 2.0);
}

#[test]
fn an_initial_value_outside_its_constraint_is_an_error_and_is_not_kept() {
    let mut store = ParamStore::new(1);
    for _ in 0..2 {
        let (value, error) = under(&mut store, |h| {
            let mut value = 0.0;
            let inner = body(|_| {});
            submodel(&mut *h, fixed("sub"), &inner, ());
            value += scale(h, -1.0);
            value
        });
        let error = error.expect("an error each time").to_string();
        assert!(error.contains("parameter `scale`") && error.contains("-1") && error.contains("positive"), "{error}");
        assert!(value > 0.0);
        assert!(store.is_empty());
    }
    let alone = error(&body(|h| {
        submodel(
            h,
            fixed("sub"),
            &body(|h| {
                scale(h, f64::NAN);
            }),
            (),
        );
    }));
    assert!(alone.contains("parameter `sub/scale`") && alone.contains("NaN"), "{alone}");
}

#[test]
fn statements_that_disagree_are_errors_that_name_both() {
    let mut store = ParamStore::new(1);
    under(&mut store, |h| scale(h, 2.0));
    let (_, error) = under(&mut store, |h| {
        let vector: Tensor<Rank1<3>, f64> =
            param_constrained(h, fixed("scale"), |init| init.constant(Default::default(), 1.0), Positive);
        assert_eq!(vector.to_vec(), [1.0; 3]);
    });
    let error = error.expect("an error").to_string();
    assert!(
        error.contains("parameter `scale`") && error.contains("Const<3>") && error.contains("Tensor<()"),
        "{error}"
    );
    let (_, error) = under(&mut store, |h| param(h, fixed("scale"), |init| init.constant::<()>((), 1.0)));
    let error = error.expect("an error").to_string();
    assert!(error.contains("parameter `scale`") && error.contains("positive") && error.contains("anything"), "{error}");
    let unit = Interval { low: 0.0, high: 1.0 };
    let (value, error) =
        under(&mut store, |h| param_constrained(h, fixed("scale"), |init| init.constant::<()>((), 0.5), unit));
    let error = error.expect("an error").to_string();
    assert!(error.contains("[0, 1]") && error.contains("positive"), "{error}");
    assert_near(value.item(), 0.5);
}
