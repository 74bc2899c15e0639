//! Models with hand-written log joints, and what the tests run and compare them with.

use std::sync::Arc;

use ppl_core::address::Address;
use ppl_core::distributions::Normal;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior, Tracer};
use ppl_core::model::{Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::plate::PlateRows;
use ppl_core::primitives::{auxiliary, deterministic, factor, observe, param, plate, sample, submodel};
use ppl_core::shared::Shared;
use ppl_core::site::{SampleSite, SiteKind};
use ppl_core::tensor::IntoTensor;
use ppl_core::trace::{Trace, TraceReader, TypedTrace};
use ppl_core::values::{AnyValue, SiteValue, ValueMap};
use ppl_core::{Cpu, Error, Shape, Tensor};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

pub(crate) type Scalar = Tensor<(), f64>;
pub(crate) type Vector = Tensor<(usize,), f64>;
pub(crate) type Matrix = Tensor<(usize, usize), f64>;
pub(crate) type Handle<'h> = &'h mut dyn Handler<f64, Cpu>;

/// A few cases, the same ones every time.
pub(crate) fn few() -> ProptestConfig {
    ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(2024), failure_persistence: None, ..Default::default() }
}

/// The trace of models that have no typed one.
pub(crate) struct Untyped;

impl TypedTrace for Untyped {
    type Values = ValueMap;
    fn read(_: &TraceReader<'_>) -> Result<Self, Error> {
        Ok(Untyped)
    }
}

macro_rules! model {
    ([$($generics:tt)*] $Model:ty, $name:literal, ($($arg:ident: $Arg:ty),*) -> $Output:ty, |$this:ident, $h:ident| $body:expr) => {
        impl<$($generics)*> Program for $Model {
            type Base = Self;
            const NAME: &'static str = $name;
        }

        impl<$($generics)*> Model<($($Arg,)*)> for $Model {
            type E = f64;
            type D = Cpu;
            type Output = $Output;
            type Trace = Untyped;

            fn run(&self, $h: Handle<'_>, ($($arg,)*): ($($Arg,)*)) -> $Output {
                let $this = self;
                $body
            }
        }
    };
}

/// A closure as a model.
#[derive(Clone)]
pub(crate) struct Body<F>(F);

