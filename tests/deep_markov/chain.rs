//! The model and two guides: the exact one, given as tensors, and one as in the example.

use ppl::flows::{AffineAutoregressive, Stack};
use ppl::nn::{Activation, Direction, Linear, Rnn};
use ppl::prelude64::*;
use rand::seq::SliceRandom;

use crate::batch::{Batch, Sequence, sorted};
use crate::kalman::{Conditional, World};
use crate::matrix::Matrix;

/// Latent dimensions.
pub(crate) const LATENT: usize = 3;
/// Numbers observed in a step.
pub(crate) const OBSERVED: usize = 2;
/// Units of the guide's recurrent layer.
const RECURRENT: usize = 6;
/// Hidden units of a flow's network.
const FLOW: usize = 7;

/// A vector for each sequence.
pub(crate) type Rows = Tensor<(usize, usize)>;
type Matrices = Tensor<(usize, usize, usize)>;

/// What model and guides are given beside the data.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The initial values of the model's parameters.
    pub(crate) world: World,
    /// For [`smoother`]: zₜ given zₜ₋₁, a row for each sequence of the batch.
    pub(crate) proposal: Vec<Proposal>,
    /// For [`amortised`]: how many flows.
    pub(crate) flows: usize,
}

/// A [`Conditional`] of each sequence.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    linear: Matrices,
    shift: Rows,
    scale_tril: Matrices,
}

impl Given {
    pub(crate) fn new(world: &World) -> Self {
        Given { world: world.clone(), proposal: Vec::new(), flows: 0 }
    }

    /// The posteriors of the sequences of a batch, each conditional after `change`; anything after the ends.
    pub(crate) fn with_posteriors(mut self, sequences: &[&Sequence], change: impl Fn(&mut Conditional)) -> Self {
        let mut each: Vec<_> = sorted(sequences).iter().map(|sequence| self.world.posterior(sequence)).collect();
        each.iter_mut().flatten().for_each(change);
        let beyond = || Conditional {
            linear: Matrix::diagonal([1.5; LATENT]),
            shift: vec![3.0; LATENT],
            scale_tril: Matrix::diagonal([7.0; LATENT]),
        };
        self.proposal = (0..each[0].len())
            .map(|t| Proposal::stacked(each.iter().map(|steps| steps.get(t).cloned().unwrap_or_else(beyond)).collect()))
            .collect();
        self
    }
}

impl Proposal {
    fn stacked(each: Vec<Conditional>) -> Self {
        let n = each.len();
        let matrices = |of: fn(&Conditional) -> &Matrix| {
            Tensor::from_vec(each.iter().flat_map(|c| of(c).0.concat()).collect(), (n, LATENT, LATENT))
        };
        Proposal {
            linear: matrices(|c| &c.linear),
            shift: Tensor::from_vec(each.iter().flat_map(|c| c.shift.clone()).collect(), (n, LATENT)),
            scale_tril: matrices(|c| &c.scale_tril),
        }
    }
}

/// The layer x ↦ matrix · x + bias.
fn layer<O: Dim>(matrix: &[Vec<f64>], bias: &[f64], outputs: O) -> Linear<usize, O, f64> {
    let weight = Matrix(matrix.to_vec()).transposed().0;
    Linear {
        weight: Tensor::from_vec(weight.concat(), (weight.len(), outputs)),
        bias: Tensor::from_vec(bias.to_vec(), (outputs,)),
    }
}

/// The same vector for each sequence.
fn repeated<L: Dim>(row: &Tensor<(L,)>, sequences: usize) -> Tensor<(usize, L)> {
    row.broadcast_like::<_, Axis<0>>(&(sequences, row.shape().0))
}

/// The states of one step.
pub(crate) fn step(states: &Matrices, t: usize) -> Rows {
    let (_, sequences, size) = states.shape();
    states.slice::<(usize, usize, usize)>(&[t..t + 1, 0..sequences, 0..size]).reshape_like(&(sequences, size))
}

/// zₜ ~ N(A zₜ₋₁ + b, q), xₜ ~ N(C zₜ + d, r), for each step of each sequence. The terms of the latents are multiplied by
/// `annealing`.
#[model]
pub(crate) fn chain(batch: &Batch, given: &Given, annealing: f64) {
    let World { a, b, c, d, log_q, log_r, z_0 } = &given.world;
    let transition = module!("transition", |_| layer(a, b, LATENT));
    let emission = module!("emission", |_| layer(c, d, Const::<OBSERVED>));
    let log_q = param!("log_q", Tensor::<(usize,)>::vector(log_q.clone()));
    let log_r = param!("log_r", Tensor::<Rank1<OBSERVED>>::from_vec(log_r.clone(), Default::default()));
    let z_0 = param!("z_0", Tensor::<(usize,)>::vector(z_0.clone()));
    let n = batch.sequences();
    plate!("sequences", n, |_| {
        let mut z = repeated(&z_0, n);
        for t in 0..batch.longest() {
            let next = Normal::new(transition.forward(&z), repeated(&log_q.exp(), n));
            z = sample!("z_{t}": Rows, next.to_event::<Axis<1>>().mask(batch.mask(t)), scale = annealing);
            let seen = Normal::new(emission.forward(&z), repeated(&log_r.exp(), n));
            sample!("x_{t}", seen.to_event::<Axis<1>>().mask(batch.mask(t)), obs = batch.step(t));
        }
    });
}

