//! Parameters whose last axis is one event: a row of numbers for each element of the batch.

use dfdx::shapes::Shape;

use crate::backend::{Backend, BlockFunction, Blocks};
use crate::constraint::Constraint;
use crate::distribution::{Family, ParameterError, unravel};
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::tensor::{Flat, Operand, Tensor, shape_from_dims};

use super::shapes::{WithoutLast, batch_shape};

/// The batch's part of a shape.
pub(super) fn batch_of<S: Shape>(shape: S) -> WithoutLast<S> {
    let dims: Vec<usize> = shape.concrete().into();
    shape_from_dims(&dims[..dims.len() - 1]).expect("the batch has all axes but the last")
}

/// A parameter of shape `S` with an event along its last axis.
///
/// Where a batch was made by repeating fewer rows along new leading axes, only those are kept: row
/// `i` of the batch is row `i` modulo their number.
#[derive(Clone, Debug)]
pub(super) struct Rows<S: Shape, E: Dtype, D: Backend<E>> {
    own: Flat<E, D>,
    shape: S,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Rows<S, E, D> {
    /// A parameter as it was given.
    ///
    /// # Panics
    /// If it is a number, or a row has no elements; the message names what they would have been.
    #[track_caller]
    pub(super) fn new(
        distribution: &'static str,
        name: &'static str,
        elements: &'static str,
        operand: Operand<S, E, D>,
    ) -> Self {
        let shape = batch_shape(distribution, &[(name, &operand)]);
        let dims: Vec<usize> = shape.concrete().into();
        assert!(
            dims.last().is_some_and(|&k| k > 0),
            "{distribution}: {name} of shape {dims:?} has no {elements}; they lie along its last axis"
        );
        Rows { own: operand.spread(shape).into_flat(), shape }
    }

    /// Rows made from the own rows of a parameter, each from its one.
    pub(super) fn of(own: Flat<E, D>, shape: S) -> Self {
        Rows { own, shape }
    }

    pub(super) fn shape(&self) -> S {
        self.shape
    }

    /// How many elements a row has.
    pub(super) fn len(&self) -> usize {
        self.shape.concrete().into().last().copied().unwrap_or(1)
    }

    /// How many rows the batch has.
    pub(super) fn count(&self) -> usize {
        self.shape.num_elements() / self.len()
    }

    /// The rows that are kept, one after the other.
    pub(super) fn own(&self) -> &Flat<E, D> {
        &self.own
    }

    /// How many rows are kept.
    pub(super) fn own_count(&self) -> usize {
        self.own.numel() / self.len()
    }

    /// All rows.
    pub(super) fn tensor(&self) -> Tensor<S, E, D> {
        self.each(self.own.clone(), self.len()).reshape_like(&self.shape)
    }

    /// `len` numbers of each own row, as as many of each row of the batch.
    pub(super) fn each(&self, own: Flat<E, D>, len: usize) -> Flat<E, D> {
        if self.own_count() == self.count() {
            return own;
        }
        D::take(own, (0..self.count() * len).map(|i| i % (self.own_count() * len)).collect())
    }

    /// A family of which this is the only parameter.
    pub(super) fn family(&self, name: &'static str) -> Family<E, D> {
        let parameters = [self.own.clone()].into_iter().collect();
        Family { name, parameters, len: self.count(), event: self.len(), mask: None }
    }

    /// Repeated to a larger shape with the same last axis.
    ///
    /// # Panics
    /// If that differs, or another axis that is not of one element, with both shapes.
    #[track_caller]
    pub(super) fn expand<R: Shape>(&self, shape: R) -> Rows<R, E, D> {
        let (from, to): (Vec<usize>, Vec<usize>) = (self.shape.concrete().into(), shape.concrete().into());
        if from.last() != to.last() {
            let problem = "an event does not repeat, only a batch does";
            panic!("{}", ShapeError { operation: "expand", problem, left: from, right: to });
        }
        let own = if to.ends_with(&from) { self.own.clone() } else { self.tensor().expand(shape).into_flat() };
        Rows { own, shape }
    }

    /// The numbers of one row of the batch, of the first eight where there are more.
    pub(super) fn shown(&self, name: &'static str, element: usize) -> Vec<(&'static str, f64)> {
        let (len, row) = (self.len(), element % self.own_count().max(1));
        let of = |values: &[E]| values[row * len..][..len.min(8)].iter().map(|v| (name, v.wide())).collect();
        self.own.read(of)
    }

    /// The first number for which `wrong` says where in its row and why.
    ///
    /// # Errors
    /// If there is one.
    pub(super) fn check(
        &self,
        parameter: &'static str,
        wrong: impl Fn(&[E]) -> Option<(usize, String)>,
    ) -> Result<(), ParameterError> {
        let (len, dims): (usize, Vec<usize>) = (self.len(), self.shape.concrete().into());
        if self.count() == 0 {
            return Ok(());
        }
        self.own.read(|values| {
            for (row, of) in values.chunks_exact(len).enumerate() {
                if let Some((at, constraint)) = wrong(of) {
                    let element = unravel(row * len + at, &dims);
                    return Err(ParameterError { parameter, value: of[at].wide(), element, constraint });
                }
            }
            Ok(())
        })
    }

    /// [`Rows::check`] of each number by itself.
    ///
    /// # Errors
    /// If one lies outside.
    pub(super) fn check_each(
        &self,
        parameter: &'static str,
        constraint: &dyn Constraint<E, D>,
    ) -> Result<(), ParameterError> {
        self.check(parameter, |row| Some((constraint.violation(row, &[row.len()])?, constraint.describe())))
    }

    /// A function of the rows of a value of the batch's shape beside those of the parameter.
    pub(super) fn beside<F: BlockFunction<2>>(&self, f: F, value: Flat<E, D>) -> Flat<E, D> {
        let count = self.count();
        D::blocks(f, [value, self.own.clone()], Blocks { count, of: [count, self.own_count()] })
    }

    /// A function of the own rows.
    pub(super) fn map<F: BlockFunction<1>>(&self, f: F) -> Flat<E, D> {
        D::blocks(f, [self.own.clone()], Blocks::equal(self.own_count()))
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::{Distribution, Expand};
    use crate::distributions::{Categorical, Dirichlet};
    use crate::rng::Rng;
    use crate::{Const, Cpu, Tensor};

    #[test]
    fn rows_repeat_along_new_and_single_axes() {
        let alpha = Tensor::<_, f64, Cpu>::from([[[1.0, 2.0]], [[3.0, 4.0]]]);
        let one = Dirichlet::new(&alpha).expand((Const::<2>, Const::<3>, Const::<2>));
        let all = [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 3.0, 4.0];
        assert_eq!(one.concentration().to_vec(), all);
        let more = one.expand((2, Const::<2>, Const::<3>, Const::<2>));
        assert_eq!(more.concentration().to_vec(), [all, all].concat());
        assert_eq!(more.entropy().unwrap().to_vec()[7], one.entropy().unwrap().to_vec()[1]);
        assert_eq!(more.draw(&mut Rng::seed(1)).to_vec().len(), 24);
        assert_eq!(more.parameters_at(9), [("concentration", 3.0), ("concentration", 4.0)]);
    }

    #[test]
    fn a_batch_may_be_empty() {
        let none = Categorical::new(Tensor::<_, f64, Cpu>::from([0.5, 0.5])).expand((0, Const::<2>));
        let value = none.draw(&mut Rng::seed(1));
        assert_eq!(value.dims(), [0]);
        assert_eq!(none.log_prob(&value).dims(), [0]);
        assert_eq!(none.cdf(&value).unwrap().dims(), [0]);
        assert_eq!(none.probs().dims(), [0, 2]);
        none.check_parameters().unwrap();
        let none = Dirichlet::new(Tensor::<_, f64, Cpu>::from([0.5, 0.5])).expand((0, Const::<2>));
        assert_eq!(none.log_prob(&none.draw(&mut Rng::seed(1))).dims(), [0]);
    }

    #[test]
    #[should_panic(expected = "an event does not repeat")]
    fn categories_do_not_repeat() {
        let _ = Categorical::new(Tensor::<_, f64, Cpu>::from([1.0])).expand((Const::<2>, Const::<3>));
    }
}
