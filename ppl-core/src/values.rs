//! Values that a site can hold, with and without their type, and maps of them by name.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;

use dfdx::shapes::{Shape, Unit};
use dfdx::tensor::{Storage, TensorFromVec};
use indexmap::IndexMap;

use crate::address::Address;
use crate::backend::{Backend, Device};
use crate::dtype::Dtype;
use crate::shared::Shared;
use crate::tensor::{Tensor, shape_from_dims};

// Plain numbers as `f64` and back.
mod number;

use number::Number;

/// A type that a site's value can have: tensors, numbers, `bool`, vectors of them, and any type of
/// the user's for which this trait is implemented.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a site",
    note = "values are tensors, numbers, bool, vectors of them, or types of yours with `impl SiteValue`"
)]
pub trait SiteValue: Clone + Debug + Shared + 'static {
    /// The shape, where the value has one.
    fn dims(&self) -> Vec<usize> {
        Vec::new()
    }

    /// The value without its part in differentiation.
    #[must_use]
    fn detach(&self) -> Self {
        self.clone()
    }

    /// The numbers of a tensor of them, as a flat tensor of the same type; `None` for other values.
    fn to_numbers(&self) -> Option<Box<dyn Any>> {
        None
    }

    /// The value of the given sizes with the numbers of a flat tensor, the reverse of
    /// [`SiteValue::to_numbers`].
    fn from_numbers(numbers: &dyn Any, dims: &[usize]) -> Option<Self> {
        let _ = (numbers, dims);
        None
    }

    /// Its numbers, each as an `f64`, in row-major order: what is kept of a draw. `None` for values that are
    /// not made of numbers.
    fn to_f64s(&self) -> Option<Vec<f64>> {
        None
    }

    /// The value of the given sizes with these numbers, the reverse of [`SiteValue::to_f64s`]; `None` where
    /// there is none.
    fn from_f64s(numbers: &[f64], dims: &[usize]) -> Option<Self> {
        let _ = (numbers, dims);
        None
    }

    /// What of the value belongs to one of `count` elements, the one `at` this position: for errors.
    fn shown_at(&self, at: usize, count: usize) -> String {
        if count == 1 { format!("{self:?}") } else { format!("element {at} of {self:?}") }
    }
}