/// zₜ ~ N(linear · zₜ₋₁ + shift, L Lᵀ) with given numbers.
#[guide(chain)]
pub(crate) fn smoother(batch: &Batch, given: &Given, annealing: f64) {
    let n = batch.sequences();
    plate!("sequences", n, |_| {
        let mut z = Rows::from_vec(given.world.z_0.repeat(n), (n, LATENT));
        for (t, step) in given.proposal.iter().enumerate() {
            let loc = step.linear.matvec(&z) + &step.shift;
            let next = MultivariateNormal::from_scale_tril(loc, step.scale_tril.clone());
            z = sample!("z_{t}", next.mask(batch.mask(t)), scale = annealing);
        }
    });
}

/// The example's guide: zₜ ~ N(combiner(zₜ₋₁, state)) with states of a recurrent layer that runs backwards, and flows
/// behind it where they are asked for.
#[guide(chain)]
pub(crate) fn amortised(batch: &Batch, given: &Given, annealing: f64) {
    let rnn = module!("rnn", recurrent);
    let combiner = module!("combiner", Combiner::new);
    let flows = module!("iafs", |init| iafs(init, given.flows));
    let z_0 = param!("z_q_0", Tensor::<(usize,)>::full_like(0.0, (LATENT,)));
    let h_0 = param!("h_0", Tensor::<(usize,)>::full_like(0.1, (RECURRENT,)));
    let n = batch.sequences();
    let states = rnn.forward(&batch.steps, &repeated(&h_0, n), batch.lengths.clone(), Direction::Backward);
    plate!("sequences", n, |_| {
        let mut z = repeated(&z_0, n);
        for t in 0..batch.longest() {
            let (loc, scale) = combiner.forward(&z, &step(&states, t));
            let base = Normal::new(loc, scale).to_event::<Axis<1>>();
            z = if given.flows == 0 {
                sample!("z_{t}", base.mask(batch.mask(t)), scale = annealing)
            } else {
                let flown = TransformedDistribution::new(base, flows.clone()).mask(batch.mask(t));
                sample!("z_{t}", flown, scale = annealing)
            };
        }
    });
}

/// The guide's recurrent layer.
pub(crate) type Recurrent = Rnn<Const<OBSERVED>, usize, f64>;

fn recurrent(init: &mut Init<f64, Cpu>) -> Recurrent {
    Rnn::new(init, Const, RECURRENT, Activation::Tanh)
}

/// q(zₜ | zₜ₋₁, xₜ, xₜ₊₁, …).
#[derive(Clone, Debug, Module)]
pub(crate) struct Combiner {
    hidden: Linear<usize, usize, f64>,
    loc: Linear<usize, usize, f64>,
    scale: Linear<usize, usize, f64>,
}

impl Combiner {
    /// A combiner with random weights, and scales of about 1.
    fn new(init: &mut Init<f64, Cpu>) -> Self {
        let mut scale = Linear::new(init, RECURRENT, LATENT);
        scale.bias = Tensor::full_like(0.6, (LATENT,));
        let [hidden, loc] = [(LATENT, RECURRENT), (RECURRENT, LATENT)].map(|(i, o)| Linear::new(init, i, o));
        Combiner { hidden, loc, scale }
    }

    /// Mean and standard deviation of the latents.
    pub(crate) fn forward(&self, before: &Rows, state: &Rows) -> (Rows, Rows) {
        let hidden = (self.hidden.forward_with(before, Activation::Tanh) + state) * 0.5;
        (self.loc.forward(&hidden), self.scale.forward_with(&hidden, Activation::Softplus))
    }
}

/// The flows of the guide, each with the variables in a random order of its own.
fn iafs(init: &mut Init<f64, Cpu>, flows: usize) -> Stack<f64> {
    (0..flows).fold(Stack::new(), |flows, _| {
        let mut order: Vec<usize> = (0..LATENT).collect();
        order.shuffle(init.rng());
        flows.then(AffineAutoregressive::new(init, LATENT, &[FLOW]).with_order(order))
    })
}
