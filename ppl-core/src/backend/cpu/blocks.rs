//! Functions of whole blocks on the CPU: without a copy in `f64`, and through `f64` in `f32`.

use dfdx::tensor::Cpu;

use super::{Element, output, record_from, slice};
use crate::backend::Backend;
use crate::backend::blocks::{BlockFunction, Blocks, add_parts, pullbacks, values};
use crate::tensor::Flat;

/// `f` of each block, recorded.
pub(super) fn blocks<E: Element, F: BlockFunction<N>, const N: usize>(
    f: F,
    args: [Flat<E, Cpu>; N],
    blocks: Blocks<N>,
) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let results = {
        let wide = args.each_ref().map(|a| E::widen(slice(a)));
        values(&f, wide.each_ref().map(|a| a.as_ref()), &blocks)
    };
    let wanted = args.each_ref().map(|a| a.tracked);
    let tracked = wanted.contains(&true);
    let saved = if tracked && crate::autodiff::is_recording() { results.clone() } else { Vec::new() };
    let out = output(E::narrow(results), tracked);
    record_from(&out, move |grads, upstream| {
        let parts = {
            let wide = args.each_ref().map(|a| E::widen(slice(a)));
            let (args, upstream) = (wide.each_ref().map(|a| a.as_ref()), E::widen(&upstream));
            pullbacks(&f, args, &saved, &upstream, wanted, &blocks)
        };
        for (i, arg) in args.iter().enumerate().filter(|(_, a)| a.tracked) {
            add_parts(&parts, i, grads.of(arg));
        }
    });
    out
}
