//! The defaults of [`super::Backend`], for any device: composed of dfdx's own operations, or
//! computed on the host and joined to the tape by their linearisation.
//!
//! They agree with the CPU's kernels wherever the derivatives are finite. At singular points the
//! host's route has gradient 0, and dfdx's own operations have dfdx's (0 · ∞ is NaN there).

use std::sync::Arc;

use dfdx::prelude::*;

use super::blocks::{BlockFunction, Blocks, add_parts, pullbacks, values};
use super::{Activation, Layers, Product, Recurrence, Reduction};
use crate::autodiff::{DfdxGradients, GradTape, GradientStore, Recorder};
use crate::backend::Backend;
use crate::functions::{Function, RowFunction, arithmetic, unary};
use crate::tensor::{Flat, Inner, Tensor, elements_of};

/// dfdx's own operation where there is one, the host's numbers elsewhere.
pub(super) fn elementwise<E: crate::Dtype, D: Backend<E>, F: Function<E, N>, const N: usize>(
    f: F,
    args: [Flat<E, D>; N],
    numel: usize,
) -> Flat<E, D> {
    let full = args.clone().map(|a| spread(a, numel));
    f.native(full.clone()).unwrap_or_else(|| on_host(f, full))
}

/// The composed element-wise form, summed by dfdx.
pub(super) fn elementwise_sum<E: crate::Dtype, D: Backend<E>, F: Function<E, N>, const N: usize>(
    f: F,
    args: [Flat<E, D>; N],
    numel: usize,
) -> crate::Tensor<(), E, D> {
    let all = Layers { outer: 1, axis: numel, inner: 1 };
    reduce(elementwise(f, args, numel), all, Reduction::Sum).reshape_like(&())
}

/// The sum of the terms as one tensor's.
pub(super) fn add_up<E: crate::Dtype, D: Backend<E>>(terms: Vec<Flat<E, D>>) -> Flat<E, D> {
    let axis = terms.len();
    reduce(D::join(terms), Layers { outer: 1, axis, inner: 1 }, Reduction::Sum)
}

/// One number for all elements, or the elements themselves.
fn spread<E: crate::Dtype, D: Backend<E>>(x: Flat<E, D>, numel: usize) -> Flat<E, D> {
    if x.numel() == numel {
        return x;
    }
    take(x, vec![0; numel].into())
}

/// `y₀ + Σ ∂f/∂xᵢ · (xᵢ − xᵢ₀)` with value and derivatives from the host: the value is `y₀`, and the
/// gradient that dfdx finds is the derivative.
fn on_host<E: crate::Dtype, D: Backend<E>, F: Function<E, N>, const N: usize>(
    f: F,
    args: [Flat<E, D>; N],
) -> Flat<E, D> {
    let host: [Vec<E>; N] = std::array::from_fn(|i| args[i].to_vec());
    let at = |k: usize| -> [E; N] { std::array::from_fn(|i| host[i][k]) };
    let values: Vec<E> = (0..host[0].len()).map(|k| f.value(at(k))).collect();
    let partials: Vec<[E; N]> = (0..values.len()).map(|k| f.partials(at(k), values[k])).collect();
    let mut out = Flat::<E, D>::vector(values).into_dfdx();
    for (i, arg) in args.into_iter().enumerate().filter(|(_, a)| a.tracked) {
        out = out + gain(arg, partials.iter().map(|p| p[i]).collect()).into_dfdx();
    }
    Tensor::from_dfdx(out)
}

/// `slope · (x − x₀)`, which is 0 and has the slope as its derivative; where ∞ − ∞ or 0 · ∞ would
/// make it NaN, it is 0 with derivative 0.
fn gain<E: crate::Dtype, D: Backend<E>>(x: Flat<E, D>, slope: Vec<E>) -> Flat<E, D> {
    let start = x.untracked().into_dfdx() + E::of(0.0);
    let step = x.into_dfdx() - start;
    Tensor::from_dfdx((step * Flat::<E, D>::vector(slope).into_dfdx()).nans_to(0.0))
}

/// Values and Jacobians on the host, joined to the tape by the linearisation.
pub(super) fn rows<E: crate::Dtype, D: Backend<E>>(f: &dyn RowFunction<E>, x: Flat<E, D>, rows: usize) -> Flat<E, D> {
    let ((from, to), host) = (f.lens(), x.to_vec());
    let mut values = vec![E::of(0.0); rows * to];
    let mut slopes = vec![E::of(0.0); rows * to * from];
    for row in 0..rows {
        let (x, y) = (&host[row * from..][..from], &mut values[row * to..][..to]);
        f.value(row, x, y);
        for k in 0..to {
            let mut upstream = vec![E::of(0.0); to];
            upstream[k] = E::of(1.0);
            f.pullback(row, x, y, &upstream, &mut slopes[(row * to + k) * from..][..from]);
        }
    }
    let value = Flat::<E, D>::vector(values);
    if !x.tracked || slopes.is_empty() {
        return value;
    }
    let positions = (0..rows * to).flat_map(|at| (0..from).map(move |i| at / to * from + i)).collect();
    let gains = gain(take(x, positions), slopes);
    let steps = reduce(gains, Layers { outer: rows * to, axis: from, inner: 1 }, Reduction::Sum);
    Tensor::from_dfdx(value.into_dfdx() + steps.into_dfdx())
}

