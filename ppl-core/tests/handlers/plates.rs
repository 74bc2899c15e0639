//! Plates: nested, in loops, of loops, empty, entered twice, left early; and what stands in them.

use std::panic::catch_unwind;

use ppl_core::address::Address;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{Delta, Normal};
use ppl_core::handler::Handler;
use ppl_core::handlers::Prior;
use ppl_core::model::{Model, Program};
use ppl_core::plate::{PlateRows, Rows as Indices};
use ppl_core::primitives::{
    LoopPlate, deterministic, enter_loop_plate, enter_plate, exit_plate, factor, plate, sample, submodel,
};
use ppl_core::site::SiteMask;
use ppl_core::trace::Trace;
use ppl_core::{Axis, Cpu, Error, Tensor};
use proptest::prelude::*;

use super::models::*;

/// The sizes of the plates around a site: name, whole, in this run, whether it is a loop.
fn frames(trace: &Trace<f64, Cpu>, name: &str) -> Vec<(String, usize, usize, bool)> {
    let frames = &trace.site(name).expect("the site").frames;
    frames.iter().map(|f| (f.name.to_string(), f.size, f.len, f.is_loop)).collect()
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn nested_plates_give_axes_outermost_first_and_scales_multiply(
        n in 2..6usize, m in 2..6usize, b in 1..3usize, c in 1..3usize, seed in 0..1000u64,
    ) {
        let model = body(move |h| {
            plate(h, fixed("outer"), n, PlateRows::Subsample(b), |h, rows| {
                plate(h, fixed("inner"), m, PlateRows::Subsample(c), |h, columns| {
                    let shape = (rows.len(), columns.len());
                    sample(h, fixed("x"), standard(shape))
                });
            });
        });
        let trace = run(&model, seed);
        let expected = vec![("outer".into(), n, b, false), ("inner".into(), m, c, false)];
        prop_assert_eq!(frames(&trace, "x"), expected);
        let x = trace.value::<Matrix>("x").unwrap().to_vec();
        let scale = (n * m) as f64 / (b * c) as f64;
        assert_near(trace.log_prob_sum().item(), scale * x.iter().map(|&x| normal(x, 0.0, 1.0)).sum::<f64>());
        // The mask of the plates' elements is row-major in the same order.
        let flags: Vec<bool> = (0..b * c).map(|i| i == b * c - 1).collect();
        let masked = run(&model.mask(SiteMask::Elements(flags.into())), seed);
        assert_near(masked.log_prob_sum().item(), scale * normal(x[b * c - 1], 0.0, 1.0));
    }

    #[test]
    fn a_loop_plate_with_a_subsample_scales_each_of_its_sites(
        n in 1..7usize, share in 0.0..1.0f64, seed in 0..1000u64,
    ) {
        let b = (1 + (share * n as f64) as usize).min(n);
        let model = body(move |h| {
            let mut groups = LoopPlate::enter(h, fixed("groups"), n, PlateRows::Subsample(b));
            for i in groups.rows() {
                let h = groups.handler();
                plate(h, Address::indexed("members_{}", &[i]), i + 1, PlateRows::All, |h, rows| {
                    let shape = (rows.len(),);
                    sample(h, Address::indexed("x_{}", &[i]), standard(shape))
                });
            }
        });
        let trace = run(&model, seed);
        let rows = trace.plate("groups").unwrap().1.to_vec();
        prop_assert_eq!(rows.len(), b);
        prop_assert_eq!(names(&trace), rows.iter().map(|i| format!("x_{i}")).collect::<Vec<_>>());
        for (i, site) in rows.iter().zip(trace.sites()) {
            let members = (format!("members_{i}"), i + 1, i + 1, false);
            prop_assert_eq!(frames(&trace, site.address.as_str()), vec![("groups".into(), n, b, true), members]);
            let x = trace.value::<Vector>(site.address.as_str()).unwrap().to_vec();
            prop_assert_eq!(x.len(), i + 1);
            let scale = n as f64 / b as f64;
            assert_near(site.log_prob.item(), scale * x.iter().map(|&x| normal(x, 0.0, 1.0)).sum::<f64>());
        }
        prop_assert_eq!(told(&run(&model.replay(shared(&trace)), seed + 1)), told(&trace));
    }

    #[test]
    fn a_plate_has_the_same_rows_wherever_it_is_entered(n in 2..9usize, seed in 0..1000u64) {
        let model = body(move |h| {
            for name in ["first", "second"] {
                plate(h, fixed("data"), n, PlateRows::Subsample(n / 2), |h, rows| {
                    let rows = Vector::vector(rows.iter().map(|i| i as f64).collect());
                    deterministic(h, Address::fixed(name), rows);
                });
            }
        });
        let trace = run(&model, seed);
        prop_assert_eq!(trace.value::<Vector>("first"), trace.value::<Vector>("second"));
        prop_assert_eq!(told(&run(&model.replay(shared(&trace)), seed + 1)), told(&trace));
    }
}

