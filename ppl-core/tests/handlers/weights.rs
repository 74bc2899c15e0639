//! What multiplies log-densities and what leaves them out: scale, mask, subsamples.

use std::sync::Arc;

use ppl_core::Cpu;
use ppl_core::distributions::Unit;
use ppl_core::handlers::{Prior, Tracer};
use ppl_core::model::{Model, Program};
use ppl_core::plate::{PlateRows, Rows as Indices};
use ppl_core::primitives::{plate, sample};
use ppl_core::site::SiteMask;
use ppl_core::trace::Keep;
use ppl_core::values::ValueMap;
use proptest::prelude::*;

use super::models::*;

fn mask(flags: &[bool]) -> SiteMask {
    SiteMask::Elements(Arc::from(flags))
}

fn locals(values: &[f64]) -> ValueMap {
    let mut map = ValueMap::new();
    map.put("local", Some(Vector::vector(values.to_vec())));
    map
}

fn total<M: Model<(), E = f64, D = Cpu>>(model: &M) -> f64 {
    run(model, 1).log_prob_sum().item()
}

prop_compose! {
    /// Data, a local value for each, and two masks.
    fn masked_rows()(n in 1..6usize)(
        data in prop::collection::vec(-2.0..2.0f64, n),
        local in prop::collection::vec(-2.0..2.0f64, n),
        a in prop::collection::vec(any::<bool>(), n),
        b in prop::collection::vec(any::<bool>(), n),
    ) -> (Rows, Vec<f64>, Vec<bool>, Vec<bool>) {
        (Rows { data, subsample: None }, local, a, b)
    }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn scales_multiply(model in everything(), seed in 0..1000u64, a in 0.1..5.0f64, b in 0.1..5.0f64) {
        let plain = run(&model, seed);
        let scaled = run(&model.clone().scale(a).scale(b), seed);
        prop_assert_eq!(names(&scaled), names(&plain));
        for (s, p) in scaled.sites().zip(plain.sites()) {
            assert_near(s.log_prob.item(), a * b * p.log_prob.item());
            assert_near(s.scale, a * b * p.scale);
            prop_assert_eq!(exact(&*s.value), exact(&*p.value));
        }
        let other_way = run(&model.scale(b).scale(a), seed);
        prop_assert_eq!(told(&other_way).0, told(&scaled).0);
        assert_near(other_way.log_prob_sum().item(), scaled.log_prob_sum().item());
    }

    #[test]
    fn masks_intersect_and_commute_with_scales((model, local, a, b) in masked_rows(), scale in 0.1..5.0f64) {
        let fixed = model.clone().substitute(locals(&local));
        let both = a.iter().zip(&b).map(|(&a, &b)| a && b);
        let expected: f64 = both.enumerate().filter(|&(_, m)| m).map(|(i, _)| model.element(i, local[i])).sum();
        assert_near(total(&fixed.clone().mask(mask(&a)).mask(mask(&b))), expected);
        assert_near(total(&fixed.clone().mask(mask(&b)).mask(mask(&a))), expected);
        let orders = [
            run(&fixed.clone().mask(mask(&a)).scale(scale), 1),
            run(&fixed.clone().scale(scale).mask(mask(&a)), 1),
            run(&model.clone().mask(mask(&a)).substitute(locals(&local)).scale(scale), 1),
            run(&model.scale(scale).mask(mask(&a)).substitute(locals(&local)), 1),
        ];
        for trace in &orders {
            prop_assert_eq!(told(trace), told(&orders[0]));
        }
        prop_assert_eq!(total(&fixed.clone().mask(SiteMask::All(false)).mask(mask(&a))), 0.0);
        prop_assert_eq!(total(&fixed.clone().mask(SiteMask::All(true))), total(&fixed));
    }

    #[test]
    fn a_part_and_its_complement_are_the_whole((model, local, a, _) in masked_rows()) {
        let fixed = model.clone().substitute(locals(&local));
        let rest: Vec<bool> = a.iter().map(|m| !m).collect();
        let (part, others) = (total(&fixed.clone().mask(mask(&a))), total(&fixed.clone().mask(mask(&rest))));
        assert_near(part + others, total(&fixed));
        let elements = elements(&fixed.clone().mask(mask(&a)), 1);
        for (name, log_probs, _) in &elements {
            prop_assert_eq!(log_probs.len(), a.len(), "{}", name);
            prop_assert!(log_probs.iter().zip(&a).all(|(&l, &m)| m || l == 0.0), "{}", name);
        }
        assert_near(elements.iter().flat_map(|(_, l, _)| l).sum(), part);
    }

    #[test]
    fn the_mean_over_all_subsamples_is_the_whole((model, local, ..) in masked_rows(), share in 0.0..1.0f64) {
        let n = local.len();
        let b = (1 + (share * n as f64) as usize).min(n);
        let part = Rows { subsample: Some(b), ..model.clone() };
        let mut sums = Vec::new();
        for bits in (0..1u32 << n).filter(|bits| bits.count_ones() as usize == b) {
            let rows: Vec<usize> = (0..n).filter(|i| bits >> i & 1 == 1).collect();
            let here: Vec<f64> = rows.iter().map(|&i| local[i]).collect();
            let trace = run(&part.clone().substitute(locals(&here)).subsample("data", Indices::some(rows)), 1);
            prop_assert!(trace.sites().all(|s| s.scale == n as f64 / b as f64));
            sums.push(trace.log_prob_sum().item());
        }
        let whole: f64 = (0..n).map(|i| model.element(i, local[i])).sum();
        assert_near(sums.iter().sum::<f64>() / sums.len() as f64, whole);
    }
}

