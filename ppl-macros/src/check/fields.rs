//! From calls to the fields of the trace: one kind, one type and one field for each name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use proc_macro2::Ident;
use quote::{ToTokens, format_ident};
use syn::{Expr, Path, PathArguments, Type, TypePath};

use super::paths::Placement;
use super::signature::Bound;
use crate::ast::Verb;
use crate::checked::{Action, Content, Field, Mark, Site, What};
use crate::expand::trace::trace_ident;
use crate::messages;
use crate::mistakes::Mistakes;

/// Reports names of two kinds or two types, and completes the types of the actions: one name, one type.
pub(crate) fn unify(actions: &mut [Option<Action>], function: &Ident, bound: &Bound, mistakes: &mut Mistakes) {
    let mut first: BTreeMap<String, (Verb, Option<Type>)> = BTreeMap::new();
    for action in actions.iter_mut().flatten() {
        if let What::Submodel { model, .. } = &action.what
            && action.ty.is_none()
        {
            action.ty = trace_type(model, function, bound);
        }
        match first.entry(action.name.pattern.clone()) {
            Entry::Vacant(entry) => {
                entry.insert((action.verb(), action.ty.clone()));
            }
            Entry::Occupied(mut entry) => agree(action, entry.get_mut(), mistakes),
        }
    }
    for action in actions.iter_mut().flatten() {
        if let (None, Some((_, ty))) = (&action.ty, first.get(&action.name.pattern)) {
            action.ty.clone_from(ty);
        }
    }
}

fn agree(action: &Action, (verb, ty): &mut (Verb, Option<Type>), mistakes: &mut Mistakes) {
    let name = &action.name;
    if kind(action.verb()) != kind(*verb) {
        mistakes.at(name.span, messages::two_kinds(&name.pattern, action.verb(), *verb));
        return;
    }
    match (&action.ty, ty) {
        (Some(here), Some(there)) if here != there && action.verb().is_site() => {
            let (here, there) = (readable(here), readable(there));
            mistakes.at(name.span, messages::two_types(&name.pattern, here, there));
        }
        (Some(here), ty @ None) => *ty = Some(here.clone()),
        _ => {}
    }
}

/// A value that is sampled on one path may be computed on another.
fn kind(verb: Verb) -> Verb {
    if verb == Verb::Deterministic { Verb::Sample } else { verb }
}

/// A type as one would write it.
fn readable(ty: &Type) -> String {
    let spaced = ty.to_token_stream().to_string();
    spaced.replace(" < ", "<").replace(" >", ">").replace(" ,", ",").replace(" :: ", "::").replace("& ", "&")
}

/// The fields of the trace: the sites that have a type.
pub(crate) fn fields(
    actions: &[Option<Action>],
    placements: &[Option<Placement>],
    function: &Ident,
    mistakes: &mut Mistakes,
) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for (action, placement) in actions.iter().zip(placements) {
        let (Some(action), Some(placement)) = (action, placement) else { continue };
        let Some(content) = content(action, function) else { continue };
        let name = &action.name;
        if let Some(known) = fields.iter_mut().find(|field| field.ident == name.field) {
            if known.pattern == name.pattern {
                known.conditional = true;
            } else {
                mistakes.at(name.span, messages::two_names_one_field(&name.pattern, &known.pattern, &name.field));
            }
            continue;
        }
        fields.push(Field {
            pattern: name.pattern.clone(),
            ident: name.field.clone(),
            indices: name.indices.len(),
            conditional: *placement != Placement::Always,
            content,
        });
    }
    fields
}

fn content(action: &Action, function: &Ident) -> Option<Content> {
    let ty = action.ty.clone()?;
    match action.verb() {
        Verb::Sample | Verb::Deterministic => Some(Content::Value(ty)),
        Verb::Submodel => {
            let own = last_ident(&ty).is_some_and(|last| *last == trace_ident(function));
            Some(Content::Trace { ty, own })
        }
        _ => None,
    }
}

fn last_ident(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| &last.ident),
        _ => None,
    }
}

/// The trace type of the model at a path: `models::vae::<H>` has `models::VaeTrace`. A variable has none.
fn trace_type(model: &Expr, function: &Ident, bound: &Bound) -> Option<Type> {
    let Expr::Path(path) = model else { return None };
    if path.path.get_ident().is_some_and(|ident| ident != function && bound.contains(ident)) {
        return None;
    }
    let mut path: Path = path.path.clone();
    let last = path.segments.last_mut()?;
    last.ident = format_ident!("{}", trace_ident(&last.ident), span = last.ident.span());
    last.arguments = PathArguments::None;
    Some(Type::Path(TypePath { attrs: Vec::new(), qself: None, path }))
}

/// The sample sites, one for each name.
pub(crate) fn sites(actions: &[Option<Action>]) -> Vec<Site> {
    let mut sites: Vec<Site> = Vec::new();
    for action in actions.iter().flatten() {
        let What::Sample { obs, mark, .. } = &action.what else { continue };
        let name = &action.name;
        let latent = obs.is_none() && *mark != Mark::Enumerate;
        match sites.iter_mut().find(|site| site.pattern == name.pattern) {
            Some(site) => site.latent |= latent,
            None => sites.push(Site {
                pattern: name.pattern.clone(),
                span: name.span,
                latent,
                auxiliary: *mark == Mark::Auxiliary,
                ty: action.ty.clone(),
            }),
        }
    }
    sites
}
