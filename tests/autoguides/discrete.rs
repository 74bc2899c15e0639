//! Discrete sites with a distribution for each element, against posteriors by enumeration.

use ppl::infer::autoguide::{AutoGuideList, Blocks, DiscreteParallel, PerSite};
use ppl::infer::optim::Schedule;
use ppl::infer::pair::{Ask, Pair};
use ppl::infer::{Adam, AutoDiscreteParallel, InitStrategy, Predictive, RunOptions, Svi, TraceGraphElbo};
use ppl::model::trace;
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::trace::Keep;

type Rows = Tensor<(usize,)>;

const X: [f64; 3] = [0.2, 2.5, 0.9];
const ODDS: f64 = 0.3;

/// Each row is near 0 or near 2, by a coin of its own.
#[model]
fn switches(x: &Rows) {
    plate!("rows", 3, |_| {
        let on: Rows = sample!("on", Bernoulli::filled((3,), ODDS));
        sample!("x", Normal::new(on * 2.0, 1.0), obs = x);
    });
}

/// The probability that a row is on, and the log-evidence of all rows.
fn exact() -> ([f64; 3], f64) {
    let terms = X.map(|x| [(1.0 - ODDS) * (-0.5 * x * x).exp(), ODDS * (-0.5 * (x - 2.0).powi(2)).exp()]);
    let log = |[off, on]: &[f64; 2]| (off + on).ln() - 0.5 * std::f64::consts::TAU.ln();
    (terms.map(|[off, on]| on / (off + on)), terms.iter().map(log).sum())
}

fn adam(steps: u64) -> Adam<f64> {
    Adam::new(0.1).schedule(Schedule::Cosine { warmup: 0, steps, floor: 1e-3 })
}

#[test]
fn independent_elements_have_their_exact_probabilities() {
    let (x, (exact, log_evidence)) = (Tensor::vector(X.to_vec()), exact());
    let guide = AutoDiscreteParallel::new(switches, &x).unwrap();
    let mut svi = Svi::new(switches, guide.clone(), adam(1000), TraceGraphElbo::with_particles(4)).seed(1);
    svi.run(RunOptions::steps(1000), &x).unwrap();
    assert_eq!(svi.params().names().collect::<Vec<_>>(), ["auto_probs.on"]);
    let found = guide.probabilities(svi.params(), "on").unwrap();
    for (row, p) in found.iter().zip(exact) {
        // At the exact probabilities the weights of all scores are equal, so that their noise ends.
        assert!((row[1] - p).abs() < 0.01 && (row[0] + row[1] - 1.0).abs() < 1e-12, "{found:?} for {exact:?}");
    }
    let elbo = -svi.estimate(&x, 300).unwrap().mean;
    assert!((elbo - log_evidence).abs() < 2e-3, "{elbo} for {log_evidence}");
    // The likeliest values, in the model's type; and draws by their probabilities: five standard errors, a false alarm
    // in 10⁶ runs, were the seed not fixed.
    assert_eq!(guide.median(svi.params(), &x).unwrap().on.value.to_vec(), [0.0, 1.0, 0.0]);
    let draws = guide.draws(svi.params(), &x, 2000, 1).unwrap();
    for (i, row) in found.iter().enumerate() {
        let share = draws.iter().map(|draw| draw.on.value.to_vec()[i]).sum::<f64>() / 2000.0;
        let p = row[1];
        assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / 2000.0).sqrt(), "{i}: {share} for {p}");
    }
}

#[test]
fn scores_have_a_term_for_each_element_of_the_plate() {
    let x = Tensor::vector(X.to_vec());
    let guide = AutoDiscreteParallel::new(switches, &x).unwrap();
    let ask = Ask { detached: false, keep: Keep { elements: true, ..Keep::default() } };
    let mut store = ParamStore::new(0);
    let pair = Pair::draw_as(ask, (&switches, &guide), (&x,), &mut store, Rng::seed(0), true).unwrap();
    let site = pair.guide.site("on").unwrap();
    assert!(!site.has_rsample && site.frames.len() == 1);
    assert_eq!(site.elements.as_ref().unwrap().to_vec(), [0.5_f64.ln(); 3]);
    // In the sleep phase of wake-sleep the guide scores what the model drew.
    let pair = Pair::dream(Keep::default(), (&switches, &guide), (&x,), &mut store, Rng::seed(4), true).unwrap();
    let values = |trace: &Trace<f64, Cpu>| trace.value::<Rows>("on").unwrap().to_vec();
    assert_eq!(values(&pair.guide), values(&pair.model));
    assert!((pair.guide.log_prob_sum().item() - 3.0 * 0.5_f64.ln()).abs() < 1e-12);
}