/// dfdx's sum; the other two on the host, since dfdx's log-sum of nothing but −∞ is NaN and its
/// maximum gives every tie the whole gradient.
pub(super) fn reduce<E: crate::Dtype, D: Backend<E>>(
    x: Flat<E, D>,
    layers: Layers,
    reduction: Reduction,
) -> Flat<E, D> {
    let Layers { outer, axis, inner } = layers;
    let sum = |x: Flat<E, D>| {
        let cube = x.reshape_like(&(outer, axis, inner)).into_dfdx();
        Tensor::from_dfdx(cube.sum::<(usize, usize), Axis<1>>()).into_flat()
    };
    let of: fn(&[E]) -> (E, Vec<E>) = match reduction {
        Reduction::Sum => return sum(x),
        Reduction::Max => max_of,
        Reduction::LogSumExp => log_sum_exp_of,
    };
    let host = x.to_vec();
    let mut slopes = vec![E::of(0.0); host.len()];
    let mut values = Vec::with_capacity(outer * inner);
    for to in 0..outer * inner {
        let at = |k: usize| (to / inner * axis + k) * inner + to % inner;
        let column: Vec<E> = (0..axis).map(|k| host[at(k)]).collect();
        let (value, slope) = of(&column);
        values.push(value);
        slope.into_iter().enumerate().for_each(|(k, s)| slopes[at(k)] = s);
    }
    let value = Flat::<E, D>::vector(values);
    if !x.tracked {
        return value;
    }
    Tensor::from_dfdx(value.into_dfdx() + sum(gain(x, slopes)).into_dfdx())
}

/// The largest element, NaN if one is, and each element's share in it.
fn max_of<E: crate::Dtype>(column: &[E]) -> (E, Vec<E>) {
    let max = column.iter().copied().fold(E::neg_infinity(), arithmetic::larger);
    let ties = column.iter().filter(|&&v| v == max).count();
    let share = E::of(1.0 / ties as f64);
    (max, column.iter().map(|&v| if v == max { share } else { E::of(0.0) }).collect())
}

/// ln Σ eˣ and its derivatives, eˣ / Σ eˣ.
fn log_sum_exp_of<E: crate::Dtype>(column: &[E]) -> (E, Vec<E>) {
    let (max, share) = max_of(column);
    if !max.is_finite() {
        return (max, share);
    }
    let sum: f64 = column.iter().map(|&v| (v - max).exp().wide()).sum();
    (max + E::of(sum.ln()), column.iter().map(|&v| (v - max).exp() / E::of(sum)).collect())
}

/// dfdx's gather over the flat tensor.
pub(super) fn take<E: crate::Dtype, D: Backend<E>>(x: Flat<E, D>, positions: Arc<[usize]>) -> Flat<E, D> {
    let n = positions.len();
    let index = D::current().tensor_from_vec(positions.to_vec(), (n,));
    Tensor::from_dfdx(x.into_dfdx().gather(index))
}

/// dfdx's concatenation, two at a time; parts are copied first, since dfdx refuses equal identities.
pub(super) fn join<E: crate::Dtype, D: Backend<E>>(parts: Vec<Flat<E, D>>) -> Flat<E, D> {
    let empty = Flat::<E, D>::vector(Vec::new()).into_dfdx();
    let joined =
        parts.into_iter().fold(empty, |all, part| (all, part.into_dfdx() + E::of(0.0)).concat_along(Axis::<0>));
    Tensor::from_dfdx(joined)
}

/// dfdx's matrix products.
pub(super) fn matmul<E: crate::Dtype, D: Backend<E>>(a: Flat<E, D>, b: Flat<E, D>, sizes: Product) -> Flat<E, D> {
    let Product { batch, m, k, n, shared_right } = sizes;
    let fresh = |t: Flat<E, D>| Tensor::from_dfdx(t.into_dfdx() + E::of(0.0));
    let b = fresh(b);
    if shared_right || batch == 1 {
        let left = a.reshape_like(&(batch * m, k)).into_dfdx();
        return Tensor::from_dfdx(left.matmul(b.reshape_like(&(k, n)).into_dfdx())).into_flat();
    }
    let left = a.reshape_like(&(batch, m, k)).into_dfdx();
    Tensor::from_dfdx(left.matmul(b.reshape_like(&(batch, k, n)).into_dfdx())).into_flat()
}

