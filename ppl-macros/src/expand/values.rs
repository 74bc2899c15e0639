//! The fields of the trace as values: what `condition`, `intervene` and `substitute` take.

use proc_macro2::TokenStream;
use quote::quote;

use super::generics;
use super::parts::Parts;
use super::trace::{index_type, submodel};
use crate::checked::{Checked, Content, Field};

// Input:  `let z: T = sample!("z", ..); sample!("w_{t}": U, ..);`
// Output: `struct VaeValues { z: Option<T>, w: BTreeMap<usize, U> }`, `Default` and `IntoValueMap`
pub(crate) fn items(checked: &Checked, parts: &Parts<'_>) -> TokenStream {
    let Parts { ident, vis, cfgs, values, kept, .. } = parts;
    let (params, arguments, rules) = kept.split_for_impl();
    let fields = checked.fields.iter().map(|field| declaration(field, parts));
    let names = checked.fields.iter().map(|field| &field.ident);
    let puts = checked.fields.iter().map(put);
    let map = if checked.fields.is_empty() { quote!(__ppl_map) } else { quote!(mut __ppl_map) };
    let doc = format!("Values for the sites of [`{ident}`]; those left out are sampled.");
    let of = values_of(parts);
    quote! {
        #[doc = #doc]
        #(#cfgs)*
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #[allow(dead_code)]
        #vis struct #values #params #rules {
            #(#fields,)*
        }
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::core::default::Default for #values #arguments #rules {
            fn default() -> Self {
                Self { #(#names: ::core::default::Default::default(),)* }
            }
        }
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::ppl::__private::IntoValueMap for #values #arguments #rules {
            fn into_value_map(self) -> ::ppl::__private::ValueMap {
                let #map = ::ppl::__private::ValueMap::new();
                #(#puts;)*
                __ppl_map
            }
        }
        #of
    }
}

fn values_of(parts: &Parts<'_>) -> TokenStream {
    let cfgs = &parts.cfgs;
    let both = |name: &str| {
        [&parts.value, &parts.kept].iter().any(|side| side.params.iter().any(|p| generics::name(p) == name))
    };
    let generics = generics::keep(&parts.all, both);
    let (params, _, rules) = generics.split_for_impl();
    let (value, values) = (parts.value_type(), parts.values_type());
    quote! {
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::ppl::__private::ValuesOf<#value> for #values #rules {}
    }
}

fn declaration(field: &Field, parts: &Parts<'_>) -> TokenStream {
    let Field { pattern, ident, .. } = field;
    let vis = parts.vis;
    let content = match &field.content {
        Content::Value(ty) => quote!(#ty),
        Content::Trace { ty, .. } => {
            let trace = submodel(ty, false, parts);
            quote!(<#trace as ::ppl::__private::TypedTrace>::Values)
        }
    };
    let ty = match (index_type(field), &field.content) {
        (Some(index), _) => quote!(::ppl::__private::BTreeMap<#index, #content>),
        (None, Content::Value(_)) => quote!(::core::option::Option<#content>),
        (None, Content::Trace { .. }) => quote!(::core::option::Option<::ppl::__private::Box<#content>>),
    };
    let doc = format!("`{pattern}`");
    quote! { #[doc = #doc] #vis #ident: #ty }
}

fn put(field: &Field) -> TokenStream {
    let Field { pattern, ident, .. } = field;
    let method = match (&field.content, field.indices > 0) {
        (Content::Value(_), false) => quote!(put),
        (Content::Value(_), true) => quote!(put_family),
        (Content::Trace { .. }, false) => quote!(put_submodel),
        (Content::Trace { .. }, true) => quote!(put_submodel_family),
    };
    quote! { __ppl_map.#method(#pattern, self.#ident) }
}