/// ln of the weights of two coupled sites.
const COUPLING: [[f64; 3]; 2] = [[0.8, -0.4, 0.1], [-0.7, 0.9, 0.5]];

#[model]
fn coupled() {
    let u: Tensor<()> = sample!("u", Bernoulli::filled((), 0.4));
    let v: Tensor<(), usize> = sample!("v", Categorical::new(Tensor::from([0.2, 0.3, 0.5])));
    factor!("coupling", Tensor::<()>::scalar(COUPLING[u.item() as usize][v.to_vec()[0]]));
}

/// The bound of a mean field, by enumeration.
fn bound(log_joint: &[[f64; 3]; 2], u: &[f64], v: &[f64]) -> f64 {
    let entropy = |p: &[f64]| -p.iter().map(|p| p * p.ln()).sum::<f64>();
    let energy: f64 = (0..2).map(|i| (0..3).map(|j| u[i] * v[j] * log_joint[i][j]).sum::<f64>()).sum();
    energy + entropy(u) + entropy(v)
}

/// The mean field to which coordinate ascent comes (Bishop, *Pattern Recognition and Machine Learning*, 10.1.1).
fn ascent(log_joint: &[[f64; 3]; 2]) -> (Vec<f64>, Vec<f64>) {
    let normalised = |logs: Vec<f64>| {
        let total: f64 = logs.iter().map(|l| l.exp()).sum();
        logs.iter().map(|l| l.exp() / total).collect::<Vec<f64>>()
    };
    let (mut u, mut v) = (vec![0.5; 2], vec![1.0 / 3.0; 3]);
    for _ in 0..500 {
        u = normalised((0..2).map(|i| (0..3).map(|j| v[j] * log_joint[i][j]).sum()).collect());
        v = normalised((0..3).map(|j| (0..2).map(|i| u[i] * log_joint[i][j]).sum()).collect());
    }
    (u, v)
}

#[test]
fn coupled_sites_find_the_best_mean_field() {
    let prior = |i: usize, j: usize| ([0.6, 0.4_f64][i] * [0.2, 0.3, 0.5][j]).ln();
    let log_joint = [0, 1].map(|i| [0, 1, 2].map(|j| prior(i, j) + COUPLING[i][j]));
    let (u, v) = ascent(&log_joint);
    let evidence = log_joint.iter().flatten().map(|l| l.exp()).sum::<f64>().ln();
    assert!(evidence - bound(&log_joint, &u, &v) > 0.05, "coupled sites");
    let guide = AutoDiscreteParallel::new(coupled, ()).unwrap();
    let mut svi = Svi::new(coupled, guide.clone(), adam(1500), TraceGraphElbo::with_particles(16)).seed(2);
    svi.run(RunOptions::steps(1500), ()).unwrap();
    let found = |site| guide.probabilities(svi.params(), site).unwrap().remove(0);
    let (found_u, found_v) = (found("u"), found("v"));
    let lacking = bound(&log_joint, &u, &v) - bound(&log_joint, &found_u, &found_v);
    // The bound is flat at its top: what noise leaves in the probabilities counts by its square.
    assert!(lacking.abs() < 1e-3, "{lacking}: {found_u:?} for {u:?}, {found_v:?} for {v:?}");
    assert!((found_u[1] - u[1]).abs() < 0.04, "{found_u:?} for {u:?}");
}

/// A number with a datum of its own, beside the switches: the posterior has independent parts.
#[model]
fn both(x: &Rows) {
    let level: Tensor<()> = sample!("level", Normal::new(0.0, 1.0));
    sample!("seen", Normal::new(level, 0.5), obs = Tensor::<()>::scalar(1.0));
    plate!("rows", 3, |_| {
        let on: Rows = sample!("on", Bernoulli::filled((3,), ODDS));
        sample!("x", Normal::new(on * 2.0, 1.0), obs = x);
    });
}

