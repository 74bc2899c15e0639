//! Fixes the rows of plates, as a data loader does.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::plate::{Plate, Rows};

use super::Effect;

/// Gives the plates named their rows; a statement that asks for a subsample takes these instead.
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
        let rows = self.effect.0.iter().find(|(name, _)| name == plate.address.as_str()).map(|(_, rows)| rows.clone());
        match rows {
            Some(rows) if rows.iter().all(|row| row < plate.size) => plate.rows = Some(rows),
            Some(_) => {
                let problem = format!("a row beyond its {} elements was given", plate.size);
                self.inner.context().report(Error::Plate { plate: plate.address.to_string(), problem });
            }
            None => {}
        }
        self.inner.enter_plate(plate);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Subsample {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut SubsampleHandler { inner, effect: self });
    }
}
