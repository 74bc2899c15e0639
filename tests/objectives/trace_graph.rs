//! TraceGraphElbo: by enumeration, its gradient's mean is exact, and its variance below TraceElbo's.

use ppl::infer::elbo::DecayingAverage;
use ppl::infer::{Baseline, Objective, Sgd, Svi, TraceElbo, TraceGraphElbo, TraceMeanFieldElbo};
use ppl::nn::Linear;
use ppl::plate::Rows;
use ppl::prelude64::*;

use crate::enumerated::{Coins, assert_close, moments};

type Scalar = Tensor<()>;
type Row = Tensor<(usize,)>;
type Graph = TraceGraphElbo<f64, Cpu>;

/// TraceElbo and TraceGraphElbo without baselines.
fn plain() -> (TraceElbo, Graph) {
    let trace = TraceElbo { baseline: DecayingAverage::new(1.0), ..TraceElbo::default() };
    (trace, Graph::new().baseline("*", Baseline::none()))
}

pub(crate) fn data() -> Tensor<Rank1<3>> {
    Tensor::from([0.3, 1.7, -0.4])
}

/// g is a coin; of each of three rows, k is a coin whose odds depend on g, x ~ N(k + g, 1).
#[model]
pub(crate) fn coins(x: &Tensor<Rank1<3>>) {
    let g: Scalar = sample!("g", Bernoulli::filled((), 0.4));
    plate!("rows", 3, |rows| {
        let n = rows.len();
        let k: Row = sample!("k", Bernoulli::from_logits((&g * 0.8 - 0.3).spread((n,))));
        sample!("x", Normal::new(k + g.spread((n,)), 1.0), obs = x.gather::<(usize,)>(&rows.to_vec()));
    });
}

#[guide(coins)]
pub(crate) fn coins_guide(_x: &Tensor<Rank1<3>>) {
    let logit: Scalar = param!("logit", Scalar::scalar(0.2));
    let logits: Tensor<Rank1<3>> = param!("logits", Tensor::from([0.5, -0.2, 0.1]));
    let slope: Scalar = param!("slope", Scalar::scalar(0.7));
    let g: Scalar = sample!("g", Bernoulli::from_logits(logit));
    plate!("rows", 3, |rows| {
        let logits = logits.gather::<(usize,)>(&rows.to_vec());
        sample!("k", Bernoulli::from_logits(logits + (slope * g).spread((rows.len(),))));
    });
}

pub(crate) const COINS: [Coins; 2] = [("g", 1), ("k", 3)];

#[test]
fn by_plate_and_order_the_mean_is_exact_and_the_variance_lower() {
    let (trace, graph) = plain();
    let by_trace = moments((coins, coins_guide), (&data(),), &COINS, &trace);
    let by_graph = moments((coins, coins_guide), (&data(),), &COINS, &graph);
    assert_close("TraceElbo", &by_trace.mean, &by_trace.exact);
    assert_close("TraceGraphElbo", &by_graph.mean, &by_graph.exact);
    // logit, whose site comes first, has all terms downstream: the same variance. The rows' are far below.
    assert_close("variance of the first site", &by_graph.variance[..1], &by_trace.variance[..1]);
    for i in 1..4 {
        let (graph, trace) = (by_graph.variance[i], by_trace.variance[i]);
        assert!(graph < 0.5 * trace, "row {i}: {graph}, against {trace}");
    }
}

#[test]
fn constant_baselines_leave_the_mean() {
    let graph = Graph::new()
        .baseline("k", Baseline::value(|_| vec![-1.5, -2.0, 0.5]))
        .baseline("g", Baseline::value(|_| vec![-6.0]));
    let found = moments((coins, coins_guide), (&data(),), &COINS, &graph);
    assert_close("with baselines", &found.mean, &found.exact);
    let without = moments((coins, coins_guide), (&data(),), &COINS, &plain().1);
    assert!(found.variance[0] < 0.5 * without.variance[0], "{} {}", found.variance[0], without.variance[0]);
}