#[test]
fn two_uses_of_a_plate_must_agree() {
    let twice = |first: (usize, PlateRows), second: (usize, PlateRows)| {
        error(&body(move |h| {
            for (n, ask) in [first.clone(), second.clone()] {
                plate(h, fixed("data"), n, ask, |_, _| {});
            }
        }))
    };
    let sizes = twice((3, PlateRows::All), (4, PlateRows::All));
    assert!(sizes.contains("plate `data`") && sizes.contains("3 elements") && sizes.contains('4'), "{sizes}");
    let rows = twice((3, PlateRows::given([0, 1])), (3, PlateRows::given([0, 2])));
    assert!(rows.contains("plate `data`") && rows.contains("other rows"), "{rows}");
    let within = error(&body(|h| {
        plate(h, fixed("data"), 2, PlateRows::All, |h, _| {
            plate(h, fixed("data"), 2, PlateRows::All, |_, _| {});
        });
    }));
    assert!(within.contains("plate `data`") && within.contains("within itself"), "{within}");
}

#[test]
fn rows_that_a_statement_gives_are_not_overruled() {
    let model =
        body(|h| plate(h, fixed("data"), 4, PlateRows::given([1, 3]), |_, rows| assert_eq!(rows.to_vec(), [1, 3])));
    let problem = error(&model.clone().subsample("data", Indices::some(vec![0, 2])));
    assert!(problem.contains("plate `data`") && problem.contains("gives its rows"), "{problem}");
    run(&model.subsample("data", Indices::some(vec![1, 3])), 0);
}

#[test]
fn deterministic_values_and_point_masses_stand_in_plates() {
    let model = body(|h| {
        plate(h, fixed("data"), 3, PlateRows::All, |h, _| {
            let x: Vector = sample(&mut *h, fixed("x"), standard((3usize,)));
            deterministic(&mut *h, fixed("total"), x.sum_all());
            deterministic(&mut *h, fixed("word"), "three".to_owned());
            let point = Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], (3, 2));
            sample(&mut *h, fixed("each"), Delta::elementwise(x));
            let log_density = Vector::vector(vec![0.1, 0.2, 0.3]);
            sample(h, fixed("pairs"), Delta::<Matrix, f64, Cpu, _>::new(point, log_density));
        });
    });
    let found = elements(&model, 1);
    let log_probs = |name: &str| found.iter().find(|(n, ..)| n == name).unwrap().1.clone();
    for name in ["total", "word", "each"] {
        assert_eq!(log_probs(name), [0.0; 3], "{name}");
    }
    assert_eq!(log_probs("pairs"), [0.1, 0.2, 0.3]);
    let masked = run(&model.mask(SiteMask::Elements(vec![true, false, true].into())), 1);
    assert_near(masked.site("pairs").unwrap().log_prob.item(), 0.4);
    assert_eq!(masked.value::<String>("word").unwrap(), "three");
}

#[test]
fn an_event_does_not_belong_to_a_plate() {
    let whole = error(&body(|h| {
        plate(h, fixed("data"), 3, PlateRows::All, |h, _| {
            sample(h, fixed("z"), Delta::<Vector, f64, Cpu>::certain(Vector::vector(vec![0.0; 3])));
        });
    }));
    assert!(whole.contains("site `z` in plate `data`") && whole.contains("shape is []"), "{whole}");
    let total = error(&body(|h| {
        plate(h, fixed("data"), 3, PlateRows::All, |h, _| factor(h, fixed("f"), Scalar::scalar(1.0)));
    }));
    assert!(total.contains("site `f` in plate `data`"), "{total}");
    let event = error(&body(|h| {
        plate(h, fixed("data"), 3, PlateRows::All, |h, _| {
            sample(h, fixed("z"), standard((3,)).to_event::<Axis<0>>());
        });
    }));
    assert!(event.contains("site `z` in plate `data`"), "{event}");
}

#[test]
fn the_axes_of_an_event_are_the_last_ones() {
    let matrix = || standard((2, 3));
    let message = catch_unwind(|| matrix().to_event::<Axis<0>>().batch_shape()).expect_err("a panic");
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.contains("[2, 3]") && message.contains("[0]"), "{message}");
    let rows = matrix().to_event::<Axis<1>>();
    assert_eq!((rows.batch_shape(), rows.event_dims()), ((2,), vec![3]));
    // The parameters of the second row's first element, also where an event holds an event.
    let scales = Tensor::<(usize, usize, usize), f64>::from_vec((1..=12).map(f64::from).collect(), (2, 3, 2));
    let nested = Normal::<_, f64, Cpu>::new(0.0, scales).to_event::<Axis<2>>().to_event::<Axis<1>>();
    assert_eq!(nested.event_dims(), [3, 2]);
    assert_eq!(nested.parameters_at(1)[1], ("scale", 7.0));
}

