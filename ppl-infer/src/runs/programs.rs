//! The runs of a model and its guide on the arguments of a step.

use std::collections::BTreeMap;

use ppl_core::autodiff::{is_recording, no_grad, try_grad};
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior, Replay, Subsample, Tracer};
use ppl_core::model::Model;
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::shared::{Shared, spread};
use ppl_core::trace::{Densities, Keep, Trace, total};
use ppl_core::{Dtype, Error};

use super::{Each, Runs, Terms};
use crate::enumeration::{Enumerated, Rerun, Side};
use crate::pair::{Ask, Pair, Replica, check, prior_draw};

/// A model and its guide with the arguments, parameters and generators of a step.
pub struct Programs<'a, M, G, A, E: Dtype, D: Backend<E>> {
    /// The model and its guide.
    pub programs: (&'a M, &'a G),
    /// Their arguments.
    pub args: A,
    /// Their parameters.
    pub params: &'a mut ParamStore<E, D>,
    /// The generator of each particle.
    pub rng: &'a (dyn Fn(u64) -> Rng + Sync),
    /// Whether distributions' parameters are checked at every site.
    pub validate: bool,
}

impl<M, G, A, E, D> Runs<E, D> for Programs<'_, M, G, A, E, D>
where
    M: Model<A, E = E, D = D>,
    G: Model<A, E = E, D = D>,
    A: Clone + Shared,
    E: Dtype,
    D: Backend<E>,
{
    fn pair(&mut self, particle: u64, ask: Ask) -> Result<Pair<E, D>, Error> {
        let Self { programs, args, params, rng, validate } = self;
        Pair::draw_as(ask, *programs, args.clone(), params, rng(particle), *validate)
    }

    fn dream(&mut self, particle: u64, keep: Keep) -> Result<Pair<E, D>, Error> {
        let Self { programs, args, params, rng, validate } = self;
        Pair::dream(keep, *programs, args.clone(), params, rng(particle), *validate)
    }

    fn enumerated(&mut self, particle: u64) -> Result<Enumerated<E, D>, Error> {
        let Self { programs: (model, guide), args, params, rng, validate } = self;
        let mut drawn = Trace::default();
        let rerun: &mut Rerun<'_, E, D> = &mut |guides, wrap| {
            let prior = || {
                let mut prior = Prior::new(rng(particle));
                Handler::<E, D>::context(&mut prior).validate = *validate;
                prior
            };
            if guides {
                let mut prior = prior();
                let mut params = Params::new(params, &mut prior);
                wrap(Side::Guide, &mut params, &mut |inner| {
                    let values = Keep { densities: Densities::None, ..Keep::NOTHING };
                    let mut tracer = Tracer::new(inner).keeping(values);
                    guide.run(&mut tracer, args.clone());
                    drawn = tracer.into_trace();
                });
                params.context().finish(())?;
            }
            let mut prior = prior();
            let mut params = Params::new(params, &mut prior);
            // The guide's values come before those of the enumeration.
            wrap(Side::Model, &mut params, &mut |inner| {
                model.run(&mut Replay::new(&drawn, inner), args.clone());
            });
            params.context().finish(())
        };
        let enumerated = Enumerated::checked(rerun, *validate)?;
        check::<M, G, E, D>(enumerated.stated(), &drawn)?;
        Ok(enumerated)
    }

    fn prior(&mut self, particle: u64, keep: Keep) -> Result<Trace<E, D>, Error> {
        let Self { programs, args, params, rng, validate } = self;
        prior_draw(keep, programs.0, args.clone(), params, rng(particle), *validate)
    }

    fn replicas(&mut self, count: u64, keep: Keep) -> Result<Vec<Replica<E, D>>, Error> {
        let Self { programs, args, params, rng, validate } = self;
        let (mut rows, mut replicas) = (Subsample::default(), Vec::new());
        for particle in 0..count {
            let replica = Replica::draw(keep, &rows, *programs, args.clone(), params, rng(particle), *validate)?;
            if particle == 0 {
                rows = replica.rows();
            }
            replicas.push(replica);
        }
        Ok(replicas)
    }

    fn params(&mut self) -> &mut ParamStore<E, D> {
        self.params
    }

    fn each_pair_in_parallel(&mut self, count: u64, ask: Ask, each: Each<'_, E, D>) -> Result<Terms<E, D>, Error> {
        let (records, programs, rng, validate) = (is_recording(), self.programs, self.rng, self.validate);
        let copies: Vec<_> = (0..count).map(|i| (i, self.args.clone(), self.params.clone())).collect();
        let apart = spread(copies, |(particle, args, mut params): (u64, A, ParamStore<E, D>)| {
            let run = || each(&Pair::draw_as(ask, programs, args, &mut params, rng(particle), validate)?);
            if !records {
                return Ok::<_, Error>(Apart { number: no_grad(run)?.0, gradients: Vec::new(), params });
            }
            let (_, number, grads) = try_grad(|| run().map(|(number, tensor)| (tensor, number)))?;
            let mut gradients = Vec::new();
            params.each_tensor(|name, tensor| gradients.extend(tensor.gradient(&grads).map(|g| (name.to_owned(), g))));
            Ok(Apart { number, gradients, params })
        });
        self.merge(apart)
    }
}

/// What a particle left on a thread of its own.
struct Apart<E: Dtype, D: Backend<E>> {
    number: f64,
    /// By full name of the parameter.
    gradients: Vec<(String, Vec<E>)>,
    params: ParamStore<E, D>,
}

impl<M, G, A, E: Dtype, D: Backend<E>> Programs<'_, M, G, A, E, D> {
    /// The numbers, and a tensor with the sum of the gradients, added in the order of the particles.
    fn merge(&mut self, apart: Vec<Result<Apart<E, D>, Error>>) -> Result<Terms<E, D>, Error> {
        let (mut numbers, mut sums) = (Vec::new(), BTreeMap::<String, Vec<f64>>::new());
        for particle in apart {
            let Apart { number, gradients, params } = particle?;
            numbers.push(number);
            self.params.join(params);
            for (name, gradient) in gradients {
                let sum = sums.entry(name).or_insert_with(|| vec![0.0; gradient.len()]);
                sum.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g.wide());
            }
        }
        let (mut terms, mut wrong) = (Vec::new(), Ok(()));
        self.params.each_tensor(|name, tensor| {
            let Some(sum) = sums.remove(name) else { return };
            match tensor.weighed(sum.into_iter().map(E::of).collect()) {
                Ok(term) => terms.extend(term),
                Err(error) => wrong = Err(error.into()),
            }
        });
        wrong.map(|()| Terms { numbers, sum: total(terms) })
    }
}