/// The mean over all pairs of rows of an objective's mean gradient is that of all rows.
fn assert_unbiased_in_subsamples<L: Objective<f64, Cpu> + Clone>(what: &str, objective: &L) {
    let full = moments((coins, coins_guide), (&data(),), &COINS, objective);
    let mut sum = vec![0.0; full.exact.len()];
    for rows in [[0, 1], [0, 2], [1, 2], [1, 0], [2, 0], [2, 1]] {
        let guide = coins_guide.subsample("rows", Rows::some(rows));
        let found = moments((coins, guide), (&data(),), &[("g", 1), ("k", 2)], objective);
        sum.iter_mut().zip(&found.mean).for_each(|(sum, mean)| *sum += mean / 6.0);
    }
    assert_close(what, &sum, &full.exact);
}

#[test]
fn over_all_subsamples_the_gradient_is_that_of_all_rows() {
    let (trace, graph) = plain();
    assert_unbiased_in_subsamples("TraceElbo", &trace);
    assert_unbiased_in_subsamples("TraceGraphElbo", &graph);
    let baseline = DecayingAverage::new(1.0);
    assert_unbiased_in_subsamples("TraceMeanFieldElbo", &TraceMeanFieldElbo { num_particles: 1, baseline });
}

/// a is a coin of each row, w one outside, which in the guide depends on all of a; then the plate again.
#[model]
fn coupled(x: &Tensor<Rank1<3>>) {
    let a: Tensor<Rank1<3>> = plate!("rows", 3, |_| { sample!("a", Bernoulli::filled(Default::default(), 0.3)) });
    let w: Scalar = sample!("w", Bernoulli::filled((), 0.6));
    plate!("rows", 3, |_| {
        sample!("x", Normal::new(a + w.broadcast::<Rank1<3>, _>() * 2.0, 0.7), obs = x);
    });
}

#[guide(coupled)]
fn coupled_guide(_x: &Tensor<Rank1<3>>) {
    let logits: Tensor<Rank1<3>> = param!("logits", Tensor::from([0.5, -0.2, 0.1]));
    let slope: Scalar = param!("slope", Scalar::scalar(1.3));
    let a: Tensor<Rank1<3>> = plate!("rows", 3, |_| { sample!("a", Bernoulli::from_logits(logits)) });
    sample!("w", Bernoulli::from_logits(slope * a.sum_all() - 1.0));
}

#[test]
fn a_draw_outside_a_plate_carries_over_to_its_other_elements() {
    let found = moments((coupled, coupled_guide), (&data(),), &[("a", 3), ("w", 1)], &plain().1);
    assert_close("coupled", &found.mean, &found.exact);
}

/// Two plates that cross: u of rows, v of columns, x of both.
#[model]
fn crossed(x: &Tensor<Rank2<3, 2>>) {
    let u: Tensor<Rank1<3>> = plate!("rows", 3, |_| { sample!("u", Bernoulli::filled(Default::default(), 0.3)) });
    let v: Tensor<Rank1<2>> = plate!("columns", 2, |_| { sample!("v", Bernoulli::filled(Default::default(), 0.6)) });
    let (u, v) = (u.broadcast::<Rank2<3, 2>, ppl::Axis<1>>(), v.broadcast::<Rank2<3, 2>, ppl::Axis<0>>());
    plate!("rows", 3, |_| {
        plate!("columns", 2, |_| {
            sample!("x", Normal::new(u + v * 1.5, 0.8), obs = x);
        });
    });
}

#[guide(crossed)]
fn crossed_guide(_x: &Tensor<Rank2<3, 2>>) {
    let us: Tensor<Rank1<3>> = param!("us", Tensor::from([0.5, -0.2, 0.1]));
    let vs: Tensor<Rank1<2>> = param!("vs", Tensor::from([-0.6, 0.4]));
    plate!("rows", 3, |_| { sample!("u", Bernoulli::from_logits(us)) });
    plate!("columns", 2, |_| { sample!("v", Bernoulli::from_logits(vs)) });
}

