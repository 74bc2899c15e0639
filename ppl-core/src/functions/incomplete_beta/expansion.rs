//! Two expansions of the incomplete beta function for x on the lower side of the bulk.

use super::slopes::Number;

/// Steps after which an expansion is given up. The fraction needs some multiple of √(a + b).
const MOST_STEPS: u32 = 20_000;

/// I(x; a, b) B(a, b) / (xᵃ yᵇ) by a continued fraction whose terms have no cancellation where
/// `distance` = a y − b x is not far below 0; in the form of Lentz.
///
/// Source: DiDonato and Morris, *Algorithm 708*, ACM Transactions on Mathematical Software 18, 1992,
/// equation 9; Press et al., *Numerical Recipes*, 5.2.
pub(super) fn fraction<N: Number>(a: N, b: N, x: f64, y: f64, distance: N) -> N {
    let number = N::from;
    let one = number(1.0);
    let excess = distance + one;
    // The denominator of step m, whose part with 1 / (a + 2m − 1) is 0 for m = 0.
    let below = |m: f64| {
        let rest = (a + number(m)) / (a + number(2.0 * m + 1.0)) * (excess + number(m * (1.0 + y)));
        if m == 0.0 { rest } else { number(m) + number(m * x) * (b - number(m)) / (a + number(2.0 * m - 1.0)) + rest }
    };
    let first = below(0.0);
    let (mut value, mut c, mut d) = (first, first, number(0.0));
    for m in 1..MOST_STEPS {
        let m = f64::from(m);
        let step = a + number(2.0 * m - 1.0);
        // No factor is much larger than a.
        let [near, far] = [(a + b + number(m - 1.0)) * number(x), (b - number(m)) * number(m * x)];
        let top = (a + number(m - 1.0)) / step * near * (far / step);
        let bottom = below(m);
        d = one / (bottom + top * d);
        c = bottom + top / c;
        let next = value * (c * d);
        let settled = (next - value).share_of(next) <= f64::EPSILON;
        value = next;
        if settled {
            break;
        }
    }
    one / value
}

/// Σ xⁿ (1 − b) ⋯ (n − b) / n! / (a + n) for n ≥ 1: I(x; a, b) is xᵃ / (a B(a, b)) · (1 + a Σ).
///
/// Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.5.4 and 15.3.1.
pub(super) fn power_series<N: Number>(a: N, b: N, x: f64) -> N {
    let (mut factor, mut sum) = (N::from(1.0), N::from(0.0));
    for n in 1..MOST_STEPS {
        let n = f64::from(n);
        factor = factor * (N::from(n) - b) * N::from(x / n);
        let term = factor / (a + N::from(n));
        sum = sum + term;
        if term.share_of(sum) <= 0.1 * f64::EPSILON {
            break;
        }
    }
    sum
}
