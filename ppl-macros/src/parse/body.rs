//! Finds the calls of the language in a body and puts placeholders in their stead.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ItemFn, Local, Macro, Pat, Path, Stmt, Token, Type};

use super::call::Arguments;
use crate::ast::{Arg, Call, Verb};
use crate::mistakes::Mistakes;
use crate::{messages, placeholder};

/// Takes every call out of the function's body, in the order of their ends.
pub(crate) fn take_calls(item: &mut ItemFn, mistakes: &mut Mistakes) -> Vec<Call> {
    let mut finder = Finder { calls: Vec::new(), mistakes };
    finder.visit_block_mut(&mut item.block);
    finder.calls
}

/// The arguments of somebody else's macro, if they are a list of expressions.
pub(crate) fn expressions(tokens: TokenStream) -> Option<Punctuated<Expr, Token![,]>> {
    Punctuated::parse_terminated.parse2(tokens).ok()
}

struct Finder<'m> {
    calls: Vec<Call>,
    mistakes: &'m mut Mistakes,
}

impl VisitMut for Finder<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Macro(call) => match verb(&call.mac.path) {
                Some((verb, span)) => *expr = self.take(verb, span, call.mac.tokens.clone(), false),
                None => self.foreign(&mut call.mac),
            },
            Expr::ForLoop(each) => {
                if let Expr::Macro(call) = &*each.expr
                    && let Some((verb @ (Verb::Plate | Verb::Markov), span)) = verb(&call.mac.path)
                {
                    *each.expr = self.take(verb, span, call.mac.tokens.clone(), true);
                }
                visit_mut::visit_expr_for_loop_mut(self, each);
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        let last = block.stmts.len().saturating_sub(1);
        for (at, stmt) in block.stmts.iter_mut().enumerate() {
            if let Stmt::Macro(call) = stmt
                && let Some((verb, span)) = verb(&call.mac.path)
            {
                let expr = self.take(verb, span, call.mac.tokens.clone(), false);
                let unfinished = call.semi_token.is_none() && at != last;
                *stmt = Stmt::Expr(expr, call.semi_token.or_else(|| unfinished.then(Default::default)));
            } else {
                self.visit_stmt_mut(stmt);
            }
        }
    }

    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        match stmt {
            Stmt::Macro(call) => self.foreign(&mut call.mac),
            // An inner item is a world of its own.
            Stmt::Item(_) => {}
            _ => visit_mut::visit_stmt_mut(self, stmt),
        }
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        visit_mut::visit_local_mut(self, local);
        if let (Pat::Type(typed), Some(init)) = (&local.pat, &local.init) {
            self.bind(&init.expr, &typed.ty);
        }
    }
}

impl Finder<'_> {
    /// Reads one call and keeps it; what is left in its place is its placeholder.
    fn take(&mut self, verb: Verb, span: Span, tokens: TokenStream, in_for: bool) -> Expr {
        if tokens.is_empty() {
            self.mistakes.at(span, messages::no_arguments(verb));
            return placeholder::expr(usize::MAX, span);
        }
        let Some(mut call) = self.mistakes.keep(syn::parse2::<Arguments>(tokens)) else {
            return placeholder::expr(usize::MAX, span);
        };
        for arg in &mut call.args {
            self.visit_expr_mut(arg.expr_mut());
        }
        let Arguments { name, ty, args } = call;
        self.calls.push(Call { verb, span, name, written: ty, bound: None, args, in_for });
        placeholder::expr(self.calls.len() - 1, span)
    }

    /// Looks into the arguments of `vec![..]`, `println!(..)` and the like.
    fn foreign(&mut self, mac: &mut Macro) {
        if !mentions_call(mac.tokens.clone()) {
            return;
        }
        if let Some(mut list) = expressions(mac.tokens.clone()) {
            list.iter_mut().for_each(|expr| self.visit_expr_mut(expr));
            mac.tokens = list.into_token_stream();
            return;
        }
        mac.tokens = placeholder::replace_macros(mac.tokens.clone(), &mut |word, group| {
            let verb = Verb::of(word)?;
            Some(self.take(verb, word.span(), group.stream(), false).into_token_stream())
        });
    }

    /// Gives the type of a `let` to the calls whose value it takes.
    fn bind(&mut self, value: &Expr, ty: &Type) {
        match value {
            Expr::Paren(inner) => self.bind(&inner.expr, ty),
            Expr::Group(inner) => self.bind(&inner.expr, ty),
            Expr::Block(inner) => self.bind_tail(&inner.block, ty),
            Expr::If(choice) => {
                self.bind_tail(&choice.then_branch, ty);
                choice.else_branch.iter().for_each(|(_, other)| self.bind(other, ty));
            }
            Expr::Match(choice) => choice.arms.iter().for_each(|arm| self.bind(&arm.body, ty)),
            Expr::Macro(call) if call.mac.path.segments.last().is_some_and(|word| word.ident == "mem") => {
                if let Some(value) = expressions(call.mac.tokens.clone()).and_then(|list| list.into_iter().last()) {
                    self.bind(&value, ty);
                }
            }
            _ => self.bind_call(value, ty),
        }
    }

    fn bind_tail(&mut self, block: &Block, ty: &Type) {
        if let Some(Stmt::Expr(tail, None)) = block.stmts.last() {
            self.bind(tail, ty);
        }
    }

    fn bind_call(&mut self, value: &Expr, ty: &Type) {
        let Some(call) = placeholder::id(value).and_then(|id| self.calls.get_mut(id)) else { return };
        match (call.verb, call.args.last()) {
            (Verb::Sample | Verb::Param | Verb::Deterministic, _) => call.bound = Some(ty.clone()),
            (Verb::Plate, Some(Arg::Plain(Expr::Closure(rows)))) => {
                let body = rows.body.clone();
                self.bind(&body, ty);
            }
            _ => {}
        }
    }
}

/// The verb of `sample!` or `ppl::sample!`, and where it stands.
fn verb(path: &Path) -> Option<(Verb, Span)> {
    let last = path.segments.last()?;
    let ours = path.segments.len() == 1 || (path.segments.len() == 2 && path.segments[0].ident == "ppl");
    if ours { Verb::of(&last.ident).map(|verb| (verb, last.ident.span())) } else { None }
}

fn mentions_call(tokens: TokenStream) -> bool {
    let mut found = false;
    placeholder::replace_macros(tokens, &mut |word: &Ident, _: &Group| {
        found |= Verb::of(word).is_some();
        None
    });
    found
}
