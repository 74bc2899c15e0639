//! What pictures say, what they show of hostile draws, and what they refuse.

use ppl_infer::Draws;
use ppl_infer::draws::{ChainDraws, Role, SampleStats, layout};
use ppl_infer::pictures::{PictureError, PictureOptions, pair_plot, rank_plot, trace_plot};

use crate::files::PLOTS;
use crate::posterior::draws;

/// One variable of that name, and its draws by chain.
fn single(name: &str, chains: &[&[f64]]) -> Draws {
    let chain = |values: &&[f64]| {
        let mut chain = ChainDraws::new(1);
        for &x in *values {
            chain.push(&[x], SampleStats { energy: x, ..SampleStats::default() });
        }
        chain
    };
    Draws::new(layout([(name.to_owned(), vec![], Role::Latent)]), chains.iter().map(chain).collect())
}

#[test]
fn names_and_counts_are_in_the_picture() {
    let draws = draws(2, 50);
    let count = draws.chains().iter().flat_map(|c| c.stats()).filter(|s| s.diverging).count();
    let svg = pair_plot(&draws, &PictureOptions::of(["tau", "school/theta[3]"])).unwrap().to_svg().unwrap();
    assert!(count > 0 && svg.contains(&format!("divergence ({count})")), "{count}");
    assert!(svg.contains("school/theta[3]") && svg.contains("tau") && !svg.contains("theta[2]"));
    let svg = trace_plot(&draws, &PictureOptions::default()).unwrap().to_svg().unwrap();
    for text in ["chain 0", "chain 1", "divergence", "draw", "mu", "school/theta[0]", "school/theta[7]"] {
        assert!(svg.contains(text), "{text}");
    }
}

/// One stroke for each draw at which a trajectory diverged, and one line a chain.
#[test]
fn a_picture_has_as_many_marks_as_draws() {
    let draws = draws(2, 300);
    let calm = draws.chains().iter().flat_map(|c| c.stats()).filter(|s| !s.diverging).count();
    let svg = pair_plot(&draws, &PictureOptions::of(["mu", "tau"])).unwrap().to_svg().unwrap();
    assert_eq!(svg.matches("<circle").count(), 600, "all draws of one panel");
    assert_eq!(svg.matches("opacity=\"0.3\"").count(), calm);
}

#[test]
fn unknown_variables_are_named() {
    let draws = draws(2, 20);
    for (name, plot) in PLOTS.iter().filter(|(name, _)| *name != "energy") {
        let error = plot(&draws, &PictureOptions::of(["mu", "sigma"])).unwrap_err().to_string();
        assert_eq!(error, "no variable is called `sigma`; there are `mu`, `tau`, `school/theta`", "{name}");
        let error = plot(&draws, &PictureOptions::of(["school/theta[8]"])).unwrap_err().to_string();
        assert_eq!(error, "no variable is called `school/theta[8]`; there are `school/theta` of sizes [8]", "{name}");
    }
}

#[test]
fn nothing_to_show_is_an_error() {
    let options = PictureOptions::default();
    let empty = layout([("none".to_owned(), vec![3, 0], Role::Latent)]);
    let mut chain = ChainDraws::new(0);
    chain.push(&[], SampleStats::default());
    let without_numbers = Draws::new(empty, vec![chain]);
    for (name, plot) in PLOTS {
        assert_eq!(plot(&Draws::default(), &options).unwrap_err().to_string(), "no chains were given", "{name}");
        let error = plot(&single("x", &[&[1.0, 2.0], &[]]), &options).unwrap_err();
        assert_eq!(error.to_string(), "the chains have no draws", "{name}");
        if name != "energy" {
            assert!(matches!(plot(&without_numbers, &options), Err(PictureError::Nothing)), "{name}");
        }
    }
}

#[test]
fn numbers_without_a_place_are_named() {
    let draws = single("x", &[&[1.0, 2.0, 3.0], &[1.0, 5.0, f64::NEG_INFINITY]]);
    for (name, plot) in PLOTS {
        let error = plot(&draws, &PictureOptions::default()).unwrap_err().to_string();
        let quantity = if name == "energy" { "energy" } else { "x" };
        let expected =
            format!("draw 2 of chain 1 of `{quantity}` is -inf; only finite numbers below 1e300 can be shown");
        assert_eq!(error, expected, "{name}");
    }
}

#[test]
fn there_is_room_for_so_many() {
    let draws = draws(1, 10);
    let error = pair_plot(&draws, &PictureOptions::default()).unwrap_err().to_string();
    let expected = "10 quantities are to be shown, but at most 8 are shown together; choose some with `variables`";
    assert_eq!(error, expected);
    let options = PictureOptions { max_quantities: Some(10), ..PictureOptions::default() };
    assert_eq!(pair_plot(&draws, &options).unwrap().size(), (1688, 1682));
    let options = PictureOptions { rank_bins: 0, ..PictureOptions::default() };
    assert!(matches!(rank_plot(&draws, &options), Err(PictureError::NoBins)));
}

/// Numbers that are hard on axes, and names that are hard on XML, make whole pictures.
#[test]
fn hostile_draws_make_whole_pictures() {
    let long = "a_name_that_has_no_end_".repeat(20);
    let names = ["<b>&\"x'</b>", "a\u{0}\n\tb", "scope/θ[0]", "", &long, "💥"];
    let tiny: Vec<f64> = (0..9).map(|i| f64::from(i) * 5e-324).collect();
    let close: Vec<f64> = (0..9).map(|i| 1.0 + f64::from(i) * f64::EPSILON).collect();
    let chains: [&[&[f64]]; 7] = [
        &[&[1.0]],
        &[&[2.0, 2.0, 2.0], &[2.0, 2.0, 2.0]],
        &[&[0.0, -0.0, 0.0], &[1.0, 2.0, 3.0]],
        &[&[-9e299, 9e299, 0.0, 1.0]],
        &[&tiny],
        &[&close],
        &[&[1.0, 2.0, 3.0, 4.0], &[2.0, 3.0]],
    ];
    for name in names {
        for chains in chains {
            let draws = single(name, chains);
            for (plot, make) in PLOTS {
                let svg = make(&draws, &PictureOptions::default()).unwrap().to_svg().unwrap();
                assert!(svg.trim_end().ends_with("</svg>"), "{plot} of {name:?}");
                assert!(!svg.contains("NaN") && !svg.contains("<b>"), "{plot} of {name:?}, {chains:?}");
                let is_bad = |c: char| c.is_control() && c != '\n';
                assert!(!svg.contains(is_bad), "{plot} of {name:?}");
            }
        }
    }
}

#[test]
fn many_chains_and_long_ones_stay_small() {
    let draws = draws(9, 20_000);
    let svg = trace_plot(&draws, &PictureOptions::of(["mu"])).unwrap().to_svg().unwrap();
    // 9 chains of 1200 points, and at most a stroke for each of the divergences.
    assert!(svg.len() < 4_000_000, "{} bytes", svg.len());
    assert!(svg.contains("chain 8"));
}

/// Of a name too long for its panel, the middle is left out: scopes and indices stay.
#[test]
fn long_names_keep_their_ends() {
    let name = format!("scope/{}/theta[7]", "inner_".repeat(40));
    let svg = trace_plot(&single(&name, &[&[1.0, 2.0]]), &PictureOptions::default()).unwrap().to_svg().unwrap();
    assert!(svg.contains("scope/inner") && svg.contains("…") && svg.contains("/theta[7]"));
    assert!(!svg.contains(&name));
}
