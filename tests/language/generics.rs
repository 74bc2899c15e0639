//! Models generic over types, constants, lifetimes and dtypes, and models inside functions.

use std::fmt::Debug;

use ppl::prelude::*;

/// A model generic over a constant of its arguments and one of its value.
#[model]
pub fn layers<const H: usize, const B: usize>(x: &Tensor<Rank1<B>>, n: usize) -> usize {
    let _hidden: Tensor<Rank1<H>> = sample!("hidden", Normal::standard());
    let _y: Tensor<Rank1<B>> = sample!("y", Normal::standard());
    sample!("x", Normal::new(x, 1.0), obs = x);
    n + H + B
}

#[test]
fn constants_sit_on_the_value_or_come_from_the_arguments() {
    let x = Tensor::from([1.0, 2.0, 3.0]);
    let model = layers::<2>;
    assert_eq!(format!("{model:?}"), "layers");
    let (output, seen) = trace(&model, (&x, 10), 0).unwrap();
    assert_eq!(output, 15);
    let typed: LayersTrace<2, 3> = seen.typed().unwrap();
    assert_eq!((typed.hidden.value.numel(), typed.y.value.numel()), (2, 3));
    assert_eq!(typed.x.value, x);
}

trait Prior: 'static {
    const LOC: f64;
}

#[derive(Debug)]
struct Far;

impl Prior for Far {
    const LOC: f64 = 1000.0;
}

#[model]
fn typed_by_value<P: Prior>() {
    sample!("z": Tensor<()>, Normal::new(P::LOC, 1.0));
}

#[test]
fn a_type_that_no_argument_mentions_is_given_to_the_value() {
    let model = typed_by_value::<Far>();
    let typed: TypedByValueTrace = trace(&model, (), 0).unwrap().1.typed().unwrap();
    assert!(typed.z.value.item() > 900.0);
    assert_eq!(
        typed_by_value::<Far>::default().condition(TypedByValueValues::default()).with(()).clone_name(),
        "typed_by_value"
    );
}

trait CloneName {
    fn clone_name(&self) -> &'static str;
}

impl<P: Program> CloneName for P {
    fn clone_name(&self) -> &'static str {
        P::NAME
    }
}

#[model]
fn borrowing<'a, T: Debug + ?Sized>(names: &'a [&str], _any: &T, pick: &dyn Fn(&[&'a str]) -> &'a str) -> &'a str
where
    T: Sync,
{
    let _z: Tensor<()> = sample!("z", Normal::standard());
    if names.is_empty() { "" } else { pick(names) }
}

#[model]
fn elided((first, _): (&str, usize), mut more: String) -> &str {
    more.push_str(first);
    let _: Tensor<()> = sample!("z", Normal::new(more.len() as f64, 0.001));
    first
}

#[test]
fn lifetimes_are_those_of_a_function() {
    let owned = [String::from("a"), String::from("b")];
    let names: Vec<&str> = owned.iter().map(String::as_str).collect();
    let picked = trace(&borrowing, (&names, "text", &|names: &[&'_ str]| names[1]), 0).map(|(output, _)| output);
    assert_eq!(picked.unwrap(), "b");
    let (first, seen) = trace(&elided, (("ab", 0), "c".into()), 0).unwrap();
    assert_eq!(first, "ab");
    assert!((seen.typed::<ElidedTrace>().unwrap().z.value.item() - 3.0).abs() < 0.1);
}

#[model(dtype = E, device = D)]
fn any_dtype<E: Dtype, D: ppl::backend::Backend<E>, const N: usize>(x: &Tensor<Rank1<N>, E, D>) -> Tensor<(), E, D> {
    let z: Tensor<Rank1<N>, E, D> = sample!("z", Normal::new(x, 1.0));
    z.sum_all()
}

#[test]
fn a_model_may_be_generic_over_its_dtype() {
    let single = Tensor::<_, f32>::from([0.0, 1.0]);
    let double = Tensor::<_, f64>::from([0.0, 1.0]);
    let typed: AnyDtypeTrace<f32, Cpu, 2> = trace(&any_dtype, (&single,), 0).unwrap().1.typed().unwrap();
    assert_eq!(typed.z.value.dims(), [2]);
    let typed: AnyDtypeTrace<f64, Cpu, 2> = trace(&any_dtype, (&double,), 0).unwrap().1.typed().unwrap();
    assert!(typed.z.log_prob.is_finite());
}

#[model(dtype = E)]
fn chosen_dtype<E: Dtype>() -> Tensor<(), E>
where
    Cpu: ppl::backend::Backend<E>,
{
    let z: Tensor<(), E> = sample!("z", Normal::new(7.0, 1e-9));
    z
}

#[test]
fn a_dtype_that_no_argument_mentions_is_given_to_the_value() {
    let (z, seen) = trace(&chosen_dtype::<f64>(), (), 0).unwrap();
    assert!((z.item() - 7.0).abs() < 1e-6 && z.item() != 7.0);
    assert!(seen.typed::<ChosenDtypeTrace<f64>>().is_ok());
    assert!((trace(&chosen_dtype::<f32>(), (), 0).unwrap().0.item() - 7.0).abs() < 1e-5);
}

macro_rules! made {
    ($model:ident, $name:literal, $value:ty, $loc:expr) => {
        #[model]
        fn $model(h: f64) {
            let z: $value = sample!($name, Normal::new(h + $loc, 0.001));
            deterministic!("twice": $value, &z + &z);
        }
    };
}

made!(made_by_macro, "z", Tensor<()>, 1.0 + 1.0);

#[test]
fn models_may_be_made_by_macros() {
    let typed: MadeByMacroTrace = trace(&made_by_macro, (3.0,), 0).unwrap().1.typed().unwrap();
    assert!((typed.twice.value.item() - 10.0).abs() < 0.1 && (typed.z.value.item() - 5.0).abs() < 0.1);
}

mod double {
    use ppl::prelude64::*;

    #[model]
    pub(super) fn precise() -> f64 {
        let z: Tensor<()> = sample!("z", Normal::new(1.0, 1e-12));
        z.item()
    }
}

#[test]
fn the_other_prelude_speaks_f64() {
    let (z, _) = trace(&double::precise, (), 0).unwrap();
    assert!((z - 1.0).abs() < 1e-10 && z != 1.0);
}

#[test]
fn models_stand_inside_functions_and_see_local_types() {
    #[derive(Clone, Debug)]
    struct Local(f64);

    type Scalar = Tensor<()>;

    #[model]
    fn inner(local: &Local) -> Local {
        let z: Scalar = sample!("z", Normal::new(local.0, 0.001));
        Local(f64::from(z.item()))
    }

    #[guide(inner)]
    fn inner_guide(local: &Local) {
        sample!("z", Normal::<(), f32, Cpu>::new(local.0, 1.0));
    }

    let (output, seen) = trace(&inner, (&Local(5.0),), 0).unwrap();
    assert!((output.0 - 5.0).abs() < 0.1);
    assert!(seen.typed::<InnerTrace>().is_ok());
    assert!(trace(&inner_guide, (&Local(5.0),), 0).is_ok());
}
