//! `impl Guide`, and the checks that a guide samples exactly what its model leaves open.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprPath, GenericArgument, GenericParam, Generics, Path, Type, parse_quote};

use super::generics;
use super::parts::Parts;
use crate::checked::{Checked, Site};
use crate::messages;

/// `impl Guide` and the constants whose evaluation is the check.
pub(crate) fn items(checked: &Checked, parts: &Parts<'_>, model: Option<&Path>, observed: &[Ident]) -> TokenStream {
    let Some(model) = model else { return TokenStream::new() };
    let mut items = is_guide(model, parts);
    if !checked.broken {
        items.extend(checks(checked, parts, model, observed));
    }
    items
}

fn is_guide(model: &Path, parts: &Parts<'_>) -> TokenStream {
    let mentioned = generics::mentioned([&parse_quote!(#model)]);
    let on_value = |name: &str| parts.value.params.iter().any(|param| generics::name(param) == name);
    let generics = generics::bare(&generics::keep(&parts.all, |name| mentioned.contains(name) || on_value(name)));
    let (params, _, _) = generics.split_for_impl();
    let (cfgs, value) = (&parts.cfgs, parts.value_type());
    quote! {
        #(#cfgs)*
        #[automatically_derived]
        impl #params ::ppl::__private::Guide<#model> for #value {}
    }
}

// Input:  `#[guide(vae, observed(x))] fn g() { sample!("z", ..); }`
// Output: `const _: () = check_site(<vae as Sites>::SITES, "z", ..);` for each name, at it, and
//         `const _: () = check_guide(<vae as Sites>::SITES, &["z"], &["x"]);` at `g`
fn checks(checked: &Checked, parts: &Parts<'_>, model: &Path, observed: &[Ident]) -> TokenStream {
    let cfgs = &parts.cfgs;
    let name = &model.segments[model.segments.len() - 1].ident;
    let sites = {
        let concrete = without_parameters(model, &checked.item.sig.generics);
        quote!(<#concrete as ::ppl::__private::Sites>::SITES)
    };
    let own: Vec<&Site> = checked.sites.iter().filter(|site| !site.auxiliary).collect();
    let unknown = own.iter().filter(|site| !site.pattern.contains('/')).map(|Site { pattern, span, .. }| {
        let message = messages::unknown_in_model(name, pattern);
        quote_spanned! {*span=> #(#cfgs)* const _: () = ::ppl::__private::check_site(#sites, #pattern, #message); }
    });
    let unknown_observed = observed.iter().map(|site| {
        let (pattern, message) = (site.to_string(), messages::unknown_observed(name, site));
        quote_spanned! {site.span()=> #(#cfgs)* const _: () = ::ppl::__private::check_site(#sites, #pattern, #message); }
    });
    let sampled = own.iter().map(|site| &site.pattern);
    let observed_names = observed.iter().map(ToString::to_string);
    let complete = quote_spanned! {parts.ident.span()=>
        #(#cfgs)* const _: () = ::ppl::__private::check_guide(#sites, &[#(#sampled),*], &[#(#observed_names),*]);
    };
    quote! { #(#unknown)* #(#unknown_observed)* #complete }
}

// A constant cannot mention the guide's parameters. The model's list of sites does not depend on them, so any
// arguments will do.
//
// Input:  `models::vae::<H, T>` in `fn guide<const H: usize, T>()`
// Output: `models::vae::<0, ()>`
fn without_parameters(model: &Path, generics: &Generics) -> Path {
    let mut path = model.clone();
    Concrete(generics).visit_path_mut(&mut path);
    path
}

struct Concrete<'a>(&'a Generics);

impl VisitMut for Concrete<'_> {
    fn visit_generic_argument_mut(&mut self, argument: &mut GenericArgument) {
        let named = match argument {
            GenericArgument::Lifetime(lifetime) => Some(lifetime.to_string()),
            GenericArgument::Type(Type::Path(path)) => path.path.get_ident().map(ToString::to_string),
            GenericArgument::Const(Expr::Path(ExprPath { path, .. })) => path.get_ident().map(ToString::to_string),
            _ => None,
        };
        let param = self.0.params.iter().find(|param| Some(generics::name(param)) == named);
        if let Some(param) = param {
            *argument = any_of(param);
            return;
        }
        if let GenericArgument::Type(ty) = argument
            && self.0.params.iter().any(|param| generics::mentioned([&*ty]).contains(&generics::name(param)))
        {
            *argument = parse_quote!(());
            return;
        }
        visit_mut::visit_generic_argument_mut(self, argument);
    }
}

fn any_of(param: &GenericParam) -> GenericArgument {
    match param {
        GenericParam::Lifetime(_) => parse_quote!('static),
        GenericParam::Type(_) => parse_quote!(()),
        GenericParam::Const(param) => match &param.ty {
            Type::Path(path) if path.path.is_ident("bool") => parse_quote!(false),
            Type::Path(path) if path.path.is_ident("char") => parse_quote!('_'),
            _ => parse_quote!(0),
        },
    }
}
