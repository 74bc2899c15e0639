//! The arguments of each call: from a list of expressions to what its verb does with them.

use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprClosure, ExprLit, Lit, Type, TypeInfer};

use super::signature::{Bound, ObservedTypes};
use crate::ast::{Arg, Call, Verb};
use crate::checked::{Action, Mark, Rows, What};
use crate::mistakes::Mistakes;
use crate::name::{self, Name};
use crate::{messages, placeholder};

/// What is known about the function around a call.
pub(crate) struct Around<'a> {
    pub(crate) guide: bool,
    pub(crate) observed: &'a ObservedTypes,
    pub(crate) bound: &'a Bound,
}

/// Understands one call, or reports what is wrong with it.
pub(crate) fn action(call: Call, around: &Around<'_>, mistakes: &mut Mistakes) -> Option<Action> {
    if call.verb == Verb::Markov {
        return markov(call, mistakes);
    }
    let name = name_of(&call, mistakes);
    let written = written_type(&call, around.bound, mistakes);
    let Call { verb, span, bound, args, in_for, .. } = call;
    let (plain, options) = sort(verb, args, mistakes)?;
    let mut given = Given { verb, span, plain: plain.into_iter(), options };
    let what = match verb {
        Verb::Sample => sample(&mut given, around.guide, mistakes),
        Verb::Param => param(&mut given, mistakes),
        Verb::Module => given.next(mistakes).map(|build| What::Module { build: lazy(build, mistakes) }),
        Verb::Plate => plate(&mut given, in_for, mistakes),
        Verb::Factor => factor(&mut given, around.guide, mistakes),
        Verb::Deterministic => given.next(mistakes).map(|value| What::Deterministic { value }),
        Verb::Submodel => submodel(&mut given, mistakes),
        Verb::Markov => unreachable!("read above"),
    }?;
    given.finish(mistakes)?;
    let bound = bound.filter(|ty| is_complete(ty) && !around.bound.is_local(ty));
    let observed = match &what {
        What::Sample { obs: Some(obs), .. } => around.observed.of_expr(obs),
        _ => None,
    };
    let ascribe = bound.is_none();
    Some(Action { span, name: name?, ty: written.or(bound).or(observed), ascribe, what })
}

/// `markov!(steps)` or `markov!(steps, history = h)`, which has no name.
fn markov(call: Call, mistakes: &mut Mistakes) -> Option<Action> {
    let Call { verb, span, name: steps, args, in_for, .. } = call;
    let (plain, options) = sort(verb, args, mistakes)?;
    let mut given = Given { verb, span, plain: plain.into_iter(), options };
    let history = given.option("history").map(|(_, history)| history);
    given.finish(mistakes)?;
    if !in_for {
        mistakes.at(span, messages::MARKOV_WITHOUT_LOOP);
        return None;
    }
    let name = name::unnamed(verb.word(), span);
    Some(Action { span, name, ty: None, ascribe: false, what: What::Markov { steps, history } })
}

fn name_of(call: &Call, mistakes: &mut Mistakes) -> Option<Name> {
    let name = match &call.name {
        // What a `macro_rules` fragment leaves around a literal.
        Expr::Group(group) => &group.expr,
        other => other,
    };
    let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = name else {
        mistakes.at(call.name.span(), messages::name_not_literal(call.verb));
        return None;
    };
    name::read(literal).map_err(|message| mistakes.at(literal.span(), message)).ok()
}

fn written_type(call: &Call, bound: &Bound, mistakes: &mut Mistakes) -> Option<Type> {
    let ty = call.written.as_ref()?;
    let wrong = match call.verb {
        Verb::Plate | Verb::Factor => messages::TYPE_ON_NOTHING,
        _ if !is_complete(ty) => messages::INCOMPLETE_TYPE,
        _ if bound.is_local(ty) => messages::LOCAL_TYPE,
        _ => return Some(ty.clone()),
    };
    mistakes.at(ty.span(), wrong);
    None
}

/// Whether a type leaves nothing to inference.
fn is_complete(ty: &Type) -> bool {
    struct Finder(bool);
    impl<'a> Visit<'a> for Finder {
        fn visit_type_infer(&mut self, _: &'a TypeInfer) {
            self.0 = true;
        }
    }
    let mut holes = Finder(false);
    holes.visit_type(ty);
    !holes.0
}

type Options = Vec<(Ident, Expr)>;

/// Splits the arguments into those with and without a key; unknown keys are mistakes.
fn sort(verb: Verb, args: Vec<Arg>, mistakes: &mut Mistakes) -> Option<(Vec<Expr>, Options)> {
    let known: &[&str] = match verb {
        Verb::Sample => &["obs", "scale"],
        Verb::Param => &["constraint"],
        Verb::Plate => &["subsample", "rows"],
        Verb::Markov => &["history"],
        _ => &[],
    };
    let (mut plain, mut options, mut good) = (Vec::new(), Vec::new(), true);
    for arg in args {
        match arg {
            Arg::Plain(expr) => plain.push(expr),
            Arg::Named(key, expr) if known.iter().any(|word| key == word) => options.push((key, expr)),
            Arg::Named(key, _) => {
                mistakes.at(key.span(), messages::unknown_option(verb, &key));
                good = false;
            }
        }
    }
    good.then_some((plain, options))
}

