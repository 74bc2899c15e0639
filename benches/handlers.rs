//! What a sample statement costs: a scalar normal through 0 to 8 handlers that only forward, and
//! through the two that inference uses most.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ppl::address::Address;
use ppl::handler::Handler;
use ppl::handlers::{Prior, Replay, Tracer};
use ppl::prelude64::*;
use ppl::primitives::sample;
use ppl::rng::Rng;

type Scalar = Tensor<()>;
type ScalarNormal = Normal<(), f64, Cpu>;

/// Forwards everything.
struct Forward<'h> {
    inner: &'h mut dyn Handler<f64, Cpu>,
}

impl Handler<f64, Cpu> for Forward<'_> {
    fn inner(&mut self) -> &mut dyn Handler<f64, Cpu> {
        self.inner
    }
}

/// Runs `body` under `depth` handlers more.
fn nested(depth: usize, handler: &mut dyn Handler<f64, Cpu>, body: &mut dyn FnMut(&mut dyn Handler<f64, Cpu>)) {
    if depth == 0 {
        body(handler);
    } else {
        nested(depth - 1, &mut Forward { inner: handler }, body);
    }
}

fn forwarding(c: &mut Criterion) {
    let mut group = c.benchmark_group("sample");
    let (loc, scale) = (Scalar::scalar(0.0), Scalar::scalar(1.0));
    group.bench_function("distribution alone", |b| {
        let mut rng = Rng::seed(0);
        b.iter(|| black_box(ScalarNormal::new(&loc, &scale).draw(&mut rng)));
    });
    for depth in 0..=8 {
        group.bench_with_input(BenchmarkId::new("handlers", depth), &depth, |b, &depth| {
            let mut prior = Prior::seeded(0);
            nested(depth, &mut prior, &mut |h| {
                b.iter(|| black_box(sample(&mut *h, Address::fixed("z"), ScalarNormal::new(&loc, &scale))));
            });
        });
    }
    group.finish();
}

fn trace_and_replay(c: &mut Criterion) {
    const SITES: usize = 64;
    let names: Vec<&'static str> = (0..SITES).map(|i| &*format!("z{i}").leak()).collect();
    let (loc, scale) = (Scalar::scalar(0.0), Scalar::scalar(1.0));
    let body = |h: &mut dyn Handler<f64, Cpu>| {
        for name in &names {
            black_box(sample(&mut *h, Address::fixed(name), ScalarNormal::new(&loc, &scale)));
        }
    };
    let mut prior = Prior::seeded(0);
    let mut tracer = Tracer::new(&mut prior);
    body(&mut tracer);
    let earlier = tracer.into_trace();
    let mut group = c.benchmark_group("64 sites");
    group.bench_function("log-densities alone", |b| {
        let z = Scalar::scalar(0.3);
        b.iter(|| (0..SITES).for_each(|_| drop(black_box(ScalarNormal::new(&loc, &scale).log_prob_sum(&z)))));
    });
    group.bench_function("trace + replay", |b| {
        b.iter(|| {
            let mut prior = Prior::seeded(0);
            let mut replay = Replay::new(&earlier, &mut prior);
            let mut tracer = Tracer::new(&mut replay);
            body(&mut tracer);
            tracer.into_trace()
        });
    });
    group.finish();
}

criterion_group!(benches, forwarding, trace_and_replay);
criterion_main!(benches);
