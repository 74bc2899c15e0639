//! What the macros read: an annotated function, the calls of the language in it, and how control flows between them.

use proc_macro2::{Ident, Span};
use syn::{Expr, ItemFn, Lifetime, Path, Type};

/// What `#[model(..)]` or `#[guide(..)]` says.
pub(crate) struct Head {
    pub(crate) kind: Kind,
    /// `dtype = E`, or the default of the prelude in use.
    pub(crate) dtype: Type,
    /// `device = D`, or the CPU.
    pub(crate) device: Type,
}

/// The two annotations.
pub(crate) enum Kind {
    Model,
    Guide {
        /// The model's path; `None` when the attribute names none.
        model: Option<Path>,
        /// The names in `observed(..)`.
        observed: Vec<Ident>,
    },
}

/// An annotated function. Every call of the language in the body is replaced by a placeholder that holds its index.
pub(crate) struct Function {
    pub(crate) head: Head,
    pub(crate) item: ItemFn,
    pub(crate) calls: Vec<Call>,
    pub(crate) flow: Flow,
}

/// The words of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Sample,
    Param,
    Module,
    Plate,
    Factor,
    Deterministic,
    Submodel,
    Markov,
}

impl Verb {
    const ALL: [Verb; 8] = [
        Verb::Sample,
        Verb::Param,
        Verb::Module,
        Verb::Plate,
        Verb::Factor,
        Verb::Deterministic,
        Verb::Submodel,
        Verb::Markov,
    ];

    /// The macro's name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verb::Sample => "sample",
            Verb::Param => "param",
            Verb::Module => "module",
            Verb::Plate => "plate",
            Verb::Factor => "factor",
            Verb::Deterministic => "deterministic",
            Verb::Submodel => "submodel",
            Verb::Markov => "markov",
        }
    }

    /// The verb of a macro's name.
    pub(crate) fn of(word: &Ident) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| word == verb.word())
    }

    /// Whether the call is an entry of the trace, and not a parameter, a plate or a chain.
    pub(crate) fn is_site(self) -> bool {
        !matches!(self, Verb::Param | Verb::Module | Verb::Plate | Verb::Markov)
    }
}

/// One call, `verb!(name: written, args..)`, as it was written; in place of a name, `markov!` has its steps.
pub(crate) struct Call {
    pub(crate) verb: Verb,
    /// Where the macro's name stands.
    pub(crate) span: Span,
    pub(crate) name: Expr,
    /// The type after the name.
    pub(crate) written: Option<Type>,
    /// The type of the `let` that takes the value.
    pub(crate) bound: Option<Type>,
    pub(crate) args: Vec<Arg>,
    /// Whether it is the iterator of a `for` loop.
    pub(crate) in_for: bool,
}

/// One argument of a call.
pub(crate) enum Arg {
    Plain(Expr),
    Named(Ident, Expr),
}

impl Arg {
    pub(crate) fn expr(&self) -> &Expr {
        match self {
            Arg::Plain(expr) | Arg::Named(_, expr) => expr,
        }
    }

    pub(crate) fn expr_mut(&mut self) -> &mut Expr {
        match self {
            Arg::Plain(expr) | Arg::Named(_, expr) => expr,
        }
    }
}

/// The control flow of a body, as far as calls and jumps are concerned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Flow {
    /// The call of this index runs here.
    Call(usize),
    /// One after the other.
    Seq(Vec<Flow>),
    /// Exactly one of these.
    Branch(Vec<Flow>),
    /// Any number of times; `endless` when only a `break` leaves it.
    Loop { label: Option<Lifetime>, endless: bool, body: Box<Flow> },
    /// A labelled block.
    Block { label: Lifetime, body: Box<Flow> },
    /// The body of a closure: any number of times, and `return` stays in it.
    Closure(Box<Flow>),
    /// The body of a plate's closure: once, and `return` stays in it.
    PlateBody(Box<Flow>),
    /// `return`, or what `?` does.
    Return,
    /// `break` or `continue`.
    Leave(Option<Lifetime>),
    /// A panic: no trace comes of this path.
    Panic,
}
