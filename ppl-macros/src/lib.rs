//! The macros of `ppl`: `#[model]`, `#[guide(..)]`, the statements in their bodies, and `derive(Module)`.
//!
//! Three phases over a tree of our own: `parse` decides nothing, `check` prints nothing, `expand` cannot fail.

// The tree that is parsed.
mod ast;
// Every text that is shown.
mod messages;
// All mistakes at once.
mod mistakes;
// Names of sites.
mod name;
// What stands for a statement while the body is taken apart.
mod placeholder;
// The tree that is expanded.
mod checked;
// From tokens to the first tree.
mod parse;
// From the first tree to the second, and mistakes.
mod check;
// From the second tree to items.
mod expand;
// The three phases in a row.
mod phases;

use ast::Verb;
use parse::attribute::Annotation;
use proc_macro::TokenStream;

/// Makes a model of a function. At its place, with its visibility, come for `fn vae(..)`:
/// - `vae`, a value that implements `Model` for the function's arguments as a tuple. Generics that no argument
///   mentions belong to the value: `vae::<400>`; with types among them it is made by a call, `vae::<T>()`;
/// - `VaeTrace`, a run as a struct. A site that has a type, `let z: T = sample!("z", ..)` or `sample!("z": T, ..)`, is
///   the field `z: Site<T>`; an `Option` of it where some paths lack the site; a family `"z_{t}"` is a map from its
///   index; a submodel is its own trace, boxed when it is the model itself;
/// - `VaeValues`, the same fields as values to condition on, with `Default`;
/// - what a guide is checked against.
///
/// Tensors are `f32` on the CPU, unless `#[model(dtype = E, device = D)]` says otherwise.
#[proc_macro_attribute]
pub fn model(args: TokenStream, item: TokenStream) -> TokenStream {
    phases::annotated(Annotation::Model, "f32", args.into(), item.into()).into()
}

/// [`macro@model`] in `f64`; the `model` of `ppl::prelude64`.
#[proc_macro_attribute]
pub fn model64(args: TokenStream, item: TokenStream) -> TokenStream {
    phases::annotated(Annotation::Model, "f64", args.into(), item.into()).into()
}

/// Makes a guide for a model, `#[guide(model)]`: what [`macro@model`] makes, and `Guide<model>`.
///
/// It takes the model's arguments and samples each of its latent sites with values of the model's types, all of which
/// is checked at compile time. `#[guide(model, observed(x))]` leaves out a site for which data will be given;
/// `sample!(.., auxiliary)` is a site of the guide's own.
#[proc_macro_attribute]
pub fn guide(args: TokenStream, item: TokenStream) -> TokenStream {
    phases::annotated(Annotation::Guide, "f32", args.into(), item.into()).into()
}

/// [`macro@guide`] in `f64`; the `guide` of `ppl::prelude64`.
#[proc_macro_attribute]
pub fn guide64(args: TokenStream, item: TokenStream) -> TokenStream {
    phases::annotated(Annotation::Guide, "f64", args.into(), item.into()).into()
}

/// Makes a module of a struct of layers. A field that holds no parameters is marked `#[module(skip)]`.
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    phases::module(input.into()).into()
}

macro_rules! statements {
    ($($(#[$doc:meta])* $word:ident: $verb:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Works inside a function annotated with [`macro@model`] or [`macro@guide`], and is an error elsewhere.
        #[proc_macro]
        pub fn $word(_: TokenStream) -> TokenStream {
            phases::outside(Verb::$verb).into()
        }
    )*};
}

statements! {
    /// Samples a value, `sample!("z", distribution)`, or observes one, `sample!("x", distribution, obs = value)`; perhaps
    /// `scale = factor`, which multiplies its log-density. `sample!("k", distribution, enumerate)` leaves a discrete value to
    /// inference that sums over all its values, so that no guide need sample it.
    sample: Sample;
    /// A tensor to be learnt, `param!("w", initial)`, perhaps `constraint = set`.
    param: Param;
    /// A network to be learnt, `module!("net", Net::build)`.
    module: Module;
    /// Independent rows, `plate!("data", n, |rows| ..)`, perhaps `subsample = b` or `rows = indices`.
    plate: Plate;
    /// A term of the log density, `factor!("name", log_weight)`.
    factor: Factor;
    /// A computed value that the trace keeps, `deterministic!("name", value)`.
    deterministic: Deterministic;
    /// The steps of a Markov chain, `for t in markov!(0..n)`: what is sampled in a step depends on the variables of the last
    /// `history = h` steps, by default of one. Inference that enumerates then needs time linear in the number of steps.
    markov: Markov;
    /// Another model under a name of its own, `submodel!("name", model(x))`.
    submodel: Submodel;
}
