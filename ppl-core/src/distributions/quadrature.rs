//! Gauss–Legendre quadrature, for the integrals that have no closed form.

use super::univariate::Dual;

/// The positive nodes of the rule with 16 points on [−1, 1], with their weights.
const RULE: [(f64, f64); 8] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_58),
    (0.458_016_777_657_227_37, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_8, 0.149_595_988_816_576_74),
    (0.755_404_408_355_003, 0.124_628_971_255_533_88),
    (0.865_631_202_387_831_8, 0.095_158_511_682_492_79),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_894),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_096),
];

/// Points of [0, 1] and their weights.
pub(super) fn unit_nodes() -> impl Iterator<Item = (f64, f64)> {
    RULE.into_iter().flat_map(|(x, w)| [(0.5 + 0.5 * x, 0.5 * w), (0.5 - 0.5 * x, 0.5 * w)])
}

/// The integral of `f` from `from` over a length, in equal panels of 16 points.
pub(super) fn integral(from: f64, length: f64, panels: usize, f: impl Fn(f64) -> f64) -> f64 {
    let step = length / panels as f64;
    let panel = |i: usize| unit_nodes().map(|(u, w)| w * f(from + step * (i as f64 + u))).sum::<f64>();
    step * (0..panels).map(panel).sum::<f64>()
}

/// The integrals of f, t f and t² f, with the derivatives of their ends and of f.
pub(super) fn dual_moments<const K: usize>(
    [from, to]: [Dual<K>; 2],
    panels: usize,
    f: impl Fn(Dual<K>) -> Dual<K>,
) -> [Dual<K>; 3] {
    let step = (to - from) / panels as f64;
    let mut sums = [Dual::constant(0.0); 3];
    for i in 0..panels {
        for (u, w) in unit_nodes() {
            let t = from + step * (i as f64 + u);
            let mut term = step * f(t) * w;
            for sum in &mut sums {
                *sum = *sum + term;
                term = term * t;
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_and_exponentials_are_exact() {
        let power: f64 = unit_nodes().map(|(u, w)| w * u.powi(31)).sum();
        assert!((power * 32.0 - 1.0).abs() < 1e-14);
        let area = integral(-1.0, 3.0, 2, f64::exp);
        assert!((area / (2.0_f64.exp() - (-1.0_f64).exp()) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn derivatives_reach_the_ends() {
        let [a, b] = Dual::variables([0.5, 2.0]);
        let [area, first, second] = dual_moments([a, b], 2, |t| t.square());
        assert!(
            (area.value - (8.0 - 0.125) / 3.0).abs() < 1e-14 && (first.value - (16.0 - 0.0625) / 4.0).abs() < 1e-14
        );
        assert!((area.slopes[0] + 0.25).abs() < 1e-13 && (second.slopes[1] - 16.0).abs() < 1e-12);
    }
}
