//! The attribute's arguments: `#[model(dtype = E, device = D)]`, `#[guide(vae, observed(x))]`.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Path, Token, Type, parenthesized, parse_quote};

use crate::ast::{Head, Kind};
use crate::messages;
use crate::mistakes::Mistakes;

/// Which annotation it is.
#[derive(Clone, Copy)]
pub(crate) enum Annotation {
    Model,
    Guide,
}

/// One argument of the attribute.
enum Item {
    Model(Path),
    Observed(Vec<Ident>),
    Dtype(Type),
    Device(Type),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(syn::Ident) && input.peek2(Token![=]) {
            return assignment(input);
        }
        let path: Path = input.parse()?;
        if path.is_ident("observed") && input.peek(syn::token::Paren) {
            let names;
            parenthesized!(names in input);
            let names = Punctuated::<Ident, Token![,]>::parse_terminated(&names)?;
            return Ok(Item::Observed(names.into_iter().collect()));
        }
        Ok(Item::Model(path))
    }
}

fn assignment(input: ParseStream<'_>) -> syn::Result<Item> {
    let key: Ident = input.parse()?;
    input.parse::<Token![=]>()?;
    match key.to_string().as_str() {
        "dtype" => Ok(Item::Dtype(input.parse()?)),
        "device" => Ok(Item::Device(input.parse()?)),
        other => Err(syn::Error::new(key.span(), messages::unknown_attribute_argument(other))),
    }
}

/// Reads the attribute's arguments; `dtype` is what they leave unsaid.
pub(crate) fn head(
    annotation: Annotation,
    dtype: Type,
    args: proc_macro2::TokenStream,
    mistakes: &mut Mistakes,
) -> Head {
    let items = mistakes.keep(Punctuated::<Item, Token![,]>::parse_terminated.parse2(args)).unwrap_or_default();
    let mut head = Head { kind: Kind::Model, dtype, device: parse_quote!(::ppl::__private::Cpu) };
    let (mut path, mut names) = (None, Vec::new());
    for item in items {
        match (item, annotation) {
            (Item::Dtype(ty), _) => head.dtype = ty,
            (Item::Device(ty), _) => head.device = ty,
            (Item::Observed(observed), Annotation::Guide) => names.extend(observed),
            (Item::Model(model), Annotation::Guide) if path.is_none() => path = Some(model),
            (Item::Model(extra), _) => mistakes.syntax(syn::Error::new_spanned(extra, messages::EXTRA_ATTRIBUTE)),
            (Item::Observed(extra), Annotation::Model) => {
                let span = extra.first().map_or_else(proc_macro2::Span::call_site, Ident::span);
                mistakes.at(span, messages::EXTRA_ATTRIBUTE);
            }
        }
    }
    if matches!(annotation, Annotation::Guide) {
        head.kind = Kind::Guide { model: path, observed: names };
    }
    head
}
