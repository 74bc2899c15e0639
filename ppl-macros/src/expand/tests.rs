//! Expansions, compared as token strings.

use proc_macro2::TokenStream;
use quote::quote;

use crate::parse::attribute::Annotation;
use crate::phases;

// Statements that lend the handler to others.
mod lending;

fn model(args: TokenStream, item: TokenStream) -> String {
    phases::annotated(Annotation::Model, "f32", args, item).to_string()
}

fn guide(args: TokenStream, item: TokenStream) -> String {
    phases::annotated(Annotation::Guide, "f32", args, item).to_string()
}

/// Without blanks and without commas before closing brackets.
fn normalised(tokens: &str) -> String {
    let dense: String = tokens.chars().filter(|c| !c.is_whitespace()).collect();
    let dense = dense.replace("::<", "<");
    [")", "}", "]", ">"].iter().fold(dense, |text, close| text.replace(&format!(",{close}"), close))
}

#[track_caller]
fn assert_has(expansion: &str, part: TokenStream) {
    let (expansion, part) = (normalised(expansion), normalised(&part.to_string()));
    assert!(expansion.contains(&part), "expected\n{part}\nin\n{expansion}");
}

#[track_caller]
fn assert_statement(statement: TokenStream, becomes: TokenStream) {
    let expansion = model(quote!(), quote!(fn m(n: usize) { #statement }));
    assert_has(&expansion, quote!({ #becomes }));
}

#[test]
fn a_model_is_a_value_with_the_function_as_its_method() {
    let expansion = model(
        quote!(),
        quote!(
            /** Doc. */
            #[cfg(all())]
            pub fn vae(x: &X<'_>, mut y: Y) -> R {
                y.r(x)
            }
        ),
    );
    assert_has(
        &expansion,
        quote!(
            pub struct vae;
        ),
    );
    assert_has(
        &expansion,
        quote! {
            #[cfg(all())]
            #[automatically_derived]
            impl<'__ppl_0, '__ppl_1> ::ppl::__private::Model<(&'__ppl_0 X<'__ppl_1>, Y,)> for vae
        },
    );
}

#[test]
fn a_return_type_borrows_as_in_a_function() {
    let expansion = model(
        quote!(),
        quote!(
            fn first(x: &X) -> &R {
                x.r()
            }
        ),
    );
    assert_has(
        &expansion,
        quote!(
            type Output = &'__ppl_0 R;
        ),
    );
}

#[test]
fn the_body_keeps_its_patterns_and_its_types() {
    let expansion = model(
        quote!(dtype = E, device = D),
        quote!(
            fn m<E: Dtype, D: Backend<E>>((a, b): (A, T<E, D>)) {
                a
            }
        ),
    );
    assert_has(&expansion, quote!(impl<E: Dtype, D: Backend<E> > ::ppl::__private::Model<((A, T<E, D>),)> for m));
    assert_has(
        &expansion,
        quote!(
            type E = E;
            type D = D;
            type Output = ();
            type Trace = MTrace;
        ),
    );
    assert_has(
        &expansion,
        quote!({
            let ((a, b),) = __ppl_arguments;
            { a }
        }),
    );
}

#[test]
fn parameters_that_no_argument_determines_sit_on_the_value() {
    let constant = model(
        quote!(),
        quote!(
            fn m<const H: usize, const B: usize>(x: &X<B>) {}
        ),
    );
    assert_has(
        &constant,
        quote!(
            struct m<const H: usize>;
        ),
    );
    assert_has(&constant, quote!(Model<(&'__ppl_0 X<B>,)> for m<H>));
    let ty = model(
        quote!(),
        quote!(
            fn m<T: Trait>() {}
        ),
    );
    assert_has(
        &ty,
        quote!(
            struct m<T> {
                __ppl_of: ::core::marker::PhantomData<fn() -> (::core::marker::PhantomData<T>,)>,
            }
        ),
    );
    assert_has(
        &ty,
        quote!(
            const fn m<T>() -> m<T> {
                m { __ppl_of: ::core::marker::PhantomData }
            }
        ),
    );
}

#[test]
fn typed_sites_become_fields() {
    let expansion = model(
        quote!(),
        quote! {
            pub fn vae<const B: usize, const C: usize>(x: &X<B>, y: &Y<C>) {
                let z: T<B> = sample!("z", d);
                if c { sample!("y": U, d); }
                for i in 0..3 { for j in 0..i { sample!("w_{i}_{j}": W, d); } }
                submodel!("enc", net::enc(x));
                if c { submodel!("next", vae(x, y)); }
            }
        },
    );
    assert_has(
        &expansion,
        quote! {
            pub struct VaeTrace<const B: usize> {
                #[doc = "`z`"] pub z: ::ppl::__private::Site<T<B> >,
                #[doc = "`y`"] pub y: ::core::option::Option<::ppl::__private::Site<U> >,
                #[doc = "`w_{}_{}`"] pub w: ::ppl::__private::BTreeMap<
                    (::core::primitive::usize, ::core::primitive::usize), ::ppl::__private::Site<W> >,
                #[doc = "`enc`"] pub enc: net::EncTrace,
                #[doc = "`next`"] pub next: ::core::option::Option<::ppl::__private::Box<VaeTrace<B> > >,
            }
        },
    );
    assert_has(
        &expansion,
        quote! {
            Self {
                z: __ppl_reader.site("z")?,
                y: __ppl_reader.optional("y")?,
                w: __ppl_reader.family("w_{}_{}")?,
                enc: __ppl_reader.submodel("enc")?,
                next: __ppl_reader.optional_submodel("next")?,
            }
        },
    );
    assert_has(&expansion, quote!(impl<const B: usize> ::ppl::__private::ValuesOf<vae> for VaeValues<B>));
    assert_has(&expansion, quote!(__ppl_map.put_family("w_{}_{}", self.w);));
}

#[test]
fn each_site_has_its_value_type_for_guides() {
    let expansion = model(
        quote!(),
        quote!(
            fn m(x: X) {
                sample!("z1": T, d);
                sample!("x", d, obs = x);
            }
        ),
    );
    assert_has(
        &expansion,
        quote! {
            impl ::ppl::__private::HasSite<::ppl::__private::Ch<'z', ::ppl::__private::Ch<'1'> >, (X,)> for m {
                type Value = T;
            }
        },
    );
    assert!(expansion.contains("name : \"x\" , latent : false"), "{expansion}");
}

#[test]
fn statements_are_calls_on_the_handler() {
    assert_statement(
        quote!(sample!("z", d)),
        quote!(::ppl::__private::sample(&mut *__ppl_h, ::ppl::__private::Address::fixed("z"), d)),
    );
    assert_statement(
        quote!(sample!("z_{n}", d, obs = Some(1))),
        quote!(::ppl::__private::observe(
            &mut *__ppl_h,
            ::ppl::__private::Address::indexed("z_{}", &[::ppl::__private::SiteIndex::to_index(n)]),
            d,
            Some(1)
        )),
    );
    assert_statement(
        quote!(param!("w", zeros(), constraint = positive())),
        quote!(::ppl::__private::param_constrained(
            &mut *__ppl_h,
            ::ppl::__private::Address::fixed("w"),
            |_| zeros(),
            positive()
        )),
    );
    assert_statement(
        quote!(sample!("z": T, d)),
        quote!(::core::convert::identity::<T>(::ppl::__private::sample(
            &mut *__ppl_h,
            ::ppl::__private::Address::fixed("z"),
            d
        ))),
    );
    assert_statement(
        quote!(submodel!("e", m::<3>(n))),
        quote!(::ppl::__private::submodel(&mut *__ppl_h, ::ppl::__private::Address::fixed("e"), &(m::<3>), (n,))),
    );
}

#[test]
fn nested_statements_are_done_before_the_handler_is_lent_again() {
    assert_statement(
        quote!(factor!("f", g(deterministic!("v", n)))),
        quote!(::core::convert::identity(
            match (g(::ppl::__private::deterministic(&mut *__ppl_h, ::ppl::__private::Address::fixed("v"), n)),) {
                (__ppl_0,) => ::ppl::__private::factor(&mut *__ppl_h, ::ppl::__private::Address::fixed("f"), __ppl_0),
            }
        )),
    );
}

#[test]
fn moving_closures_take_a_loan_of_the_handler() {
    assert_statement(
        quote!(f(move |i| factor!("f_{i}", w))),
        quote! { f({
            let __ppl_h = &mut *__ppl_h;
            move |i| ::ppl::__private::factor(
                    &mut *__ppl_h,
                    ::ppl::__private::Address::indexed("f_{}", &[::ppl::__private::SiteIndex::to_index(i)]),
                    w,
                )
        }) },
    );
}

#[test]
fn a_guide_is_checked_against_its_model() {
    let expansion = guide(
        quote!(models::vae::<H, T>, observed(x)),
        quote!(
            fn g<const H: usize, T>() {
                sample!("z", d);
            }
        ),
    );
    assert_has(
        &expansion,
        quote!(
            impl<const H: usize, T> ::ppl::__private::Guide<models::vae<H, T>> for g<H, T> {}
        ),
    );
    assert_has(
        &expansion,
        quote!(
            const _: () =
                ::ppl::__private::check_guide(<models::vae<0, ()> as ::ppl::__private::Sites>::SITES, &["z"], &["x"]);
        ),
    );
    assert_has(&expansion, quote!(::ppl::__private::same_arguments::<models::vae::<H, T>, (), Self::E, Self::D>();));
    assert_has(
        &expansion,
        quote!((&::ppl::__private::Probe::<models::vae::<H, T>, ::ppl::__private::Ch<'z'>, ()>::NEW).guide_sample(
            &mut *__ppl_h,
            ::ppl::__private::Address::fixed("z"),
            d
        )),
    );
}

#[test]
fn after_a_mistake_the_items_are_still_there() {
    let expansion = model(
        quote!(),
        quote!(
            fn m() {
                sample!(name, d);
                sample!("z": T, d);
            }
        ),
    );
    assert_has(
        &expansion,
        quote!(
            struct m;
        ),
    );
    assert_has(
        &expansion,
        quote!(
            type Value = T;
        ),
    );
    assert!(expansion.contains("compile_error") && !expansion.contains("__ppl_call"));
    let hopeless = model(quote!(), quote! { pub fn m() -> impl Clone {} });
    assert_has(&hopeless, quote! { pub struct m; });
    let method = model(quote!(), quote! { pub fn m(&self) {} });
    assert_has(&method, quote! { pub fn m(&self) });
}

#[test]
fn a_module_visits_its_layers() {
    let expansion = phases::module(quote! { struct Net<const H: usize> { a: Linear<H>, #[module(skip)] b: B } });
    let expansion = expansion.to_string();
    assert_has(&expansion, quote!(__ppl_visitor.field("a", &self.a);));
    assert_has(&expansion, quote!(Linear<H>: ::ppl::__private::Module<__PplE, __PplD>));
    assert!(!expansion.contains("self . b"));
    assert!(phases::module(quote! { enum E { A } }).to_string().contains("compile_error"));
}

#[test]
fn a_chain_lends_the_handler_step_by_step() {
    let expansion = model(
        quote!(),
        quote!(
            fn m(n: usize) {
                for t in markov!(0..n, history = 2) {
                    sample!("x_{t}", d, enumerate);
                }
            }
        ),
    );
    assert_has(
        &expansion,
        quote!({
            let __ppl_steps = 0..n;
            let mut __ppl_chain = ::ppl::__private::Markov::begin(&mut *__ppl_h, 2);
            for t in __ppl_steps {
                let __ppl_h = __ppl_chain.step();
                ::ppl::__private::sample(
                    ::ppl::__private::enumerated(&mut *__ppl_h),
                    ::ppl::__private::Address::indexed("x_{}", &[::ppl::__private::SiteIndex::to_index(t)]),
                    d,
                );
            }
        }),
    );
    assert!(expansion.contains("name : \"x_{}\" , latent : false"), "{expansion}");
}
