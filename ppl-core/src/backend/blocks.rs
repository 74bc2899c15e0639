//! Functions of whole blocks of elements, such as one matrix of a batch: a factorisation, a solve.
//!
//! Such a function computes in `f64` on the host whatever the dtype, so it is compiled once; blocks
//! are small, so widening costs little, and a factor of an `f32` matrix does not lose its digits.

use crate::threads;

/// A function of `N` blocks (slices of fixed lengths) with one block as its result.
pub trait BlockFunction<const N: usize>: Clone + Send + Sync + 'static {
    /// The length of a block of each argument, and that of the result.
    fn lengths(&self) -> ([usize; N], usize);

    /// About how many multiplications a block takes, for sharing the work among threads.
    fn work(&self) -> usize;

    /// Writes the result of one block into `out`, which holds zeros.
    fn value(&self, args: [&[f64]; N], out: &mut [f64]);

    /// Adds to the gradient of each argument that wants one: `upstream` times the derivative of
    /// `out`, the result at `args`. It is not called where `upstream` is zero.
    fn pullback(&self, args: [&[f64]; N], out: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; N]);
}

/// How many blocks there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks<const N: usize> {
    /// Blocks of the result.
    pub count: usize,
    /// Blocks of each argument, a divisor of `count`: block `i` of the result is made of block `i`
    /// modulo this one, so that one matrix serves many vectors.
    pub of: [usize; N],
}

impl<const N: usize> Blocks<N> {
    /// As many of each argument as of the result.
    pub fn equal(count: usize) -> Self {
        Blocks { count, of: [count; N] }
    }
}

/// Multiplications that one thread does at a time. Fixed, so that threads do not change sums.
const CHUNK: usize = 1 << 16;

/// Chunks of a backward pass with a shared argument, whose gradient each of them holds whole.
const SHARED_CHUNKS: usize = 16;

/// The blocks numbered `block` of the arguments.
fn pick<'a, const N: usize>(
    args: [&'a [f64]; N],
    lengths: [usize; N],
    blocks: &Blocks<N>,
    block: usize,
) -> [&'a [f64]; N] {
    std::array::from_fn(|i| &args[i][block % blocks.of[i] * lengths[i]..][..lengths[i]])
}

/// The results of all blocks.
pub(super) fn values<F: BlockFunction<N>, const N: usize>(f: &F, args: [&[f64]; N], blocks: &Blocks<N>) -> Vec<f64> {
    let (lengths, len) = f.lengths();
    let mut out = vec![0.0; blocks.count * len];
    let run = |first: usize, out: &mut [f64]| {
        for (i, out) in out.chunks_exact_mut(len).enumerate() {
            f.value(pick(args, lengths, blocks, first + i), out);
        }
    };
    let chunk = (CHUNK / f.work().max(1)).max(1);
    if !out.is_empty() {
        threads::each_chunk(&mut out, chunk * len, &|c, out| run(c * chunk, out));
    }
    out
}

/// What a stretch of blocks adds to the gradients.
pub(super) struct Part<const N: usize> {
    /// For each argument, where its stretch begins and the stretch itself (empty where not wanted).
    gradients: [(usize, Vec<f64>); N],
}

/// The gradients of the arguments that are wanted, in parts.
pub(super) fn pullbacks<F: BlockFunction<N>, const N: usize>(
    f: &F,
    args: [&[f64]; N],
    out: &[f64],
    upstream: &[f64],
    wanted: [bool; N],
    blocks: &Blocks<N>,
) -> Vec<Part<N>> {
    let (lengths, len) = f.lengths();
    if out.is_empty() {
        return Vec::new();
    }
    let is_shared = |i: usize| wanted[i] && blocks.of[i] < blocks.count;
    let fewest = if (0..N).any(is_shared) { blocks.count.div_ceil(SHARED_CHUNKS) } else { 1 };
    let chunk = (CHUNK / f.work().max(1)).max(fewest);
    let fill = |first: usize, part: &mut Part<N>| {
        let end = (first + chunk).min(blocks.count);
        *part = Part::zeros(|i| match (wanted[i], is_shared(i)) {
            (false, _) => (0, 0),
            (true, true) => (0, blocks.of[i] * lengths[i]),
            (true, false) => (first * lengths[i], (end - first) * lengths[i]),
        });
        for block in first..end {
            let upstream = &upstream[block * len..][..len];
            if upstream.iter().any(|&u| u != 0.0) {
                let gradients = part.block(block, blocks, lengths, wanted);
                f.pullback(pick(args, lengths, blocks, block), &out[block * len..][..len], upstream, gradients);
            }
        }
    };
    let mut parts: Vec<Part<N>> = (0..blocks.count.div_ceil(chunk)).map(|_| Part::zeros(|_| (0, 0))).collect();
    threads::each(&mut parts, &|c, part| fill(c * chunk, part));
    parts
}

impl<const N: usize> Part<N> {
    fn zeros(stretch: impl Fn(usize) -> (usize, usize)) -> Self {
        let zeros = |(start, len)| (start, vec![0.0; len]);
        Part { gradients: std::array::from_fn(|i| zeros(stretch(i))) }
    }

    /// The places of one block's gradients.
    fn block(
        &mut self,
        block: usize,
        blocks: &Blocks<N>,
        lengths: [usize; N],
        wanted: [bool; N],
    ) -> [Option<&mut [f64]>; N] {
        let mut i = 0;
        self.gradients.each_mut().map(|(start, gradient)| {
            let (len, at) = (lengths[i], block % blocks.of[i]);
            let here = wanted[i].then(|| &mut gradient[at * len - *start..][..len]);
            i += 1;
            here
        })
    }
}

/// Adds what the parts have for argument `i` to its gradient, in their order.
pub(super) fn add_parts<E: crate::Dtype, const N: usize>(parts: &[Part<N>], i: usize, gradient: &mut [E]) {
    for part in parts {
        let (start, stretch) = &part.gradients[i];
        gradient[*start..].iter_mut().zip(stretch).for_each(|(g, &s)| *g += E::of(s));
    }
}
