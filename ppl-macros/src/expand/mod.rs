//! From a checked function to the items it becomes. Nothing can fail here.

use proc_macro2::TokenStream;

use crate::ast::Kind;
use crate::checked::Checked;
use parts::Parts;

// Elided lifetimes get names.
pub(crate) mod lifetimes;
// Which generic parameters sit where.
pub(crate) mod generics;
// What the items share: names, generics, arguments.
mod parts;
// The value: a struct that stands for the function.
mod value;
// The trace's fields as a struct.
pub(crate) mod trace;
// The same fields as values to condition on.
mod values;
// What a guide may know of the model's sites.
mod site;
// The statements of the language in the body.
mod body;
// `impl Model`.
mod model;
// `impl Guide`, and the checks against the model.
mod guide;
// `derive(Module)`.
pub(crate) mod module_derive;
#[cfg(test)]
mod tests;

/// All items of an annotated function.
pub(crate) fn function(checked: &Checked) -> TokenStream {
    let parts = Parts::of(checked);
    let mut items = value::items(&parts);
    items.extend(model::items(checked, &parts));
    items.extend(trace::items(checked, &parts));
    items.extend(values::items(checked, &parts));
    items.extend(match &checked.head.kind {
        Kind::Model => site::items(checked, &parts),
        Kind::Guide { model, observed } => guide::items(checked, &parts, model.as_ref(), observed),
    });
    items
}
