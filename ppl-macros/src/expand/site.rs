//! What a guide may know of a model's sites: their names, and the types of their values.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::parts::Parts;
use crate::checked::{Checked, Site};
use crate::messages;

/// `impl Sites` and an `impl HasSite` for each site.
pub(crate) fn items(checked: &Checked, parts: &Parts<'_>) -> TokenStream {
    let list = list(checked, parts);
    let each = checked.sites.iter().map(|site| has_site(site, parts));
    quote! { #list #(#each)* }
}

fn list(checked: &Checked, parts: &Parts<'_>) -> TokenStream {
    let Parts { ident, cfgs, value, .. } = parts;
    let (params, arguments, _) = value.split_for_impl();
    let sites = checked.sites.iter().map(|Site { pattern, latent, .. }| {
        let missing = messages::missing_in_guide(ident, pattern);
        quote! { ::ppl::__private::SiteInfo { name: #pattern, latent: #latent, missing: #missing } }
    });
    quote! {
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::ppl::__private::Sites for #ident #arguments {
            const SITES: &'static [::ppl::__private::SiteInfo] = &[#(#sites),*];
        }
    }
}

// Input:  `let z: T = sample!("z", ..);`
// Output: `impl HasSite<Ch<'z'>, (A,)> for vae { type Value = T; }`
fn has_site(site: &Site, parts: &Parts<'_>) -> TokenStream {
    let cfgs = &parts.cfgs;
    let (params, _, rules) = parts.all.split_for_impl();
    let (key, tuple, value) = (key(&site.pattern), parts.tuple(), parts.value_type());
    let ty = match &site.ty {
        Some(ty) => quote!(#ty),
        None => quote!(::ppl::__private::Untyped),
    };
    quote! {
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::ppl::__private::HasSite<#key, #tuple> for #value #rules {
            type Value = #ty;
        }
    }
}

// Input:  `z1`
// Output: `Ch<'z', Ch<'1'>>`
pub(crate) fn key(pattern: &str) -> TokenStream {
    pattern.chars().rev().fold(TokenStream::new(), |rest, letter| {
        let letter = Literal::character(letter);
        if rest.is_empty() {
            quote!(::ppl::__private::Ch<#letter>)
        } else {
            quote!(::ppl::__private::Ch<#letter, #rest>)
        }
    })
}
