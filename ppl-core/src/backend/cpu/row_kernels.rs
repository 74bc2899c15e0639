//! A matrix of rows beside a vector, in vector registers: the inner product of each row, and weighed sums of rows. Four rows at a
//! time, so that the vector is read, or the sum read and written, for every fourth row only.

use pulp::{Simd, WithSimd};

/// How many rows are taken together.
const TOGETHER: usize = 4;

/// How many rows stay in the nearest cache while they are summed.
const BLOCK: usize = 32;

/// The element type's part of both kernels, by its vector instructions.
macro_rules! row_kernels {
    ($Dots:ident, $AddRows:ident, $dots:ident, $add:ident, $E:ident, $Vector:ident, $splat:ident, $mul_add:ident, $reduce_sum:ident,
     $as_simd:ident, $as_mut_simd:ident, $partial_load:ident, $partial_store:ident) => {
        /// `out[i] = ` row `i` of `a` · `x`.
        pub(super) struct $Dots<'a> {
            pub(super) a: &'a [$E],
            pub(super) x: &'a [$E],
            pub(super) out: &'a mut [$E],
        }

        impl WithSimd for $Dots<'_> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                let k = self.x.len();
                let (fours, last) = self.out.as_chunks_mut::<TOGETHER>();
                let (whole, rest) = self.a.split_at(TOGETHER * k * fours.len());
                for (rows, out) in whole.chunks_exact((TOGETHER * k).max(1)).zip(fours) {
                    *out = $dots(simd, std::array::from_fn(|r| &rows[r * k..][..k]), self.x);
                }
                for (row, out) in rest.chunks_exact(k.max(1)).zip(last) {
                    [*out] = $dots(simd, [row], self.x);
                }
            }
        }

        #[inline(always)]
        fn $dots<S: Simd, const R: usize>(simd: S, rows: [&[$E]; R], x: &[$E]) -> [$E; R] {
            let (x, x_tail) = S::$as_simd(x);
            let parts = rows.map(|row| S::$as_simd(row));
            let (rows, tails) = (parts.map(|part| &part.0[..x.len()]), parts.map(|part| part.1));
            let mut sums = [simd.$splat(0.0); R];
            for (j, &x) in x.iter().enumerate() {
                for r in 0..R {
                    sums[r] = simd.$mul_add(rows[r][j], x, sums[r]);
                }
            }
            if !x_tail.is_empty() {
                let x = simd.$partial_load(x_tail);
                for r in 0..R {
                    sums[r] = simd.$mul_add(simd.$partial_load(tails[r]), x, sums[r]);
                }
            }
            sums.map(|sum| simd.$reduce_sum(sum))
        }

        /// `out += aᵀ · weights`. The last rows come first: what has just been multiplied forwards may still be in a cache.
        pub(super) struct $AddRows<'a> {
            pub(super) a: &'a [$E],
            pub(super) weights: &'a [$E],
            pub(super) out: &'a mut [$E],
        }

        impl WithSimd for $AddRows<'_> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                let k = self.out.len().max(1);
                let blocks = self.weights.chunks(BLOCK).zip(self.a.chunks(BLOCK * k));
                for (weights, a) in blocks.rev() {
                    $add(simd, a, weights, self.out);
                }
            }
        }

        #[inline(always)]
        fn $add<S: Simd>(simd: S, a: &[$E], weights: &[$E], out: &mut [$E]) {
            let k = out.len();
            let (out, out_tail) = S::$as_mut_simd(out);
            let has_tail = !out_tail.is_empty();
            let mut tail = simd.$partial_load(out_tail);
            let (fours, last) = weights.as_chunks::<TOGETHER>();
            let (whole, rest) = a.split_at(TOGETHER * k * fours.len());
            for (rows, weights) in whole.chunks_exact((TOGETHER * k).max(1)).zip(fours) {
                let w = weights.map(|w| simd.$splat(w));
                let parts: [_; TOGETHER] = std::array::from_fn(|r| S::$as_simd(&rows[r * k..][..k]));
                let rows = parts.map(|part| &part.0[..out.len()]);
                for (j, out) in out.iter_mut().enumerate() {
                    let two = simd.$mul_add(w[1], rows[1][j], simd.$mul_add(w[0], rows[0][j], *out));
                    *out = simd.$mul_add(w[3], rows[3][j], simd.$mul_add(w[2], rows[2][j], two));
                }
                if has_tail {
                    for (w, part) in w.into_iter().zip(parts) {
                        tail = simd.$mul_add(w, simd.$partial_load(part.1), tail);
                    }
                }
            }
            for (row, &w) in rest.chunks_exact(k.max(1)).zip(last) {
                let (w, (row, row_tail)) = (simd.$splat(w), S::$as_simd(row));
                out.iter_mut().zip(row).for_each(|(out, &a)| *out = simd.$mul_add(w, a, *out));
                tail = simd.$mul_add(w, simd.$partial_load(row_tail), tail);
            }
            simd.$partial_store(out_tail, tail);
        }
    };
}

row_kernels!(
    DotsOfF32,
    AddRowsOfF32,
    dots_of_f32,
    add_rows_of_f32,
    f32,
    f32s,
    splat_f32s,
    mul_add_e_f32s,
    reduce_sum_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    partial_load_f32s,
    partial_store_f32s
);
row_kernels!(
    DotsOfF64,
    AddRowsOfF64,
    dots_of_f64,
    add_rows_of_f64,
    f64,
    f64s,
    splat_f64s,
    mul_add_e_f64s,
    reduce_sum_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    partial_load_f64s,
    partial_store_f64s
);

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f64> {
        (0..n).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f64 / 1009.0 - 0.5).collect()
    }

    /// Both kernels against sums in `f64`, for rows that fill registers and rows that do not.
    #[test]
    fn rows_beside_a_vector_are_their_sums() {
        for (m, k) in [(0, 3), (3, 0), (1, 1), (3, 4), (4, 7), (7, 16), (33, 25), (70, 33), (131, 5)] {
            let (a, x, weights, start) = (numbers(m * k, 1), numbers(k, 2), numbers(m, 3), numbers(k, 4));
            let single = |v: &[f64]| v.iter().map(|&v| v as f32).collect::<Vec<_>>();
            let (mut dots, mut dots_single) = (vec![7.0; m], vec![7.0; m]);
            Arch::new().dispatch(DotsOfF64 { a: &a, x: &x, out: &mut dots });
            Arch::new().dispatch(DotsOfF32 { a: &single(&a), x: &single(&x), out: &mut dots_single });
            for i in (0..m).filter(|_| k > 0) {
                let exact: f64 = (0..k).map(|j| a[i * k + j] * x[j]).sum();
                assert!((dots[i] - exact).abs() < 1e-13, "{m} × {k}, row {i}");
                assert!((f64::from(dots_single[i]) - exact).abs() < 1e-5, "{m} × {k}, row {i} in f32");
            }
            let (mut sums, mut sums_single) = (start.clone(), single(&start));
            Arch::new().dispatch(AddRowsOfF64 { a: &a, weights: &weights, out: &mut sums });
            Arch::new().dispatch(AddRowsOfF32 { a: &single(&a), weights: &single(&weights), out: &mut sums_single });
            for j in 0..k {
                let exact = start[j] + (0..m).map(|i| weights[i] * a[i * k + j]).sum::<f64>();
                assert!((sums[j] - exact).abs() < 1e-13, "{m} × {k}, column {j}");
                assert!((f64::from(sums_single[j]) - exact).abs() < 2e-5, "{m} × {k}, column {j} in f32");
            }
        }
    }
}
