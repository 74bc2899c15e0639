//! Names of sites: a literal, or a family's pattern with its indices, under the scopes of the
//! submodels it stands in.

use std::borrow::Cow;
use std::fmt;

use smallvec::SmallVec;

/// The indices of a family's site, `"z_{i}_{j}"`.
pub type Indices = SmallVec<[usize; 2]>;

/// The name of a site, parameter or plate.
///
/// Its text is the scopes of the submodels around it, each followed by `/`, and the literal with
/// its indices filled in: `"decoder/z_3"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    text: Cow<'static, str>,
    /// How many bytes of the text are scopes.
    scope: usize,
    pattern: Cow<'static, str>,
    indices: Indices,
}

impl Address {
    /// The name of a single site.
    pub fn fixed(name: &'static str) -> Self {
        Address { text: Cow::Borrowed(name), scope: 0, pattern: Cow::Borrowed(name), indices: Indices::new() }
    }

    /// The name of one site of a family: each `{}` of the pattern stands for an index.
    pub fn indexed(pattern: &'static str, indices: &[usize]) -> Self {
        let mut text = String::with_capacity(pattern.len() + 4 * indices.len());
        let mut parts = pattern.split("{}");
        text.push_str(parts.next().unwrap_or_default());
        for (part, index) in parts.zip(indices) {
            text.push_str(&index.to_string());
            text.push_str(part);
        }
        let indices = indices.iter().copied().collect();
        Address { text: Cow::Owned(text), scope: 0, pattern: Cow::Borrowed(pattern), indices }
    }

    /// The name of a site that stands for the one of this name: in the same scopes, with the same indices.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let with_suffix = |text: &str| Cow::Owned([text, suffix].concat());
        Address { text: with_suffix(&self.text), pattern: with_suffix(&self.pattern), ..self.clone() }
    }

    /// The same name under scopes, each of which ends in `/`.
    #[must_use]
    pub fn under(mut self, scope: &str) -> Self {
        if !scope.is_empty() {
            self.text = Cow::Owned([scope, &self.text].concat());
            self.scope += scope.len();
        }
        self
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scopes of the submodels around it: empty, or ending in `/`.
    pub fn scope(&self) -> &str {
        &self.text[..self.scope]
    }

    /// Whether this is its full name, or the pattern of its family in its scopes.
    pub fn is_named(&self, name: &str) -> bool {
        name == self.as_str() || name.strip_prefix(self.scope()) == Some(self.pattern())
    }

    /// The literal, with `{}` in the places of indices.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The indices of a family's site.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The whole name, to be kept.
    pub fn to_text(&self) -> Cow<'static, str> {
        self.text.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a full name is the pattern, or begins with what stands before its final `*` (`"net.*"`).
pub fn fits(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// The numbers in the places of `{}`, if `text` has the pattern's form.
pub(crate) fn indices_in(pattern: &str, text: &str) -> Option<Vec<usize>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut indices = Vec::new();
    for part in parts {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        indices.push(rest[..digits].parse().ok()?);
        rest = rest[digits..].strip_prefix(part)?;
    }
    rest.is_empty().then_some(indices)
}

/// What can index a family: any integer that is not negative.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot index a family of sites",
    note = "an index is an integer: usize, u8 to u64, or i32 and i64 that are not negative"
)]
pub trait SiteIndex: Copy {
    /// The index.
    ///
    /// # Panics
    /// If it is negative.
    fn to_index(self) -> usize;
}

macro_rules! site_index {
    ($($int:ident)*) => {$(
        impl SiteIndex for $int {
            #[track_caller]
            fn to_index(self) -> usize {
                usize::try_from(self).unwrap_or_else(|_| panic!("{self} cannot index a family of sites"))
            }
        }
        impl SiteIndex for &$int {
            #[track_caller]
            fn to_index(self) -> usize {
                (*self).to_index()
            }
        }
    )*};
}

site_index!(usize u8 u16 u32 u64 i32 i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_fills_in_its_indices_under_its_scopes() {
        let address = Address::indexed("x_{}_{}", &[3, 14]).under("enc/layer/");
        assert_eq!(address.as_str(), "enc/layer/x_3_14");
        assert_eq!((address.scope(), address.pattern(), address.indices()), ("enc/layer/", "x_{}_{}", &[3, 14][..]));
        let base = address.with_suffix("_base");
        assert_eq!((base.as_str(), base.scope()), ("enc/layer/x_3_14_base", "enc/layer/"));
        assert_eq!((base.pattern(), base.indices()), ("x_{}_{}_base", &[3, 14][..]));
        let named =
            ["enc/layer/x_3_14", "enc/layer/x_{}_{}", "x_{}_{}", "enc/layer/x_3_1"].map(|name| address.is_named(name));
        assert_eq!(named, [true, true, false, false]);
    }

    #[test]
    fn indices_are_read_back_from_a_scope() {
        assert_eq!(indices_in("step_{}", "step_12"), Some(vec![12]));
        assert_eq!(indices_in("x_{}_{}", "x_1_20"), Some(vec![1, 20]));
        assert_eq!(indices_in("step_{}", "step_"), None);
        assert_eq!(indices_in("step_{}", "stop_1"), None);
    }
}
