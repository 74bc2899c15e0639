//! Element types: `f32` for networks, `f64` for densities and samplers, both everywhere.

use std::fmt::{Debug, Display};

use num_traits::Float;
use serde::Serialize;
use serde::de::DeserializeOwned;

// Branch-free exponentials and logarithms.
mod quick;

use quick::{double, single};

/// A floating-point element type. One run of a model has one dtype.
///
/// Implemented for [`f32`] and [`f64`].
pub trait Dtype:
    dfdx::shapes::Dtype
    + Float
    + Default
    + Debug
    + Display
    + std::iter::Sum
    + rand::distributions::uniform::SampleUniform
    + Serialize
    + DeserializeOwned
{
    /// The type's name in errors and checkpoints: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest value to `x`.
    fn of(x: f64) -> Self;

    /// This value as `f64`, exactly.
    fn wide(self) -> f64;

    /// eˣ in a form that loops vectorise: within 2 units in the last place, and in `f32` 0 where the
    /// result is less than 2e-38.
    fn quick_exp(self) -> Self;

    /// ln(1 + x) for 0 ≤ x ≤ 1, in a form that loops vectorise: within 2 units in the last place.
    fn quick_ln_1p(self) -> Self;

    /// ln x in a form that loops vectorise: within 2 units in the last place.
    fn quick_ln(self) -> Self;

    /// 1 − e⁻ˣ for x ≥ 0, in a form that loops vectorise: within 4 units in the last place.
    fn quick_one_minus_exp_neg(self) -> Self;

    /// tanh x, in a form that loops vectorise: within 6 units in the last place.
    fn quick_tanh(self) -> Self;

    /// Little-endian bytes of a slice, for checkpoints.
    fn to_le_bytes(values: &[Self]) -> Vec<u8>;

    /// Reads little-endian bytes back; the length must be a multiple of the element's size.
    fn from_le_bytes(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! dtype {
    ($float:ident, $quick:ident) => {
        impl Dtype for $float {
            const NAME: &'static str = stringify!($float);

            #[inline(always)]
            fn of(x: f64) -> Self {
                x as $float
            }

            #[inline(always)]
            fn wide(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn quick_exp(self) -> Self {
                $quick::exp(self)
            }

            #[inline(always)]
            fn quick_ln_1p(self) -> Self {
                $quick::ln_1p_of_unit(self)
            }

            #[inline(always)]
            fn quick_ln(self) -> Self {
                double::ln(self as f64) as $float
            }

            #[inline(always)]
            fn quick_one_minus_exp_neg(self) -> Self {
                $quick::one_minus_exp_neg(self)
            }

            #[inline(always)]
            fn quick_tanh(self) -> Self {
                // With u = 1 − e⁻²ˣ, tanh x = u / (2 − u).
                let u = $quick::one_minus_exp_neg(2.0 * self.abs());
                (u / (2.0 - u)).copysign(self)
            }

            fn to_le_bytes(values: &[Self]) -> Vec<u8> {
                values.iter().flat_map(|v| v.to_le_bytes()).collect()
            }

            fn from_le_bytes(bytes: &[u8]) -> Vec<Self> {
                bytes
                    .chunks_exact(size_of::<$float>())
                    .map(|c| <$float>::from_le_bytes(c.try_into().expect("a whole element")))
                    .collect()
            }
        }
    };
}

dtype!(f32, single);
dtype!(f64, double);

#[cfg(test)]
mod tests {
    use super::*;

    /// The greatest distance of `quick_tanh` from `tanh` relative to it, in units of `epsilon`.
    fn worst<E: Dtype>() -> f64 {
        let points = (-400_000..400_000).map(|i| E::of(f64::from(i) * 5e-5)).filter(|x| *x != E::of(0.0));
        // Down to where the numbers begin to lose digits.
        let small = (1..120).map(|i| E::of(1e-36 * 2f64.powi(i)));
        let distances = points.chain(small).map(|x| (x.quick_tanh().wide() / x.wide().tanh() - 1.0).abs());
        distances.fold(0.0, f64::max) / E::epsilon().wide()
    }

    #[test]
    fn quick_tanh_is_within_six_units_in_the_last_place() {
        assert!(worst::<f32>() <= 6.0, "{}", worst::<f32>());
        assert!(worst::<f64>() <= 6.0, "{}", worst::<f64>());
        assert_eq!((0f32.quick_tanh(), 1e-30f32.quick_tanh(), (-1e30f32).quick_tanh()), (0.0, 1e-30, -1.0));
        assert_eq!((0.0.quick_tanh(), 1e-300.quick_tanh(), f64::NEG_INFINITY.quick_tanh()), (0.0, 1e-300, -1.0));
        assert!((-0f32).quick_tanh().is_sign_negative() && (-0f64).quick_tanh().is_sign_negative());
        assert_eq!(
            (f32::MAX.quick_tanh(), f32::INFINITY.quick_tanh(), f32::from_bits(1).quick_tanh().to_bits()),
            (1.0, 1.0, 1)
        );
        assert_eq!(
            (f64::MAX.quick_tanh(), f64::MIN.quick_tanh(), f64::from_bits(1).quick_tanh().to_bits()),
            (1.0, -1.0, 1)
        );
        assert!(f32::NAN.quick_tanh().is_nan() && f64::NAN.quick_tanh().is_nan());
    }
}
