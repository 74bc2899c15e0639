//! Decides what every call means and where it may stand; collects mistakes and prints nothing.

use crate::ast::{Function, Kind};
use crate::checked::Checked;
use crate::mistakes::Mistakes;

// The function's signature.
pub(crate) mod signature;
// The arguments of each call.
mod arguments;
// Control flow.
mod paths;
// Names, types and fields.
mod fields;
#[cfg(test)]
mod tests;

/// Checks an annotated function. What has a mistake is left out of the result.
pub(crate) fn function(function: Function, mistakes: &mut Mistakes) -> Checked {
    let Function { head, item, calls, flow } = function;
    signature::check(&head, &item.sig, mistakes);
    let bound = signature::Bound::of(&item);
    let observed = signature::ObservedTypes::of(&item, &bound);
    let around =
        arguments::Around { guide: matches!(head.kind, Kind::Guide { .. }), observed: &observed, bound: &bound };
    let mut actions: Vec<_> = calls.into_iter().map(|call| arguments::action(call, &around, mistakes)).collect();
    fields::unify(&mut actions, &item.sig.ident, &bound, mistakes);
    let placements = paths::place(&flow, &actions, mistakes);
    let fields = fields::fields(&actions, &placements, &item.sig.ident, mistakes);
    let sites = fields::sites(&actions);
    Checked { head, item, actions, sites, fields, broken: !mistakes.is_empty() }
}
