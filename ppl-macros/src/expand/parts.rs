//! What all items of one function share: its names, attributes, generics and arguments.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, GenericParam, Generics, LifetimeParam, Pat, ReturnType, Type, Visibility};

use super::generics::{self, Names};
use super::lifetimes::{self, Namer};
use super::trace::trace_ident;
use crate::checked::{Checked, Content};

/// The shared parts.
pub(crate) struct Parts<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    /// The documentation, for the value.
    pub(crate) docs: Vec<&'a Attribute>,
    /// `cfg`, for every item.
    pub(crate) cfgs: Vec<&'a Attribute>,
    /// Lints and the like, for the method that holds the body.
    pub(crate) others: Vec<&'a Attribute>,
    /// The parameters that no argument determines: they sit on the value. Without bounds.
    pub(crate) value: Generics,
    /// All parameters, with names for elided lifetimes.
    pub(crate) all: Generics,
    /// The parameters that the trace's fields mention.
    pub(crate) kept: Generics,
    pub(crate) patterns: Vec<&'a Pat>,
    pub(crate) arguments: Vec<Type>,
    pub(crate) output: TokenStream,
    pub(crate) trace: Ident,
    pub(crate) values: Ident,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(checked: &'a Checked) -> Self {
        let item = &checked.item;
        let (signature, ident) = (&item.sig, &item.sig.ident);
        let mut namer = Namer::each();
        let typed = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        let (patterns, arguments): (Vec<&Pat>, Vec<Type>) =
            typed.map(|typed| (&*typed.pat, namer.name(&typed.ty))).unzip();
        let output = match &signature.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => {
                let lifetime = lifetimes::of_return(signature, &namer.fresh);
                Namer::all(lifetime).name(ty).into_token_stream()
            }
        };
        let determined = generics::constrained(&arguments);
        let value = generics::bare(&generics::keep(&signature.generics, |name| !determined.contains(name)));
        let mentioned = field_mentions(checked);
        let is = |attribute: &&Attribute, words: [&str; 2]| words.iter().any(|word| attribute.path().is_ident(word));
        Parts {
            ident,
            vis: &item.vis,
            docs: item.attrs.iter().filter(|a| is(a, ["doc", "deprecated"])).collect(),
            cfgs: item.attrs.iter().filter(|a| is(a, ["cfg", "cfg"])).collect(),
            others: item.attrs.iter().filter(|a| !is(a, ["doc", "deprecated"]) && !is(a, ["cfg", "cfg"])).collect(),
            value,
            all: with_lifetimes(generics::keep(&signature.generics, |_| true), &namer),
            kept: generics::keep(&signature.generics, |name| mentioned.contains(name)),
            patterns,
            arguments,
            output,
            trace: trace_ident(ident),
            values: format_ident!("{}Values", camel(ident), span = ident.span()),
        }
    }

    /// The value's type: `vae<H>`.
    pub(crate) fn value_type(&self) -> TokenStream {
        applied(self.ident, &self.value)
    }

    /// The arguments as a tuple type.
    pub(crate) fn tuple(&self) -> TokenStream {
        let arguments = &self.arguments;
        quote!((#(#arguments,)*))
    }

    /// The trace's type with its own parameters.
    pub(crate) fn trace_type(&self) -> TokenStream {
        applied(&self.trace, &self.kept)
    }

    /// The values' type with the trace's parameters.
    pub(crate) fn values_type(&self) -> TokenStream {
        applied(&self.values, &self.kept)
    }
}

fn applied(ident: &Ident, generics: &Generics) -> TokenStream {
    let (_, arguments, _) = generics.split_for_impl();
    quote!(#ident #arguments)
}

fn field_mentions(checked: &Checked) -> Names {
    generics::mentioned(checked.fields.iter().map(|field| match &field.content {
        Content::Value(ty) | Content::Trace { ty, .. } => ty,
    }))
}

fn with_lifetimes(mut generics: Generics, namer: &Namer) -> Generics {
    for lifetime in namer.fresh.iter().rev() {
        generics.params.insert(0, GenericParam::Lifetime(LifetimeParam::new(lifetime.clone())));
    }
    generics
}

/// `vae_guide` in camel case: `VaeGuide`.
pub(crate) fn camel(ident: &Ident) -> String {
    let text = ident.unraw().to_string();
    text.split('_').flat_map(capitalised).collect()
}

fn capitalised(word: &str) -> impl Iterator<Item = char> + '_ {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters)
}
