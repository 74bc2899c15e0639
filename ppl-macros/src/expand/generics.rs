//! Which generic parameters sit where: on the model's value, on its `impl`s, on its trace.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{ExprPath, GenericParam, Generics, Lifetime, Type, TypeParamBound, TypePath, WherePredicate};

/// The names that types mention: of types, constants and lifetimes alike.
pub(crate) type Names = BTreeSet<String>;

/// The names from which the compiler can infer them: not those behind `T::Item` or `<T as Trait>::Item`.
pub(crate) fn constrained<'a>(types: impl IntoIterator<Item = &'a Type>) -> Names {
    collect(types, false)
}

/// All names.
pub(crate) fn mentioned<'a>(types: impl IntoIterator<Item = &'a Type>) -> Names {
    collect(types, true)
}

fn collect<'a>(types: impl IntoIterator<Item = &'a Type>, projections: bool) -> Names {
    let mut mentions = Mentions { names: Names::new(), projections };
    types.into_iter().for_each(|ty| mentions.visit_type(ty));
    mentions.names
}

struct Mentions {
    names: Names,
    projections: bool,
}

impl<'a> Visit<'a> for Mentions {
    fn visit_type_path(&mut self, ty: &'a TypePath) {
        if ty.qself.is_some() && !self.projections {
            return;
        }
        if let Some(first) = ty.path.segments.first()
            && (ty.path.segments.len() == 1 || self.projections)
        {
            self.names.insert(first.ident.to_string());
        }
        visit::visit_type_path(self, ty);
    }

    fn visit_expr_path(&mut self, expr: &'a ExprPath) {
        self.names.extend(expr.path.get_ident().map(ToString::to_string));
        visit::visit_expr_path(self, expr);
    }

    fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
        self.names.insert(lifetime.to_string());
    }
}

/// The name of a parameter, as [`Names`] has it.
pub(crate) fn name(param: &GenericParam) -> String {
    match param {
        GenericParam::Lifetime(param) => param.lifetime.to_string(),
        GenericParam::Type(param) => param.ident.to_string(),
        GenericParam::Const(param) => param.ident.to_string(),
    }
}

/// The parameters that `wanted` accepts, with those bounds that speak only of them.
pub(crate) fn keep(generics: &Generics, wanted: impl Fn(&str) -> bool) -> Generics {
    let dropped: Names = generics.params.iter().map(name).filter(|name| !wanted(name)).collect();
    let mut kept = without_defaults(generics);
    kept.params = kept.params.into_iter().filter(|param| !dropped.contains(&name(param))).collect();
    for param in kept.type_params_mut() {
        let bounds = std::mem::take(&mut param.bounds);
        param.bounds = bounds.into_iter().filter(|bound| speaks_of_none(bound, &dropped)).collect();
    }
    if let Some(clause) = &mut kept.where_clause {
        let predicates = std::mem::take(&mut clause.predicates);
        clause.predicates = predicates.into_iter().filter(|rule| rule_speaks_of_none(rule, &dropped)).collect();
    }
    kept
}

fn speaks_of_none(bound: &TypeParamBound, dropped: &Names) -> bool {
    let mut mentions = Mentions { names: Names::new(), projections: true };
    mentions.visit_type_param_bound(bound);
    mentions.names.is_disjoint(dropped)
}

fn rule_speaks_of_none(rule: &WherePredicate, dropped: &Names) -> bool {
    let mut mentions = Mentions { names: Names::new(), projections: true };
    mentions.visit_where_predicate(rule);
    mentions.names.is_disjoint(dropped)
}

fn without_defaults(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for param in &mut generics.params {
        match param {
            GenericParam::Type(param) => param.default = None,
            GenericParam::Const(param) => param.default = None,
            GenericParam::Lifetime(_) => {}
        }
    }
    generics
}

/// The same parameters without any bounds.
pub(crate) fn bare(generics: &Generics) -> Generics {
    let mut bare = without_defaults(generics);
    bare.where_clause = None;
    for param in &mut bare.params {
        match param {
            GenericParam::Type(param) => {
                param.bounds.clear();
                param.colon_token = None;
            }
            GenericParam::Lifetime(param) => {
                param.bounds.clear();
                param.colon_token = None;
            }
            GenericParam::Const(_) => {}
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};
    use syn::parse_quote;

    use super::*;

    fn names<const N: usize>(expected: [&str; N]) -> Names {
        expected.map(String::from).into()
    }

    #[test]
    fn projections_do_not_constrain() {
        let types: [Type; 3] = [parse_quote!(&'a Tensor<Rank2<B, { C }>>), parse_quote!(T::Item), parse_quote!([U; N])];
        assert!(constrained(&types).is_superset(&names(["'a", "B", "C", "U", "N"])));
        assert!(!constrained(&types).contains("T"));
        assert!(mentioned(&types).contains("T"));
    }

    #[test]
    fn bounds_stay_with_the_parameters_they_speak_of() {
        let item: syn::ItemFn = parse_quote!(
            fn m<'a, T: Clone + From<U>, U, const N: usize>()
            where
                U: Copy,
                T: 'a,
            {
            }
        );
        let kept = keep(&item.sig.generics, |name| name == "T" || name == "N");
        assert_eq!(kept.to_token_stream().to_string(), quote!(<T: Clone, const N: usize>).to_string());
        assert!(kept.where_clause.is_none_or(|clause| clause.predicates.is_empty()));
        let bare = bare(&item.sig.generics);
        assert_eq!(bare.to_token_stream().to_string(), quote!(<'a, T, U, const N: usize>).to_string());
    }
}
