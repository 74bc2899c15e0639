//! The joint density of every assignment, each by a run of its own.

use std::collections::BTreeMap;

use ppl::autodiff::try_grad;
use ppl::handler::Handler;
use ppl::handlers::{Params, Prior, Tracer};
use ppl::infer::InferDiscrete;
use ppl::infer::enumeration::{Enumerated, Side};
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::site::SampleSite;

/// A discrete site: its name, how many elements it has, and how many values.
pub(crate) type Discrete = (String, usize, usize);

/// A site of this name.
pub(crate) fn site(name: impl Into<String>, elements: usize, cardinality: usize) -> Discrete {
    (name.into(), elements, cardinality)
}

/// Gives sites their numbers.
pub(crate) struct Assign<'h> {
    pub(crate) inner: &'h mut dyn Handler<f64, Cpu>,
    pub(crate) numbers: &'h BTreeMap<String, Vec<f64>>,
    /// The sites that had numbers.
    pub(crate) met: Vec<String>,
}

impl Handler<f64, Cpu> for Assign<'_> {
    fn inner(&mut self) -> &mut dyn Handler<f64, Cpu> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<f64, Cpu>) {
        if let Some(numbers) = self.numbers.get(site.name()) {
            site.set_numbers(numbers, "assign").expect("as many numbers as the site has");
            self.met.push(site.name().to_owned());
        }
        self.inner.sample(site);
    }
}

/// What all assignments say together.
pub(crate) struct Exact {
    pub(crate) log_evidence: f64,
    /// By parameter, in the order of the store.
    pub(crate) gradient: Vec<f64>,
    /// By site, element and value; they add up to the probability that the site is met.
    pub(crate) marginals: BTreeMap<String, Vec<Vec<f64>>>,
    /// By site and element.
    pub(crate) most_probable: BTreeMap<String, Vec<usize>>,
}

/// The log joint density of an assignment with its gradient; none if some site is not met, and has another value than the first.
fn joint<A: Clone, M: Model<A, E = f64, D = Cpu>>(
    (model, args): (&M, &A),
    store: &mut ParamStore<f64, Cpu>,
    numbers: &BTreeMap<String, Vec<f64>>,
) -> Option<(f64, Vec<f64>, Vec<String>)> {
    let (log_joint, met, grads) = try_grad(|| {
        let mut prior = Prior::new(Rng::seed(0));
        let mut params = Params::new(store, &mut prior);
        let mut assign = Assign { inner: &mut params, numbers, met: Vec::new() };
        let mut tracer = Tracer::new(&mut assign);
        model.run(&mut tracer, args.clone());
        let trace = tracer.into_trace();
        let met = assign.met;
        Handler::<f64, Cpu>::context(&mut params).finish((trace.log_prob_sum(), met))
    })
    .expect("the run is right");
    if numbers.iter().any(|(name, numbers)| !met.contains(name) && numbers.iter().any(|&n| n != 0.0)) {
        return None;
    }
    let mut gradient = Vec::new();
    store.each_tensor(|_, tensor| {
        gradient.extend(tensor.gradient(&grads).unwrap_or_else(|| vec![0.0; tensor.dims().iter().product()]))
    });
    Some((log_joint.item(), gradient, met))
}

/// All values of these sites.
pub(crate) fn assignments(sites: &[Discrete]) -> Vec<BTreeMap<String, Vec<f64>>> {
    let cells: Vec<usize> = sites.iter().flat_map(|(_, elements, k)| std::iter::repeat_n(*k, *elements)).collect();
    let count: usize = cells.iter().product();
    assert!(count <= 1 << 17, "{count} assignments");
    let assignment = |number: usize| {
        let mut rest = number;
        let mut digit = |k: usize| {
            let digit = rest % k;
            rest /= k;
            digit as f64
        };
        sites.iter().map(|(name, elements, k)| (name.clone(), (0..*elements).map(|_| digit(*k)).collect())).collect()
    };
    (0..count).map(assignment).collect()
}

/// Sums over all assignments.
pub(crate) fn exact<A: Clone, M: Model<A, E = f64, D = Cpu>>(model: &M, args: &A, sites: &[Discrete]) -> Exact {
    let mut store = ParamStore::new(0);
    let mut all: Vec<(f64, Vec<f64>, Vec<usize>, Vec<String>)> = Vec::new();
    for numbers in assignments(sites) {
        let digits = sites.iter().flat_map(|(name, ..)| numbers[name].iter().map(|&digit| digit as usize)).collect();
        let found = joint((model, args), &mut store, &numbers);
        all.extend(found.map(|(value, gradient, met)| (value, gradient, digits, met)));
    }
    let best = all.iter().max_by(|a, b| a.0.total_cmp(&b.0)).expect("some assignment");
    let sum: f64 = all.iter().map(|(value, ..)| (value - best.0).exp()).sum();
    let log_evidence = best.0 + sum.ln();
    let mut gradient = vec![0.0; best.1.len()];
    let mut marginals: BTreeMap<String, Vec<Vec<f64>>> =
        sites.iter().map(|(name, elements, k)| (name.clone(), vec![vec![0.0; *k]; *elements])).collect();
    for (value, slopes, digits, met) in &all {
        let weight = (value - log_evidence).exp();
        gradient
            .iter_mut()
            .zip(slopes)
            .for_each(|(sum, slope)| *sum += if weight > 0.0 { weight * slope } else { 0.0 });
        let mut digits = digits.iter();
        for (name, elements, _) in sites {
            for element in 0..*elements {
                let digit = *digits.next().expect("a digit");
                if met.contains(name) {
                    marginals.get_mut(name).expect("made above")[element][digit] += weight;
                }
            }
        }
    }
    let mut digits = best.2.iter();
    let most_probable = sites
        .iter()
        .map(|(name, elements, _)| (name.clone(), digits.by_ref().take(*elements).copied().collect()))
        .collect();
    Exact { log_evidence, gradient, marginals, most_probable }
}

