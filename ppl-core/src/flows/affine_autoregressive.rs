//! Inverse and masked autoregressive flows.

use crate::Cpu;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::nn::AutoregressiveNetwork;
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::Flat;

use super::bijection::{Bijection, flow};
use super::columns::{columns, row_sums};
use super::in_order::in_order;
use super::memory::{Memory, Pair};
use super::scale_shift::{LOG_SCALE_BOUNDS, held, scaled, unscaled};
use super::stack::Inverse;

/// Each variable scaled and shifted by what a masked network makes of the variables before it:
/// yᵢ = shiftᵢ(x₁ … xᵢ₋₁) + exp(log_scaleᵢ(x₁ … xᵢ₋₁)) · xᵢ.
///
/// Forward takes one pass of the network, the way back one for each variable: this is the *inverse*
/// autoregressive flow (IAF), for guides, whose draws are cheap and whose densities are asked for
/// at these draws. [`AffineAutoregressive::inverse_flow`] goes the other way: the *masked*
/// autoregressive flow (MAF), for densities of data.
///
/// The logarithms of scales are held between −5 and 3, or what
/// [`AffineAutoregressive::with_bounds`] says. Beyond these bounds gradients are passed on as if there
/// were none (as in Pyro), so that a scale can leave them again.
///
/// ```
/// use ppl_core::distribution::Distribution;
/// use ppl_core::distributions::{Normal, TransformedDistribution};
/// use ppl_core::{Axis, Rank1, flows::AffineAutoregressive, params::Init, rng::Rng};
/// let iaf = AffineAutoregressive::<f64>::new(&mut Init::new(Rng::seed(0)), 3, &[16, 16]);
/// let base = Normal::filled(Rank1::<3>::default(), 0.0, 1.0).to_event::<Axis<0>>();
/// let dist = TransformedDistribution::new(base, iaf);
/// let z = dist.draw(&mut Rng::seed(1));
/// assert!(dist.log_prob(&z).item().is_finite());
/// ```
///
/// References: Kingma et al., *Improving Variational Inference with Inverse Autoregressive Flow*,
/// NeurIPS 2016; Papamakarios, Pavlakou and Murray, *Masked Autoregressive Flow for Density
/// Estimation*, NeurIPS 2017.
#[derive(Clone, Debug)]
pub struct AffineAutoregressive<E: Dtype = f32, D: Backend<E> = Cpu> {
    network: AutoregressiveNetwork<E, D>,
    bounds: (f64, f64),
    memory: Memory<E, D>,
}

impl<E: Dtype, D: Backend<E>> AffineAutoregressive<E, D> {
    /// A flow over rows of `len` numbers in their own order, with hidden layers of the given widths;
    /// see [`AutoregressiveNetwork::new`].
    ///
    /// # Panics
    /// If rows have no numbers.
    #[track_caller]
    pub fn new(init: &mut Init<E, D>, len: usize, hidden: &[usize]) -> Self {
        Self::with_network(AutoregressiveNetwork::new(init, len, hidden, 2))
    }

    /// A flow with the given network, which gives each variable its shift and its log-scale.
    ///
    /// # Panics
    /// If it has another number of outputs a variable, or no variables.
    #[track_caller]
    pub fn with_network(network: AutoregressiveNetwork<E, D>) -> Self {
        assert!(!network.order().is_empty(), "AffineAutoregressive: rows without numbers");
        let outputs = network.outputs();
        assert!(outputs == 2, "AffineAutoregressive: a network with {outputs} outputs a variable instead of 2");
        AffineAutoregressive { network, bounds: LOG_SCALE_BOUNDS, memory: Memory::new() }
    }

    /// The flow with its variables in another order: `order[i]` is the one that comes i-th.
    ///
    /// # Panics
    /// If it is not a permutation of all variables.
    #[must_use]
    #[track_caller]
    pub fn with_order(self, order: Vec<usize>) -> Self {
        AffineAutoregressive { network: self.network.with_order(order), ..self }
    }

    /// The flow with other bounds for the logarithms of scales.
    ///
    /// # Panics
    /// Unless `low < high`.
    #[must_use]
    #[track_caller]
    pub fn with_bounds(self, low: f64, high: f64) -> Self {
        assert!(low < high, "AffineAutoregressive: the bounds of log-scales are {low} and {high}");
        AffineAutoregressive { bounds: (low, high), ..self }
    }

    /// The network.
    pub fn network(&self) -> &AutoregressiveNetwork<E, D> {
        &self.network
    }

    /// This flow backwards: the masked autoregressive flow, with densities of one pass.
    #[must_use]
    pub fn inverse_flow(self) -> Inverse<Self> {
        Inverse(self)
    }

    /// Shifts and logarithms of scales.
    fn parameters(&self, x: &Flat<E, D>, rows: usize) -> (Flat<E, D>, Flat<E, D>) {
        let len = self.row_len();
        let both = self.network.apply(x.clone(), rows);
        let log_scale = columns(&both, rows, 2 * len, len..2 * len);
        (columns(&both, rows, 2 * len, 0..len), held(log_scale, self.bounds))
    }
}

impl<E: Dtype, D: Backend<E>> Bijection<E, D> for AffineAutoregressive<E, D> {
    const NAME: &'static str = "AffineAutoregressive";

    fn row_len(&self) -> usize {
        self.network.order().len()
    }
    fn memory(&self) -> &Memory<E, D> {
        &self.memory
    }
    fn push(&self, x: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let (shift, log_scale) = self.parameters(&x, rows);
        let y = scaled(x.clone(), shift, log_scale.clone());
        Pair { x, y, log_det: row_sums(log_scale, rows, self.row_len()) }
    }
    fn pull(&self, y: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let (x, log_scale) = in_order(self.network.order(), rows, |x| {
            let (shift, log_scale) = self.parameters(x, rows);
            (unscaled(y.clone(), shift, log_scale.clone()), log_scale)
        });
        Pair { x, y, log_det: row_sums(log_scale, rows, self.row_len()) }
    }
}

flow!(AffineAutoregressive);

impl<E: Dtype, D: Backend<E>> Module<E, D> for AffineAutoregressive<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("network", &self.network);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.memory.clear();
        visitor.field("network", &mut self.network);
    }
}
