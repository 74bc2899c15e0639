//! What a flow does with rows, from which its [`Transform`] is made.

use std::fmt::Debug;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::params::ErasedModule;
use crate::transform::{Flat, Transform};

use super::memory::{Memory, Pair};

/// A transform that is a module as well: a layer of a [`Stack`](super::Stack).
///
/// For a flow of your own implement [`Module`](crate::params::Module) and [`Transform`], and this
/// trait with its first method.
pub trait Flow<E: Dtype, D: Backend<E>>: Transform<E, D> + ErasedModule<E, D> {
    /// A copy that shares the tensors' data.
    fn copied(&self) -> Box<dyn Flow<E, D>>;

    /// Whether statistics of the batch are used where there is a choice ([`BatchNorm`](super::BatchNorm)).
    fn set_training(&mut self, _training: bool) {}

    /// Moves running statistics towards those of the rows `y`, values of the distribution that the
    /// flow makes.
    fn update_statistics(&mut self, _y: &Flat<E, D>) {}
}

/// A map of rows of one length onto rows of that length.
pub(super) trait Bijection<E: Dtype, D: Backend<E>>: Debug {
    /// Its name in errors.
    const NAME: &'static str;

    /// The length of a row.
    fn row_len(&self) -> usize;

    fn memory(&self) -> &Memory<E, D>;

    /// The images of `rows` rows.
    fn push(&self, x: Flat<E, D>, rows: usize) -> Pair<E, D>;

    /// What has these images.
    fn pull(&self, y: Flat<E, D>, rows: usize) -> Pair<E, D>;

    /// ln |det J| where neither way was gone just now.
    fn log_det(&self, x: &Flat<E, D>, _y: &Flat<E, D>, rows: usize) -> Flat<E, D> {
        self.push(x.clone(), rows).log_det
    }

    /// What [`Flow::set_training`] does.
    fn train(&mut self, _training: bool) {}

    /// What [`Flow::update_statistics`] does.
    fn observe(&mut self, _y: &Flat<E, D>) {}
}

/// How many rows there are.
///
/// # Panics
/// If there are no whole rows, with both sizes.
#[track_caller]
fn rows<E: Dtype, D: Backend<E>, B: Bijection<E, D>>(flow: &B, x: &Flat<E, D>) -> usize {
    let (found, len) = (x.numel(), flow.row_len());
    let rows = found.checked_div(len).unwrap_or(0);
    assert!(found == rows * len, "{}: {found} numbers are not whole rows of {len}", B::NAME);
    rows
}

#[track_caller]
pub(super) fn forward<E: Dtype, D: Backend<E>, B: Bijection<E, D>>(flow: &B, x: Flat<E, D>) -> Flat<E, D> {
    let rows = rows(flow, &x);
    let pair = flow.memory().find(|pair| pair.x.is_same(&x)).unwrap_or_else(|| {
        let pair = flow.push(x, rows);
        flow.memory().keep(&pair);
        pair
    });
    pair.y
}

#[track_caller]
pub(super) fn inverse<E: Dtype, D: Backend<E>, B: Bijection<E, D>>(flow: &B, y: Flat<E, D>) -> Flat<E, D> {
    let rows = rows(flow, &y);
    let pair = flow.memory().find(|pair| pair.y.is_same(&y)).unwrap_or_else(|| {
        let pair = flow.pull(y, rows);
        flow.memory().keep(&pair);
        pair
    });
    pair.x
}

#[track_caller]
pub(super) fn log_abs_det<E: Dtype, D: Backend<E>, B: Bijection<E, D>>(
    flow: &B,
    x: &Flat<E, D>,
    y: &Flat<E, D>,
) -> Flat<E, D> {
    let rows = rows(flow, x);
    let known = flow.memory().find(|pair| pair.x.is_same(x) && pair.y.is_same(y));
    known.map_or_else(|| flow.log_det(x, y, rows), |pair| pair.log_det)
}

/// Makes a [`Bijection`] that is a module a [`Transform`] and a [`Flow`].
macro_rules! flow {
    ($Name:ident) => {
        impl<E: $crate::dtype::Dtype, D: $crate::backend::Backend<E>> $crate::transform::Transform<E, D>
            for $Name<E, D>
        {
            fn name(&self) -> &'static str {
                <Self as $crate::flows::bijection::Bijection<E, D>>::NAME
            }
            fn event_lens(&self) -> (usize, usize) {
                let len = $crate::flows::bijection::Bijection::row_len(self);
                (len, len)
            }
            fn forward(&self, x: $crate::transform::Flat<E, D>) -> $crate::transform::Flat<E, D> {
                $crate::flows::bijection::forward(self, x)
            }
            fn inverse(&self, y: $crate::transform::Flat<E, D>) -> $crate::transform::Flat<E, D> {
                $crate::flows::bijection::inverse(self, y)
            }
            fn log_abs_det(
                &self,
                x: &$crate::transform::Flat<E, D>,
                y: &$crate::transform::Flat<E, D>,
            ) -> $crate::transform::Flat<E, D> {
                $crate::flows::bijection::log_abs_det(self, x, y)
            }
        }

        impl<E: $crate::dtype::Dtype, D: $crate::backend::Backend<E>> $crate::flows::Flow<E, D> for $Name<E, D> {
            fn copied(&self) -> Box<dyn $crate::flows::Flow<E, D>> {
                Box::new(self.clone())
            }
            fn set_training(&mut self, training: bool) {
                $crate::flows::bijection::Bijection::train(self, training);
            }
            fn update_statistics(&mut self, y: &$crate::transform::Flat<E, D>) {
                $crate::flows::bijection::Bijection::observe(self, y);
            }
        }
    };
}
pub(super) use flow;
