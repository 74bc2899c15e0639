//! Numbers strictly inside an open interval, whatever rounding does.

use crate::dtype::Dtype;

/// The next number above, at least a normal number away from 0.
pub(crate) fn next_above<E: Dtype>(x: E) -> E {
    if x == E::neg_infinity() { E::min_value() } else { x + gap(x) }
}

/// The next number below, at least a normal number away from 0.
pub(crate) fn next_below<E: Dtype>(x: E) -> E {
    if x == E::infinity() { E::max_value() } else { x - gap(x) }
}

/// Between half a unit in the last place of `x` and less than one and a half, on either side, so that
/// adding it rounds to the neighbour.
fn gap<E: Dtype>(x: E) -> E {
    (x.abs() * E::epsilon() * E::of(0.6)).max(E::min_positive_value())
}

/// `y` rounded to the dtype, and where that reaches an end of the open interval, the nearest number
/// inside. NaN stays.
pub(crate) fn strictly_inside<E: Dtype>(y: f64, low: E, high: E) -> E {
    let rounded = E::of(y);
    if rounded <= low {
        smaller(next_above(low), high)
    } else if rounded >= high {
        larger(next_below(high), low)
    } else {
        rounded
    }
}

fn smaller<E: Dtype>(a: E, b: E) -> E {
    if b < a { b } else { a }
}

fn larger<E: Dtype>(a: E, b: E) -> E {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_the_nearest_numbers() {
        for x in [1.0f32, 1.5, 1.9999999, 0.1, 0.3, 1e30, 2.0, -1.0, -1.5, -7.0, 1e-30] {
            assert_eq!((next_above(x), next_below(x)), (x.next_up(), x.next_down()), "{x}");
        }
        for x in [1.0f64, 1.9999999999999998, 0.1, 0.3, 1e300, -1.0, -7.0] {
            assert_eq!((next_above(x), next_below(x)), (x.next_up(), x.next_down()), "{x}");
        }
        assert_eq!((next_above(0.0), next_below(0.0)), (f64::MIN_POSITIVE, -f64::MIN_POSITIVE));
        assert_eq!((next_above(f64::NEG_INFINITY), next_below(f64::INFINITY)), (f64::MIN, f64::MAX));
    }

    #[test]
    fn an_interval_without_inside_gives_an_end() {
        assert_eq!(strictly_inside(1.0, 1.0, 1.0f64), 1.0);
        assert!(strictly_inside(f64::NAN, 0.0, 1.0f32).is_nan());
        assert_eq!(strictly_inside(-3.0, 0.0, 1.0f32), f32::MIN_POSITIVE);
    }
}
