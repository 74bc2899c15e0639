//! Splines that depend on the variables before.

use crate::Cpu;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::nn::AutoregressiveNetwork;
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::Flat;

use super::bijection::{Bijection, flow};
use super::columns::row_sums;
use super::in_order::in_order;
use super::memory::{Memory, Pair};
use super::rational_quadratic::{self as rational, Shapes};
use super::spline::checked;
use super::stack::Inverse;

/// Each variable through an increasing spline that a masked network makes of the variables before it:
/// [`Spline`](super::Spline), with free parameters from the network.
///
/// Forward takes one pass of the network, the way back one for each variable.
///
/// ```
/// use ppl_core::{Tensor, flows::SplineAutoregressive, params::Init, rng::Rng, transform::Transform};
/// let flow = SplineAutoregressive::<f64>::new(&mut Init::new(Rng::seed(0)), 3, &[16]);
/// let x = Tensor::vector(vec![0.5, -1.0, 2.0]);
/// let back = flow.clone().inverse(flow.forward(x.clone()));
/// assert!((back - x).abs().to_vec().iter().all(|d| *d < 1e-12));
/// ```
///
/// Reference: Durkan, Bekasov, Murray and Papamakarios, *Neural Spline Flows*, NeurIPS 2019, sec. 3.2.
#[derive(Clone, Debug)]
pub struct SplineAutoregressive<E: Dtype = f32, D: Backend<E> = Cpu> {
    network: AutoregressiveNetwork<E, D>,
    spline: rational::Spline,
    memory: Memory<E, D>,
}

impl<E: Dtype, D: Backend<E>> SplineAutoregressive<E, D> {
    /// A flow over rows of `len` numbers in their own order with splines of 8 bins on [−3, 3], as in
    /// Pyro, and hidden layers of the given widths; see [`AutoregressiveNetwork::new`].
    ///
    /// # Panics
    /// If rows have no numbers.
    #[track_caller]
    pub fn new(init: &mut Init<E, D>, len: usize, hidden: &[usize]) -> Self {
        Self::with_bins(init, len, hidden, 8, 3.0)
    }

    /// Like [`SplineAutoregressive::new`], with splines of that many bins on [−bound, bound].
    ///
    /// # Panics
    /// If rows have no numbers, there are fewer than 2 or more than 500 bins, or the bound is not
    /// positive and finite.
    #[track_caller]
    pub fn with_bins(init: &mut Init<E, D>, len: usize, hidden: &[usize], bins: usize, bound: f64) -> Self {
        assert!(len > 0, "SplineAutoregressive: rows without numbers");
        let spline = checked(bins, bound);
        let network = AutoregressiveNetwork::new(init, len, hidden, 3 * bins - 1);
        SplineAutoregressive { network, spline, memory: Memory::new() }
    }

    /// The flow with its variables in another order: `order[i]` is the one that comes i-th.
    ///
    /// # Panics
    /// If it is not a permutation of all variables.
    #[must_use]
    #[track_caller]
    pub fn with_order(self, order: Vec<usize>) -> Self {
        SplineAutoregressive { network: self.network.with_order(order), ..self }
    }

    /// The network, which gives each variable its widths, heights and slopes, in this order.
    pub fn network(&self) -> &AutoregressiveNetwork<E, D> {
        &self.network
    }

    /// This flow backwards, with densities of one pass.
    #[must_use]
    pub fn inverse_flow(self) -> Inverse<Self> {
        Inverse(self)
    }

    /// The free parameters of each number's spline.
    fn shapes(&self, x: &Flat<E, D>, rows: usize) -> Shapes<E, D> {
        let (len, bins, outputs) = (self.row_len(), self.spline.bins, self.network.outputs());
        let all = self.network.apply(x.clone(), rows);
        // Output k of variable v stands at k · len + v of its row.
        let pick = |from: usize, count: usize| {
            let place = move |row, v| (from..from + count).map(move |k| (row * outputs + k) * len + v);
            let positions = (0..rows).flat_map(|row| (0..len).flat_map(move |v| place(row, v))).collect();
            D::take(all.clone(), positions)
        };
        Shapes { widths: pick(0, bins), heights: pick(bins, bins), slopes: pick(2 * bins, bins - 1) }
    }
}

impl<E: Dtype, D: Backend<E>> Bijection<E, D> for SplineAutoregressive<E, D> {
    const NAME: &'static str = "SplineAutoregressive";

    fn row_len(&self) -> usize {
        self.network.order().len()
    }
    fn memory(&self) -> &Memory<E, D> {
        &self.memory
    }
    fn push(&self, x: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let (y, log_slopes) = self.spline.apply(x.clone(), &self.shapes(&x, rows), false);
        Pair { x, y, log_det: row_sums(log_slopes, rows, self.row_len()) }
    }
    fn pull(&self, y: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let (x, log_slopes) =
            in_order(self.network.order(), rows, |x| self.spline.apply(y.clone(), &self.shapes(x, rows), true));
        Pair { x, y, log_det: row_sums(log_slopes, rows, self.row_len()) }
    }
}

flow!(SplineAutoregressive);

impl<E: Dtype, D: Backend<E>> Module<E, D> for SplineAutoregressive<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("network", &self.network);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.memory.clear();
        visitor.field("network", &mut self.network);
    }
}
