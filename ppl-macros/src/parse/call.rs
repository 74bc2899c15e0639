//! The arguments of one call: `"z": T, dist, obs = x`, the same for every verb.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Token, Type};

use crate::ast::Arg;

/// What stands between the parentheses.
pub(crate) struct Arguments {
    pub(crate) name: Expr,
    pub(crate) ty: Option<Type>,
    pub(crate) args: Vec<Arg>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        let ty = if input.parse::<Option<Token![:]>>()?.is_some() { Some(input.parse()?) } else { None };
        let mut args = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                args.push(input.parse()?);
            }
        }
        Ok(Arguments { name, ty, args })
    }
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let named =
            input.peek(syn::Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>]);
        if !named {
            return Ok(Arg::Plain(input.parse()?));
        }
        let key: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Arg::Named(key, input.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn read(tokens: proc_macro2::TokenStream) -> Arguments {
        syn::parse2(tokens).expect("well-formed arguments")
    }

    #[test]
    fn names_types_and_options_are_told_apart() {
        let call = read(quote!("z": Tensor<Rank1<3>>, Normal::new(a, b), obs = Some(x),));
        assert!(call.ty.is_some());
        assert!(matches!(call.args.as_slice(), [Arg::Plain(_), Arg::Named(key, _)] if key == "obs"));
    }

    #[test]
    fn a_comparison_is_no_option() {
        let call = read(quote!("z", a == b));
        assert!(matches!(call.args.as_slice(), [Arg::Plain(Expr::Binary(_))]));
    }
}
