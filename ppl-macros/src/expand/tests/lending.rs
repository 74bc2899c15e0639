//! Statements that lend the handler to others: plates, and scales of a site.

use quote::quote;

use super::assert_statement;

#[test]
fn a_scale_is_set_where_the_handler_is_lent() {
    assert_statement(
        quote!(sample!("z", d, scale = w)),
        quote!(::ppl::__private::sample(
            ::ppl::__private::scaled(&mut *__ppl_h, w),
            ::ppl::__private::Address::fixed("z"),
            d
        )),
    );
    assert_statement(
        quote!(sample!("z", d, obs = x, scale = deterministic!("w", a))),
        quote!(::core::convert::identity(
            match (d, x, ::ppl::__private::deterministic(&mut *__ppl_h, ::ppl::__private::Address::fixed("w"), a),) {
                (__ppl_0, __ppl_1, __ppl_2) => ::ppl::__private::observe(
                    ::ppl::__private::scaled(&mut *__ppl_h, __ppl_2),
                    ::ppl::__private::Address::fixed("z"),
                    __ppl_0,
                    __ppl_1
                ),
            }
        )),
    );
}

#[test]
fn plates_lend_the_handler_to_their_bodies() {
    assert_statement(
        quote!(plate!("p", n, subsample = 3, |rows: Rows| factor!("f", w))),
        quote!(::ppl::__private::plate(
            &mut *__ppl_h,
            ::ppl::__private::Address::fixed("p"),
            n,
            ::ppl::__private::PlateRows::Subsample(3),
            |__ppl_h: &mut dyn ::ppl::__private::Handler<Self::E, Self::D>, rows: Rows| ::ppl::__private::factor(
                &mut *__ppl_h,
                ::ppl::__private::Address::fixed("f"),
                w
            ),
        )),
    );
    assert_statement(
        quote!('a: for i in plate!("p", n) {
            break 'a;
        }),
        quote!({
            let mut __ppl_plate = ::ppl::__private::LoopPlate::enter(
                &mut *__ppl_h,
                ::ppl::__private::Address::fixed("p"),
                n,
                ::ppl::__private::PlateRows::All,
            );
            'a: for i in __ppl_plate.rows() {
                let __ppl_h = __ppl_plate.handler();
                break 'a;
            }
        }),
    );
}
