//! Names of sites: from the literal `"w_{t}"` to its pattern `w_{}`, its indices `[t]` and its field `w`.

use proc_macro2::{Ident, Span};
use syn::LitStr;

use crate::messages;

/// What a name literal says.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// The literal's text with every placeholder emptied: `w_{}`.
    pub(crate) pattern: String,
    /// The variables in the placeholders, in order.
    pub(crate) indices: Vec<Ident>,
    /// The field of the trace that this name becomes.
    pub(crate) field: Ident,
    /// Where the literal stands.
    pub(crate) span: Span,
}

impl Name {
    /// Whether the name stands for many sites, one for each index.
    pub(crate) fn is_family(&self) -> bool {
        !self.indices.is_empty()
    }
}

/// What stands in the place of a name where the verb takes none.
pub(crate) fn unnamed(word: &str, span: Span) -> Name {
    Name { pattern: format!("{word}!"), indices: Vec::new(), field: Ident::new(word, span), span }
}

/// How many indices a family may have: the traces of more are not implemented.
const MOST_INDICES: usize = 3;

/// A piece of the literal's text.
enum Piece {
    Text(String),
    Placeholder(String),
}

/// Reads a name literal; the error is the message to show at it.
pub(crate) fn read(literal: &LitStr) -> Result<Name, String> {
    let span = literal.span();
    let text = literal.value();
    let pieces = split(&text)?;
    let indices = pieces.iter().filter_map(placeholder).map(|p| index(p, span)).collect::<Result<Vec<_>, _>>()?;
    if indices.len() > MOST_INDICES {
        return Err(messages::too_many_indices(MOST_INDICES));
    }
    let field = field(&pieces).ok_or_else(|| messages::empty_name(&text))?;
    Ok(Name { pattern: pattern(&pieces), indices, field: identifier(&field, span), span })
}

fn placeholder(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Placeholder(inner) => Some(inner),
        Piece::Text(_) => None,
    }
}

fn split(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(open);
        let inner = after.strip_prefix('{').ok_or_else(|| messages::unbalanced_brace(text))?;
        let close = inner.find('}').ok_or_else(|| messages::unbalanced_brace(text))?;
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Placeholder(inner[..close].trim().to_owned()));
        rest = &inner[close + 1..];
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

fn index(inner: &str, span: Span) -> Result<Ident, String> {
    let mut ident = syn::parse_str::<Ident>(inner).map_err(|_| messages::bad_placeholder(inner))?;
    ident.set_span(span);
    Ok(ident)
}

fn pattern(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Placeholder(_) => "{}",
        })
        .collect()
}

/// The text without its placeholders, each taking one adjoining `_` with it; `None` when nothing is left.
fn field(pieces: &[Piece]) -> Option<String> {
    let mut field = String::new();
    let mut owed = false;
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                let text = if owed { text.strip_prefix('_').unwrap_or(text) } else { text };
                owed = owed && text.is_empty();
                field.extend(text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }));
            }
            Piece::Placeholder(_) if field.ends_with('_') => owed = field.pop().is_none(),
            Piece::Placeholder(_) => owed = true,
        }
    }
    field.contains(char::is_alphanumeric).then_some(field)
}

/// `text` as an identifier: raw when it is a keyword, with a `_` before a leading digit.
fn identifier(text: &str, span: Span) -> Ident {
    let parsed = syn::parse_str::<Ident>(text).or_else(|_| syn::parse_str::<Ident>(&format!("r#{text}")));
    let mut ident = parsed.unwrap_or_else(|_| Ident::new(&format!("_{text}"), span));
    ident.set_span(span);
    ident
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<(String, Vec<String>, String), String> {
        read(&LitStr::new(text, Span::call_site())).map(|n| {
            let indices = n.indices.iter().map(Ident::to_string).collect();
            (n.pattern, indices, n.field.to_string())
        })
    }

    #[test]
    fn literals_become_patterns_indices_and_fields() {
        let table = [
            ("z", "z", vec![], "z"),
            ("z_{t}", "z_{}", vec!["t"], "z"),
            ("z_{i}_{j}", "z_{}_{}", vec!["i", "j"], "z"),
            ("a_{ i }_b", "a_{}_b", vec!["i"], "a_b"),
            ("{t}_z", "{}_z", vec!["t"], "z"),
            ("z{t}", "z{}", vec!["t"], "z"),
            ("log-rate", "log-rate", vec![], "log_rate"),
            ("enc/z.1", "enc/z.1", vec![], "enc_z_1"),
            ("type", "type", vec![], "r#type"),
            ("self", "self", vec![], "_self"),
            ("1st", "1st", vec![], "_1st"),
            ("größe", "größe", vec![], "größe"),
        ];
        for (text, pattern, indices, field) in table {
            let expected = (pattern.to_owned(), indices.into_iter().map(String::from).collect(), field.to_owned());
            assert_eq!(name(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn bad_literals_say_why() {
        assert_eq!(name("z_{t+1}"), Err(messages::bad_placeholder("t+1")));
        assert_eq!(name("z_{}"), Err(messages::bad_placeholder("")));
        assert_eq!(name("z_{0}"), Err(messages::bad_placeholder("0")));
        assert_eq!(name("z_{t:?}"), Err(messages::bad_placeholder("t:?")));
        assert_eq!(name("z_{t"), Err(messages::unbalanced_brace("z_{t")));
        assert_eq!(name("z}"), Err(messages::unbalanced_brace("z}")));
        assert_eq!(name(""), Err(messages::empty_name("")));
        assert_eq!(name("z_{a}_{b}_{c}_{d}"), Err(messages::too_many_indices(3)));
        assert_eq!(name("{t}"), Err(messages::empty_name("{t}")));
    }
}