model!([F: Fn(Handle<'_>) + Clone + Shared] Body<F>, "body", () -> (), |this, h| (this.0)(h));

pub(crate) fn body<F: Fn(Handle<'_>) + Clone + Shared>(f: F) -> Body<F> {
    Body(f)
}

pub(crate) fn fixed(name: &'static str) -> Address {
    Address::fixed(name)
}

pub(crate) fn normal(x: f64, loc: f64, scale: f64) -> f64 {
    let z = (x - loc) / scale;
    -0.5 * z * z - scale.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln()
}

/// A normal distribution over numbers.
pub(crate) fn number(loc: impl IntoTensor<(), f64, Cpu>, scale: f64) -> Normal<(), f64, Cpu> {
    Normal::new(loc, scale)
}

/// Standard normal numbers in a shape.
pub(crate) fn standard<S: Shape>(shape: S) -> Normal<S, f64, Cpu> {
    Normal::standard_like(shape)
}

/// a ~ N(z, 1), b ~ N(a, 1); returns b.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inner;

model!([] Inner, "inner", (z: Scalar) -> Scalar, |_this, h| {
    let a = sample(&mut *h, fixed("a"), Normal::new(z, 1.0));
    sample(h, fixed("b"), Normal::new(a, 1.0))
});

/// A statement of every kind: a parameter, a latent site, one that only some runs have, a family, a
/// submodel, a factor outside plates and one inside, and a subsampled plate with a local latent
/// variable, a deterministic value and data. Returns the parameter.
#[derive(Clone, Debug)]
pub(crate) struct Everything {
    pub(crate) data: Vec<f64>,
    pub(crate) subsample: Option<usize>,
    pub(crate) steps: usize,
    pub(crate) observed: bool,
}

model!([] Everything, "everything", () -> f64, |this, h| {
    let loc: Scalar = param(&mut *h, fixed("loc"), |init| init.normal((), 1.0));
    let z: Scalar = sample(&mut *h, fixed("z"), Normal::new(&loc, 1.0));
    if z.item() > 0.0 {
        sample(&mut *h, fixed("extra"), number(&z, 2.0));
    }
    let mut last = z.clone();
    for t in 0..this.steps {
        last = sample(&mut *h, Address::indexed("step_{}", &[t]), Normal::new(last, 0.5));
    }
    factor(&mut *h, fixed("penalty"), z.square() * -0.1);
    let mean = submodel(&mut *h, fixed("inner"), &Inner, (z,));
    let ask = this.subsample.map_or(PlateRows::All, PlateRows::Subsample);
    plate(h, fixed("data"), this.data.len(), ask, |h, rows| {
        let local: Vector = sample(&mut *h, fixed("local"), Normal::new(mean.spread((rows.len(),)), 1.0));
        deterministic(&mut *h, fixed("twice"), &local * 2.0);
        let x = Vector::vector(rows.iter().map(|i| this.data[i]).collect());
        observe(&mut *h, fixed("x"), Normal::new(&local, 0.3), this.observed.then_some(x));
        factor(h, fixed("weights"), local.square() * -0.05);
    });
    loc.item()
});

impl Everything {
    /// The log joint density of the values in a trace, by hand.
    pub(crate) fn log_joint(&self, trace: &Trace<f64, Cpu>, loc: f64) -> f64 {
        let at = |name: &str| trace.value::<Scalar>(name).map(Tensor::item);
        let of = |name: &str| trace.value::<Vector>(name).map(Tensor::to_vec).unwrap();
        let z = at("z").unwrap();
        let mut total = normal(z, loc, 1.0) - 0.1 * z * z;
        total += at("extra").map_or(0.0, |extra| normal(extra, z, 2.0));
        let mut last = z;
        for t in 0..self.steps {
            let step = at(&format!("step_{t}")).unwrap();
            total += normal(step, last, 0.5);
            last = step;
        }
        let (a, b) = (at("inner/a").unwrap(), at("inner/b").unwrap());
        total += normal(a, z, 1.0) + normal(b, a, 1.0);
        let (local, x) = (of("local"), of("x"));
        let scale = self.data.len() as f64 / local.len() as f64;
        let rows = local.iter().zip(&x).map(|(&l, &x)| normal(l, b, 1.0) + normal(x, l, 0.3) - 0.05 * l * l);
        total + scale * rows.sum::<f64>()
    }
}

/// One plate of `n` elements (or some of them) around everything: local ~ N(1, 2), its double, data
/// with standard deviation 0.5 and a factor.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) data: Vec<f64>,
    pub(crate) subsample: Option<usize>,
}

model!([] Rows, "rows", () -> (), |this, h| {
    let ask = this.subsample.map_or(PlateRows::All, PlateRows::Subsample);
    plate(h, fixed("data"), this.data.len(), ask, |h, rows| {
        let local: Vector = sample(&mut *h, fixed("local"), Normal::filled((rows.len(),), 1.0, 2.0));
        deterministic(&mut *h, fixed("twice"), &local * 2.0);
        let x = Vector::vector(rows.iter().map(|i| this.data[i]).collect());
        observe(&mut *h, fixed("x"), Normal::new(&local, 0.5), x);
        factor(h, fixed("weights"), local.square() * -0.05);
    })
});

impl Rows {
    /// The log joint density of one element.
    pub(crate) fn element(&self, i: usize, local: f64) -> f64 {
        normal(local, 1.0, 2.0) + normal(self.data[i], local, 0.5) - 0.05 * local * local
    }
}

/// A guide with a variable of its own: u ~ N(0, 1), z ~ N(u, 1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithAuxiliary;

model!([] WithAuxiliary, "with_auxiliary", () -> (), |_this, h| {
    let u: Scalar = auxiliary(&mut *h, fixed("u"), Normal::new(0.0, 1.0));
    sample(h, fixed("z"), number(u, 1.0));
});

prop_compose! {
    /// [`Everything`] of a few sizes.
    pub(crate) fn everything()(
        data in prop::collection::vec(-2.0..2.0f64, 1..6),
        subsample in any::<bool>(),
        share in 0.0..1.0f64,
        steps in 0..3usize,
        observed in any::<bool>(),
    ) -> Everything {
        let b = 1 + (share * data.len() as f64) as usize;
        Everything { subsample: subsample.then_some(b.min(data.len())), data, steps, observed }
    }
}

/// Runs a model with parameters from a store of a fixed seed; the run, its trace and its first error.
pub(crate) fn run_whole<M: Model<(), E = f64, D = Cpu>>(
    model: &M,
    seed: u64,
) -> (M::Output, Trace<f64, Cpu>, Option<Error>) {
    let (mut prior, mut store) = (Prior::seeded(seed), ParamStore::new(5));
    let mut params = Params::new(&mut store, &mut prior);
    let mut tracer = Tracer::new(&mut params);
    let output = model.run(&mut tracer, ());
    let trace = tracer.into_trace();
    (output, trace, Handler::<f64, Cpu>::context(&mut prior).take_error())
}

/// The trace of a run without errors.
#[track_caller]
pub(crate) fn run<M: Model<(), E = f64, D = Cpu>>(model: &M, seed: u64) -> Trace<f64, Cpu> {
    let (_, trace, error) = run_whole(model, seed);
    assert_eq!(error, None);
    trace
}

/// The error of a run that has one.
#[track_caller]
pub(crate) fn error<M: Model<(), E = f64, D = Cpu>>(model: &M) -> String {
    run_whole(model, 0).2.expect("an error").to_string()
}

/// Everything that a trace says of its sites and plates, to be compared.
pub(crate) fn told(trace: &Trace<f64, Cpu>) -> (Vec<String>, Vec<f64>) {
    let sites = trace.sites().map(|s| {
        let rows = s.frames.iter().map(|f| trace.plate(&f.name).map(|(n, rows)| (n, rows.to_vec())));
        let (value, rows) = (exact(&*s.value), rows.collect::<Vec<_>>());
        format!("{} {:?} {value} observed={} {:?} {rows:?}", s.address, s.kind, s.observed, s.frames)
    });
    (sites.collect(), log_probs(trace))
}

/// The values in full: `Debug` leaves out all but a few elements.
pub(crate) fn exact(value: &dyn AnyValue) -> String {
    match value.as_any().downcast_ref::<Vector>() {
        Some(vector) => format!("{:?}", vector.to_vec()),
        None => format!("{value:?}"),
    }
}

pub(crate) fn log_probs(trace: &Trace<f64, Cpu>) -> Vec<f64> {
    trace.sites().map(|s| s.log_prob.item()).collect()
}

pub(crate) fn names(trace: &Trace<f64, Cpu>) -> Vec<String> {
    trace.sites().map(|s| s.address.to_string()).collect()
}

/// Values of the latent sites that `keep` chooses.
pub(crate) fn some_latents(trace: &Trace<f64, Cpu>, keep: impl Fn(&str) -> bool) -> ValueMap {
    let mut map = ValueMap::new();
    for site in trace.sites().filter(|s| s.is_latent() && keep(s.address.as_str())) {
        map.put_any(site.address.as_str(), site.value.clone());
    }
    map
}

/// One value by name.
pub(crate) fn value(name: &str, value: f64) -> ValueMap {
    let mut map = ValueMap::new();
    map.put(name, Some(Scalar::scalar(value)));
    map
}

#[track_caller]
pub(crate) fn assert_near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-10 * (1.0 + a.abs().max(b.abs())), "{a} and {b}");
}