/// All values of a model's enumerated sites.
pub(crate) fn enumerated<A: Clone, M: Model<A, E = f64, D = Cpu>>(
    model: &M,
    args: &A,
    store: &mut ParamStore<f64, Cpu>,
) -> Result<Enumerated<f64, Cpu>, ppl::Error> {
    Enumerated::of(&mut |_, wrap| {
        let mut prior = Prior::new(Rng::seed(0));
        let mut params = Params::new(store, &mut prior);
        wrap(Side::Model, &mut params, &mut |inner| {
            model.run(inner, args.clone());
        });
        Handler::<f64, Cpu>::context(&mut params).finish(())
    })
}

/// Evidence, gradient, marginals and the most probable assignment, to 1e-10.
pub(crate) fn agrees<A: Clone, M: Model<A, E = f64, D = Cpu>>(model: M, args: A, sites: &[Discrete]) -> usize {
    let exact = exact(&model, &args, sites);
    let mut store = ParamStore::new(0);
    let mut runs = 0;
    let (_, (found, enumerated), grads) = try_grad(|| {
        let enumerated = enumerated(&model, &args, &mut store)?;
        runs = enumerated.runs();
        let (found, surrogate) = enumerated.surrogate()?;
        Ok::<_, ppl::Error>((surrogate, (found, enumerated)))
    })
    .expect("it can be enumerated");
    let close = |found: f64, expected: f64| (found - expected).abs() < 1e-10 * (1.0 + expected.abs());
    assert!(close(found, exact.log_evidence), "{found} for {}", exact.log_evidence);
    assert!(close(enumerated.log_evidence().unwrap(), exact.log_evidence));
    let mut gradient = Vec::new();
    store.each_tensor(|_, tensor| gradient.extend(tensor.gradient(&grads).expect("it learns")));
    assert_eq!(gradient.len(), exact.gradient.len());
    for (found, expected) in gradient.iter().zip(&exact.gradient) {
        assert!(close(*found, *expected), "{gradient:?} for {:?}", exact.gradient);
    }
    let marginals: BTreeMap<_, _> = enumerated.marginals().unwrap().into_iter().collect();
    assert_eq!(marginals.keys().collect::<Vec<_>>(), exact.marginals.keys().collect::<Vec<_>>());
    for (name, rows) in &exact.marginals {
        for (found, expected) in marginals[name].iter().flatten().zip(rows.iter().flatten()) {
            assert!(close(*found, *expected), "{name}: {:?} for {rows:?}", marginals[name]);
        }
    }
    let most_probable: BTreeMap<_, _> = enumerated.most_probable().unwrap().into_iter().collect();
    assert_eq!(most_probable, exact.most_probable);
    draws_follow(&enumerated, &exact);
    let posterior = InferDiscrete::new(model, Boxed(args), &ParamStore::new(0)).expect("nothing else is latent");
    posterior.most_probable().expect("a run at the best values");
    posterior.draw(1).expect("a run at a draw");
    runs
}

/// Arguments that are a tuple already.
struct Boxed<A>(A);

impl<A> ppl::model::IntoArgs for Boxed<A> {
    type Args = A;

    fn into_args(self) -> A {
        self.0
    }
}

/// Frequencies in 4000 draws, within five standard errors: a false alarm in a million cells, were the seed not fixed.
fn draws_follow(enumerated: &Enumerated<f64, Cpu>, exact: &Exact) {
    let draws = 4000;
    let mut counts: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for (name, rows) in &exact.marginals {
        counts.insert(name.clone(), rows.iter().map(|row| vec![0.0; row.len()]).collect());
    }
    for number in 0..draws {
        for (name, values) in enumerated.draw(&mut Rng::stream(7, number)).unwrap() {
            let rows = counts.get_mut(&name).expect("a site");
            values.into_iter().zip(rows).for_each(|(value, row)| row[value] += 1.0);
        }
    }
    for (name, rows) in &exact.marginals {
        // A site that is not met has its first value.
        let all = rows.iter().flat_map(|row| {
            let missing = 1.0 - row.iter().sum::<f64>();
            row.iter().enumerate().map(move |(value, p)| if value == 0 { p + missing } else { *p })
        });
        for (count, p) in counts[name].iter().flatten().zip(all) {
            let n = draws as f64;
            let error = 5.0 * (p * (1.0 - p) / n).sqrt() + 1e-3;
            assert!((count / n - p).abs() < error, "{name}: {:?} for {rows:?}", counts[name]);
        }
    }
}
