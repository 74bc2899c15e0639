//! The three phases in a row, from tokens to tokens.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Type, parse_quote};

use crate::ast::{Function, Kind, Verb};
use crate::expand::module_derive;
use crate::mistakes::Mistakes;
use crate::parse::attribute::{self, Annotation};
use crate::{check, expand, messages, parse};

/// `#[model]` or `#[guide]` on a function, with the dtype that its prelude speaks.
pub(crate) fn annotated(annotation: Annotation, dtype: &str, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let dtype = Ident::new(dtype, Span::call_site());
    let dtype: Type = parse_quote!(::core::primitive::#dtype);
    let head = attribute::head(annotation, dtype, args, &mut mistakes);
    let Some(function) = parse::function(head, item, &mut mistakes) else { return mistakes.to_compile_errors() };
    let stub = stub(&function);
    let checked = check::function(function, &mut mistakes);
    let mut out = mistakes.to_compile_errors();
    out.extend(stub.unwrap_or_else(|| expand::function(&checked)));
    out
}

/// What stands for a function that can be no model at all: its name resolves, and that is all.
fn stub(function: &Function) -> Option<TokenStream> {
    let (vis, signature) = (&function.item.vis, &function.item.sig);
    if signature.receiver().is_some() {
        let method =
            quote! { #[allow(unused)] #vis #signature { ::core::unreachable!("this method does not compile") } };
        return Some(method);
    }
    let hopeless = check::signature::has_impl_trait(signature);
    let unguided = matches!(function.head.kind, Kind::Guide { model: None, .. });
    let ident = &signature.ident;
    (hopeless || unguided).then(|| quote! { #[allow(non_camel_case_types, dead_code)] #vis struct #ident; })
}

/// A statement outside of an annotated function.
pub(crate) fn outside(verb: Verb) -> TokenStream {
    let message = messages::outside(verb);
    quote! { ::core::compile_error!(#message) }
}

/// `derive(Module)`.
pub(crate) fn module(input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let module = mistakes.keep(syn::parse2(input)).and_then(|input| module_derive::read(input, &mut mistakes));
    module.map_or_else(|| mistakes.to_compile_errors(), |module| module_derive::expand(&module))
}
