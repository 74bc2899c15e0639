//! Plain numbers as `f64` and back: what is kept of a draw is numbers of one type.

/// A number that an `f64` can hold, or most of whose values it can.
pub(super) trait Number: Sized {
    /// The number as `f64`; `None` where no `f64` equals it.
    fn to_f64(&self) -> Option<f64>;

    /// The number that an `f64` stands for; `None` where there is none of this type.
    fn from_f64(number: f64) -> Option<Self>;
}

macro_rules! integers {
    ($($T:ty),*) => {$(
        impl Number for $T {
            fn to_f64(&self) -> Option<f64> {
                let wide = *self as f64;
                // The cast back saturates, so that the greatest number of 64 bits would seem to be kept.
                let kept = wide as $T == *self && (<$T>::BITS < 64 || wide < <$T>::MAX as f64);
                kept.then_some(wide)
            }

            fn from_f64(number: f64) -> Option<Self> {
                let narrow = number as $T;
                (narrow as f64 == number).then_some(narrow)
            }
        }
    )*};
}

integers!(u8, u32, u64, usize, i32, i64);

impl Number for bool {
    fn to_f64(&self) -> Option<f64> {
        Some(f64::from(u8::from(*self)))
    }

    fn from_f64(number: f64) -> Option<Self> {
        [false, true].into_iter().find(|&flag| f64::from(u8::from(flag)) == number)
    }
}

impl Number for f64 {
    fn to_f64(&self) -> Option<f64> {
        Some(*self)
    }

    fn from_f64(number: f64) -> Option<Self> {
        Some(number)
    }
}

impl Number for f32 {
    fn to_f64(&self) -> Option<f64> {
        Some(f64::from(*self))
    }

    fn from_f64(number: f64) -> Option<Self> {
        Some(number as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_f64_holds_comes_back_and_nothing_else_does() {
        assert_eq!((u8::MAX.to_f64(), u8::from_f64(255.0)), (Some(255.0), Some(u8::MAX)));
        assert_eq!((u8::from_f64(256.0), u8::from_f64(0.5), i32::from_f64(f64::NAN)), (None, None, None));
        assert_eq!(
            (u64::MAX.to_f64(), ((1_u64 << 53) + 1).to_f64(), (1_u64 << 60).to_f64()),
            (None, None, Some(2_f64.powi(60)))
        );
        assert_eq!((i64::MIN.to_f64(), (-3_i64).to_f64()), (Some(-(2_f64.powi(63))), Some(-3.0)));
        assert_eq!((bool::from_f64(1.0), bool::from_f64(2.0), true.to_f64()), (Some(true), None, Some(1.0)));
        assert_eq!((0.1_f32.to_f64(), f32::from_f64(f64::from(0.1_f32))), (Some(f64::from(0.1_f32)), Some(0.1)));
    }
}
