//! Squared Mahalanobis distances, in one operation: what a multivariate normal density is made of.

use dfdx::shapes::Shape;

use super::{Matrices, Triangle, Vectors, count, dense, serving, shaped};
use crate::backend::{Backend, BlockFunction, Blocks};
use crate::dtype::Dtype;
use crate::tensor::Tensor;

/// |L⁻¹ · (x − μ)|² of one vector, of arguments L, x and μ.
#[derive(Clone, Copy, Debug)]
struct Mahalanobis {
    n: usize,
}

impl Mahalanobis {
    /// z = L⁻¹ · (x − μ).
    fn whitened(self, [l, x, loc]: [&[f64]; 3]) -> Vec<f64> {
        let mut z: Vec<f64> = x.iter().zip(loc).map(|(x, loc)| x - loc).collect();
        dense::substitute(l, Triangle::Lower, &mut z, [self.n, 1]);
        z
    }

    /// Whether the point is infinitely far away: no number among x and μ is NaN, and some x − μ is
    /// infinite. Substitution would make ∞ − ∞ or 0 · ∞ of it.
    fn is_at_infinity([_, x, loc]: [&[f64]; 3]) -> bool {
        let steps = || x.iter().zip(loc).map(|(x, loc)| x - loc);
        steps().any(f64::is_infinite) && !steps().any(f64::is_nan)
    }
}

impl BlockFunction<3> for Mahalanobis {
    fn lengths(&self) -> ([usize; 3], usize) {
        ([self.n * self.n, self.n, self.n], 1)
    }

    fn work(&self) -> usize {
        self.n * self.n
    }

    fn value(&self, args: [&[f64]; 3], out: &mut [f64]) {
        let z = self.whitened(args);
        let square = dense::dot(&z, &z);
        let is_far = square.is_nan() && Mahalanobis::is_at_infinity(args) && args[0].iter().all(|v| v.is_finite());
        out[0] = if is_far { f64::INFINITY } else { square };
    }

    /// With w = L⁻ᵀ · z: 2w for x, −2w for μ, and −2w · zᵀ within the lower triangle for L. 0 at
    /// infinity, where the density is 0.
    fn pullback(&self, args: [&[f64]; 3], _: &[f64], upstream: &[f64], gradients: [Option<&mut [f64]>; 3]) {
        if Mahalanobis::is_at_infinity(args) {
            return;
        }
        let n = self.n;
        let z = self.whitened(args);
        let mut w = z.clone();
        dense::substitute(args[0], Triangle::LowerTransposed, &mut w, [n, 1]);
        w.iter_mut().for_each(|w| *w *= 2.0 * upstream[0]);
        let [to_l, to_x, to_loc] = gradients;
        if let Some(to_l) = to_l {
            for i in 0..n {
                dense::add_scaled(&mut to_l[i * n..][..i + 1], -w[i], &z);
            }
        }
        if let Some(to_x) = to_x {
            dense::add_scaled(to_x, 1.0, &w);
        }
        if let Some(to_loc) = to_loc {
            dense::add_scaled(to_loc, -1.0, &w);
        }
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Tensor<M, E, D> {
    /// |L⁻¹ · (x − loc)|², the squared Mahalanobis distance of x from `loc` for the covariance
    /// L · Lᵀ with this tensor's lower factors L; one number a vector, with gradients to all three.
    ///
    /// Shapes: L (.., n, n), x and loc (.., n). The batches of L and of loc are that of x, its last
    /// axes, or of one element: one covariance serves many vectors. Only the lower triangle of L is
    /// read. It is ∞, with gradient 0, where x or loc is infinite.
    ///
    /// ```
    /// use ppl_core::Tensor;
    /// let l = Tensor::<_, f64>::from([[2.0, 0.0], [1.0, 4.0]]);
    /// let points = Tensor::<_, f64>::from([[3.0, 6.0], [1.0, 1.0]]);
    /// let distances = l.mahalanobis(&points, &Tensor::<_, f64>::from([1.0, 1.0]));
    /// assert_eq!(distances.array(), [2.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If L is not square or the shapes do not fit, with the shapes.
    #[must_use]
    #[track_caller]
    pub fn mahalanobis<X: Shape, V: Shape>(
        &self,
        x: &Tensor<X, E, D>,
        loc: &Tensor<V, E, D>,
    ) -> Tensor<Vectors<X>, E, D> {
        let name = "mahalanobis";
        let [l_dims, x_dims, loc_dims] = [self.dims(), x.dims(), loc.dims()];
        let (l_batch, n) = Matrices::square(name, &l_dims);
        let ends_in_n = |dims: &[usize]| dims.last() == Some(&n);
        let fits = ends_in_n(&x_dims) && ends_in_n(&loc_dims);
        assert!(fits, "{name}: the sizes of vectors differ (shapes {l_dims:?}, {x_dims:?} and {loc_dims:?})");
        let batch = &x_dims[..x_dims.len() - 1];
        let of_l = serving(name, &l_batch, batch, [&l_dims, &x_dims]);
        let of_loc = serving(name, &loc_dims[..loc_dims.len() - 1], batch, [&loc_dims, &x_dims]);
        let blocks = Blocks { count: count(batch), of: [of_l, count(batch), of_loc] };
        shaped(D::blocks(Mahalanobis { n }, [self.flat(), x.flat(), loc.flat()], blocks), batch)
    }
}
