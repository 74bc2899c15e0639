//! Token streams through parse and check: the fields that come out, or the messages.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse_quote;

use crate::ast::Verb;
use crate::checked::{Checked, Content, Field};
use crate::messages;
use crate::mistakes::Mistakes;
use crate::parse::{self, attribute};

fn run(annotation: attribute::Annotation, args: TokenStream, item: TokenStream) -> (Checked, Vec<String>) {
    let mut mistakes = Mistakes::default();
    let head = attribute::head(annotation, parse_quote!(f32), args, &mut mistakes);
    let function = parse::function(head, item, &mut mistakes).expect("a function");
    let checked = super::function(function, &mut mistakes);
    (checked, mistakes.messages())
}

fn model(item: TokenStream) -> (Checked, Vec<String>) {
    run(attribute::Annotation::Model, TokenStream::new(), item)
}

/// The messages for a model of this body.
fn wrong(body: TokenStream) -> Vec<String> {
    model(quote!(fn m(n: usize, c: bool, xs: &[f32]) { #body })).1
}

/// The messages for a guide of this body.
fn wrong_guide(body: TokenStream) -> Vec<String> {
    run(attribute::Annotation::Guide, quote!(m), quote!(fn g() { #body })).1
}

/// One word for each field of the trace of a model of this body.
fn fields(body: TokenStream) -> Vec<String> {
    let (checked, messages) = model(quote!(fn m(n: usize, c: bool, x: &X, y: Option<&Y>) { #body }));
    assert_eq!(messages, Vec::<String>::new());
    checked.fields.iter().map(describe).collect()
}

fn describe(field: &Field) -> String {
    let (ty, wrap) = match &field.content {
        Content::Value(ty) => (ty, ""),
        Content::Trace { ty, own: false } => (ty, "trace "),
        Content::Trace { ty, own: true } => (ty, "own "),
    };
    let ty = ty.to_token_stream().to_string().replace(' ', "");
    match (field.indices, field.conditional) {
        (0, false) => format!("{}: {wrap}{ty}", field.ident),
        (0, true) => format!("{}: {wrap}{ty}?", field.ident),
        (n, _) => format!("{}: {wrap}{ty}[{n}]", field.ident),
    }
}

#[test]
fn types_come_from_the_let_the_name_and_the_observed_argument() {
    let body = quote! {
        let a: A = sample!("a", d);
        sample!("b": B<3>, d);
        sample!("x", d, obs = x);
        sample!("y", d, obs = y);
        sample!("x2", d, obs = Some(x));
        sample!("untyped", d);
        let _: Vec<_> = sample!("vague", d);
        type Local = A;
        let _: Local = sample!("local", d);
        deterministic!("f": F, a + 1);
        factor!("w", a);
    };
    assert_eq!(fields(body), ["a: A", "b: B<3>", "x: X", "y: Y", "x2: X", "f: F"]);
}

#[test]
fn a_rebound_argument_says_nothing_of_the_observed_type() {
    assert_eq!(fields(quote! { let x = x.sum(); sample!("x", d, obs = x); }), Vec::<String>::new());
}

#[test]
fn a_let_reaches_into_branches_and_plates() {
    let body = quote! {
        let z: Z = if c { sample!("a", d) } else { match n { 0 => sample!("b", d), _ => { sample!("e", d) } } };
        let r: R = plate!("rows", n, |rows| { sample!("r", d) });
    };
    assert_eq!(fields(body), ["a: Z?", "b: Z?", "e: Z?", "r: R"]);
}

#[test]
fn branches_and_early_ends_make_a_site_conditional() {
    let conditional = [
        quote! { if c { sample!("z": T, d); } },
        quote! { match n { 0 => { sample!("z": T, d); } _ => {} } },
        quote! { if c { return; } sample!("z": T, d); },
        quote! { let Some(k) = f(n) else { return }; sample!("z": T, d); },
        quote! { let k = f(n)?; sample!("z": T, d); },
        quote! { c && sample!("z": T, d); },
        quote! { 'a: { if c { break 'a; } sample!("z": T, d); } },
        quote! { plate!("p", n, |_| { if c { return; } sample!("z": T, d); }); },
        quote! { for i in 0..n { if c { return; } } sample!("z": T, d); },
        quote! { maybe!(sample!("z": T, d)) },
    ];
    for body in conditional {
        assert_eq!(fields(body.clone()), ["z: T?"], "{body}");
    }
}

#[test]
fn what_does_not_leave_the_function_leaves_a_site_certain() {
    let certain = [
        quote! { 'a: { if c { break 'a; } } sample!("z": T, d); },
        quote! { for i in 0..n { if c { break; } } sample!("z": T, d); },
        quote! { plate!("p", n, |_| { if c { return; } }); sample!("z": T, d); },
        quote! { xs.map(|v| { if v { return 1; } 2 }); sample!("z": T, d); },
        quote! { if c { panic!("no") } sample!("z": T, d); },
        quote! { if sample!("z": T, d) { } },
        quote! { { sample!("z": T, d); } },
        quote! { println!("{:?}", sample!("z": T, d)); },
        quote! { f(sample!("z": T, d)).g(); },
    ];
    for body in certain {
        assert_eq!(fields(body.clone()), ["z: T"], "{body}");
    }
}

#[test]
fn families_stand_in_loops_closures_and_anywhere() {
    let body = quote! {
        for i in 0..n { for j in 0..n { sample!("a_{i}_{j}": A, d); } }
        let v: Vec<_> = (0..n).map(|i| sample!("b_{i}": B, d)).collect();
        while c { sample!("e_{n}": E, d); }
        sample!("f_{n}": F, d);
        for i in plate!("p", n) { sample!("g_{i}": G, d); }
        vec![sample!("h_{n}": H, d); 3];
    };
    assert_eq!(fields(body), ["a: A[2]", "b: B[1]", "e: E[1]", "f: F[1]", "g: G[1]", "h: H[1]"]);
}

#[test]
fn submodels_have_the_trace_of_their_model() {
    let body = quote! {
        let e = submodel!("enc", models::enc::<3>(x));
        if c { submodel!("next", m(n)); }
        for t in 0..n { submodel!("step_{t}", step(t)); }
        submodel!("any": AnyTrace<B>, (pick())(x));
        submodel!("nameless", (pick())(x));
        submodel!("variable", x(n));
    };
    let expected =
        ["enc: trace models::EncTrace", "next: own MTrace?", "step: trace StepTrace[1]", "any: trace AnyTrace<B>"];
    assert_eq!(fields(body), expected);
}

#[test]
fn exclusive_branches_share_a_name() {
    let body = quote! { if c { sample!("z": T, d); } else { sample!("z", d); } };
    assert_eq!(fields(body), ["z: T?"]);
    let after_return = quote! { if c { sample!("z": T, d); return; } sample!("z": T, d); };
    assert_eq!(fields(after_return), ["z: T?"]);
}

#[test]
fn one_path_samples_a_name_once() {
    let twice = vec![messages::sampled_twice("z")];
    assert_eq!(wrong(quote! { sample!("z", d); sample!("z", d); }), twice);
    assert_eq!(wrong(quote! { if c { sample!("z", d); } sample!("z", d); }), twice);
    assert_eq!(wrong(quote! { match n { k if sample!("z", d) => {} _ => { sample!("z", d); } } }), twice);
    assert_eq!(wrong(quote! { 'a: { sample!("z", d); if c { break 'a; } return; } sample!("z", d); }), twice);
    assert_eq!(wrong(quote! { plate!("p", n, |_| { sample!("z", d); return; }); deterministic!("z", d); }), twice);
}

#[test]
fn one_name_has_one_kind_one_type_and_one_field() {
    let kinds = messages::two_kinds("w", Verb::Param, Verb::Sample);
    assert_eq!(wrong(quote! { sample!("w", d); param!("w", d); }), [kinds]);
    let types = messages::two_types("z", "Tensor<Rank1<3>>", "Tensor<Rank1<2>>");
    let body = quote! { if c { sample!("z": Tensor<Rank1<2>>, d); } else { sample!("z": Tensor<Rank1<3>>, d); } };
    assert_eq!(wrong(body), [types]);
    let fields = messages::two_names_one_field("w-1", "w_1", "w_1");
    assert_eq!(wrong(quote! { sample!("w_1": T, d); sample!("w-1": T, d); }), [fields]);
    assert_eq!(wrong(quote! { param!("w", d); param!("w", d); }), Vec::<String>::new());
}

#[test]
fn repeated_names_must_be_families() {
    let message = vec![messages::plain_name_repeated(Verb::Sample, "z", "i")];
    assert_eq!(wrong(quote! { for i in 0..n { sample!("z", d); } }), message);
    assert_eq!(wrong(quote! { xs.iter().map(|x| sample!("z", d)); }), message);
    assert_eq!(wrong(quote! { for i in plate!("p", n) { sample!("z", d); } }), message);
    assert_eq!(wrong(quote! { while sample!("z", d) {} }), message);
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let messages = wrong(quote! { sample!(name, d); sample!("z", d, observed = x); plate!("p", n); });
    let expected = [
        messages::name_not_literal(Verb::Sample),
        messages::unknown_option(Verb::Sample, "observed"),
        messages::PLATE_WITHOUT_BODY.to_owned(),
    ];
    assert_eq!(messages, expected);
}

#[test]
fn calls_with_too_much_or_too_little_are_shown_the_right_form() {
    assert_eq!(wrong(quote! { sample!(); }), [messages::no_arguments(Verb::Sample)]);
    assert_eq!(wrong(quote! { sample!("z"); }), [messages::missing_argument(Verb::Sample)]);
    assert_eq!(wrong(quote! { module!("z", a, b); }), [messages::surplus_argument(Verb::Module)]);
    assert_eq!(wrong(quote! { submodel!("e", x); }), [messages::SUBMODEL_NOT_CALLED]);
    assert_eq!(wrong(quote! { plate!("p", n, f); }), [messages::PLATE_CLOSURE]);
    assert_eq!(wrong(quote! { plate!("p", n, |a, b| a); }), [messages::PLATE_CLOSURE]);
    assert_eq!(wrong(quote! { plate!("p", n, subsample = 3, rows = r, |r| r); }), [messages::TWO_SELECTIONS]);
    assert_eq!(wrong(quote! { markov!(0..n); }), [messages::MARKOV_WITHOUT_LOOP]);
    assert_eq!(wrong(quote! { for t in markov!(0..n, 2) {} }), [messages::surplus_argument(Verb::Markov)]);
    assert_eq!(wrong(quote! { factor!("f": T, w); }), [messages::TYPE_ON_NOTHING]);
    assert_eq!(wrong(quote! { sample!("z": Vec<_>, d); }), [messages::INCOMPLETE_TYPE]);
    assert_eq!(wrong(quote! { param!("w", sample!("z", d)); }), [messages::NESTED_IN_BUILDER]);
    assert_eq!(wrong(quote! { use a::{B as C}; sample!("z": Vec<C>, d); }), [messages::LOCAL_TYPE]);
}

#[test]
fn guides_propose_and_models_weigh() {
    assert_eq!(wrong_guide(quote! { factor!("f", w); }), [messages::FACTOR_IN_GUIDE]);
    assert_eq!(wrong_guide(quote! { sample!("z", d, obs = x); }), [messages::OBSERVED_IN_GUIDE]);
    assert_eq!(wrong_guide(quote! { sample!("z", d, auxiliary); }), Vec::<String>::new());
    assert_eq!(wrong_guide(quote! { sample!("z", d, auxiliary, obs = x); }), [messages::AUXILIARY_OBSERVED]);
    assert_eq!(wrong(quote! { sample!("z", d, auxiliary); }), [messages::AUXILIARY_IN_MODEL]);
    assert_eq!(wrong(quote! { sample!("z", d, enumerate); }), Vec::<String>::new());
    assert_eq!(wrong(quote! { sample!("z", d, enumerate, obs = x); }), [messages::ENUMERATED_OBSERVED]);
    assert_eq!(wrong(quote! { sample!("z", d, enumerate, auxiliary); }), [messages::surplus_argument(Verb::Sample)]);
}

#[test]
fn signatures_that_no_model_has() {
    let table = [
        (
            quote!(
                async fn m() {}
            ),
            messages::ASYNC,
        ),
        (
            quote!(
                unsafe fn m() {}
            ),
            messages::UNSAFE,
        ),
        (
            quote!(
                extern "C" fn m() {}
            ),
            messages::EXTERN,
        ),
        (
            quote!(
                const fn m() {}
            ),
            messages::CONST,
        ),
        (
            quote!(
                fn m(&self) {}
            ),
            messages::SELF_ARGUMENT,
        ),
        (
            quote!(
                fn m(x: impl Fn()) {}
            ),
            messages::IMPL_ARGUMENT,
        ),
        (
            quote!(
                fn m() -> impl Fn() {}
            ),
            messages::IMPL_RETURN,
        ),
        (
            quote!(
                fn m(x: &A, y: &B) -> &C {}
            ),
            messages::ELIDED_RETURN,
        ),
    ];
    for (item, message) in table {
        assert_eq!(model(item.clone()).1, [message], "{item}");
    }
    let unguided = run(
        attribute::Annotation::Guide,
        TokenStream::new(),
        quote!(
            fn g() {}
        ),
    )
    .1;
    assert_eq!(unguided, [messages::NO_GUIDED_MODEL]);
    let extra = run(
        attribute::Annotation::Model,
        quote!(vae),
        quote!(
            fn g() {}
        ),
    )
    .1;
    assert_eq!(extra, [messages::EXTRA_ATTRIBUTE]);
    let unknown = run(
        attribute::Annotation::Model,
        quote!(type_ = f64),
        quote!(
            fn g() {}
        ),
    )
    .1;
    assert_eq!(unknown, [messages::unknown_attribute_argument("type_")]);
}
