//! What the compiler checks of a guide against its model: names, types and arguments, with our own
//! words for what does not fit.

use crate::values::SiteValue;

/// A name as a type: `Ch<'z', Ch<'1'>>` is "z1".
#[derive(Clone, Copy, Debug)]
pub struct Ch<const C: char, Rest = End>(std::marker::PhantomData<Rest>);

/// The end of a name.
#[derive(Clone, Copy, Debug)]
pub struct End;

/// The model has a site of the name `K` that a guide may sample.
#[diagnostic::on_unimplemented(
    message = "the model `{Self}` has no latent site of this name",
    label = "the model never samples this site",
    note = "a variable of the guide alone is `sample!(\"name\", distribution, auxiliary)`"
)]
pub trait HasSite<K, Args> {
    /// The type of its value, or [`Untyped`].
    type Value;
}

/// The value of a site that the model does not annotate with a type: checked at run time.
#[derive(Clone, Copy, Debug)]
pub struct Untyped;

/// A guide's value type that fits the model's.
#[diagnostic::on_unimplemented(
    message = "the guide samples `{Self}` here, but the model's site has values `{V}`",
    label = "this distribution's values have another type than the model's site"
)]
pub trait Fits<V> {}

impl<V: SiteValue> Fits<V> for V {}
impl<V: SiteValue> Fits<Untyped> for V {}

/// What a guide must know of a model's site.
#[derive(Clone, Copy, Debug)]
pub struct SiteInfo {
    /// The literal, with `{}` for indices.
    pub name: &'static str,
    /// Whether the model never observes it itself.
    pub latent: bool,
    /// What the compiler says to a guide that never samples it.
    pub missing: &'static str,
}

/// What `#[model]` made, with the list of its sites.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "`#[guide(..)]` names a function annotated with `#[model]`"
)]
pub trait Sites {
    /// Its sample sites, one for each name.
    const SITES: &'static [SiteInfo];
}

/// Checks, at compile time, that a guide samples every latent site of its model.
///
/// # Panics
/// If a latent site is neither sampled nor declared observed.
#[track_caller]
pub const fn check_guide(sites: &[SiteInfo], sampled: &[&str], observed: &[&str]) {
    let mut i = 0;
    while i < sites.len() {
        if sites[i].latent && !contains(sampled, sites[i].name) && !contains(observed, sites[i].name) {
            panic!("{}", sites[i].missing);
        }
        i += 1;
    }
}

/// Checks, at compile time, that a model has a site.
///
/// # Panics
/// With the message `unknown` if it has none.
#[track_caller]
pub const fn check_site(sites: &[SiteInfo], name: &str, unknown: &'static str) {
    let mut i = 0;
    while i < sites.len() {
        if equal(sites[i].name, name) {
            return;
        }
        i += 1;
    }
    panic!("{}", unknown);
}

const fn contains(names: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < names.len() {
        if equal(names[i], name) {
            return true;
        }
        i += 1;
    }
    false
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
