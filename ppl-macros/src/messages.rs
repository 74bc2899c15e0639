//! Every text that the macros show. Each says what is wrong and where the thing belongs.

use std::fmt::Display;

use crate::ast::Verb;

// --- The annotation and the signature -----------------------------------------------------------------------------

pub(crate) const EXTRA_ATTRIBUTE: &str = "this argument belongs nowhere: #[model] takes `dtype = E` and `device = D`; \
     #[guide(model)] takes one model, and then those and `observed(site, ..)`";
pub(crate) const NO_GUIDED_MODEL: &str = "which model does this guide serve? Write #[guide(model)], or \
     #[guide(path::model)] when it lives elsewhere";
pub(crate) const SELF_ARGUMENT: &str = "a model is a free function: take what it needs of `self` as a named argument";
pub(crate) const ASYNC: &str = "a model runs to its end at once: it cannot be `async`; await what it needs before and \
     pass the result as an argument";
pub(crate) const UNSAFE: &str = "a model is called by inference: it cannot be `unsafe`; put the unsafe step into an \
     `unsafe` block or a function of its own";
pub(crate) const EXTERN: &str =
    "a model is called by inference: it cannot be `extern`; wrap it in an `extern` function";
pub(crate) const CONST: &str = "a model samples when it runs: it cannot be `const`; move the constant part into a \
     `const fn` of its own";
pub(crate) const VARIADIC: &str = "a model takes a fixed list of arguments: pass a slice instead of `...`";
pub(crate) const IMPL_ARGUMENT: &str = "an argument's type must have a name: make it a generic parameter, \
     `fn model<T: Trait>(x: T)`, instead of `impl Trait`";
pub(crate) const IMPL_RETURN: &str = "a model's return type must have a name: write the type itself, or \
     `Box<dyn Trait>`, instead of `impl Trait`";
pub(crate) const ELIDED_RETURN: &str =
    "from which argument does this borrow? Name the lifetime in the argument and here";

pub(crate) fn unknown_attribute_argument(key: &str) -> String {
    format!("unknown argument `{key}`: the annotation takes `dtype = E` and `device = D`")
}

// --- Where a call may stand ---------------------------------------------------------------------------------------

pub(crate) fn outside(verb: Verb) -> String {
    format!("`{}!` works only inside a function annotated with #[model] or #[guide]", verb.word())
}

pub(crate) fn plain_name_repeated(verb: Verb, pattern: &str, example: &str) -> String {
    let word = verb.word();
    format!(
        "in a loop or a closure one name would be sampled again and again: give each round its own, \
         `{word}!(\"{pattern}_{{{example}}}\", ..)`, with `{example}` the variable that counts the rounds"
    )
}

pub(crate) const NESTED_IN_BUILDER: &str = "this would run only when the parameter is first made: bind its value \
     before, and use the variable here";
pub(crate) const FACTOR_IN_GUIDE: &str = "a guide proposes values, it does not weigh them: `factor!` belongs into the \
     model";
pub(crate) const OBSERVED_IN_GUIDE: &str = "a guide proposes latent values: `obs = ..` belongs into the model";
pub(crate) const AUXILIARY_IN_MODEL: &str = "`auxiliary` marks a site that only the guide has: it belongs into the \
     guide; in a model leave it out";
pub(crate) const ENUMERATED_OBSERVED: &str = "a site with `obs` has one value, so that there is nothing to enumerate: \
     remove one of the two";
pub(crate) const AUXILIARY_OBSERVED: &str = "an auxiliary site is the guide's own: it has no `obs`";

// --- Names --------------------------------------------------------------------------------------------------------

pub(crate) fn name_not_literal(verb: Verb) -> String {
    let word = verb.word();
    format!(
        "the name must be a string literal, so that it can be checked: write `{word}!(\"name\", ..)`, or \
         `{word}!(\"name_{{i}}\", ..)` for a family indexed by the variable `i`"
    )
}

pub(crate) fn bad_placeholder(inner: &str) -> String {
    let bound = if inner.is_empty() { ".." } else { inner };
    format!("`{{{inner}}}` must hold the name of one variable: bind it first, `let i = {bound};`, and write `{{i}}`")
}

pub(crate) fn unbalanced_brace(text: &str) -> String {
    format!(
        "a brace without its partner in `{text}`: a placeholder is written `{{i}}`, and a name holds no other braces"
    )
}

pub(crate) fn empty_name(text: &str) -> String {
    format!("`{text}` leaves no name: write at least one letter or digit outside of the placeholders")
}

pub(crate) fn too_many_indices(most: usize) -> String {
    format!("a family has at most {most} indices: number its members by one that combines them")
}

pub(crate) fn sampled_twice(pattern: &str) -> String {
    format!(
        "`{pattern}` is already the name of a site on this path: every site of a run has a name of its own (branches \
         that exclude each other may share one)"
    )
}

