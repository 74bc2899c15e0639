//! The posterior of a model's discrete sites, given all others: marginals, the most probable values, draws.

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior, Tracer};
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::{Dtype, Error};

use super::{Choices, Choose, Enumerated, Side};

/// What the data say of the sites that a model marks `enumerate`, exactly; all other latent sites have values, which
/// [`Program::substitute`](ppl_core::model::Program::substitute) or
/// [`Program::condition`](ppl_core::model::Program::condition) gave them.
///
/// Of a hidden Markov model, [`InferDiscrete::most_probable`] is Viterbi's path, and [`InferDiscrete::draw`] draws it by filtering
/// forwards and sampling backwards. Reference: Pyro's `infer_discrete`.
#[derive(Clone, Debug)]
pub struct InferDiscrete<M, A, E: Dtype, D: Backend<E>> {
    model: M,
    args: A,
    params: ParamStore<E, D>,
    enumerated: Enumerated<E, D>,
}

impl<M, A, E, D> InferDiscrete<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// Runs the model with all values of its enumerated sites.
    ///
    /// # Errors
    /// As [`Enumerated::of`], and a latent site that is neither enumerated nor has a value.
    pub fn new(model: M, args: impl IntoArgs<Args = A>, params: &ParamStore<E, D>) -> Result<Self, Error> {
        let (args, mut params) = (args.into_args(), params.clone());
        let enumerated = no_grad(|| {
            Enumerated::of(&mut |_, wrap| {
                let mut prior = Prior::new(Rng::seed(0));
                let mut store = Params::new(&mut params, &mut prior);
                wrap(Side::Model, &mut store, &mut |inner| {
                    model.run(inner, args.clone());
                });
                store.context().finish(())
            })
        })?;
        if let Some(site) = enumerated.drawn.clone() {
            let problem =
                "it is neither enumerated nor has a value; condition the model on it, or substitute one".into();
            return Err(Error::Site { site, problem });
        }
        Ok(InferDiscrete { model, args, params, enumerated })
    }

    /// The factors, and what was found of them.
    pub fn enumerated(&self) -> &Enumerated<E, D> {
        &self.enumerated
    }

    /// The model's run at the most probable values of all enumerated sites together.
    ///
    /// # Errors
    /// As [`Enumerated::most_probable`].
    pub fn most_probable(&self) -> Result<M::Trace, Error> {
        self.at(self.enumerated.most_probable()?)
    }

    /// The model's run at a draw from the joint posterior of its enumerated sites.
    ///
    /// # Errors
    /// As [`Enumerated::draw`].
    pub fn draw(&self, seed: u64) -> Result<M::Trace, Error> {
        self.at(self.enumerated.draw(&mut Rng::named(seed, "infer_discrete"))?)
    }

    fn at(&self, values: Vec<(String, Vec<usize>)>) -> Result<M::Trace, Error> {
        let values: Choices = values.into_iter().collect();
        let (mut params, mut prior) = (self.params.clone(), Prior::new(Rng::seed(0)));
        let mut store = Params::new(&mut params, &mut prior);
        let mut choose = Choose::new(&mut store, &values);
        let mut tracer = Tracer::new(&mut choose);
        no_grad(|| self.model.run(&mut tracer, self.args.clone()));
        let trace = tracer.into_trace();
        choose.context().finish(trace)?.typed()
    }
}
