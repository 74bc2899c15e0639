//! A family's distribution as the image of another one: of the same family with less location and scale, or
//! of a simpler family.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::distribution::TakeBase;
use crate::dtype::Dtype;
use crate::functions::Function;
use crate::tensor::{Flat, Operand, Tensor};
use crate::transform::{Affine, Map};

use super::{Front, Univariate};

impl<F: Univariate<K>, S: Shape, E: Dtype, D: Backend<E>, const K: usize, const N: usize> Front<F, S, E, D, K, N> {
    /// The same family with location `centered` · loc and scale scale^`centered`, and the map from its
    /// draws to those of this distribution (Gorinova, Moore, Hoffman, *Automatic Reparameterisation of
    /// Probabilistic Programs*, 2020, sec. 2). `None` for families without location and scale.
    pub(in crate::distributions) fn recentred(&self, centered: f64) -> Option<(Self, Map<E, D>)> {
        let place = |name: &str| F::PARAMETERS.iter().position(|&p| p == name).filter(|_| F::LOC_SCALE);
        let (loc, scale) = (place("loc")?, place("scale")?);
        let [locs, scales] = [loc, scale].map(|k| self.parameters[k].flat());
        let mut parameters = self.parameters.clone();
        if centered == 0.0 {
            // Constants, so that nothing flows where nothing depends.
            parameters[loc] = Operand::Scalar(Tensor::scalar(0.0));
            parameters[scale] = Operand::Scalar(Tensor::scalar(1.0));
            let front = Front::of_shape(parameters, self.shape);
            return Some((front, Arc::new(Affine::new(locs, scales))));
        }
        let count = locs.numel().max(scales.numel());
        let shift: Flat<E, D> = D::elementwise(Shift(centered), [locs, scales.clone()], count);
        let map = Affine::new(shift, scales.powf(E::of(1.0 - centered)));
        parameters[loc] = self.parameters[loc].each(|loc| loc * E::of(centered));
        parameters[scale] = self.parameters[scale].each(|scale| scale.powf(E::of(centered)));
        Some((Front::of_shape(parameters, self.shape), Arc::new(map)))
    }

    /// The same family with scale (or rate) 1, and the map from its draws to those of this distribution.
    pub(in crate::distributions) fn unstretched(&self) -> Option<(Self, Map<E, D>)> {
        let (name, power) = F::STRETCH?;
        let place = F::PARAMETERS.iter().position(|&p| p == name)?;
        let parameter = self.parameters[place].flat();
        let stretch = if power == 1.0 { parameter } else { parameter.powf(E::of(power)) };
        let mut parameters = self.parameters.clone();
        parameters[place] = Operand::Scalar(Tensor::scalar(1.0));
        let map = Affine::new(Flat::vector(vec![E::of(0.0)]), stretch);
        Some((Front::of_shape(parameters, self.shape), Arc::new(map)))
    }

    /// Hands the distribution of another family whose image this is to `take`.
    pub(in crate::distributions) fn with_base<T: TakeBase<E, D, S>>(&self, take: T) -> Option<T::Output> {
        F::with_base(&self.parameters, self.shape, take)
    }
}

/// loc − scale^(1 − c) · c · loc: where the origin of the recentred distribution goes.
#[derive(Clone, Copy, Debug)]
struct Shift(f64);

impl<E: Dtype> Function<E, 2> for Shift {
    fn name(&self) -> &'static str {
        "recentred location"
    }
    fn value(&self, args: [E; 2]) -> E {
        let [loc, scale] = args.map(E::wide);
        E::of(loc * (1.0 - self.0 * scale.powf(1.0 - self.0)))
    }
    fn partials(&self, args: [E; 2], _: E) -> [E; 2] {
        let [loc, scale] = args.map(E::wide);
        let along_scale = -loc * self.0 * (1.0 - self.0) * scale.powf(-self.0);
        [1.0 - self.0 * scale.powf(1.0 - self.0), along_scale].map(E::of)
    }
}