#[test]
fn beside_a_continuous_block_both_are_exact() {
    let (x, (exact, log_evidence)) = (Tensor::vector(X.to_vec()), exact());
    let blocks = Blocks::new().block(["on"], DiscreteParallel).rest(PerSite::default());
    let guide = AutoGuideList::of(both, blocks, &x).unwrap();
    let mut svi = Svi::new(both, guide.clone(), adam(1500), TraceGraphElbo::with_particles(8)).seed(1);
    svi.run(RunOptions::steps(1500), &x).unwrap();
    assert!(svi.params().get::<Tensor<(usize, usize)>>("block_0/auto_probs.on").is_some());
    let found = guide.probabilities(svi.params(), "on").unwrap();
    assert!(found.iter().zip(exact).all(|(row, p)| (row[1] - p).abs() < 0.01), "{found:?} for {exact:?}");
    // Prior precision 1, that of the datum 4: mean 4/5, variance 1/5.
    let median = guide.median(svi.params(), &x).unwrap();
    assert!((median.level.value.item() - 0.8).abs() < 0.02, "{}", median.level.value.item());
    assert_eq!(median.on.value.to_vec(), [0.0, 1.0, 0.0]);
    let seen = -0.5 * (std::f64::consts::TAU * 1.25).ln() - 0.5 / 1.25;
    let elbo = -svi.estimate(&x, 500).unwrap().mean;
    assert!((elbo - (log_evidence + seen)).abs() < 5e-3, "{elbo} for {}", log_evidence + seen);
    // Draws of the guide are those that predictions see: five standard errors of 2000, a false alarm in 10⁶ runs.
    let predicted = Predictive::guide(both, guide.clone(), svi.params(), &x).draws(2000).seed(2).collect().unwrap();
    let share = predicted.quantity("on[1]").unwrap()[0].iter().sum::<f64>() / 2000.0;
    let p = found[1][1];
    assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / 2000.0).sqrt(), "{share} for {p}");
    let error = guide.quantiles(svi.params(), &x, &[0.5]).unwrap_err().to_string();
    assert!(error.contains("`on`") && error.contains("AutoDiscreteParallel"), "{error}");
}

#[test]
fn numbers_begin_where_discrete_values_let_them() {
    #[model]
    fn gate() {
        let open: Tensor<()> = sample!("open", Bernoulli::filled((), 0.2));
        let _: Tensor<()> = sample!("x", Normal::new(0.0, 1.0));
        factor!("gate", open.ln());
    }
    let blocks = || Blocks::new().block(["open"], DiscreteParallel).rest(PerSite::default());
    let begun =
        (0..20).filter(|&seed| AutoGuideList::beginning(gate, blocks(), (), &InitStrategy::Uniform(1.0), seed).is_ok());
    // Ten draws of the gate for each seed: 1 − 0.8¹⁰ = 0.89 of them begin; 12 or fewer of 20 would in one of 1000 runs, were
    // the seeds not fixed. One draw would do for 0.2 of them.
    assert!(begun.count() > 12);
}

#[test]
fn values_of_several_numbers_are_one_choice_in_single_precision_too() {
    type Hot = ppl::Tensor<Rank2<2, 3>, f32>;
    #[ppl::model(dtype = f32)]
    fn hot() {
        plate!("rows", 2, |_| {
            let _: Hot = sample!("z", OneHotCategorical::new(Hot::full(1.0 / 3.0)));
        });
    }
    let guide = AutoDiscreteParallel::new(hot, ()).unwrap();
    let (_, drawn) = trace(&guide, (), 3).unwrap();
    let value = drawn.value::<Hot>("z").unwrap().to_vec();
    assert!(value.chunks(3).all(|row| row.iter().sum::<f32>() == 1.0 && row.contains(&1.0)), "{value:?}");
    assert!((drawn.log_prob_sum().item() + 2.0 * 3.0_f32.ln()).abs() < 1e-6);
}

#[test]
fn what_it_cannot_guide_is_named() {
    #[model]
    fn counted() {
        let _: Tensor<()> = sample!("count", Poisson::new(3.0));
    }
    let error = AutoDiscreteParallel::new(counted, ()).unwrap_err().to_string();
    assert!(error.contains("`count`") && error.contains("lists no values"), "{error}");
    let x = Tensor::vector(X.to_vec());
    let error = AutoDiscreteParallel::new(both, &x).unwrap_err().to_string();
    assert!(error.contains("`level`") && error.contains("continuous"), "{error}");
    let error = AutoGuideList::of(both, Blocks::new().rest(PerSite::default()), &x).unwrap_err().to_string();
    assert!(error.contains("`on`") && error.contains("discrete") && error.contains("DiscreteParallel"), "{error}");
    // A batch of the rows would be scored by the parameters of others.
    #[model]
    fn batch(rows: &[usize]) {
        plate!("rows", 3, rows = rows, |rows| {
            let _: Rows = sample!("on", Bernoulli::filled((rows.len(),), ODDS));
        });
    }
    let guide = AutoDiscreteParallel::new(batch, (&[0, 1, 2][..],)).unwrap();
    let run =
        |rows: &[usize]| Pair::draw(&batch, &guide, (rows,), &mut ParamStore::new(0), Rng::seed(0), true).map(|_| ());
    assert_eq!(run(&[0, 1, 2]), Ok(()));
    let error = run(&[0, 2]).unwrap_err().to_string();
    assert!(["`rows`", "2 of its 3", "`on`"].iter().all(|word| error.contains(word)), "{error}");
}
