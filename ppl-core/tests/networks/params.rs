//! The parameter store: what is put in takes part in differentiation, full names are unique, and a
//! checkpoint's tensors arrive as whole modules.

use ppl_core::address::Address;
use ppl_core::autodiff::grad;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior};
use ppl_core::params::{Init, ParamEntry, ParamStore};
use ppl_core::primitives::{module, param};
use ppl_core::{Cpu, Error, Tensor};

type Vector = Tensor<(usize,), f64>;

/// A module of two tensors, `0` and `1`.
fn two(_: &mut Init<f64, Cpu>) -> Vec<Vector> {
    vec![Vector::vector(vec![1.0]), Vector::vector(vec![2.0, 3.0])]
}

/// Runs statements with a store and returns the first error.
fn run(store: &mut ParamStore<f64, Cpu>, statements: impl FnOnce(&mut dyn Handler<f64, Cpu>)) -> Result<(), Error> {
    let mut prior = Prior::seeded(0);
    statements(&mut Params::new(store, &mut prior));
    Handler::<f64, Cpu>::context(&mut prior).finish(())
}

#[test]
fn an_inserted_tensor_has_a_gradient() {
    let mut store = ParamStore::new(0);
    store.insert("w", ParamEntry::new(Box::new(Vector::vector(vec![3.0])), None));
    let (_, grads) = grad(|| {
        let mut loss = Tensor::scalar(0.0);
        let init = |_: &mut _| Vector::vector(vec![0.0]);
        run(&mut store, |h| loss = param(h, Address::fixed("w"), init).square().sum_all()).unwrap();
        loss
    });
    assert_eq!(grads.get(&store.get::<Vector>("w").unwrap()).unwrap().to_vec(), [6.0]);
}

#[test]
fn two_tensors_of_one_full_name_are_an_error() {
    let mut store = ParamStore::new(0);
    let error = run(&mut store, |h| {
        module(&mut *h, Address::fixed("net"), two);
        param(&mut *h, Address::fixed("network"), |_| Vector::vector(vec![0.0]));
        param(&mut *h, Address::fixed("net.1"), |_| Vector::vector(vec![0.0]));
    });
    let text = error.unwrap_err().to_string();
    assert!(text.contains("parameter `net.1`") && text.contains("another parameter statement"), "{text}");
    assert_eq!(store.names().collect::<Vec<_>>(), ["net", "network"]);
}

#[test]
fn a_checkpoint_with_a_part_of_a_module_is_an_error() {
    let mut store = ParamStore::new(0);
    store.set_pending([("net.0".to_owned(), (vec![1], vec![7.0]))]);
    let error = run(&mut store, |h| drop(module(h, Address::fixed("net"), two)));
    let text = error.unwrap_err().to_string();
    assert!(text.contains("parameter `net.1`") && text.contains("checkpoint lacks it"), "{text}");
    assert!(store.is_empty() && store.pending().count() == 1);
    store.set_pending([("net.0".to_owned(), (vec![1], vec![7.0])), ("net.1".to_owned(), (vec![2], vec![8.0, 9.0]))]);
    run(&mut store, |h| drop(module(h, Address::fixed("net"), two))).unwrap();
    assert_eq!(store.get::<Vec<Vector>>("net").unwrap()[1].to_vec(), [8.0, 9.0]);
}
