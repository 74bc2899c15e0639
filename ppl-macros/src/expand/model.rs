//! `impl Model`: the function's body as the method that runs it.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Path;

use super::body::Body;
use super::parts::Parts;
use crate::ast::Kind;
use crate::checked::Checked;

// Input:  `fn vae(x: &X) -> R { body }`
// Output: `impl<'__ppl_0> Model<(&'__ppl_0 X,)> for vae { fn run(&self, h, (x,)) -> R { body } }`
pub(crate) fn items(checked: &Checked, parts: &Parts<'_>) -> TokenStream {
    let Parts { cfgs, others, output, all, .. } = parts;
    let (params, _, rules) = all.split_for_impl();
    let (value, tuple, trace) = (parts.value_type(), parts.tuple(), parts.trace_type());
    let (dtype, device) = (&checked.head.dtype, &checked.head.device);
    let handler = format_ident!("__ppl_h", span = Span::mixed_site());
    let arguments = format_ident!("__ppl_arguments", span = Span::mixed_site());
    let body = body(checked, parts, &arguments);
    quote! {
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::ppl::__private::Model<#tuple> for #value #rules {
            type E = #dtype;
            type D = #device;
            type Output = #output;
            type Trace = #trace;
            #(#others)*
            fn run(
                &self,
                #handler: &mut dyn ::ppl::__private::Handler<Self::E, Self::D>,
                #arguments: #tuple,
            ) -> #output {
                #body
            }
        }
    }
}

fn body(checked: &Checked, parts: &Parts<'_>, arguments: &proc_macro2::Ident) -> TokenStream {
    if checked.broken {
        return quote! { ::core::unreachable!("this function does not compile") };
    }
    let patterns = &parts.patterns;
    let body = Body::of(checked, parts).block(&checked.item.block);
    let same = match &checked.head.kind {
        Kind::Guide { model: Some(model), .. } => same_arguments(model, checked, parts),
        _ => TokenStream::new(),
    };
    quote! {
        #same
        let (#(#patterns,)*) = #arguments;
        #body
    }
}

/// The guide's arguments must be its model's.
fn same_arguments(model: &Path, checked: &Checked, parts: &Parts<'_>) -> TokenStream {
    let arguments = parts.tuple();
    let span = checked.item.sig.paren_token.span.join();
    let model = at(span, model.to_token_stream());
    quote_spanned! {span=>
        ::ppl::__private::same_arguments::<#model, #arguments, Self::E, Self::D>();
        #[allow(unused_imports)]
        use ::ppl::__private::{AnySite as _, SiteOfModel as _};
    }
}

/// The same tokens, as if they stood elsewhere: where an error about them belongs.
fn at(span: Span, tokens: TokenStream) -> TokenStream {
    let moved = |mut tree: TokenTree| {
        tree.set_span(span.resolved_at(tree.span()));
        tree
    };
    tokens.into_iter().map(moved).collect()
}
