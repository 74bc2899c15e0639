//! The typed trace: one field for each site that has a type, and how it is read.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{PathArguments, Type};

use super::parts::{Parts, camel};
use crate::checked::{Checked, Content, Field};

/// The name of a function's trace: `vae_guide` has `VaeGuideTrace`.
pub(crate) fn trace_ident(function: &Ident) -> Ident {
    format_ident!("{}Trace", camel(function), span = function.span())
}

// Input:  `let z: T = sample!("z", ..); if c { sample!("y": U, ..); }`
// Output: `struct VaeTrace { z: Site<T>, y: Option<Site<U>> }` and `impl TypedTrace`
pub(crate) fn items(checked: &Checked, parts: &Parts<'_>) -> TokenStream {
    let Parts { vis, cfgs, trace, kept, .. } = parts;
    let (params, arguments, rules) = kept.split_for_impl();
    let values = parts.values_type();
    let fields = checked.fields.iter().map(|field| declaration(field, parts));
    let reads = checked.fields.iter().map(read);
    let doc = format!("A run of [`{}`] as a struct: one field for each of its sites that has a type.", parts.ident);
    let reader = if checked.fields.is_empty() { quote!(_) } else { quote!(__ppl_reader) };
    quote! {
        #[doc = #doc]
        #(#cfgs)*
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #[allow(dead_code)]
        #vis struct #trace #params #rules {
            #(#fields,)*
        }
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::ppl::__private::TypedTrace for #trace #arguments #rules {
            type Values = #values;
            fn read(
                #reader: &::ppl::__private::TraceReader<'_>,
            ) -> ::core::result::Result<Self, ::ppl::__private::Error> {
                ::core::result::Result::Ok(Self { #(#reads,)* })
            }
        }
    }
}

fn declaration(field: &Field, parts: &Parts<'_>) -> TokenStream {
    let Field { pattern, ident, .. } = field;
    let vis = parts.vis;
    let content = match &field.content {
        Content::Value(ty) => quote!(::ppl::__private::Site<#ty>),
        Content::Trace { ty, own } => submodel(ty, *own && field.indices == 0, parts),
    };
    let ty = match (index_type(field), field.conditional) {
        (Some(index), _) => quote!(::ppl::__private::BTreeMap<#index, #content>),
        (None, true) => quote!(::core::option::Option<#content>),
        (None, false) => content,
    };
    let doc = format!("`{pattern}`");
    quote! { #[doc = #doc] #vis #ident: #ty }
}

/// The index of a family: `usize`, or a tuple for several; `None` for a single site.
pub(crate) fn index_type(field: &Field) -> Option<TokenStream> {
    let index = quote!(::core::primitive::usize);
    match field.indices {
        0 => None,
        1 => Some(index),
        n => {
            let all = std::iter::repeat_n(index, n);
            Some(quote!((#(#all),*)))
        }
    }
}

/// A submodel's trace. The model's own gets its parameters, and a box where a map does not hold it already.
pub(crate) fn submodel(ty: &Type, boxed: bool, parts: &Parts<'_>) -> TokenStream {
    let mut tokens = ty.to_token_stream();
    if let Type::Path(path) = ty
        && path.path.is_ident(&parts.trace)
        && path.path.segments.iter().all(|segment| matches!(segment.arguments, PathArguments::None))
    {
        tokens = parts.trace_type();
    }
    if boxed { quote!(::ppl::__private::Box<#tokens>) } else { tokens }
}

fn read(field: &Field) -> TokenStream {
    let Field { pattern, ident, .. } = field;
    let method = match (&field.content, field.indices > 0, field.conditional) {
        (Content::Value(_), true, _) => quote!(family),
        (Content::Value(_), false, true) => quote!(optional),
        (Content::Value(_), false, false) => quote!(site),
        (Content::Trace { .. }, true, _) => quote!(submodel_family),
        (Content::Trace { .. }, false, true) => quote!(optional_submodel),
        (Content::Trace { .. }, false, false) => quote!(submodel),
    };
    quote! { #ident: __ppl_reader.#method(#pattern)? }
}
