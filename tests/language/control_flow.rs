//! Sites on all paths and on some, nested in each other and in other macros.

use ppl::prelude::*;

type Scalar = Tensor<()>;

#[model]
fn branches(left: bool, steps: usize) -> Option<Scalar> {
    let root: Scalar = sample!("root", Normal::new(0.0, 1.0));
    let side: Scalar = if left {
        sample!("side", Normal::new(&root, 1.0))
    } else {
        sample!("extra": Scalar, Normal::new(5.0, 0.1));
        sample!("side", Normal::new(-10.0, 0.1))
    };
    let matched: Scalar = match steps {
        0 => return None,
        1 => sample!("one", Normal::new(1.0, 1.0)),
        n if n > 3 => sample!("many", Normal::new(4.0, 1.0)),
        _ => side.clone(),
    };
    sample!("late": Scalar, Normal::new(&matched, 1.0));
    Some(side)
}

#[test]
fn a_field_is_optional_where_some_paths_lack_its_site() {
    let (_, seen) = trace(&branches, (true, 1), 0).unwrap();
    let typed: BranchesTrace = seen.typed().unwrap();
    let root: &Site<Scalar> = &typed.root;
    assert_eq!(root.value, *seen.value::<Scalar>("root").unwrap());
    assert!(!root.observed && root.log_prob.is_finite());
    assert!(typed.side.is_some() && typed.one.is_some() && typed.late.is_some());
    assert!(typed.extra.is_none() && typed.many.is_none());

    let typed: BranchesTrace = trace(&branches, (false, 0), 0).unwrap().1.typed().unwrap();
    assert!(typed.side.unwrap().value.item() < -5.0);
    assert!(typed.extra.is_some() && typed.late.is_none());
}

#[model]
fn early(stop: bool) -> Result<Scalar, String> {
    let first: Scalar = sample!("first", Normal::standard());
    if stop {
        return Ok(first);
    }
    let checked = checked(&first)?;
    let _second: Scalar = sample!("second", Normal::new(checked, 1.0));
    let Some(third) = Some(3.0) else { return Err("no third".into()) };
    Ok(sample!("third": Scalar, Normal::new(third, 1.0)))
}

fn checked(x: &Scalar) -> Result<Scalar, String> {
    if x.item().is_finite() { Ok(x.clone()) } else { Err("not finite".into()) }
}

#[test]
fn what_follows_an_early_end_is_optional() {
    let typed: EarlyTrace = trace(&early, (true,), 1).unwrap().1.typed().unwrap();
    assert!(typed.first.value.item().is_finite() && typed.second.is_none() && typed.third.is_none());
    let (output, seen) = trace(&early, (false,), 1).unwrap();
    let typed: EarlyTrace = seen.typed().unwrap();
    assert_eq!(output.unwrap(), typed.third.unwrap().value);
}

#[model]
fn nested(on: bool) -> Vec<Scalar> {
    let both = sample!("sum": Scalar, Normal::new(sample!("loc": Scalar, Normal::standard()), sample!("log": Scalar, Normal::standard()).exp()));
    let listed = vec![sample!("first": Scalar, Normal::standard()), both];
    assert!(on || sample!("lazy": Scalar, Normal::standard()).item().is_finite(), "{:?}", listed);
    'labelled: {
        if on {
            break 'labelled;
        }
        sample!("unlabelled": Scalar, Normal::standard());
    }
    deterministic!("total": Scalar, listed[0].clone() + &listed[1]);
    factor!("weight", Scalar::scalar(-1.5));
    listed
}

#[test]
fn statements_nest_in_each_other_and_in_other_macros() {
    let (output, seen) = trace(&nested, (true,), 2).unwrap();
    let typed: NestedTrace = seen.typed().unwrap();
    assert_eq!([&typed.first.value, &typed.sum.value], [&output[0], &output[1]]);
    assert!((typed.total.value.item() - output[0].item() - output[1].item()).abs() < 1e-6);
    assert!(typed.lazy.is_none() && typed.unlabelled.is_none());
    let order: Vec<&str> = seen.sites().map(|site| site.address.as_str()).collect();
    assert_eq!(order, ["loc", "log", "sum", "first", "total", "weight"]);
    assert!((seen.site("weight").unwrap().log_prob.item() + 1.5).abs() < 1e-6);
    let typed: NestedTrace = trace(&nested, (false,), 2).unwrap().1.typed().unwrap();
    assert!(typed.lazy.is_some() && typed.unlabelled.is_some());
}

#[model]
fn keywords() {
    sample!("type": Scalar, Normal::standard());
    sample!("log-rate.1": Scalar, Normal::standard());
    sample!("untyped", Normal::<(), f32, Cpu>::standard());
}

#[test]
fn names_become_fields_and_untyped_sites_are_reached_by_name() {
    let seen = trace(&keywords, (), 3).unwrap().1;
    let typed: KeywordsTrace = seen.typed().unwrap();
    assert_eq!(typed.r#type.value, *seen.value::<Scalar>("type").unwrap());
    assert_eq!(typed.log_rate_1.value, *seen.value::<Scalar>("log-rate.1").unwrap());
    assert!(seen.value::<Scalar>("untyped").is_some());
}