#[test]
fn crossing_plates() {
    let x = Tensor::from([[0.3, 1.2], [2.2, -0.5], [0.9, 1.1]]);
    let sites: [Coins; 2] = [("u", 3), ("v", 2)];
    let (trace, graph) = plain();
    let by_graph = moments((crossed, crossed_guide), (&x,), &sites, &graph);
    assert_close("crossed", &by_graph.mean, &by_graph.exact);
    let by_trace = moments((crossed, crossed_guide), (&x,), &sites, &trace);
    // Columns come after rows in the guide: the bound's terms of the rows alone are not theirs.
    for i in 3..5 {
        assert!(by_graph.variance[i] < by_trace.variance[i], "{} {}", by_graph.variance[i], by_trace.variance[i]);
    }
}

/// A loop over a plate: its iterations count as one after the other.
#[model]
fn looped(x: &[f64]) {
    let g: Scalar = sample!("g", Bernoulli::filled((), 0.4));
    for i in plate!("rows", 2) {
        let k: Scalar = sample!("k_{i}", Bernoulli::from_logits(&g * 0.8 - 0.3));
        sample!("x_{i}", Normal::new(k + &g, 1.0), obs = &Scalar::scalar(x[i]));
        factor!("weight_{i}", &g * 0.2);
    }
}

#[guide(looped)]
fn looped_guide(_x: &[f64]) {
    let logit: Scalar = param!("logit", Scalar::scalar(0.2));
    let slope: Scalar = param!("slope", Scalar::scalar(0.7));
    let g: Scalar = sample!("g", Bernoulli::from_logits(logit));
    for i in plate!("rows", 2) {
        sample!("k_{i}", Bernoulli::from_logits(&slope * &g + i as f64));
    }
}

#[test]
fn loops_and_factors() {
    let sites: [Coins; 3] = [("g", 1), ("k_0", 1), ("k_1", 1)];
    let found = moments((looped, looped_guide), (&[0.3, 1.9][..],), &sites, &plain().1);
    assert_close("looped", &found.mean, &found.exact);
}

#[test]
fn averages_lower_the_loss_and_come_back_from_their_state() {
    let x = data();
    let mut svi = Svi::new(coins, coins_guide, Sgd::new(0.05), Graph::with_particles(4)).seed(2);
    let first: f64 = (0..50).map(|_| svi.step((&x,)).unwrap()).sum();
    (0..300).for_each(|_| _ = svi.step((&x,)).unwrap());
    let last: f64 = (0..50).map(|_| svi.step((&x,)).unwrap()).sum();
    assert!(last < first, "{last} {first}");
    let state = Objective::<f64, Cpu>::state(svi.objective_mut());
    // Two names with their lengths, two counts, one average and three.
    assert_eq!(state.len(), 2 * (1 + 1 + 1) + 2 * (1 + 3));
    let mut fresh = Graph::new();
    assert!(fresh.accepts(&state) && !fresh.accepts(&state[1..]));
    fresh.set_state(&state);
    assert_eq!(fresh.state(), state);
}

#[test]
fn a_run_resumes_with_its_baselines_and_their_networks() {
    let objective = || {
        let features = Tensor::from([[0.3, 1.0], [1.7, 1.0], [-0.4, 1.0]]);
        let predict =
            move |net: &Linear<Const<2>, Const<1>, f64>, _: &_| net.forward(&features).reshape_like(&(3,)) as Row;
        Graph::new().baseline("k", Baseline::network(Linear::<Const<2>, Const<1>, f64>::build, predict))
    };
    let (x, folder) = (data(), tempfile::tempdir().unwrap());
    let path = folder.path().join("run");
    let new = || Svi::new(coins, coins_guide, Sgd::new(0.02), objective()).seed(4);
    let mut svi = new();
    (0..5).for_each(|_| _ = svi.step((&x,)).unwrap());
    svi.save(&path).unwrap();
    let mut resumed = new();
    resumed.load(&path, (&x,)).unwrap();
    let values = |svi: &Svi<_, _, _, _, f64, Cpu>| {
        let mut all = std::collections::BTreeMap::new();
        svi.params().each_tensor(|name, tensor| _ = all.insert(name.to_owned(), tensor.to_vec()));
        all
    };
    for _ in 0..3 {
        assert_eq!(svi.step((&x,)).unwrap(), resumed.step((&x,)).unwrap());
    }
    let all = values(&svi);
    assert!(all.contains_key("baseline/k/network.weight"), "{:?}", all.keys());
    assert_eq!(all, values(&resumed));
}

