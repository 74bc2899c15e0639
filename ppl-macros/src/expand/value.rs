//! The value that stands for the function: a struct of its name, and what makes one.

use proc_macro2::TokenStream;
use quote::quote;
use syn::GenericParam;

use super::parts::Parts;

/// The struct, its traits, and `impl Program`.
pub(crate) fn items(parts: &Parts<'_>) -> TokenStream {
    let (definition, make) = definition(parts);
    let Parts { ident, cfgs, value, .. } = parts;
    let (params, arguments, _) = value.split_for_impl();
    let name = ident.to_string();
    quote! {
        #definition
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::core::clone::Clone for #ident #arguments {
            fn clone(&self) -> Self {
                *self
            }
        }
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::core::marker::Copy for #ident #arguments {}
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::core::default::Default for #ident #arguments {
            fn default() -> Self {
                #make
            }
        }
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::core::fmt::Debug for #ident #arguments {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(#name)
            }
        }
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::ppl::__private::Program for #ident #arguments {
            type Base = Self;
            const NAME: &'static str = #name;
        }
    }
}

// Input:  `fn vae<const H: usize>()`
// Output: `struct vae<const H: usize>;`, which is a value by itself, `vae::<400>`
//
// Input:  `fn vae<T>()`
// Output: `struct vae<T> { __ppl_of: PhantomData<T> }` and `fn vae<T>() -> vae<T>`
fn definition(parts: &Parts<'_>) -> (TokenStream, TokenStream) {
    let Parts { ident, vis, docs, cfgs, value, .. } = parts;
    let (params, arguments, _) = value.split_for_impl();
    let phantoms: Vec<_> = value.params.iter().filter_map(phantom).collect();
    let head = quote! { #(#docs)* #(#cfgs)* #[allow(non_camel_case_types, dead_code)] };
    if phantoms.is_empty() {
        return (quote! { #head #vis struct #ident #params; }, quote!(#ident));
    }
    let of = quote!(__ppl_of: ::core::marker::PhantomData);
    let doc = format!("The value of [`{ident}`](struct@{ident}).");
    let items = quote! {
        #head #vis struct #ident #params { __ppl_of: ::core::marker::PhantomData<fn() -> (#(#phantoms,)*)> }
        #[doc = #doc]
        #(#cfgs)*
        #[allow(non_snake_case, dead_code)]
        #vis const fn #ident #params () -> #ident #arguments { #ident { #of } }
    };
    (items, quote!(#ident { #of }))
}

fn phantom(param: &GenericParam) -> Option<TokenStream> {
    match param {
        GenericParam::Type(param) => {
            let ident = &param.ident;
            Some(quote!(::core::marker::PhantomData<#ident>))
        }
        GenericParam::Lifetime(param) => {
            let lifetime = &param.lifetime;
            Some(quote!(&#lifetime ()))
        }
        GenericParam::Const(_) => None,
    }
}
