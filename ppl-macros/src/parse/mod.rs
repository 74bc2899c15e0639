//! From tokens to our own tree; nothing is decided here, only broken syntax is reported.

use proc_macro2::TokenStream;
use syn::ItemFn;

use crate::ast::{Function, Head};
use crate::mistakes::Mistakes;

// What stands in the attribute.
pub(crate) mod attribute;
// What stands in the parentheses of one call.
mod call;
// Finds the calls in a body.
mod body;
// The control flow between them.
mod flow;

/// Reads an annotated function. `None` when it is no function at all.
pub(crate) fn function(head: Head, item: TokenStream, mistakes: &mut Mistakes) -> Option<Function> {
    let mut item: ItemFn = mistakes.keep(syn::parse2(item))?;
    let calls = body::take_calls(&mut item, mistakes);
    let flow = flow::of_block(&item.block, &calls);
    Some(Function { head, item, calls, flow })
}
