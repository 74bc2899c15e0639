//! Fixes the rows of plates, as a data loader does.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::plate::{Plate, Rows};

use super::Effect;

/// Gives the plates named their rows; a statement that asks for all, or for a subsample, takes these
/// instead. One that gives its own must give the same.
#[derive(Clone, Debug, Default)]
pub struct Subsample(pub Vec<(String, Rows)>);

/// The handler of [`Subsample`].
struct SubsampleHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h Subsample,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for SubsampleHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        let rows = self.effect.0.iter().find(|(name, _)| name == plate.address.as_str());
        if let Some((_, rows)) = rows {
            plate.rows = Some(rows.clone());
        }
        self.inner.enter_plate(plate);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Subsample {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut SubsampleHandler { inner, effect: self });
    }
}
