//! Elided lifetimes: an `impl` cannot elide what a function can, so they get names.

use std::collections::BTreeSet;

use proc_macro2::Span;
use quote::format_ident;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, ParenthesizedGenericArguments, Signature, Type, TypeFnPtr, TypeReference};

use crate::check::signature::argument_types;

/// Gives names to the elided lifetimes of a type.
pub(crate) struct Namer {
    /// The names given so far.
    pub(crate) fresh: Vec<Lifetime>,
    /// The one name for all, when the elision rule says so.
    single: Option<Lifetime>,
}

impl Namer {
    /// A new name for each elided lifetime, as in arguments.
    pub(crate) fn each() -> Self {
        Namer { fresh: Vec::new(), single: None }
    }

    /// The same name for all, as in return types.
    pub(crate) fn all(lifetime: Option<Lifetime>) -> Self {
        Namer { fresh: Vec::new(), single: lifetime }
    }

    // Input:  `&Tensor<Rank2<B, 784>>`
    // Output: `&'__ppl_0 Tensor<Rank2<B, 784>>`
    pub(crate) fn name(&mut self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        self.visit_type_mut(&mut ty);
        ty
    }

    fn next(&mut self, span: Span) -> Lifetime {
        self.single.clone().unwrap_or_else(|| {
            let ident = format_ident!("__ppl_{}", self.fresh.len(), span = span);
            self.fresh.push(Lifetime { apostrophe: span, ident });
            self.fresh[self.fresh.len() - 1].clone()
        })
    }
}

impl VisitMut for Namer {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.next(reference.and_token.span()));
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.next(lifetime.span());
        }
    }

    // Elision inside `Fn(&T)` and `fn(&T)` means "for any lifetime", in an `impl` as well.
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
}

/// The lifetimes of a type.
#[derive(Default)]
struct Lifetimes {
    elided: Vec<Span>,
    named: BTreeSet<Lifetime>,
}

impl<'a> Visit<'a> for Lifetimes {
    fn visit_type_reference(&mut self, reference: &'a TypeReference) {
        if reference.lifetime.is_none() {
            self.elided.push(reference.and_token.span());
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
        if lifetime.ident == "_" {
            self.elided.push(lifetime.span());
        } else {
            self.named.insert(lifetime.clone());
        }
    }

    fn visit_parenthesized_generic_arguments(&mut self, _: &'a ParenthesizedGenericArguments) {}
    fn visit_type_fn_ptr(&mut self, _: &'a TypeFnPtr) {}
}

fn of_arguments(signature: &Signature) -> Lifetimes {
    let mut lifetimes = Lifetimes::default();
    argument_types(signature).for_each(|ty| lifetimes.visit_type(ty));
    lifetimes
}

/// Where a type first elides a lifetime.
pub(crate) fn first_elided(ty: &Type) -> Option<Span> {
    let mut lifetimes = Lifetimes::default();
    lifetimes.visit_type(ty);
    lifetimes.elided.first().copied()
}

/// How many lifetimes the arguments have.
pub(crate) fn in_arguments(signature: &Signature) -> usize {
    let lifetimes = of_arguments(signature);
    lifetimes.elided.len() + lifetimes.named.len()
}

/// The lifetime that an elided one in the return type stands for, once the arguments' are named `fresh`.
pub(crate) fn of_return(signature: &Signature, fresh: &[Lifetime]) -> Option<Lifetime> {
    fresh.first().cloned().or_else(|| of_arguments(signature).named.into_iter().next())
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn each_elided_lifetime_of_an_argument_gets_a_name() {
        let mut namer = Namer::each();
        let named = namer.name(&parse_quote!((&A, &'a B, C<'_>, &dyn Fn(&A) -> &A, fn(&A))));
        let expected: Type = parse_quote!((&'__ppl_0 A, &'a B, C<'__ppl_1>, &'__ppl_2 dyn Fn(&A) -> &A, fn(&A)));
        assert_eq!(named.to_token_stream().to_string(), expected.to_token_stream().to_string());
        assert_eq!(namer.fresh.len(), 3);
    }

    #[test]
    fn the_return_type_borrows_from_the_only_lifetime() {
        let signature: Signature = parse_quote!(fn m(x: &'a A, n: usize) -> &B);
        assert_eq!(in_arguments(&signature), 1);
        assert_eq!(of_return(&signature, &[]).map(|l| l.to_string()), Some("'a".into()));
    }
}
