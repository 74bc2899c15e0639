//! What is taken off the cost of a scored site, to lower the variance of its gradient.

use std::fmt;
use std::sync::Arc;

use ppl_core::address::Address;
use ppl_core::backend::Backend;
use ppl_core::params::{Init, Module, ParamStore, TypedParam};
use ppl_core::{Dtype, Error, Tensor};

use super::decaying_average::DecayingAverage;
use crate::pair::Pair;

/// A number for each plate element of a scored site, which is taken off its downstream cost.
///
/// It may depend on anything that the site's value cannot change; the gradient's mean is then the same.
/// Reference: Mnih and Gregor, *Neural Variational Inference and Learning in Belief Networks* (ICML 2014).
#[derive(Clone)]
pub struct Baseline<E: Dtype, D: Backend<E>>(pub(super) Kind<E, D>);

#[derive(Clone)]
pub(super) enum Kind<E: Dtype, D: Backend<E>> {
    None,
    Average(f64),
    Value(Value<E, D>),
    Network(Network<E, D>),
}

type Value<E, D> = Arc<dyn Fn(&Pair<E, D>) -> Vec<f64> + Send + Sync>;
type Network<E, D> =
    Arc<dyn Fn(&mut ParamStore<E, D>, &str, &Pair<E, D>) -> Result<Tensor<(usize,), E, D>, Error> + Send + Sync>;

impl<E: Dtype, D: Backend<E>> Baseline<E, D> {
    /// Nothing is taken off.
    pub fn none() -> Self {
        Baseline(Kind::None)
    }

    /// An average of the element's costs in earlier steps, of which a new one leaves the share `decay`.
    ///
    /// # Panics
    /// If it is not within \[0, 1).
    #[track_caller]
    pub fn average(decay: f64) -> Self {
        assert!((0.0..1.0).contains(&decay), "a baseline's decay is {decay}, but must be within [0, 1)");
        Baseline(Kind::Average(decay))
    }

    /// What `value` says of the runs: one number for all plate elements, or one for each. It must not read what
    /// the site's value can change.
    pub fn value(value: impl Fn(&Pair<E, D>) -> Vec<f64> + Send + Sync + 'static) -> Self {
        Baseline(Kind::Value(Arc::new(value)))
    }

    /// What a module predicts of the runs, a number for each plate element (or one for all): `predict` feeds it
    /// what the site's value cannot change, data for example. The module is the parameter
    /// `baseline/<site>/network` of the run, and learns by the squared error from the same optimiser.
    pub fn network<M: Module<E, D>>(
        build: impl Fn(&mut Init<E, D>) -> M + Send + Sync + 'static,
        predict: impl Fn(&M, &Pair<E, D>) -> Tensor<(usize,), E, D> + Send + Sync + 'static,
    ) -> Self {
        Baseline(Kind::Network(Arc::new(move |params, site, pair| {
            let address = Address::fixed("network").under(&format!("baseline/{site}/"));
            let mut statement = TypedParam::new(address.clone(), None, |init: &mut Init<E, D>| (build(init), Ok(())));
            params.supply(&mut statement)?;
            let problem = || Error::Param { param: address.to_string(), problem: "no value was supplied".into() };
            Ok(predict(&statement.into_value().map_err(|_| problem())?, pair))
        })))
    }
}

impl<E: Dtype, D: Backend<E>> fmt::Debug for Baseline<E, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::None => f.write_str("Baseline::none"),
            Kind::Average(decay) => write!(f, "Baseline::average({decay})"),
            Kind::Value(_) => f.write_str("Baseline::value"),
            Kind::Network(_) => f.write_str("Baseline::network"),
        }
    }
}

/// A decaying average of each plate element of a site.
#[derive(Clone, Debug, Default)]
pub(super) struct Averages(pub(super) Vec<DecayingAverage>);

impl Averages {
    /// The averages of that many elements; zeros where there were another number before.
    pub(super) fn values(&self, count: usize) -> Vec<f64> {
        if self.0.len() == count { self.0.iter().map(DecayingAverage::value).collect() } else { vec![0.0; count] }
    }

    /// Adds a value for each element; another number of them begins anew.
    pub(super) fn add(&mut self, decay: f64, values: &[f64]) {
        if self.0.len() != values.len() {
            self.0 = vec![DecayingAverage::new(decay); values.len()];
        }
        self.0.iter_mut().zip(values).for_each(|(average, &value)| average.add(value));
    }
}
