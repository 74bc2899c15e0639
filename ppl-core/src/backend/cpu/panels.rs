//! A matrix laid out for products with few rows: in panels as wide as two vector registers, so that
//! one that meets many batches of rows is brought into this order once.
//!
//! Measured on the weights of the Deep Markov Model (20 rows, 100 to 600 columns): the general
//! product spends a third of its time on that order, each time anew.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Element;
use super::matrix::Matrix;
use crate::backend::Backend;
use dfdx::tensor::Cpu;

/// Up to this many rows, products are as fast here as any, and need no order of the left side.
pub(super) const FEW_ROWS: usize = 64;

/// Products below this many multiplications stay on one thread. Four times the limit of the general
/// product: what is in order already takes less time.
const THREADED_PANELS: usize = 1 << 20;

/// Rows of the left side that are multiplied at once: with two registers each, one for the left
/// side and two for the right, they fill the sixteen of AVX2.
const TILE: usize = 6;

/// The panels of a matrix, one after the other, filled up with zeros to whole ones.
#[derive(Clone, Debug)]
pub(super) struct Panels<E> {
    rows: usize,
    columns: usize,
    width: usize,
    data: Vec<E>,
}

impl<E: Element> Panels<E>
where
    Cpu: Backend<E>,
{
    /// Brings a matrix into order.
    pub(super) fn of(matrix: Matrix<'_, E>) -> Self {
        let (rows, columns) = matrix.sizes();
        let width = E::panel_width();
        let mut data = vec![E::of(0.0); columns.div_ceil(width) * width * rows];
        for (number, panel) in data.chunks_exact_mut((width * rows).max(1)).enumerate() {
            let (first, here) = (number * width, width.min(columns - number * width));
            for (i, row) in panel.chunks_exact_mut(width).enumerate() {
                row[..here].iter_mut().enumerate().for_each(|(j, v)| *v = matrix.at(i, first + j));
            }
        }
        Panels { rows, columns, width, data }
    }

    /// `out += x · matrix` for row-major `x` and `out`.
    pub(super) fn add_product(&self, x: &[E], out: &mut [E]) {
        if self.data.is_empty() {
            return;
        }
        let m = x.len() / self.rows;
        assert_eq!((x.len(), out.len()), (m * self.rows, m * self.columns), "sizes of a matrix product");
        if m == 0 {
            return;
        }
        let panels = self.data.chunks_exact(self.width * self.rows);
        let mut products = vec![E::of(0.0); panels.len() * m * self.width];
        let one = |panel: &[E], product: &mut [E]| E::panel_product(panel, x, self.rows, product);
        let mut parts = products.chunks_exact_mut(m * self.width);
        if m * self.rows * self.columns < THREADED_PANELS {
            panels.zip(&mut parts).for_each(|(panel, product)| one(panel, product));
        } else {
            let panels = self.data.par_chunks_exact(self.width * self.rows);
            let parts = products.par_chunks_exact_mut(m * self.width);
            panels
                .zip(parts)
                .with_min_len(self.columns.div_ceil(4 * self.width))
                .for_each(|(panel, product)| one(panel, product));
        }
        for (number, product) in products.chunks_exact(m * self.width).enumerate() {
            let (first, last) = (number * self.width, self.columns.min((number + 1) * self.width));
            for (row, values) in out.chunks_exact_mut(self.columns).zip(product.chunks_exact(self.width)) {
                row[first..last].iter_mut().zip(values).for_each(|(to, &from)| *to += from);
            }
        }
    }
}

/// Whether this machine has vector registers that the products here know.
pub(super) fn is_vectorised() -> bool {
    !matches!(Arch::new(), Arch::Scalar)
}