#[test]
fn a_network_learns_the_mean_cost_of_each_element() {
    let x = data();
    let predict = |net: &Tensor<Rank1<3>>, _: &_| net.clone().reshape_like(&(3,)) as Row;
    let build = |init: &mut Init<f64, Cpu>| init.constant(Default::default(), 0.0) as Tensor<Rank1<3>>;
    let graph = Graph::with_particles(20).baseline("k", Baseline::network(build, predict));
    // The guide stands still, so that the costs' means do.
    let optimizer = Sgd::new(1e-300).rate_for("baseline/*", 0.02);
    let mut svi = Svi::new(coins, coins_guide, optimizer, graph).seed(1);
    (0..400).for_each(|_| _ = svi.step((&x,)).unwrap());
    let found = svi.params().get::<Tensor<Rank1<3>>>("baseline/k/network").unwrap().to_vec();
    let sigmoid = |l: f64| 1.0 / (1.0 + (-l).exp());
    let ln_bernoulli = |k: f64, l: f64| k * l - l.exp().ln_1p();
    for (i, (&x, logit)) in data().to_vec().iter().zip([0.5, -0.2, 0.1]).enumerate() {
        let mut expected = 0.0;
        for (g, p_g) in [(0.0, 1.0 - sigmoid(0.2)), (1.0, sigmoid(0.2))] {
            let odds = logit + 0.7 * g;
            for (k, p_k) in [(0.0, 1.0 - sigmoid(odds)), (1.0, sigmoid(odds))] {
                let normal = -0.5 * (x - k - g) * (x - k - g) - 0.5 * (2.0 * std::f64::consts::PI).ln();
                expected += p_g * p_k * (ln_bernoulli(k, 0.8 * g - 0.3) + normal - ln_bernoulli(k, odds));
            }
        }
        // The average of about 25 steps of 20 costs with a standard deviation near 1: 0.05; seeds are fixed.
        assert!((found[i] - expected).abs() < 0.3, "{}, not {expected}", found[i]);
    }
}

#[model]
fn paths(x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    sample!("x", Normal::new(z, 1.0), obs = x);
}

#[guide(paths)]
fn paths_guide(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    sample!("z", Normal::new(loc, 1.0));
}

#[test]
fn without_scored_sites_it_is_the_bound_over_traces() {
    let x = Scalar::scalar(2.0);
    let mut graph = Svi::new(paths, paths_guide, Sgd::new(0.1), Graph::new());
    let mut trace = Svi::new(paths, paths_guide, Sgd::new(0.1), TraceElbo::default());
    for _ in 0..3 {
        assert_close("loss", &[graph.step(&x).unwrap()], &[trace.step(&x).unwrap()]);
    }
    let loc = |params: &ParamStore<f64, Cpu>| params.constrained("loc").unwrap().to_vec();
    assert_close("loc", &loc(graph.params()), &loc(trace.params()));
}

#[test]
fn baselines_that_no_site_can_have_are_errors() {
    let x = Scalar::scalar(2.0);
    let error = |site: &str| {
        let graph = Graph::new().baseline(site, Baseline::none());
        Svi::new(paths, paths_guide, Sgd::new(0.1), graph).step(&x).map_err(|error| error.to_string())
    };
    let pathwise = error("z").unwrap_err();
    assert!(
        pathwise.contains("site `z`") && pathwise.contains("pathwise") && pathwise.contains("leave the baseline out"),
        "{pathwise}"
    );
    let missing = error("y").unwrap_err();
    assert!(
        missing.contains("site `y`") && missing.contains("did not draw it") && missing.contains("`*`"),
        "{missing}"
    );
    assert!(error("y*").is_ok());
    let graph = Graph::new().baseline("k", Baseline::value(|_| vec![0.0; 2]));
    let wrong = Svi::new(coins, coins_guide, Sgd::new(0.1), graph).step((&data(),)).unwrap_err().to_string();
    assert!(wrong.contains("site `k`") && wrong.contains("2 numbers for 3 plate elements"), "{wrong}");
}
