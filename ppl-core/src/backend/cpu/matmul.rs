//! Matrix products and their gradients, and linear maps with bias and activation fused.

use dfdx::tensor::Cpu;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::matrix::{Matrix, multiply};
use super::shared_weight::SharedWeight;
use super::{CHUNK, Element, matrix_vector, output, record_with, slice};
use crate::backend::{Activation, Backend, Product};
use crate::dtype::Dtype;
use crate::functions::arithmetic::larger;
use crate::functions::unary::{sigmoid, softplus};
use crate::tensor::Flat;

/// The slices of product number `i` of a batch.
fn nth<E>(data: &[E], i: usize, len: usize, shared: bool) -> &[E] {
    if shared { data } else { &data[i * len..][..len] }
}

/// The matrix product of row-major matrices.
pub(super) fn matmul<E: Element>(a: Flat<E, Cpu>, b: Flat<E, Cpu>, sizes: Product) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let Product { batch, m, k, n, shared_right } = sizes;
    if batch == 1 && n == 1 {
        return matrix_vector::product(a, b, m, k);
    }
    let mut values = vec![E::of(0.0); batch * m * n];
    let weight = if batch == 1 { SharedWeight::announce(&b, k, n) } else { None };
    if let Some(weight) = &weight {
        weight.add_product(slice(&a), &mut values);
    } else {
        let (a, b) = (slice(&a), slice(&b));
        for i in 0..batch {
            let left = Matrix::new(nth(a, i, m * k, false), m, k);
            let right = Matrix::new(nth(b, i, k * n, shared_right), k, n);
            multiply(left, right, &mut values[i * m * n..][..m * n], false);
        }
    }
    let out = output(values, a.tracked || b.tracked);
    record_with(&out, move |grads, upstream| {
        if let Some(weight) = &weight {
            return weight.pull_back(grads, &a, &b, upstream.as_deref());
        }
        let Some(upstream) = upstream else { return };
        let up = |i: usize| Matrix::new(&upstream[i * m * n..][..m * n], m, n);
        if a.tracked {
            let right = slice(&b);
            let gradient = grads.of(&a);
            for i in 0..batch {
                let right = Matrix::new(nth(right, i, k * n, shared_right), k, n);
                multiply(up(i), right.t(), &mut gradient[i * m * k..][..m * k], true);
            }
        }
        if b.tracked {
            let left = slice(&a);
            let gradient = grads.of(&b);
            for i in 0..batch {
                let left = Matrix::new(nth(left, i, m * k, false), m, k);
                let at = if shared_right { 0 } else { i * k * n };
                multiply(left.t(), up(i), &mut gradient[at..][..k * n], true);
            }
        }
    });
    out
}

/// `activation(x · w + b)`.
pub(super) fn linear<E: Element>(
    x: Flat<E, Cpu>,
    w: Flat<E, Cpu>,
    b: Flat<E, Cpu>,
    sizes: Product,
    activation: Activation,
) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let Product { m, k, n, .. } = sizes;
    let mut values = Vec::with_capacity(m * n);
    for _ in 0..m {
        values.extend_from_slice(slice(&b));
    }
    let weight = SharedWeight::announce(&w, k, n);
    match &weight {
        Some(weight) => weight.add_product(slice(&x), &mut values),
        None => multiply(Matrix::new(slice(&x), m, k), Matrix::new(slice(&w), k, n), &mut values, true),
    }
    if activation != Activation::Identity {
        in_chunks(&mut values, |chunk| activate(chunk, activation));
    }
    let out = output(values, x.tracked || w.tracked || b.tracked);
    let saved = out.clone();
    record_with(&out, move |grads, upstream| {
        let Some(mut upstream) = upstream else {
            return weight.iter().for_each(|weight| weight.pull_back(grads, &x, &w, None));
        };
        if activation != Activation::Identity {
            let values = slice(&saved);
            upstream
                .par_chunks_mut(CHUNK)
                .zip(values.par_chunks(CHUNK))
                .for_each(|(up, y)| deactivate(up, y, activation));
        }
        if b.tracked {
            let gradient = grads.of(&b);
            for row in upstream.chunks_exact(n.max(1)) {
                gradient.iter_mut().zip(row).for_each(|(g, &u)| *g += u);
            }
        }
        if let Some(weight) = &weight {
            return weight.pull_back(grads, &x, &w, Some(&upstream));
        }
        // A weight with a gradient has more than these products: see above.
        if x.tracked {
            let gradient = grads.of(&x);
            multiply(Matrix::new(&upstream, m, n), Matrix::new(slice(&w), k, n).t(), gradient, true);
        }
    });
    out
}

fn in_chunks<E: Dtype>(values: &mut [E], f: impl Fn(&mut [E]) + Send + Sync) {
    if values.len() <= CHUNK {
        f(values);
    } else {
        values.par_chunks_mut(CHUNK).for_each(f);
    }
}

pub(super) fn activate<E: Dtype>(values: &mut [E], activation: Activation) {
    Arch::new().dispatch(Activate { values, activation });
}

/// Multiplies by the activation's derivative, which each of them gives in terms of its output.
pub(super) fn deactivate<E: Dtype>(upstream: &mut [E], outputs: &[E], activation: Activation) {
    Arch::new().dispatch(Deactivate { upstream, outputs, activation });
}

/// [`activate`] in the machine's widest vector registers.
struct Activate<'a, E> {
    values: &'a mut [E],
    activation: Activation,
}

impl<E: Dtype> WithSimd for Activate<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let values = self.values.iter_mut();
        match self.activation {
            Activation::Identity => {}
            Activation::Relu => values.for_each(|v| *v = larger(*v, E::of(0.0))),
            Activation::Softplus => values.for_each(|v| *v = softplus(*v)),
            Activation::Tanh => values.for_each(|v| *v = v.quick_tanh()),
            Activation::Sigmoid => values.for_each(|v| *v = sigmoid(*v)),
        }
    }
}

/// [`deactivate`] in the machine's widest vector registers.
struct Deactivate<'a, E> {
    upstream: &'a mut [E],
    outputs: &'a [E],
    activation: Activation,
}

impl<E: Dtype> WithSimd for Deactivate<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let one = E::of(1.0);
        let pairs = self.upstream.iter_mut().zip(self.outputs);
        match self.activation {
            Activation::Identity => {}
            Activation::Relu => pairs.for_each(|(u, &y)| *u = if y > E::of(0.0) { *u } else { E::of(0.0) }),
            Activation::Softplus => pairs.for_each(|(u, &y)| *u *= y.quick_one_minus_exp_neg()),
            Activation::Tanh => pairs.for_each(|(u, &y)| *u *= one - y * y),
            Activation::Sigmoid => pairs.for_each(|(u, &y)| *u *= y * (one - y)),
        }
    }
}