#[test]
fn empty_plates_have_no_elements_and_no_density() {
    let model = body(|h| {
        plate(h, fixed("none"), 0, PlateRows::All, |h, rows| {
            assert!(rows.is_empty());
            let x: Vector = sample(&mut *h, fixed("x"), standard((0usize,)));
            factor(h, fixed("f"), x);
        });
        let plate = LoopPlate::enter(h, fixed("loop"), 0, PlateRows::All);
        assert_eq!(plate.rows().count(), 0);
    });
    let trace = run(&model, 0);
    assert_eq!((names(&trace), trace.log_prob_sum().item()), (vec!["x".into(), "f".into()], 0.0));
    assert_eq!(trace.site("x").unwrap().scale, 1.0);
    assert!(elements(&model, 0).iter().all(|(_, log_probs, _)| log_probs.is_empty()));
    assert_eq!(told(&run(&model.clone().replay(shared(&trace)), 1)), told(&trace));
    run(&model.mask(SiteMask::Elements(vec![].into())), 0);
}

/// A submodel that leaves from within two plates of its own.
#[derive(Clone, Copy)]
struct Hasty;

impl Program for Hasty {
    type Base = Self;
    const NAME: &'static str = "hasty";
}

impl Model<()> for Hasty {
    type E = f64;
    type D = Cpu;
    type Output = Option<()>;
    type Trace = Untyped;

    fn run(&self, h: Handle<'_>, (): ()) -> Option<()> {
        enter_plate(&mut *h, fixed("inner"), 2, PlateRows::All);
        let steps = enter_loop_plate(&mut *h, fixed("steps"), 2, PlateRows::All);
        if !steps.is_empty() {
            return None;
        }
        exit_plate(&mut *h, fixed("steps"));
        exit_plate(h, fixed("inner"));
        Some(())
    }
}

#[test]
fn an_early_exit_from_a_submodel_leaves_its_plates_and_scopes() {
    let model = body(|h| {
        plate(h, fixed("outer"), 3, PlateRows::All, |h, _| {
            assert_eq!(submodel(&mut *h, fixed("sub"), &Hasty, ()), None);
            sample(h, fixed("x"), standard((3usize,)));
        });
        sample(h, fixed("y"), number(0.0, 1.0));
    });
    let mut prior = Prior::seeded(0);
    model.run(&mut prior, ());
    let context = Handler::<f64, Cpu>::context(&mut prior);
    assert_eq!((context.take_error(), context.frames().len(), context.scope()), (None::<Error>, 0, ""));
    let trace = run(&model, 0);
    assert_eq!(names(&trace), ["x", "y"]);
    assert_eq!(frames(&trace, "x"), [("outer".into(), 3, 3, false)]);
    assert_eq!(frames(&trace, "y"), []);
    assert!(trace.plate("sub/inner").is_some());
}

#[test]
fn a_loop_plate_ends_with_its_loop_however_that_is_left() {
    let model = body(|h| {
        'plate: {
            let mut steps = LoopPlate::enter(&mut *h, fixed("steps"), 5, PlateRows::All);
            for i in steps.rows() {
                if i == 2 {
                    break 'plate;
                }
                let site = Address::indexed("x_{}", &[i]);
                sample(steps.handler(), site, number(0.0, 1.0));
            }
        }
        sample(h, fixed("y"), number(0.0, 1.0));
    });
    let trace = run(&model, 0);
    assert_eq!(names(&trace), ["x_0", "x_1", "y"]);
    assert_eq!((frames(&trace, "x_1").len(), frames(&trace, "y").len()), (1, 0));
}

#[test]
fn submodels_nest_their_names() {
    let outer = body(|h| {
        submodel(h, fixed("left"), &Inner, (Scalar::scalar(0.0),));
        plate(h, fixed("p"), 1, PlateRows::All, |_, _| {});
    });
    let model = body(move |h| {
        for i in 0..2 {
            submodel(&mut *h, Address::indexed("layer_{}", &[i]), &outer, ());
        }
        submodel(h, fixed("left"), &Inner, (Scalar::scalar(0.0),));
    });
    let trace = run(&model, 0);
    let expected = ["layer_0/left/a", "layer_0/left/b", "layer_1/left/a", "layer_1/left/b", "left/a", "left/b"];
    assert_eq!(names(&trace), expected);
    assert_eq!(trace.site("layer_1/left/a").unwrap().address.scope(), "layer_1/left/");
    assert!(trace.plate("layer_0/p").is_some() && trace.plate("p").is_none());
    let set = run(&model.condition(value("layer_1/left/b", 7.0)), 0);
    assert!(set.site("layer_1/left/b").unwrap().observed && !set.site("left/b").unwrap().observed);
}