pub(crate) fn two_kinds(pattern: &str, here: Verb, there: Verb) -> String {
    format!("`{pattern}` is already the name of a `{}!`: give the `{}!` another one", there.word(), here.word())
}

pub(crate) fn two_types(pattern: &str, here: impl Display, there: impl Display) -> String {
    format!(
        "`{pattern}` has the type `{here}` here and `{there}` on another path: one name has one type, so give the two \
         sites different names"
    )
}

pub(crate) fn two_names_one_field(pattern: &str, other: &str, field: impl Display) -> String {
    format!("`{pattern}` and `{other}` would both become the field `{field}` of the trace: rename one of them")
}

// --- Arguments of a call ------------------------------------------------------------------------------------------

pub(crate) fn no_arguments(verb: Verb) -> String {
    format!("nothing is in it: write `{}`", usage(verb))
}

pub(crate) fn missing_argument(verb: Verb) -> String {
    format!("an argument is missing after the name: write `{}`", usage(verb))
}

pub(crate) fn surplus_argument(verb: Verb) -> String {
    format!("this is one argument too many: write `{}`", usage(verb))
}

pub(crate) fn unknown_option(verb: Verb, key: impl Display) -> String {
    format!("`{}!` has no option `{key}`: write `{}`", verb.word(), usage(verb))
}

pub(crate) const INCOMPLETE_TYPE: &str = "this type becomes a field of the trace, where nothing can be inferred: write \
     it in full, without `_`";
pub(crate) const LOCAL_TYPE: &str = "this type becomes a field of the trace, which stands beside the function and \
     cannot see what is declared in it: declare the type beside the function as well";
pub(crate) const TYPE_ON_NOTHING: &str = "this has no value of its own and so takes no type: remove it";
pub(crate) const PLATE_WITHOUT_BODY: &str = "what is inside the plate? Write `plate!(\"name\", n, |rows| ..)`, or \
     `for i in plate!(\"name\", n) { .. }` for one row after the other";
pub(crate) const MARKOV_WITHOUT_LOOP: &str = "a chain is a loop over its steps: write `for t in markov!(0..n) { .. }`";
pub(crate) const PLATE_CLOSURE: &str = "a plate's closure takes one argument, the indices of its rows: write `|rows|`, \
     or `|_|`";
pub(crate) const TWO_SELECTIONS: &str = "a plate's rows are either drawn, `subsample = b`, or given, `rows = indices`: \
     remove one of the two";
pub(crate) const SUBMODEL_NOT_CALLED: &str = "the submodel is called with its arguments: write \
     `submodel!(\"name\", model(x, y))`";

/// The full form of a call.
fn usage(verb: Verb) -> &'static str {
    match verb {
        Verb::Sample => "sample!(\"name\", distribution)`, with `obs = value` for data, or with `scale = weight",
        Verb::Param => "param!(\"name\", initial)` or `param!(\"name\", initial, constraint = set)",
        Verb::Module => "module!(\"name\", build)",
        Verb::Plate => "plate!(\"name\", size, |rows| ..)` or `plate!(\"name\", size, subsample = b, |rows| ..)",
        Verb::Factor => "factor!(\"name\", log_weight)",
        Verb::Deterministic => "deterministic!(\"name\", value)",
        Verb::Markov => "for t in markov!(steps)` or `for t in markov!(steps, history = h)",
        Verb::Submodel => "submodel!(\"name\", model(x, y))",
    }
}

// --- Between a guide and its model: shown by the compiler when it evaluates the checks ------------------------------

pub(crate) fn missing_in_guide(model: impl Display, pattern: &str) -> String {
    format!(
        "the guide never samples the latent site `{pattern}` of the model `{model}`: add `sample!(\"{pattern}\", ..)` \
         to the guide, or `observed({pattern})` to its annotation when data will be given for it"
    )
}

pub(crate) fn unknown_in_model(model: impl Display, pattern: &str) -> String {
    format!(
        "the model `{model}` has no site `{pattern}` for the guide to propose: correct the name, or mark a site of the \
         guide's own, `sample!(\"{pattern}\", .., auxiliary)`"
    )
}

pub(crate) fn unknown_observed(model: impl Display, name: impl Display) -> String {
    format!("the model `{model}` has no site `{name}` that could be observed")
}

// --- derive(Module) -------------------------------------------------------------------------------------------------

pub(crate) const MODULE_NOT_STRUCT: &str = "a module is a struct of layers: derive Module on a struct, and hold the \
     alternatives of an enum in fields of it";
pub(crate) const MODULE_ATTRIBUTE: &str = "unknown argument: a field of a module takes #[module(skip)] when it holds \
     no parameters";
