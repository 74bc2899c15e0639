//! A draw's random numbers depend on the seed and on its place, and on nothing else.

use ppl::infer::Predictive;
use ppl::infer::predictive::Place;
use ppl::prelude64::*;

use crate::by_hand::draws;
use crate::closed_forms::normal;

type Four = Tensor<Rank1<4>>;

fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn threads_change_nothing_and_runs_one_by_one_are_the_same() {
    let data = Four::full(0.0);
    let rows = |chain: f64| (0..60).map(|i| vec![chain + f64::from(i)]).collect::<Vec<_>>();
    let posterior = draws(&[("mu", &[])], &[rows(0.0), rows(100.0), rows(200.0)]);
    let predictive = Predictive::posterior(normal, (0.0, 1.0, 1.0, &data), &posterior).seed(11);
    let [one, many] = [1, 7].map(|threads| on_threads(threads, || predictive.collect().unwrap()));
    assert_eq!(one, many);
    assert_eq!((one.num_chains(), one.num_draws()), (3, 60));

    let mapped = on_threads(3, || predictive.map(|(), seen| seen.value::<Four>("y").unwrap().to_vec()).unwrap());
    let streamed: Vec<Vec<f64>> =
        predictive.traces().map(|run| run.unwrap().1.value::<Four>("y").unwrap().to_vec()).collect();
    let typed: Vec<Vec<f64>> = predictive.typed().map(|run| run.unwrap().y.value.to_vec()).collect();
    assert!(mapped == streamed && streamed == typed);
    assert_eq!(one.values("y").unwrap(), streamed);
    let mut all = streamed.concat();
    all.sort_by(f64::total_cmp);
    all.dedup();
    assert_eq!(all.len(), 3 * 60 * 4, "no two draws share their numbers");
    assert_ne!(predictive.clone().seed(12).collect().unwrap(), one);
}

#[test]
fn how_many_are_asked_for_changes_no_draw() {
    let data = Four::full(0.0);
    let prior = |n| Predictive::prior(normal, (0.0, 1.0, 1.0, &data)).draws(n).seed(4).collect().unwrap();
    let (few, many) = (prior(3), prior(40));
    assert_eq!(few.values("y").unwrap()[..], many.values("y").unwrap()[..3]);
    assert_eq!(Predictive::prior(normal, (0.0, 1.0, 1.0, &data)).traces().count(), 1000, "the default");

    let rows = |n: u32| (0..n).map(|i| vec![f64::from(i)]).collect::<Vec<_>>();
    let (long, short) = (draws(&[("mu", &[])], &[rows(10), rows(10)]), draws(&[("mu", &[])], &[rows(4), rows(4)]));
    let of = |draws, step| {
        let predictive = Predictive::posterior(normal, (0.0, 1.0, 1.0, &data), draws).seed(4).thin(step);
        let found = predictive.collect().unwrap();
        found.chains().iter().map(|chain| chain.rows().map(<[f64]>::to_vec).collect()).collect::<Vec<Vec<_>>>()
    };
    let (all, thinned) = (of(&long, 1), of(&long, 3));
    for (all, thinned) in all.iter().zip(&thinned) {
        assert_eq!(*thinned, [0, 3, 6, 9].map(|i| all[i].clone()));
    }
    for (all, short) in all.iter().zip(of(&short, 1)) {
        assert_eq!(all[..4], short);
    }
}

#[test]
fn a_stream_is_that_of_chain_and_draw() {
    use rand::RngCore;
    let first = |chain, draw| Place { chain, draw }.rng(3).next_u64();
    assert_eq!(first(0, 5), ppl::rng::Rng::stream(3, 5).next_u64());
    assert_ne!(first(0, 1), first(1, 0));
    assert_ne!(first(1, 1), first(0, 2));
}
