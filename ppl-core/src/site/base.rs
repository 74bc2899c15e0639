//! A site as the image of another one, made at run time: the object-safe face of
//! [`Distribution::with_base`].

use crate::backend::Backend;
use crate::distribution::{BaseForm, Distribution, TakeBase};
use crate::dtype::Dtype;
use crate::error::Error;
use crate::transform::{Flat, Map};
use crate::values::SiteValue;
use dfdx::shapes::Shape;

use super::typed::NO_NUMBERS;
use super::{SampleSite, SiteState, TypedSite};

/// Another site, and the one-to-one map from its value to that of the site which asked for it.
pub type BaseSite<E, D> = (Box<dyn SampleSite<E, D>>, Map<E, D>);

/// A site whose value can be found by way of another site.
pub trait HasBase<E: Dtype, D: Backend<E>> {
    /// A site of the distribution whose image this site's is, with this site's state (its name too) and
    /// no value; `None` where the distribution has no such form.
    fn base(&self, form: BaseForm) -> Option<BaseSite<E, D>>;

    /// The numbers of the value, flat.
    ///
    /// # Errors
    /// Without a value, or if it is no tensor of the model's dtype.
    fn flat(&self) -> Result<Flat<E, D>, Error>;

    /// Sets the value to these numbers in the distribution's shape.
    ///
    /// # Errors
    /// If there are more or fewer of them, or values are no tensors of the model's dtype.
    fn set_flat(&mut self, numbers: &Flat<E, D>) -> Result<(), Error>;
}

/// Makes a site of the base.
struct MakeSite(SiteState);

impl<B: Shape, E: Dtype, D: Backend<E>> TakeBase<E, D, B> for MakeSite {
    type Output = BaseSite<E, D>;

    fn take<P: Distribution<E, D, Batch = B>>(self, base: P, map: Map<E, D>) -> BaseSite<E, D> {
        (Box::new(TypedSite::new(self.0, base, None)), map)
    }
}

impl<P: Distribution<E, D>, E: Dtype, D: Backend<E>> HasBase<E, D> for TypedSite<P, E, D> {
    fn base(&self, form: BaseForm) -> Option<BaseSite<E, D>> {
        self.distribution().with_base(form, MakeSite(self.state().clone()))
    }

    fn flat(&self) -> Result<Flat<E, D>, Error> {
        let value = self.value().ok_or_else(|| self.problem("it has no value".into()))?;
        let numbers = value.as_any().downcast_ref::<P::Value>().and_then(SiteValue::to_numbers);
        let numbers = numbers.and_then(|numbers| numbers.downcast::<Flat<E, D>>().ok());
        numbers.map(|numbers| *numbers).ok_or_else(|| self.problem(NO_NUMBERS.into()))
    }

    fn set_flat(&mut self, numbers: &Flat<E, D>) -> Result<(), Error> {
        let (dims, found) = (self.dims(), numbers.numel());
        let expected: usize = dims.iter().product();
        if found != expected {
            return Err(self.problem(format!("{found} numbers were given for a value of shape {dims:?}")));
        }
        let value = P::Value::from_numbers(numbers, &dims).ok_or_else(|| self.problem(NO_NUMBERS.into()))?;
        self.set_value(&value, "numbers")
    }
}
