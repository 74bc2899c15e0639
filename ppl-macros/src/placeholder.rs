//! The placeholder `__ppl_call!(3)` that stands for a call while the body is taken apart and put together again.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use syn::{Expr, parse_quote};

const WORD: &str = "__ppl_call";

/// The placeholder of the call with this index, in the call's place.
pub(crate) fn expr(id: usize, span: Span) -> Expr {
    let id = Literal::usize_unsuffixed(id);
    let word = Ident::new(WORD, span);
    parse_quote!(#word!(#id))
}

/// The index in a placeholder.
pub(crate) fn id(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Macro(call) if call.mac.path.is_ident(WORD) => call.mac.tokens.to_string().parse().ok(),
        _ => None,
    }
}

/// Replaces every `word!(..)` for which `replace` has something, at any depth.
pub(crate) fn replace_macros(
    tokens: TokenStream,
    replace: &mut dyn FnMut(&Ident, &Group) -> Option<TokenStream>,
) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut out = TokenStream::new();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        if let Some(replaced) = macro_call(&trees[at..]).and_then(|(word, group)| replace(word, group)) {
            out.extend(replaced);
            at += 3;
            continue;
        }
        out.extend([match tree {
            TokenTree::Group(group) => TokenTree::Group(inside(group, replace)),
            other => other.clone(),
        }]);
        at += 1;
    }
    out
}

/// Replaces every placeholder by what `fill` gives for its index.
pub(crate) fn fill(tokens: TokenStream, fill: &mut dyn FnMut(usize) -> TokenStream) -> TokenStream {
    replace_macros(tokens, &mut |word, group| (word == WORD).then(|| fill(number(group))))
}

/// The indices of all placeholders, in the order in which they stand.
pub(crate) fn ids(tokens: TokenStream) -> Vec<usize> {
    let mut ids = Vec::new();
    fill(tokens, &mut |id| {
        ids.push(id);
        TokenStream::new()
    });
    ids
}

fn macro_call(trees: &[TokenTree]) -> Option<(&Ident, &Group)> {
    match trees {
        [TokenTree::Ident(word), TokenTree::Punct(bang), TokenTree::Group(group), ..] if bang.as_char() == '!' => {
            Some((word, group))
        }
        _ => None,
    }
}

fn inside(group: &Group, replace: &mut dyn FnMut(&Ident, &Group) -> Option<TokenStream>) -> Group {
    let mut new = Group::new(group.delimiter(), replace_macros(group.stream(), replace));
    new.set_span(group.span());
    new
}

fn number(group: &Group) -> usize {
    group.stream().to_string().parse().expect("placeholders are written by us")
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn placeholders_are_found_and_filled_at_any_depth() {
        let (first, second) = (expr(0, Span::call_site()), expr(1, Span::call_site()));
        let body = quote!({ f(#first); vec![1, #second] });
        assert_eq!(ids(body.clone()), [0, 1]);
        let filled = fill(body, &mut |id| if id == 0 { quote!(a()) } else { quote!(b()) });
        assert_eq!(
            filled.to_string(),
            quote!({
                f(a());
                vec![1, b()]
            })
            .to_string()
        );
    }

    #[test]
    fn only_placeholders_carry_an_index() {
        assert_eq!(id(&expr(7, Span::call_site())), Some(7));
        assert_eq!(id(&parse_quote!(println!("7"))), None);
    }
}