/// Product, spread bias and activation as separate operations.
pub(super) fn linear<E: crate::Dtype, D: Backend<E>>(
    x: Flat<E, D>,
    w: Flat<E, D>,
    b: Flat<E, D>,
    sizes: Product,
    activation: Activation,
) -> Flat<E, D> {
    let Product { m, n, .. } = sizes;
    let bias = take(b, (0..m).flat_map(|_| 0..n).collect());
    activated(Tensor::from_dfdx(matmul(x, w, sizes).into_dfdx() + bias.into_dfdx()), activation)
}

fn activated<E: crate::Dtype, D: Backend<E>>(x: Flat<E, D>, activation: Activation) -> Flat<E, D> {
    let numel = x.numel();
    match activation {
        Activation::Identity => x,
        Activation::Relu => elementwise(unary::Relu, [x], numel),
        Activation::Softplus => elementwise(unary::Softplus, [x], numel),
        Activation::Tanh => elementwise(unary::Tanh, [x], numel),
        Activation::Sigmoid => elementwise(unary::Sigmoid, [x], numel),
    }
}

/// A linear map, a sum and an activation at each step; sequences that are over keep their state.
pub(super) fn recurrent<E: crate::Dtype, D: Backend<E>>(
    [x, initial, weight, bias]: [Flat<E, D>; 4],
    map: &Recurrence,
) -> Flat<E, D> {
    let (count, size) = (map.lengths.len(), map.size);
    let sizes = Product { batch: 1, m: count, k: size, n: size, shared_right: true };
    let row = count * size;
    let choose = |mask: &Flat<E, D>, yes, no| elementwise(arithmetic::WhereFn, [mask.clone(), yes, no], row);
    let mut outputs: Vec<_> = (0..map.steps).map(|_| Flat::<E, D>::vector(vec![E::of(0.0); row])).collect();
    let mut state = initial;
    for t in map.order() {
        let input = take(x.clone(), (t * row..(t + 1) * row).collect());
        let moved = linear(state.clone(), weight.clone(), bias.clone(), sizes, Activation::Identity);
        let next = activated(Tensor::from_dfdx(input.into_dfdx() + moved.into_dfdx()), map.activation);
        let running = |e: usize| E::of(f64::from(t < map.lengths[e / size]));
        let mask = Flat::<E, D>::vector((0..row).map(running).collect());
        outputs[t] = choose(&mask, next.clone(), outputs[t].clone());
        state = choose(&mask, next, state);
    }
    join(outputs)
}

/// The host's values, and its gradients brought to the device by [`add_to_dfdx`].
pub(super) fn blocks<E: crate::Dtype, D: Backend<E>, F: BlockFunction<N>, const N: usize>(
    f: F,
    args: [Flat<E, D>; N],
    blocks: Blocks<N>,
) -> Flat<E, D> {
    let wide = |x: Vec<E>| -> Vec<f64> { x.into_iter().map(E::wide).collect() };
    let host = args.each_ref().map(|a| wide(a.to_vec()));
    let saved = values(&f, host.each_ref().map(Vec::as_slice), &blocks);
    let wanted = args.each_ref().map(|a| a.tracked);
    let out = Flat::<E, D>::vector(saved.iter().map(|&v| E::of(v)).collect());
    if !wanted.contains(&true) {
        return out;
    }
    let args = args.map(|arg| arg.into_dfdx().split_tape().0);
    let out = out.into_dfdx().split_tape().0;
    let ghost = out.ghost();
    crate::autodiff::record::<E, D>(move |store| {
        let grads = store.dfdx();
        grads.get_or_alloc_mut(&ghost)?;
        let upstream = wide(elements_of(&grads.get(&ghost)));
        let parts = pullbacks(&f, host.each_ref().map(Vec::as_slice), &saved, &upstream, wanted, &blocks);
        for (i, arg) in args.iter().enumerate().filter(|&(i, _)| wanted[i]) {
            let mut gradient = vec![E::of(0.0); host[i].len()];
            add_parts(&parts, i, &mut gradient);
            D::add_to_dfdx(store.dfdx(), arg, gradient)?;
        }
        Ok(())
    });
    Tensor::from_dfdx(out.put_tape(GradTape { tracked: true }))
}

/// Adds numbers of the host to the gradient of `x`: they are the gradient of Σ x · numbers, which
/// dfdx's own operations compute on the device.
pub(super) fn add_to_dfdx<S: Shape, E: crate::Dtype, D: Backend<E>>(
    grads: &mut DfdxGradients<E, D>,
    x: &Inner<S, E, D>,
    gains: Vec<E>,
) -> Result<(), D::Err> {
    if gains.is_empty() {
        return Ok(());
    }
    let recorder = Recorder::<E, D>::open();
    let gains = D::current().tensor_from_vec(gains, *x.shape());
    let sum = (x.clone().put_tape(GradTape { tracked: true }) * gains).sum::<(), _>();
    let operations = recorder.close();
    let seed = grads.get_or_alloc_mut(&sum)?;
    D::current().try_fill_with_ones(seed)?;
    GradientStore::around(grads, |store| operations.into_iter().rev().try_for_each(|operation| operation(store)))
}