#[test]
fn a_mask_keeps_the_explanation_to_what_counts() {
    let model = body(|h| {
        plate(h, fixed("p"), 3, PlateRows::All, |h, _| {
            let infinite = Vector::vector(vec![f64::NEG_INFINITY, 0.0, f64::INFINITY]);
            sample(&mut *h, fixed("bad"), Unit::new(infinite));
            sample(h, fixed("good"), standard((3usize,)));
        });
    });
    let trace = run(&model.clone().mask(mask(&[false, true, true])), 0);
    let problem = trace.problem().expect("an infinite log-density").to_string();
    assert!(problem.contains("site `bad`") && problem.contains("element [2]"), "{problem}");
    assert!(run(&model.mask(mask(&[false, true, false])), 0).problem().is_none());
}

#[test]
fn a_masked_entropy_is_that_of_what_counts() {
    let model = Rows { data: vec![0.0; 3], subsample: None };
    let entropy = |found: Vec<(String, Vec<f64>, Option<f64>)>| {
        found.into_iter().find(|(name, ..)| name == "local").and_then(|(.., entropy)| entropy)
    };
    let whole = entropy(elements(&model, 0)).unwrap();
    assert_near(whole, 3.0 * (0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln() + 2.0f64.ln()));
    assert_near(entropy(elements(&model.clone().mask(mask(&[true, false, true])), 0)).unwrap(), whole * 2.0 / 3.0);
    assert_eq!(entropy(elements(&model.clone().mask(SiteMask::All(false)), 0)), Some(0.0));
    assert_eq!(entropy(elements(&model.intervene(locals(&[1.0; 3])), 0)), Some(0.0));
}

#[test]
fn numbers_are_kept_with_those_that_a_mask_leaves_in() {
    let model = Rows { data: vec![0.5, 1.0, -1.0], subsample: None };
    let numbers = |masks: [SiteMask; 2], name: &str| {
        let [a, b] = masks;
        let (mut prior, keep) = (Prior::seeded(1), Keep { numbers: true, ..Keep::NOTHING });
        let mut tracer = Tracer::new(&mut prior).keeping(keep);
        model.clone().mask(a).mask(b).run(&mut tracer, ());
        let trace = tracer.into_trace();
        let site = trace.site(name).unwrap();
        let numbers = site.numbers.clone().unwrap();
        assert_eq!(site.value.to_f64s().unwrap(), numbers.values.to_vec());
        numbers.counts.map(|counts| counts.to_vec())
    };
    let (all, none) = (SiteMask::All(true), SiteMask::All(false));
    assert_eq!(numbers([all.clone(), all.clone()], "local"), None);
    assert_eq!(numbers([none, all.clone()], "local"), Some(vec![false; 3]));
    let [a, b] = [[true, false, true], [true, true, false]].map(|flags| mask(&flags));
    assert_eq!(numbers([a.clone(), all], "local"), Some(vec![true, false, true]));
    assert_eq!(numbers([a, b], "local"), Some(vec![true, false, false]));
}