/// The arguments of a call that are still to be understood.
struct Given {
    verb: Verb,
    span: Span,
    plain: std::vec::IntoIter<Expr>,
    options: Options,
}

impl Given {
    /// The next argument, which must be there.
    fn next(&mut self, mistakes: &mut Mistakes) -> Option<Expr> {
        let next = self.plain.next();
        if next.is_none() {
            mistakes.at(self.span, messages::missing_argument(self.verb));
        }
        next
    }

    /// The option of this key, with where the key stands.
    fn option(&mut self, key: &str) -> Option<(Span, Expr)> {
        let at = self.options.iter().position(|(word, _)| word == key)?;
        let (key, value) = self.options.remove(at);
        Some((key.span(), value))
    }

    /// Nothing may be left over.
    fn finish(mut self, mistakes: &mut Mistakes) -> Option<()> {
        let left = self.plain.next().map(|expr| expr.span());
        let left = left.or_else(|| self.options.first().map(|(key, _)| key.span()));
        left.map_or(Some(()), |span| {
            mistakes.at(span, messages::surplus_argument(self.verb));
            None
        })
    }
}

fn sample(given: &mut Given, guide: bool, mistakes: &mut Mistakes) -> Option<What> {
    let dist = given.next(mistakes)?;
    let obs = given.option("obs");
    let (mark, word) = mark(given);
    let wrong = match (mark, &obs) {
        (Mark::Auxiliary, _) if !guide => Some((word, messages::AUXILIARY_IN_MODEL)),
        (Mark::Auxiliary, Some((key, _))) => Some((*key, messages::AUXILIARY_OBSERVED)),
        (_, Some((key, _))) if guide => Some((*key, messages::OBSERVED_IN_GUIDE)),
        (Mark::Enumerate, Some(_)) => Some((word, messages::ENUMERATED_OBSERVED)),
        _ => None,
    };
    match wrong {
        Some((span, message)) => mistakes.at(span, message),
        None => {
            let (obs, scale) = (obs.map(|(_, value)| value), given.option("scale").map(|(_, factor)| factor));
            return Some(What::Sample { dist, obs, scale, mark });
        }
    }
    None
}

/// The word after the distribution, and where it stands.
fn mark(given: &mut Given) -> (Mark, Span) {
    for (word, mark) in [("auxiliary", Mark::Auxiliary), ("enumerate", Mark::Enumerate)] {
        if let Some(expr) = given.plain.as_slice().first().filter(|expr| is_word(expr, word)) {
            let span = expr.span();
            given.plain.next();
            return (mark, span);
        }
    }
    (Mark::None, given.span)
}

fn is_word(expr: &Expr, word: &str) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident(word))
}

fn param(given: &mut Given, mistakes: &mut Mistakes) -> Option<What> {
    let init = lazy(given.next(mistakes)?, mistakes);
    let constraint = given.option("constraint").map(|(_, set)| set);
    Some(What::Param { init, constraint })
}

/// What runs only when a parameter is first made holds no calls of the language.
fn lazy(build: Expr, mistakes: &mut Mistakes) -> Expr {
    struct Finder<'a>(&'a mut Mistakes);
    impl<'a> Visit<'a> for Finder<'_> {
        fn visit_expr(&mut self, expr: &'a Expr) {
            match placeholder::id(expr) {
                Some(_) => self.0.at(expr.span(), messages::NESTED_IN_BUILDER),
                None => visit::visit_expr(self, expr),
            }
        }
    }
    Finder(mistakes).visit_expr(&build);
    build
}

fn plate(given: &mut Given, in_for: bool, mistakes: &mut Mistakes) -> Option<What> {
    let size = given.next(mistakes)?;
    let rows = match (given.option("subsample"), given.option("rows")) {
        (Some(_), Some((key, _))) => {
            mistakes.at(key, messages::TWO_SELECTIONS);
            return None;
        }
        (Some((_, count)), None) => Rows::Subsample(count),
        (None, Some((_, rows))) => Rows::Given(rows),
        (None, None) => Rows::All,
    };
    let body = match given.plain.next() {
        Some(Expr::Closure(body)) => Some(one_argument(body, mistakes)?),
        Some(other) => {
            mistakes.at(other.span(), messages::PLATE_CLOSURE);
            return None;
        }
        None if in_for => None,
        None => {
            mistakes.at(given.span, messages::PLATE_WITHOUT_BODY);
            return None;
        }
    };
    Some(What::Plate { size, rows, body })
}

fn one_argument(body: ExprClosure, mistakes: &mut Mistakes) -> Option<ExprClosure> {
    if body.inputs.len() == 1 {
        return Some(body);
    }
    mistakes.at(body.inputs_begin.span(), messages::PLATE_CLOSURE);
    None
}

fn factor(given: &mut Given, guide: bool, mistakes: &mut Mistakes) -> Option<What> {
    let log_weight = given.next(mistakes)?;
    if guide {
        mistakes.at(given.span, messages::FACTOR_IN_GUIDE);
        return None;
    }
    Some(What::Factor { log_weight })
}

fn submodel(given: &mut Given, mistakes: &mut Mistakes) -> Option<What> {
    match given.next(mistakes)? {
        Expr::Call(call) => Some(What::Submodel { model: *call.func, args: call.args.into_iter().collect() }),
        other => {
            mistakes.at(other.span(), messages::SUBMODEL_NOT_CALLED);
            None
        }
    }
}
