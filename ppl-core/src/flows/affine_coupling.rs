//! The affine coupling layer of Real NVP.

use crate::Cpu;
use crate::backend::{Activation, Backend};
use crate::dtype::Dtype;
use crate::nn::Mlp;
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::Flat;

use super::bijection::{Bijection, flow};
use super::columns::{beside, columns, row_sums};
use super::memory::{Memory, Pair};
use super::scale_shift::{LOG_SCALE_BOUNDS, held, scaled, unscaled};

/// The first variables as they are; the others scaled and shifted by what a network makes of the first:
/// y₁ = x₁, y₂ = shift(x₁) + exp(log_scale(x₁)) · x₂.
///
/// The logarithms of scales are held between −5 and 3. Beyond these bounds gradients are passed on
/// as if there were none (as in Pyro), so that a scale can leave them again. Layers alternate
/// with a [`Permute`](super::Permute), so that each variable is moved by one of them.
///
/// ```
/// use ppl_core::{Tensor, flows::AffineCoupling, params::Init, rng::Rng, transform::Transform};
/// let flow = AffineCoupling::<f64>::new(&mut Init::new(Rng::seed(0)), 4, &[10]);
/// let x = Tensor::vector(vec![0.5, -1.0, 2.0, 0.0]);
/// let y = flow.forward(x.clone());
/// assert_eq!(y.to_vec()[..2], [0.5, -1.0]);
/// assert_eq!(flow.log_abs_det(&x, &y).numel(), 1);
/// ```
///
/// Reference: Dinh, Sohl-Dickstein and Bengio, *Density estimation using Real NVP*, ICLR 2017, sec. 3.2.
#[derive(Clone, Debug)]
pub struct AffineCoupling<E: Dtype = f32, D: Backend<E> = Cpu> {
    network: Mlp<usize, usize, E, D>,
    sizes: (usize, usize),
    memory: Memory<E, D>,
}

impl<E: Dtype, D: Backend<E>> AffineCoupling<E, D> {
    /// A layer over rows of `len` numbers of which the first half (rounded down) stays, with hidden
    /// layers of the given widths and relu behind each; initial values as those of [`Mlp`].
    ///
    /// # Panics
    /// If rows have fewer than two numbers.
    #[track_caller]
    pub fn new(init: &mut Init<E, D>, len: usize, hidden: &[usize]) -> Self {
        Self::split(init, len, len / 2, hidden)
    }

    /// Like [`AffineCoupling::new`], where the first `kept` numbers stay.
    ///
    /// # Panics
    /// Unless at least one number stays and one is moved.
    #[track_caller]
    pub fn split(init: &mut Init<E, D>, len: usize, kept: usize, hidden: &[usize]) -> Self {
        assert!(0 < kept && kept < len, "AffineCoupling: of rows of {len} numbers, {kept} cannot stay");
        let moved = len - kept;
        let network = Mlp::new(init, kept, hidden, 2 * moved, Activation::Relu);
        AffineCoupling { network, sizes: (kept, moved), memory: Memory::new() }
    }

    /// The same layer with another network from the first numbers to shifts and log-scales, in this
    /// order.
    ///
    /// # Panics
    /// If its numbers of inputs and outputs are not those, with both.
    #[must_use]
    #[track_caller]
    pub fn with_network(self, network: Mlp<usize, usize, E, D>) -> Self {
        let ends = |net: &Mlp<usize, usize, E, D>| Some((net.layers.first()?.sizes().0, net.layers.last()?.sizes().1));
        let (found, expected) = (ends(&network), ends(&self.network));
        assert!(found == expected, "AffineCoupling: a network of sizes {found:?} for {expected:?}");
        AffineCoupling { network, ..self }
    }

    /// The network.
    pub fn network(&self) -> &Mlp<usize, usize, E, D> {
        &self.network
    }

    /// Shifts and logarithms of scales.
    fn parameters(&self, first: &Flat<E, D>, rows: usize) -> (Flat<E, D>, Flat<E, D>) {
        let (kept, moved) = self.sizes;
        let both = self.network.forward(first.clone().reshape_like(&(rows, kept))).into_flat();
        let log_scale = columns(&both, rows, 2 * moved, moved..2 * moved);
        (columns(&both, rows, 2 * moved, 0..moved), held(log_scale, LOG_SCALE_BOUNDS))
    }

    /// The first numbers with their others moved by `f`, and ln |det J|.
    fn mapped(
        &self,
        from: &Flat<E, D>,
        rows: usize,
        f: fn(Flat<E, D>, Flat<E, D>, Flat<E, D>) -> Flat<E, D>,
    ) -> (Flat<E, D>, Flat<E, D>) {
        let (kept, moved) = self.sizes;
        let first = columns(from, rows, kept + moved, 0..kept);
        let (shift, log_scale) = self.parameters(&first, rows);
        let second = f(columns(from, rows, kept + moved, kept..kept + moved), shift, log_scale.clone());
        (beside(first, second, rows, self.sizes), row_sums(log_scale, rows, moved))
    }
}

impl<E: Dtype, D: Backend<E>> Bijection<E, D> for AffineCoupling<E, D> {
    const NAME: &'static str = "AffineCoupling";

    fn row_len(&self) -> usize {
        self.sizes.0 + self.sizes.1
    }
    fn memory(&self) -> &Memory<E, D> {
        &self.memory
    }
    fn push(&self, x: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let (y, log_det) = self.mapped(&x, rows, scaled);
        Pair { x, y, log_det }
    }
    fn pull(&self, y: Flat<E, D>, rows: usize) -> Pair<E, D> {
        let (x, log_det) = self.mapped(&y, rows, unscaled);
        Pair { x, y, log_det }
    }
}

flow!(AffineCoupling);

impl<E: Dtype, D: Backend<E>> Module<E, D> for AffineCoupling<E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("network", &self.network);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.memory.clear();
        visitor.field("network", &mut self.network);
    }
}