/// The element type's part of a product, by its vector instructions.
macro_rules! panel_kernel {
    ($Kernel:ident, $width:ident, $tile:ident, $E:ident, $Vector:ident, $splat:ident, $mul_add:ident, $as_simd:ident,
     $as_mut_simd:ident, $lanes:ident) => {
        /// `product = x · panel`, both row-major; `len` is the length of a row of `x`.
        pub(super) struct $Kernel<'a> {
            pub(super) panel: &'a [$E],
            pub(super) x: &'a [$E],
            pub(super) len: usize,
            pub(super) product: &'a mut [$E],
        }

        impl WithSimd for $Kernel<'_> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                let (panel, product) = (S::$as_simd(self.panel).0, S::$as_mut_simd(self.product).0);
                let rows = self.x.len() / self.len;
                let tiles = rows.div_ceil(TILE);
                for number in 0..tiles {
                    let (first, last) = (rows * number / tiles, rows * (number + 1) / tiles);
                    let x = &self.x[first * self.len..last * self.len];
                    let product = &mut product[2 * first..2 * last];
                    match last - first {
                        1 => $tile::<S, 1>(simd, panel, x, product),
                        2 => $tile::<S, 2>(simd, panel, x, product),
                        3 => $tile::<S, 3>(simd, panel, x, product),
                        4 => $tile::<S, 4>(simd, panel, x, product),
                        5 => $tile::<S, 5>(simd, panel, x, product),
                        _ => $tile::<S, TILE>(simd, panel, x, product),
                    }
                }
            }
        }

        #[inline(always)]
        fn $tile<S: Simd, const R: usize>(simd: S, panel: &[S::$Vector], x: &[$E], product: &mut [S::$Vector]) {
            let len = panel.len() / 2;
            let rows: [&[$E]; R] = std::array::from_fn(|r| &x[r * len..][..len]);
            let mut sums = [[simd.$splat(0.0); 2]; R];
            for (i, pair) in panel.chunks_exact(2).enumerate() {
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let factor = simd.$splat(row[i]);
                    sums[0] = simd.$mul_add(factor, pair[0], sums[0]);
                    sums[1] = simd.$mul_add(factor, pair[1], sums[1]);
                }
            }
            product.copy_from_slice(sums.as_flattened());
        }

        /// How many columns a panel has.
        pub(super) fn $width() -> usize {
            struct Lanes;
            impl WithSimd for Lanes {
                type Output = usize;

                #[inline(always)]
                fn with_simd<S: Simd>(self, _: S) -> usize {
                    2 * S::$lanes
                }
            }
            Arch::new().dispatch(Lanes)
        }
    };
}

panel_kernel!(
    PanelsOfF32,
    width_of_f32,
    tile_of_f32,
    f32,
    f32s,
    splat_f32s,
    mul_add_e_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    F32_LANES
);
panel_kernel!(
    PanelsOfF64,
    width_of_f64,
    tile_of_f64,
    f64,
    f64s,
    splat_f64s,
    mul_add_e_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    F64_LANES
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::Dtype;

    fn numbers<E: Dtype>(n: usize, seed: usize) -> Vec<E> {
        (0..n).map(|i| E::of(((i * 7919 + seed * 104_729) % 1009) as f64 / 1009.0 - 0.5)).collect()
    }

    /// Products with a matrix and with its transpose against sums in `f64`, to a few roundings of the sum
    /// of all terms' sizes.
    fn check<E: Element>()
    where
        Cpu: Backend<E>,
    {
        let sizes =
            [(1, 1, 1), (5, 3, 16), (6, 7, 33), (20, 100, 88), (23, 31, 100), (64, 600, 100), (0, 3, 4), (3, 0, 4)];
        for (m, k, n) in sizes {
            let (x, w, start) = (numbers::<E>(m * k, 1), numbers::<E>(k * n, 2), numbers::<E>(m * n, 3));
            for (name, matrix) in [("plain", Matrix::new(&w, k, n)), ("transposed", Matrix::new(&w, n, k).t())] {
                let mut found = start.clone();
                Panels::of(matrix).add_product(&x, &mut found);
                for (at, (found, start)) in found.iter().zip(&start).enumerate() {
                    let terms =
                        || (0..k).map(|p| x[at / n * k + p].wide() * matrix.at(p, at % n).wide()).chain([start.wide()]);
                    let (exact, size): (f64, f64) = (terms().sum(), terms().map(f64::abs).sum());
                    let far = (found.wide() - exact).abs();
                    assert!(far <= 16.0 * E::epsilon().wide() * size, "{m} × {k} × {n} {name}, {at}: {far}");
                }
            }
        }
    }

    #[test]
    fn products_are_those_of_their_sums() {
        check::<f32>();
        check::<f64>();
    }
}
