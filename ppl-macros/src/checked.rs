//! What the check hands to the expansion: a function whose every call is understood and placed.

use proc_macro2::{Ident, Span};
use syn::{Expr, ExprClosure, ItemFn, Type};

use crate::ast::{Head, Verb};
use crate::name::Name;

/// A checked function.
pub(crate) struct Checked {
    pub(crate) head: Head,
    pub(crate) item: ItemFn,
    /// What each placeholder does; `None` for a call with a mistake.
    pub(crate) actions: Vec<Option<Action>>,
    /// The sample sites, one for each name.
    pub(crate) sites: Vec<Site>,
    /// The fields of the trace.
    pub(crate) fields: Vec<Field>,
    /// Whether anything is wrong: then the body is not to be expanded.
    pub(crate) broken: bool,
}

/// One call.
pub(crate) struct Action {
    /// Where the macro's name stands.
    pub(crate) span: Span,
    pub(crate) name: Name,
    /// The stated type of its value, or of a submodel's trace.
    pub(crate) ty: Option<Type>,
    /// Whether nothing else in the code makes the value be of this type.
    pub(crate) ascribe: bool,
    pub(crate) what: What,
}

impl Action {
    pub(crate) fn verb(&self) -> Verb {
        match self.what {
            What::Sample { .. } => Verb::Sample,
            What::Param { .. } => Verb::Param,
            What::Module { .. } => Verb::Module,
            What::Plate { .. } => Verb::Plate,
            What::Factor { .. } => Verb::Factor,
            What::Deterministic { .. } => Verb::Deterministic,
            What::Submodel { .. } => Verb::Submodel,
            What::Markov { .. } => Verb::Markov,
        }
    }
}

/// What a call does.
pub(crate) enum What {
    Sample { dist: Expr, obs: Option<Expr>, scale: Option<Expr>, mark: Mark },
    Param { init: Expr, constraint: Option<Expr> },
    Module { build: Expr },
    Plate { size: Expr, rows: Rows, body: Option<ExprClosure> },
    Factor { log_weight: Expr },
    Deterministic { value: Expr },
    Submodel { model: Expr, args: Vec<Expr> },
    Markov { steps: Expr, history: Option<Expr> },
}

/// The word after a sample statement's distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    None,
    Auxiliary,
    Enumerate,
}

/// Which rows of a plate a run sees.
pub(crate) enum Rows {
    All,
    Subsample(Expr),
    Given(Expr),
}

/// A sample site, or a family of them.
pub(crate) struct Site {
    pub(crate) pattern: String,
    pub(crate) span: Span,
    /// Whether some path leaves its value to a guide.
    pub(crate) latent: bool,
    pub(crate) auxiliary: bool,
    pub(crate) ty: Option<Type>,
}

/// A field of the trace.
pub(crate) struct Field {
    pub(crate) pattern: String,
    pub(crate) ident: Ident,
    /// How many indices a family has; 0 for a single site.
    pub(crate) indices: usize,
    /// Whether some paths lack it.
    pub(crate) conditional: bool,
    pub(crate) content: Content,
}

/// What a field holds.
pub(crate) enum Content {
    /// A value of this type.
    Value(Type),
    /// The trace of a submodel; boxed when it is the trace of the model itself.
    Trace { ty: Type, own: bool },
}
