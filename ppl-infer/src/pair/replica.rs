//! A pair of runs whose observations are drawn, beside the data.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Effect, Params, Prior, Replay, Subsample};
use ppl_core::model::Model;
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::trace::{Keep, Trace};
use ppl_core::values::ValueMap;
use ppl_core::{Dtype, Error};

use super::{Imagined, Pair, record};

/// A run of the guide, and one of the model at its values whose observations are drawn: replicated data.
#[derive(Clone, Debug)]
pub struct Replica<E: Dtype, D: Backend<E>> {
    /// Both traces. Observed sites are marked so, and have the values that were drawn.
    pub pair: Pair<E, D>,
    /// What was observed, by full name.
    pub data: ValueMap,
}

impl<E: Dtype, D: Backend<E>> Replica<E, D> {
    /// Runs the guide and then the model, in which draws carry pathwise gradients where their distributions have
    /// them; `rows` fixes those of plates.
    ///
    /// # Errors
    /// As [`Pair::draw`], or if the model observes nothing.
    pub fn draw<A, M, G>(
        keep: Keep,
        rows: &Subsample,
        (model, guide): (&M, &G),
        args: A,
        params: &mut ParamStore<E, D>,
        rng: Rng,
        validate: bool,
    ) -> Result<Self, Error>
    where
        A: Clone,
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        let mut prior = Prior::new(rng);
        Handler::<E, D>::context(&mut prior).validate = validate;
        let mut params = Params::new(params, &mut prior);
        let mut found = None;
        rows.around(&mut params, &mut |handler| found = Some(traces(keep, (model, guide), args.clone(), handler)));
        let (pair, data) = found.expect("an effect runs its body")?;
        pair.check::<M, G>()?;
        if data.names().next().is_none() {
            let problem = "it observed nothing in this run, so there are no data to replicate; observe some";
            return Err(Error::Model { model: M::NAME.to_owned(), problem: problem.to_owned() });
        }
        Ok(Replica { pair, data })
    }

    /// The rows of its plates, for further ones of the same data.
    pub fn rows(&self) -> Subsample {
        let of = |trace: &Trace<E, D>| -> Vec<_> {
            trace.subsampled().map(|(name, rows)| (name.to_owned(), rows.clone())).collect()
        };
        Subsample([of(&self.pair.model), of(&self.pair.guide)].concat())
    }
}

fn traces<A, M, G, E, D>(
    keep: Keep,
    (model, guide): (&M, &G),
    args: A,
    handler: &mut dyn Handler<E, D>,
) -> Result<(Pair<E, D>, ValueMap), Error>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    G: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    let guide = record(keep, guide, args.clone(), handler)?;
    let mut replay = Replay::new(&guide, handler);
    let mut imagined = Imagined::new(&mut replay);
    let model = record(keep, model, args, &mut imagined)?;
    let data = imagined.into_data();
    Ok((Pair { model, guide }, data))
}
