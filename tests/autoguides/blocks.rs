//! Guides of several blocks, on a normal posterior: each block finds its conditional given the means of the others.

use ppl::infer::autoguide::{AutoGuideList, Blocks, Diagonal, FlowFamily, Full, PerSite, iaf};
use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::prelude64::*;

use crate::plane::{Exact, Matrix, close, data, exact, fit, inverse, plane};

/// The best distribution of independent blocks `{a, b}` and `{c}`, and its divergence from the posterior: the precision
/// without what joins the blocks, and ½ ln (det Λ₁ det Λ₂ / det Λ) (Bishop, *Pattern Recognition and Machine Learning*,
/// 10.1.2, by blocks).
pub(crate) fn best(exact: &Exact) -> (Matrix, f64) {
    let mut blocks = exact.precision.clone();
    for (i, j) in [(0, 2), (1, 2), (2, 0), (2, 1)] {
        blocks[i][j] = 0.0;
    }
    let ((covariance, det), (_, whole)) = (inverse(&blocks), inverse(&exact.precision));
    (covariance, 0.5 * (det / whole).ln())
}

fn list() -> AutoGuideList<plane, f64, Cpu> {
    let (x, w, y) = data();
    let blocks = Blocks::new().block(["a", "b"], Full::default()).rest(PerSite::default());
    AutoGuideList::of(plane, blocks, (&x, &w, &y)).unwrap()
}

#[test]
fn blocks_find_the_best_of_block_diagonal_covariances() {
    let (guide, exact) = (list(), exact());
    let (params, elbo, error) = fit(guide.clone());
    let (covariance, divergence) = best(&exact);
    assert!(divergence > 0.1, "correlated blocks");
    let normal = guide.posterior(&params).unwrap();
    close(&normal.loc, &normal.covariance, &exact.mean, &covariance);
    // Five standard errors, and what the fit may lack.
    assert!((elbo - (exact.log_evidence - divergence)).abs() < 5.0 * error + 0.005, "{elbo} ± {error}");
    let names: Vec<&str> = params.names().collect();
    let expected = ["block_0/auto_loc", "block_0/auto_scale_tril", "block_rest/auto_loc.c", "block_rest/auto_scale.c"];
    assert_eq!(names, expected);

    let (x, w, y) = data();
    let median = guide.median(&params, (&x, &w, &y)).unwrap();
    assert_eq!([&median.a, &median.b, &median.c].map(|site| site.value.item()).to_vec(), normal.loc);
    assert!(median.y.observed);
    let quantiles = guide.quantiles(&params, (&x, &w, &y), &[0.025, 0.5]).unwrap();
    let width = median.b.value.item() - quantiles[0].b.value.item();
    assert!((width - 1.959_963_984_540_054 * normal.scale()[1]).abs() < 1e-9);
    // Draws: the covariance within and between the blocks. Five standard errors of 4000 draws, each at most √2 of the
    // product of standard deviations over √4000: a false alarm in 10⁵ runs, were the seed not fixed.
    let draws = guide.draws(&params, (&x, &w, &y), 4000, 1).unwrap();
    let numbers: Vec<[f64; 3]> =
        draws.iter().map(|draw| [&draw.a, &draw.b, &draw.c].map(|site| site.value.item())).collect();
    for i in 0..3 {
        for j in 0..3 {
            let products = numbers.iter().map(|z| (z[i] - normal.loc[i]) * (z[j] - normal.loc[j]));
            let found = products.sum::<f64>() / 4000.0;
            let scale = normal.scale()[i] * normal.scale()[j];
            assert!(
                (found - normal.covariance[i][j]).abs() < 5.0 * scale * (2.0_f64 / 4000.0).sqrt(),
                "{i} {j} {found}"
            );
        }
    }
}

#[test]
fn blocks_of_one_family_have_parameters_of_their_own() {
    let (x, w, y) = data();
    let blocks = Blocks::new().block(["b"], Diagonal::default()).block(["a", "c"], Diagonal::default());
    let guide = AutoGuideList::of(plane, blocks, (&x, &w, &y)).unwrap();
    let mut svi = Svi::new(plane, guide.clone(), Adam::new(0.01), TraceElbo::default());
    svi.step((&x, &w, &y)).unwrap();
    let sizes = |name: &str| svi.params().get::<Tensor<(usize,)>>(name).map(|tensor| tensor.numel());
    assert_eq!(["block_0/auto_loc", "block_1/auto_loc", "block_1/auto_scale"].map(sizes), [Some(1), Some(2), Some(2)]);
    // The joint distribution has them in the order of the model.
    let (normal, median) = (guide.posterior(svi.params()).unwrap(), guide.median(svi.params(), (&x, &w, &y)).unwrap());
    assert_eq!([&median.a, &median.b, &median.c].map(|site| site.value.item()).to_vec(), normal.loc);
    assert_eq!(guide.sites().iter().map(|site| site.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn sites_in_no_block_or_in_two_are_named_with_the_remedy() {
    let (x, w, y) = data();
    let refused = |blocks: Blocks<f64, Cpu>| AutoGuideList::of(plane, blocks, (&x, &w, &y)).unwrap_err().to_string();
    let error = refused(Blocks::new().block(["a", "b"], Full::default()));
    assert!(error.contains("site `c`") && error.contains(".block([\"c\"], PerSite::default())"), "{error}");
    let error = refused(Blocks::new().block(["a", "b"], Full::default()).block(["b*", "c"], PerSite::default()));
    assert!(error.contains("site `b`") && error.contains("two blocks"), "{error}");
    let error = refused(Blocks::new().block(["slope"], Full::default()).rest(PerSite::default()));
    assert!(error.contains("`slope`") && error.contains("`a`, `b`, `c`"), "{error}");
}

#[test]
fn a_block_without_a_median_has_draws() {
    let (x, w, y) = data();
    let blocks = Blocks::new().block(["a", "b"], FlowFamily::new(iaf::<f64, Cpu>)).rest(PerSite::default());
    let guide = AutoGuideList::of(plane, blocks, (&x, &w, &y)).unwrap();
    let mut svi = Svi::new(plane, guide.clone(), Adam::new(0.05), TraceElbo::default());
    svi.step((&x, &w, &y)).unwrap();
    let error = guide.median(svi.params(), (&x, &w, &y)).unwrap_err().to_string();
    assert!(error.contains("`a`") && error.contains("AutoNormalizingFlow"), "{error}");
    let draws = guide.draws(svi.params(), (&x, &w, &y), 2, 1).unwrap();
    assert!(draws[0].a.value.item() != draws[1].a.value.item());
}
