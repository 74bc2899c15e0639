//! One check for all: a distribution repeated to a larger batch, against the one that it was made of.

use ppl_core::distribution::{Distribution, Expand};
use ppl_core::rng::Rng;
use ppl_core::{Cpu, Shape, Tensor};

use crate::finite_differences::irregular;

pub(crate) type Numbers<S> = Tensor<S, f64, Cpu>;

pub(crate) fn numbers<S: Shape>(shape: S) -> Numbers<S> {
    Tensor::from_vec(irregular(shape.num_elements()), shape)
}

pub(crate) fn positive<S: Shape>(shape: S) -> Numbers<S> {
    Tensor::from_vec(irregular(shape.num_elements()).into_iter().map(|v| 0.5 + v.abs()).collect(), shape)
}

fn dims_of<S: Shape>(shape: S) -> Vec<usize> {
    shape.concrete().into()
}

/// The element of a batch of sizes `from` that element `at` of one of sizes `to` repeats.
fn repeated(mut at: usize, from: &[usize], to: &[usize]) -> usize {
    let (mut place, mut stride) = (0, 1);
    for (axis, &size) in to.iter().rev().enumerate() {
        if let Some(&own) = from.iter().rev().nth(axis) {
            place += if own == 1 { 0 } else { at % size * stride };
            stride *= own;
        }
        at /= size;
    }
    place
}

#[track_caller]
pub(crate) fn close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= 1e-13 * e.abs().max(1.0) || f == e, "{what}: {found:?} is not {expected:?}");
    }
}

/// Checks each element of `base` repeated to a batch against the element that it repeats.
#[track_caller]
pub(crate) fn repeats<P, R, V, W>(base: &P, shape: R) -> P::Expanded
where
    P: Distribution<f64, Cpu, Value = Numbers<V>> + Expand<R>,
    P::Expanded: Distribution<f64, Cpu, Value = Numbers<W>, Batch = P::ExpandedBatch>,
    R: Shape,
    V: Shape,
    W: Shape,
{
    let large = base.expand(shape);
    let (from, to) = (dims_of(base.batch_shape()), dims_of(large.batch_shape()));
    assert!(dims_of(shape).starts_with(&to));
    let count: usize = to.iter().product();
    let origin: Vec<usize> = (0..count).map(|at| repeated(at, &from, &to)).collect();
    let event = base.event_dims();
    assert_eq!((large.event_dims(), large.name()), (event.clone(), base.name()));
    assert_eq!((large.has_rsample(), large.has_cdf()), (base.has_rsample(), base.has_cdf()));
    assert_eq!((large.check_parameters(), base.check_parameters()), (Ok(()), Ok(())));
    let len: usize = event.iter().product();
    let x = large.draw(&mut Rng::seed(7)).detach();
    assert_eq!(x.dims(), [to.clone(), event].concat());
    assert_eq!(large.support().violation(&x.to_vec(), &x.dims()), None);

    let (found, values) = (large.log_prob(&x).to_vec(), x.to_vec());
    let cdf = large.cdf(&x).map(|p| p.to_vec());
    let own_shape = base.draw(&mut Rng::seed(0)).shape();
    let mut copies: Vec<Vec<usize>> = vec![Vec::new(); own_shape.num_elements() / len.max(1)];
    origin.iter().enumerate().for_each(|(at, &from)| copies[from].push(at));
    for copy in 0..copies[0].len() {
        let of = |each: &Vec<usize>| values[each[copy] * len..(each[copy] + 1) * len].to_vec();
        let own = Tensor::from_vec(copies.iter().flat_map(of).collect(), own_shape);
        let here = |all: &[f64]| copies.iter().map(|each| all[each[copy]]).collect::<Vec<_>>();
        close(&here(&found), &base.log_prob(&own).to_vec(), "log_prob");
        if let Some(cdf) = &cdf {
            close(&here(cdf), &base.cdf(&own).expect("the base has one").to_vec(), "cdf");
        }
    }
    close(&[large.log_prob_sum(&x).item()], &[found.iter().sum()], "log_prob_sum");

    let moment = |large: Option<Numbers<W>>, own: Option<Numbers<V>>, what: &str| {
        assert_eq!(large.is_some(), own.is_some(), "{what}");
        let Some((large, own)) = large.zip(own) else { return };
        let own = own.to_vec();
        let each: Vec<f64> = origin.iter().flat_map(|&b| own[b * len..(b + 1) * len].to_vec()).collect();
        close(&large.to_vec(), &each, what);
    };
    moment(large.mean(), base.mean(), "mean");
    moment(large.variance(), base.variance(), "variance");
    let entropies = large.entropy().map(|e| e.to_vec()).zip(base.entropy().map(|e| e.to_vec()));
    if let Some((large, own)) = entropies {
        close(&large, &origin.iter().map(|&b| own[b]).collect::<Vec<_>>(), "entropy");
    }
    for (at, &from) in origin.iter().enumerate() {
        assert_eq!(large.parameters_at(at), base.parameters_at(from));
    }
    large
}

/// Checks that copies of one element are drawn each by itself; for densities.
#[track_caller]
pub(crate) fn draws_differ<P: Distribution<f64, Cpu, Value = Numbers<V>>, V: Shape>(large: &P) {
    let mut drawn = large.draw(&mut Rng::seed(3)).to_vec();
    drawn.sort_by(f64::total_cmp);
    assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]), "{drawn:?}");
}
