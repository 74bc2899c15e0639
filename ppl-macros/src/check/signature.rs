//! What a model's signature cannot be, and what the types of its arguments say about observed sites.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Expr, FnArg, Item, ItemFn, Pat, PatIdent, ReturnType, Safety, Signature, Type, TypeImplTrait, UseName, UseRename,
};

use crate::ast::{Head, Kind};
use crate::expand::{generics, lifetimes};
use crate::messages;
use crate::mistakes::Mistakes;

/// Reports everything that the annotated function cannot be.
pub(crate) fn check(head: &Head, signature: &Signature, mistakes: &mut Mistakes) {
    if matches!(head.kind, Kind::Guide { model: None, .. }) {
        mistakes.at(Span::call_site(), messages::NO_GUIDED_MODEL);
    }
    let unsafety = match signature.safety {
        Safety::Unsafe(token) => Some(token.span),
        _ => None,
    };
    let modifiers = [
        (signature.asyncness.map(|token| token.span), messages::ASYNC),
        (signature.constness.map(|token| token.span), messages::CONST),
        (unsafety, messages::UNSAFE),
        (signature.abi.as_ref().map(|abi| abi.extern_token.span), messages::EXTERN),
        (signature.variadic.as_ref().map(Spanned::span), messages::VARIADIC),
        (signature.receiver().map(|receiver| receiver.self_token.span), messages::SELF_ARGUMENT),
    ];
    for (span, message) in modifiers {
        span.into_iter().for_each(|span| mistakes.at(span, message));
    }
    types(signature, mistakes);
}

fn types(signature: &Signature, mistakes: &mut Mistakes) {
    for ty in argument_types(signature) {
        impl_traits(ty, messages::IMPL_ARGUMENT, mistakes);
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        impl_traits(ty, messages::IMPL_RETURN, mistakes);
        if let Some(elided) = lifetimes::first_elided(ty)
            && lifetimes::in_arguments(signature) != 1
        {
            mistakes.at(elided, messages::ELIDED_RETURN);
        }
    }
}

/// The types of the arguments, in order.
pub(crate) fn argument_types(signature: &Signature) -> impl Iterator<Item = &Type> {
    signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.ty),
        FnArg::Receiver(_) => None,
    })
}

/// Whether an argument or the return type is an `impl Trait`.
pub(crate) fn has_impl_trait(signature: &Signature) -> bool {
    let mut mistakes = Mistakes::default();
    types(signature, &mut mistakes);
    !mistakes.is_empty()
}

fn impl_traits(ty: &Type, message: &str, mistakes: &mut Mistakes) {
    struct Finder<'a>(&'a str, &'a mut Mistakes);
    impl<'a> Visit<'a> for Finder<'_> {
        fn visit_type_impl_trait(&mut self, found: &'a TypeImplTrait) {
            self.1.at(found.impl_token.span, self.0);
        }
    }
    Finder(message, mistakes).visit_type(ty);
}

/// The types that observed arguments give to their sites.
pub(crate) struct ObservedTypes(BTreeMap<String, Type>);

impl ObservedTypes {
    /// Reads the arguments of `item`. An argument whose name the body binds again says nothing.
    pub(crate) fn of(item: &ItemFn, bound: &Bound) -> Self {
        let generic: BTreeSet<String> = item.sig.generics.type_params().map(|param| param.ident.to_string()).collect();
        let mut types = BTreeMap::new();
        for input in &item.sig.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let Pat::Ident(PatIdent { ident, .. }) = &*typed.pat else { continue };
            if let Some(ty) = value_type(&typed.ty, &generic)
                && !bound.body.contains(&ident.to_string())
            {
                types.insert(ident.to_string(), ty);
            }
        }
        ObservedTypes(types)
    }

    /// The type that `obs = x`, `obs = &x` or `obs = Some(x)` gives.
    pub(crate) fn of_expr(&self, observed: &Expr) -> Option<Type> {
        match observed {
            Expr::Path(path) => self.0.get(&path.path.get_ident()?.to_string()).cloned(),
            Expr::Reference(reference) => self.of_expr(&reference.expr),
            Expr::Call(call) if call.args.len() == 1 && is_some(&call.func) => self.of_expr(&call.args[0]),
            _ => None,
        }
    }
}

fn is_some(function: &Expr) -> bool {
    matches!(function, Expr::Path(path) if path.path.is_ident("Some"))
}

/// The type without `&` and `Option`; `None` for those from which a value is converted (numbers, lists, parameters).
fn value_type(ty: &Type, generic: &BTreeSet<String>) -> Option<Type> {
    const CONVERTED: [&str; 16] = [
        "f32", "f64", "usize", "u8", "u16", "u32", "u64", "isize", "i8", "i16", "i32", "i64", "bool", "Vec", "Box",
        "String",
    ];
    match ty {
        Type::Reference(reference) => value_type(&reference.elem, generic),
        Type::Paren(inner) => value_type(&inner.elem, generic),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let name = last.ident.to_string();
            match &last.arguments {
                syn::PathArguments::AngleBracketed(inner) if name == "Option" => match inner.args.first()? {
                    syn::GenericArgument::Type(ty) => value_type(ty, generic),
                    _ => None,
                },
                _ => (!CONVERTED.contains(&name.as_str()) && !generic.contains(&name)).then(|| ty.clone()),
            }
        }
        _ => None,
    }
}

/// The names that the function binds.
pub(crate) struct Bound {
    arguments: BTreeSet<String>,
    body: BTreeSet<String>,
    items: BTreeSet<String>,
}

impl Bound {
    /// The names of the arguments, of the variables in the body, and of the items in it.
    pub(crate) fn of(item: &ItemFn) -> Self {
        let (mut arguments, mut body) = (Names::default(), Names::default());
        item.sig.inputs.iter().for_each(|input| arguments.visit_fn_arg(input));
        body.visit_block(&item.block);
        Bound { arguments: arguments.variables, body: body.variables, items: body.items }
    }

    /// Whether `name` is a variable.
    pub(crate) fn contains(&self, name: &Ident) -> bool {
        let name = name.to_string();
        self.arguments.contains(&name) || self.body.contains(&name)
    }

    /// Whether a type names an item of the body, which the items beside the function cannot see.
    pub(crate) fn is_local(&self, ty: &Type) -> bool {
        !generics::mentioned([ty]).is_disjoint(&self.items)
    }
}

#[derive(Default)]
struct Names {
    variables: BTreeSet<String>,
    items: BTreeSet<String>,
}

impl<'a> Visit<'a> for Names {
    fn visit_pat_ident(&mut self, bound: &'a PatIdent) {
        self.variables.insert(bound.ident.to_string());
        visit::visit_pat_ident(self, bound);
    }

    fn visit_item(&mut self, item: &'a Item) {
        let ident = match item {
            Item::Enum(item) => &item.ident,
            Item::Mod(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Use(item) => return self.visit_use_tree(&item.tree),
            _ => return,
        };
        self.items.insert(ident.to_string());
    }

    fn visit_use_name(&mut self, name: &'a UseName) {
        self.items.insert(name.ident.to_string());
    }

    fn visit_use_rename(&mut self, name: &'a UseRename) {
        self.items.insert(name.rename.to_string());
    }
}
