//! `#[derive(Module)]`: a struct of layers shows and lends its fields, one after the other.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Field, Fields, Index, Type, parse_quote};

use crate::messages;
use crate::mistakes::Mistakes;

/// A struct whose parameters are those of its layers.
pub(crate) struct ModuleStruct {
    input: DeriveInput,
    layers: Vec<Layer>,
}

/// A field that is a module.
struct Layer {
    member: TokenStream,
    name: String,
    ty: Type,
}

/// Reads a struct and its `#[module(skip)]` marks.
pub(crate) fn read(input: DeriveInput, mistakes: &mut Mistakes) -> Option<ModuleStruct> {
    let Data::Struct(data) = &input.data else {
        mistakes.at(input.ident.span(), messages::MODULE_NOT_STRUCT);
        return None;
    };
    let layers = layers(&data.fields, mistakes);
    mistakes.is_empty().then_some(ModuleStruct { input, layers })
}

fn layers(fields: &Fields, mistakes: &mut Mistakes) -> Vec<Layer> {
    let mut layers = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        if is_skipped(field, mistakes) {
            continue;
        }
        let index = Index { index: u32::try_from(at).unwrap_or(u32::MAX), span: Span::call_site() };
        let (member, name) = match &field.ident {
            Some(ident) => (quote!(#ident), ident.unraw().to_string()),
            None => (quote!(#index), at.to_string()),
        };
        layers.push(Layer { member, name, ty: field.ty.clone() });
    }
    layers
}

fn is_skipped(field: &Field, mistakes: &mut Mistakes) -> bool {
    let mut skipped = false;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("module")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            skipped |= meta.path.is_ident("skip");
            if meta.path.is_ident("skip") { Ok(()) } else { Err(meta.error(messages::MODULE_ATTRIBUTE)) }
        });
        mistakes.keep(parsed);
    }
    skipped
}

// Input:  `struct Net<const H: usize> { l1: Linear<4, H>, l2: Linear<H, 1> }`
// Output: `impl<const H: usize, __PplE: Dtype, __PplD: Backend<__PplE>> Module<__PplE, __PplD> for Net<H>
//          where Linear<4, H>: Module<__PplE, __PplD>, .. { fn visit(..) { visitor.field("l1", &self.l1); .. } .. }`
pub(crate) fn expand(module: &ModuleStruct) -> TokenStream {
    let ModuleStruct { input, layers } = module;
    let ident = &input.ident;
    let (_, arguments, _) = input.generics.split_for_impl();
    let (dtype, device) = (format_ident!("__PplE"), format_ident!("__PplD"));
    let bound = quote!(::ppl::__private::Module<#dtype, #device>);
    let mut generics = input.generics.clone();
    generics.params.push(parse_quote!(#dtype: ::ppl::__private::Dtype));
    generics.params.push(parse_quote!(#device: ::ppl::__private::Backend<#dtype>));
    let rules = generics.make_where_clause();
    for Layer { ty, .. } in layers {
        rules.predicates.push(parse_quote!(#ty: #bound));
    }
    rules.predicates.push(parse_quote!(Self: ::core::clone::Clone + ::ppl::__private::Shared + 'static));
    let (params, _, rules) = generics.split_for_impl();
    let shown = layers.iter().map(|Layer { member, name, .. }| quote!(__ppl_visitor.field(#name, &self.#member);));
    let lent = layers.iter().map(|Layer { member, name, .. }| quote!(__ppl_visitor.field(#name, &mut self.#member);));
    quote! {
        #[automatically_derived]
        impl #params #bound for #ident #arguments #rules {
            fn visit(&self, __ppl_visitor: &mut ::ppl::__private::Visitor<'_, #dtype, #device>) {
                #(#shown)*
            }
            fn visit_mut(&mut self, __ppl_visitor: &mut ::ppl::__private::VisitorMut<'_, #dtype, #device>) {
                #(#lent)*
            }
        }
    }
}
