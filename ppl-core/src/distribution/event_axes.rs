//! Shapes made of a batch and of an event beneath it: their parts, for distributions whose batch grows.

use dfdx::shapes::{Axes, Axes2, Axes3, Axes4, Axis, Dim, Shape};

use crate::error::ShapeError;

/// A shape that begins with the axes of `Batch`.
#[diagnostic::on_unimplemented(message = "the shape `{Self}` does not begin with the axes of `{Batch}`")]
pub trait StartsWith<Batch: Shape>: Shape {
    /// The axes after those.
    type Rest: Shape;
}

/// A shape that ends with the axes of `Event`.
#[diagnostic::on_unimplemented(
    message = "the shape `{Self}` does not end with the axes of `{Event}`",
    note = "an event does not repeat, only a batch does"
)]
pub trait EndsWith<Event: Shape>: Shape {
    /// The axes before those.
    type Rest: Shape;
}

/// The axes of an event, which follow those of `Batch`.
pub trait Follows<Batch: Shape>: Shape {
    /// The axes of both.
    type Whole: Shape;
}

macro_rules! batch_and_event {
    ($(($($batch:ident)*) ($($event:ident)*);)+) => {$(
        impl<$($batch: Dim,)* $($event: Dim,)*> StartsWith<($($batch,)*)> for ($($batch,)* $($event,)*) {
            type Rest = ($($event,)*);
        }
        impl<$($batch: Dim,)* $($event: Dim,)*> EndsWith<($($event,)*)> for ($($batch,)* $($event,)*) {
            type Rest = ($($batch,)*);
        }
        impl<$($batch: Dim,)* $($event: Dim,)*> Follows<($($batch,)*)> for ($($event,)*) {
            type Whole = ($($batch,)* $($event,)*);
        }
    )+};
}

batch_and_event! {
    () ();
    () (I);
    () (I J);
    () (I J K);
    () (I J K L);
    (A) ();
    (A) (I);
    (A) (I J);
    (A) (I J K);
    (A) (I J K L);
    (A B) ();
    (A B) (I);
    (A B) (I J);
    (A B) (I J K);
    (A B) (I J K L);
    (A B C) ();
    (A B C) (I);
    (A B C) (I J);
    (A B C) (I J K);
    (A B C F) ();
    (A B C F) (I);
    (A B C F) (I J);
    (A B C F G) ();
    (A B C F G) (I);
    (A B C F G H) ();
}

/// The last axes of a shape, as many as `Ax` has.
pub trait LastAxes<Ax: Axes>: Shape {
    /// Those axes.
    type Axes: Axes;
}

impl<S: Shape, const I: isize> LastAxes<Axis<I>> for S {
    type Axes = S::LastAxis;
}

macro_rules! last_axes {
    ($($Axes:ident $parameters:tt: $(($($dim:ident)+) $($at:literal)+;)+)+) => {
        $($(last_axes!(@ $Axes $parameters ($($dim)+) $($at)+);)+)+
    };
    (@ $Axes:ident ($($I:ident)+) ($($dim:ident)+) $($at:literal)+) => {
        impl<$($dim: Dim,)+ $(const $I: isize),+> LastAxes<$Axes<$($I),+>> for ($($dim,)+) {
            type Axes = $Axes<$($at),+>;
        }
    };
}

last_axes! {
    Axes2 (I J):
    (A B) 0 1;
    (A B C) 1 2;
    (A B C D) 2 3;
    (A B C D E) 3 4;
    (A B C D E F) 4 5;
    Axes3 (I J K):
    (A B C) 0 1 2;
    (A B C D) 1 2 3;
    (A B C D E) 2 3 4;
    (A B C D E F) 3 4 5;
    Axes4 (I J K L):
    (A B C D) 0 1 2 3;
    (A B C D E) 1 2 3 4;
    (A B C D E F) 2 3 4 5;
}

/// Checks that a shape to which something is repeated has the event's axes as its last ones.
///
/// # Panics
/// If not, with both shapes; `axes` of them are the event's.
#[track_caller]
pub(crate) fn check_event(from: &[usize], to: &[usize], axes: usize) {
    if from.len() < axes || !to.ends_with(&from[from.len() - axes..]) {
        let problem = "an event does not repeat, only a batch does";
        panic!("{}", ShapeError { operation: "expand", problem, left: from.to_vec(), right: to.to_vec() });
    }
}