/// Keeps, for each site, the log-density of its plate elements and its entropy.
pub(crate) struct Elements<'h> {
    pub(crate) inner: Handle<'h>,
    pub(crate) found: Vec<(String, Vec<f64>, Option<f64>)>,
}

impl Handler<f64, Cpu> for Elements<'_> {
    fn inner(&mut self) -> Handle<'_> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<f64, Cpu>) {
        assert_eq!(site.log_prob_elements().numel() == 0, site.value().is_none() || site.state().plate_elements() == 0);
        self.inner.sample(site);
        let entropy = site.entropy().map(|e| e.item());
        self.found.push((site.name().to_owned(), site.log_prob_elements().to_vec(), entropy));
    }
}

/// The log-densities of each site's plate elements, and its entropy, in a run without errors.
#[track_caller]
pub(crate) fn elements<M: Model<(), E = f64, D = Cpu>>(model: &M, seed: u64) -> Vec<(String, Vec<f64>, Option<f64>)> {
    let mut prior = Prior::seeded(seed);
    let mut elements = Elements { inner: &mut prior, found: Vec::new() };
    model.run(&mut elements, ());
    let found = elements.found;
    assert_eq!(Handler::<f64, Cpu>::context(&mut prior).take_error(), None);
    found
}

/// A trace to be replayed.
pub(crate) fn shared(trace: &Trace<f64, Cpu>) -> Arc<Trace<f64, Cpu>> {
    Arc::new(trace.clone())
}

/// The kinds of a trace's sites, by name.
pub(crate) fn kind(trace: &Trace<f64, Cpu>, name: &str) -> SiteKind {
    trace.site(name).expect("the site").kind
}

/// One value of any type by name.
pub(crate) fn values<V: SiteValue>(name: &str, value: V) -> ValueMap {
    let mut map = ValueMap::new();
    map.put(name, Some(value));
    map
}
