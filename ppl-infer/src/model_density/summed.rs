//! The density of a model with sites that are summed over.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use ppl_core::autodiff::{is_recording, no_grad};
use ppl_core::backend::Backend;
use ppl_core::model::Model;
use ppl_core::rng::Rng;
use ppl_core::trace::total;
use ppl_core::{Dtype, Error, Tensor};

use crate::enumeration::{Choices, Enumerated, Rerun, Side};

use super::handler::{Put, wrong};
use super::{Leaves, ModelDensity};

impl<A, M, E, D> ModelDensity<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// The log-density at a position, and the numbers of each site.
    pub(super) fn summed(&mut self, position: &[E]) -> Result<(Tensor<(), E, D>, Leaves<E, D>), Error> {
        let (enumerated, jacobian, leaves) = self.enumerated(position)?;
        let (log_density, surrogate) = match is_recording() {
            true => enumerated.surrogate_at_all()?,
            false => (enumerated.log_evidence_at_all()?, Tensor::zeros()),
        };
        // The value is the density's, the gradient the surrogate's.
        let shift = log_density - surrogate.item().wide();
        Ok((total([jacobian, surrogate, Tensor::scalar(shift)]), leaves))
    }

    /// Values of the enumerated sites, drawn from their posterior given a position: the same for the same position.
    pub(super) fn chosen(&mut self, position: &[E]) -> Result<Choices, Error> {
        if !self.enumerates {
            return Ok(HashMap::new());
        }
        let mut hasher = DefaultHasher::new();
        position.iter().for_each(|x| hasher.write_u64(x.wide().to_bits()));
        let (enumerated, ..) = no_grad(|| self.enumerated(position))?;
        let drawn = enumerated.draw(&mut Rng::named(hasher.finish(), "enumerated sites"))?;
        Ok(drawn.into_iter().collect())
    }

    /// All values of the enumerated sites at a position, the Jacobians, and the numbers of each site.
    fn enumerated(&mut self, position: &[E]) -> Result<(Enumerated<E, D>, Tensor<(), E, D>, Leaves<E, D>), Error> {
        let mut leaves: Leaves<E, D> = vec![None; self.sites.len()];
        let mut first: Option<(Vec<(usize, f64)>, Tensor<(), E, D>)> = None;
        let check = !std::mem::replace(&mut self.checked, true);
        let rerun: &mut Rerun<'_, E, D> = &mut |_, wrap| {
            self.run(|inner, sites, body| {
                let mut result = Ok(());
                wrap(Side::Model, inner, &mut |inner| {
                    let mut put = Put::again(inner, sites, position, std::mem::take(&mut leaves));
                    body(&mut put);
                    result = put.check_complete();
                    leaves = put.leaves;
                    let (jacobians, _) = first.get_or_insert_with(|| (put.jacobians.clone(), total(put.terms)));
                    if let Some(site) = differs(jacobians, &put.jacobians) {
                        let problem = "its support depends on a site that is summed over, so that its numbers have another meaning \
                                       for each value; give it a support that does not";
                        result = Err(wrong(sites[site].name.clone(), problem));
                    }
                });
                result
            })
        };
        let enumerated = Enumerated::checked(rerun, check)?;
        Ok((enumerated, first.map_or_else(Tensor::zeros, |(_, jacobian)| jacobian), leaves))
    }
}

/// The first site whose Jacobian is another one, or that has one in one run alone. NaN is as good as NaN.
fn differs(one: &[(usize, f64)], other: &[(usize, f64)]) -> Option<usize> {
    let same = |a: &(usize, f64), b: &(usize, f64)| a.0 == b.0 && (a.1 == b.1 || (a.1.is_nan() && b.1.is_nan()));
    let pair = one.iter().zip(other).find(|(a, b)| !same(a, b)).map(|(a, _)| a.0);
    let longer = if one.len() > other.len() { one } else { other };
    pair.or_else(|| longer.get(one.len().min(other.len())).map(|(place, _)| *place))
}
