//! One of every flow over rows of four numbers, and numbers to feed it.

use ppl_core::backend::Backend;
use ppl_core::flows::{
    AffineAutoregressive, AffineCoupling, BatchNorm, Flow, Inverse, Planar, Radial, Spline, SplineAutoregressive, Stack,
};
use ppl_core::nn::Initialise;
use ppl_core::params::{ErasedModule, Init, ParamTensor};
use ppl_core::rng::Rng;
use ppl_core::transform::{Flat, Permute};
use ppl_core::{Cpu, Dtype, Tensor};

/// The length of rows.
pub(crate) const LEN: usize = 4;

pub(crate) type Row<E> = Flat<E, Cpu>;

/// The names of all flows.
pub(crate) const FLOWS: [&str; 10] = [
    "AffineCoupling",
    "AffineAutoregressive",
    "Masked",
    "Planar",
    "Radial",
    "Spline",
    "SplineAutoregressive",
    "BatchNorm",
    "Permute",
    "Stack",
];

/// A flow of that name with random parameters, far enough from the identity.
pub(crate) fn flow<E: Dtype>(name: &str, seed: u64) -> Box<dyn Flow<E, Cpu>>
where
    Cpu: Backend<E>,
{
    let init = &mut Init::<E, Cpu>::new(Rng::named(seed, name));
    let mut flow: Box<dyn Flow<E, Cpu>> = match name {
        "AffineCoupling" => Box::new(AffineCoupling::new(init, LEN, &[7])),
        "AffineAutoregressive" => Box::new(iaf(init)),
        "Masked" => Box::new(Inverse(iaf(init))),
        "Planar" => Box::new(Planar::new(init, LEN)),
        "Radial" => Box::new(Radial::new(init, LEN)),
        "Spline" => Box::new(Spline::with_bins(init, LEN, 5, 2.5)),
        "SplineAutoregressive" => {
            Box::new(SplineAutoregressive::with_bins(init, LEN, &[9], 4, 2.5).with_order(vec![1, 3, 0, 2]))
        }
        "BatchNorm" => Box::new(batch_norm(init)),
        "Permute" => Box::new(Permute::random(init, LEN)),
        "Stack" => Box::new(
            Stack::new()
                .then(AffineCoupling::new(init, LEN, &[6]))
                .then(Permute::reversed(LEN))
                .then(AffineCoupling::new(init, LEN, &[6]))
                .then(batch_norm(init))
                .then(iaf(init).inverse_flow())
                .then(Planar::new(init, LEN)),
        ),
        _ => panic!("no flow `{name}`"),
    };
    if name == "Spline" || name == "Planar" || name == "Radial" {
        let mut noise = Init::<f64, Cpu>::new(Rng::stream(seed, 7));
        alter(&mut *flow, |_, v| v + noise.normal((), 1.0).item());
    }
    flow
}

/// An inverse autoregressive flow with biases, so that no kink of a relu is near.
fn iaf<E: Dtype>(init: &mut Init<E, Cpu>) -> AffineAutoregressive<E, Cpu>
where
    Cpu: Backend<E>,
{
    let flow = AffineAutoregressive::new(init, LEN, &[9, 8]);
    let network = flow.network().clone().initialised(init, Initialise::Uniform, Initialise::Uniform);
    AffineAutoregressive::with_network(network).with_order(vec![2, 0, 3, 1])
}

/// With statistics that are not those of a standard normal, two updates on.
fn batch_norm<E: Dtype>(init: &mut Init<E, Cpu>) -> BatchNorm<E, Cpu>
where
    Cpu: Backend<E>,
{
    let mut flow = BatchNorm::new(init, LEN).with_momentum(0.7);
    let rows: Row<E> = init.normal((8 * LEN,), 2.0) + E::of(0.5);
    flow.update_statistics(&rows);
    flow.update_statistics(&rows);
    flow
}

/// Replaces every number of every tensor.
pub(crate) fn alter<E: Dtype>(module: &mut dyn Flow<E, Cpu>, mut f: impl FnMut(&str, f64) -> f64)
where
    Cpu: Backend<E>,
{
    let module: &mut dyn ErasedModule<E, Cpu> = module;
    module.each_mut("", &mut |name, tensor: &mut dyn ParamTensor<E, Cpu>| {
        let values: Vec<E> = tensor.to_vec().into_iter().map(|v| E::of(f(name, v.wide()))).collect();
        tensor.set(&values).expect("as many");
    });
}

/// Rows of ordinary size.
pub(crate) fn rows<E: Dtype>(count: usize) -> Row<E>
where
    Cpu: Backend<E>,
{
    Init::<E, Cpu>::new(Rng::seed(77)).normal((count * LEN,), 1.2)
}

pub(crate) fn row<E: Dtype>(values: &[f64]) -> Row<E>
where
    Cpu: Backend<E>,
{
    Tensor::vector(values.iter().map(|&v| E::of(v)).collect())
}

pub(crate) fn wide<E: Dtype>(t: &Row<E>) -> Vec<f64>
where
    Cpu: Backend<E>,
{
    t.to_vec().into_iter().map(|v| v.wide()).collect()
}

/// The largest difference, relative where numbers are larger than 1.
pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let off = |(a, b): (&f64, &f64)| if a == b { 0.0 } else { (a - b).abs() / b.abs().max(1.0) };
    let offs: Vec<f64> = a.iter().zip(b).map(off).collect();
    if offs.iter().any(|o| o.is_nan()) { f64::NAN } else { offs.into_iter().fold(0.0, f64::max) }
}