/// What a tensor shows of one of `count` elements: its first few numbers of many.
fn shown_part<S: Shape, E: Unit, D: Storage<E> + Device>(tensor: &Tensor<S, E, D>, at: usize, count: usize) -> String {
    const SHOWN: usize = 8;
    let values = tensor.to_vec();
    let len = values.len().checked_div(count).unwrap_or(0);
    match values.get(at * len..(at + 1) * len) {
        Some([number]) => format!("{number:?}"),
        Some(part) if len > SHOWN => format!("{:?}…", &part[..SHOWN]),
        Some(part) => format!("{part:?}"),
        None => format!("{tensor:?}"),
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> SiteValue for Tensor<S, E, D> {
    fn dims(&self) -> Vec<usize> {
        Tensor::dims(self)
    }
    fn detach(&self) -> Self {
        self.untracked()
    }
    fn to_numbers(&self) -> Option<Box<dyn Any>> {
        Some(Box::new(self.flat()))
    }
    fn from_numbers(numbers: &dyn Any, dims: &[usize]) -> Option<Self> {
        let numbers: &Tensor<(usize,), E, D> = numbers.downcast_ref()?;
        numbers.clone().try_reshape_like(&shape_from_dims::<S>(dims)?).ok()
    }
    fn to_f64s(&self) -> Option<Vec<f64>> {
        Some(self.read(|numbers| numbers.iter().map(|x| x.wide()).collect()))
    }
    fn from_f64s(numbers: &[f64], dims: &[usize]) -> Option<Self> {
        from_elements(numbers.iter().map(|&x| E::of(x)).collect(), dims)
    }
    fn shown_at(&self, at: usize, count: usize) -> String {
        shown_part(self, at, count)
    }
}

/// A tensor of the given sizes.
fn from_elements<S: Shape, E: Unit, D: Device + TensorFromVec<E>>(
    elements: Vec<E>,
    dims: &[usize],
) -> Option<Tensor<S, E, D>> {
    let shape = shape_from_dims::<S>(dims)?;
    Tensor::try_from_vec(elements, shape).ok()
}

macro_rules! tensors_of {
    ($($T:ty),*) => {$(
        impl<S: Shape, D: Storage<$T> + Device + TensorFromVec<$T>> SiteValue for Tensor<S, $T, D> {
            fn dims(&self) -> Vec<usize> {
                Tensor::dims(self)
            }
            fn detach(&self) -> Self {
                self.untracked()
            }
            fn to_f64s(&self) -> Option<Vec<f64>> {
                self.to_vec().iter().map(Number::to_f64).collect()
            }
            fn from_f64s(numbers: &[f64], dims: &[usize]) -> Option<Self> {
                let elements: Option<Vec<$T>> = numbers.iter().map(|&x| Number::from_f64(x)).collect();
                from_elements(elements?, dims)
            }
            fn shown_at(&self, at: usize, count: usize) -> String {
                shown_part(self, at, count)
            }
        }
    )*};
}

tensors_of!(usize, bool);

impl SiteValue for () {}
impl SiteValue for String {}

macro_rules! plain_values {
    ($($T:ty),*) => {$(
        impl SiteValue for $T {
            fn to_f64s(&self) -> Option<Vec<f64>> {
                Number::to_f64(self).map(|x| vec![x])
            }
            fn from_f64s(numbers: &[f64], dims: &[usize]) -> Option<Self> {
                if !dims.is_empty() {
                    return None;
                }
                <[f64; 1]>::try_from(numbers).ok().and_then(|[x]| Number::from_f64(x))
            }
        }
    )*};
}

plain_values!(bool, u8, u32, u64, usize, i32, i64, f32, f64);

impl<T: SiteValue> SiteValue for Vec<T> {
    fn dims(&self) -> Vec<usize> {
        vec![self.len()]
    }
    fn detach(&self) -> Self {
        self.iter().map(T::detach).collect()
    }
    fn to_f64s(&self) -> Option<Vec<f64>> {
        let parts: Option<Vec<Vec<f64>>> = self.iter().map(T::to_f64s).collect();
        // Only of plain numbers: the sizes of other elements would be lost.
        parts.filter(|parts| parts.iter().all(|part| part.len() == 1)).map(|parts| parts.concat())
    }
    fn from_f64s(numbers: &[f64], dims: &[usize]) -> Option<Self> {
        (dims == [numbers.len()]).then(|| numbers.iter().map(|x| T::from_f64s(&[*x], &[])).collect())?
    }
}

/// A value whose type is known only at run time.
pub trait AnyValue: Any + Shared + Debug {
    /// For downcasting.
    fn as_any(&self) -> &dyn Any;
    /// A copy, shared where the value shares.
    fn boxed(&self) -> Box<dyn AnyValue>;
    /// A copy without its part in differentiation.
    fn detached(&self) -> Box<dyn AnyValue>;
    /// Its type's name, for errors.
    fn type_name(&self) -> &'static str;
    /// Its shape, where it has one.
    fn dims(&self) -> Vec<usize>;
    /// Its numbers, as [`SiteValue::to_f64s`].
    fn to_f64s(&self) -> Option<Vec<f64>>;
}

impl<T: SiteValue> AnyValue for T {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn boxed(&self) -> Box<dyn AnyValue> {
        Box::new(self.clone())
    }
    fn detached(&self) -> Box<dyn AnyValue> {
        Box::new(self.detach())
    }
    fn type_name(&self) -> &'static str {
        std::any::type_name::<T>()
    }
    fn dims(&self) -> Vec<usize> {
        SiteValue::dims(self)
    }
    fn to_f64s(&self) -> Option<Vec<f64>> {
        SiteValue::to_f64s(self)
    }
}

impl Clone for Box<dyn AnyValue> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

/// Values by the full names of their sites; what `condition`, `intervene` and `substitute` take.
///
/// A model's own `…Values` struct is the checked way to make one.
#[derive(Clone, Debug, Default)]
pub struct ValueMap {
    values: IndexMap<String, Box<dyn AnyValue>>,
}

impl ValueMap {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of the site `name`; `None` leaves it unset.
    pub fn put<T: SiteValue>(&mut self, name: impl Into<String>, value: Option<T>) {
        if let Some(value) = value {
            self.values.insert(name.into(), Box::new(value));
        }
    }

    /// Sets a value whose type is known only at run time.
    pub fn put_any(&mut self, name: impl Into<String>, value: Box<dyn AnyValue>) {
        self.values.insert(name.into(), value);
    }

    /// Sets the values of a family: the pattern has a `{}` for each index.
    pub fn put_family<I: FamilyIndex, T: SiteValue>(&mut self, pattern: &'static str, values: BTreeMap<I, T>) {
        for (index, value) in values {
            self.put(Address::indexed(pattern, &index.to_indices()).as_str(), Some(value));
        }
    }

    /// Sets the values of a submodel under its scope.
    pub fn put_submodel<V: IntoValueMap>(&mut self, scope: &str, values: Option<Box<V>>) {
        if let Some(values) = values {
            for (name, value) in values.into_value_map().values {
                self.values.insert(format!("{scope}/{name}"), value);
            }
        }
    }

    /// Sets the values of a family of submodels.
    pub fn put_submodel_family<I: FamilyIndex, V: IntoValueMap>(&mut self, pattern: &'static str, all: BTreeMap<I, V>) {
        for (index, values) in all {
            self.put_submodel(Address::indexed(pattern, &index.to_indices()).as_str(), Some(Box::new(values)));
        }
    }

    /// The value of the site `name`.
    pub fn get(&self, name: &str) -> Option<&dyn AnyValue> {
        self.values.get(name).map(|value| &**value)
    }

    /// The names, in the order they were put.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// What becomes a [`ValueMap`].
pub trait IntoValueMap {
    /// The values by full name.
    fn into_value_map(self) -> ValueMap;
}

impl IntoValueMap for ValueMap {
    fn into_value_map(self) -> ValueMap {
        self
    }
}

/// The index of a family in a typed trace: `usize`, or a tuple for several.
pub trait FamilyIndex: Ord + Clone + Send + Sync + 'static {
    /// From the indices of a site; `None` if their number differs.
    fn from_indices(indices: &[usize]) -> Option<Self>;
    /// The indices in order.
    fn to_indices(&self) -> Vec<usize>;
}

impl FamilyIndex for usize {
    fn from_indices(indices: &[usize]) -> Option<Self> {
        <[usize; 1]>::try_from(indices).ok().map(|[i]| i)
    }
    fn to_indices(&self) -> Vec<usize> {
        vec![*self]
    }
}

impl FamilyIndex for (usize, usize) {
    fn from_indices(indices: &[usize]) -> Option<Self> {
        <[usize; 2]>::try_from(indices).ok().map(Into::into)
    }
    fn to_indices(&self) -> Vec<usize> {
        vec![self.0, self.1]
    }
}

impl FamilyIndex for (usize, usize, usize) {
    fn from_indices(indices: &[usize]) -> Option<Self> {
        <[usize; 3]>::try_from(indices).ok().map(Into::into)
    }
    fn to_indices(&self) -> Vec<usize> {
        vec![self.0, self.1, self.2]
    }
}

/// What `obs =` takes: a value, a reference to one, or an `Option` of either, where `None` means
/// "sample it".
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be observed where values are `{V}`",
    note = "obs = takes a value of the distribution's type, a reference to one, or an Option of either"
)]
pub trait IntoObserved<V> {
    /// The observed value, if any.
    fn into_observed(self) -> Option<V>;
}

impl<V: SiteValue> IntoObserved<V> for V {
    fn into_observed(self) -> Option<V> {
        Some(self)
    }
}

impl<V: SiteValue> IntoObserved<V> for &V {
    fn into_observed(self) -> Option<V> {
        Some(self.clone())
    }
}

impl<V: SiteValue> IntoObserved<V> for Option<V> {
    fn into_observed(self) -> Option<V> {
        self
    }
}

impl<V: SiteValue> IntoObserved<V> for Option<&V> {
    fn into_observed(self) -> Option<V> {
        self.cloned()
    }
}

impl<V: SiteValue> IntoObserved<V> for &Option<V> {
    fn into_observed(self) -> Option<V> {
        self.clone()
    }
}
