//! What of a sample a posterior depends on: its sufficient statistics.

use dfdx::shapes::{Axes, BroadcastShapeTo, ReduceShapeTo, Shape};

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::{IntoTensor, Operand, Tensor};

/// Declares samples by the names of their statistics.
macro_rules! samples {
    ($($(#[$doc:meta])* $Name:ident: $($(#[$statistic_doc:meta])* $statistic:ident),+;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $Name<S: Shape, E: Dtype, D: Backend<E>> {
            $($statistic: Operand<S, E, D>),+
        }

        impl<S: Shape, E: Dtype, D: Backend<E>> $Name<S, E, D> {
            /// From the statistics: tensors of the prior's batch, or numbers that are the same for all of
            /// it.
            pub fn new($($statistic: impl IntoTensor<S, E, D>),+) -> Self {
                $Name { $($statistic: $statistic.into_operand()),+ }
            }

            $(
                $(#[$statistic_doc])*
                #[track_caller]
                pub(super) fn $statistic(&self, shape: S) -> Tensor<S, E, D> {
                    self.$statistic.spread(shape)
                }
            )+
        }
    )+};
}

samples! {
    /// Zeros and ones: how many there were of each. A binomial count of k among n is k ones and n − k
    /// zeros.
    BernoulliSample:
        /// How many ones, or successes.
        ones,
        /// How many zeros, or failures.
        zeros;
    /// Categories: how many there were of each, along the last axis, that of the prior's concentrations.
    /// A multinomial value is such a tensor of counts.
    CategoricalSample:
        /// How many of each.
        counts;
    /// Poisson counts: their sum, and how many there were; or for how long events were counted.
    PoissonSample:
        /// The sum of the counts.
        total,
        /// How many counts there were.
        exposure;
    /// Exponential waiting times: how many there were, and their sum.
    ExponentialSample:
        /// How many times.
        count,
        /// Their sum.
        total;
    /// Normal values with a known scale: their mean, how many there were, and the scale.
    NormalSample:
        /// The mean; any number where there were none.
        mean,
        /// How many values.
        count,
        /// The scale of each.
        scale;
    /// Normal values with a known loc: how many there were, and the sum of the squares of their
    /// distances from it.
    NormalDeviations:
        /// How many values.
        count,
        /// The sum of (x − loc)².
        squares;
}

/// How many values a sum has that was taken over some axes.
fn summed<R: Shape, S: Shape, E: Dtype, D: Backend<E>>(values: &Tensor<R, E, D>, sum: &Tensor<S, E, D>) -> E {
    E::of(values.numel().checked_div(sum.numel()).unwrap_or(0) as f64)
}

impl<S: Shape, E: Dtype, D: Backend<E>> BernoulliSample<S, E, D> {
    /// Of zeros and ones whose axes `Ax` are the repetitions.
    pub fn of<R: Shape + ReduceShapeTo<S, Ax>, Ax: Axes>(values: &Tensor<R, E, D>) -> Self {
        let ones = values.sum::<S, Ax>();
        // Not how many values there are without the ones, which single precision may not hold.
        let zeros = (-values + E::of(1.0)).sum::<S, Ax>();
        Self::new(ones, zeros)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> PoissonSample<S, E, D> {
    /// Of counts whose axes `Ax` are the repetitions.
    pub fn of<R: Shape + ReduceShapeTo<S, Ax>, Ax: Axes>(counts: &Tensor<R, E, D>) -> Self {
        let total = counts.sum::<S, Ax>();
        let exposure = Tensor::full_like(summed(counts, &total), total.shape());
        Self::new(total, exposure)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> ExponentialSample<S, E, D> {
    /// Of waiting times whose axes `Ax` are the repetitions.
    pub fn of<R: Shape + ReduceShapeTo<S, Ax>, Ax: Axes>(times: &Tensor<R, E, D>) -> Self {
        let total = times.sum::<S, Ax>();
        let count = Tensor::full_like(summed(times, &total), total.shape());
        Self::new(count, total)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> NormalSample<S, E, D> {
    /// Of values whose axes `Ax` are the repetitions, with this scale.
    pub fn of<R: Shape + ReduceShapeTo<S, Ax>, Ax: Axes>(
        values: &Tensor<R, E, D>,
        scale: impl IntoTensor<S, E, D>,
    ) -> Self {
        let total = values.sum::<S, Ax>();
        let n = summed(values, &total);
        let count = Tensor::full_like(n, total.shape());
        Self::new(total / if n > E::of(0.0) { n } else { E::of(1.0) }, count, scale)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> NormalDeviations<S, E, D> {
    /// Of values whose axes `Ax` are the repetitions, from this loc.
    ///
    /// # Panics
    /// If sizes known only at run time differ.
    #[track_caller]
    pub fn of<R: Shape + ReduceShapeTo<S, Ax>, Ax: Axes>(values: &Tensor<R, E, D>, loc: &Tensor<S, E, D>) -> Self
    where
        S: BroadcastShapeTo<R, Ax>,
    {
        let squares = (values - loc.broadcast_like::<R, Ax>(&values.shape())).square().sum::<S, Ax>();
        let count = Tensor::full_like(summed(values, &squares), squares.shape());
        Self::new(count, squares)
    }

    /// Half the count, and half the squares.
    #[track_caller]
    pub(super) fn halves(&self, shape: S) -> [Tensor<S, E, D>; 2] {
        [self.count(shape), self.squares(shape)].map(|statistic| statistic * E::of(0.5))
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> CategoricalSample<S, E, D> {
    /// Of categories, numbered from 0; `shape` is that of the prior's concentrations. The last axes of
    /// `categories` are those of the prior's batch, the ones before them are repetitions.
    ///
    /// # Panics
    /// If a category is not among those of the last axis of `shape`, or the last axes of `categories` are
    /// not the batch.
    #[track_caller]
    pub fn of<R: Shape>(shape: S, categories: &Tensor<R, usize, D>) -> Self {
        let (dims, seen): (Vec<usize>, _) = (shape.concrete().into(), categories.to_vec());
        let (len, before) = dims.split_last().map_or((0, &[][..]), |(&len, before)| (len, before));
        let (batch, found) = (before.iter().product::<usize>(), categories.dims());
        assert!(found.ends_with(before), "{found:?} categories for a prior of shape {dims:?}");
        let mut counts = vec![0.0; batch * len];
        for (i, category) in seen.into_iter().enumerate() {
            assert!(category < len, "category {category} of {len}");
            counts[i % batch * len + category] += 1.0;
        }
        Self::new(Tensor::from_vec(counts.into_iter().map(E::of).collect(), shape))
    }
}
