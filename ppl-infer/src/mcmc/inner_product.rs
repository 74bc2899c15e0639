//! Inner products in `f64`, whatever the elements are: energies and U-turn criteria are made of them.

use ppl_core::Dtype;

/// How many sums run side by side, so that a loop is vector code.
const LANES: usize = 8;

/// Σ aᵢ·bᵢ.
pub(crate) fn dot<E: Dtype>(a: &[E], b: &[E]) -> f64 {
    let (mut left, mut right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut sums = [0.0; LANES];
    for (a, b) in (&mut left).zip(&mut right) {
        for i in 0..LANES {
            sums[i] += a[i].wide() * b[i].wide();
        }
    }
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a.wide() * b.wide()).sum();
    rest + sums.iter().sum::<f64>()
}

/// Σ uᵢ·(aᵢ + bᵢ) and Σ vᵢ·(aᵢ + bᵢ) in one pass.
pub(crate) fn dots_with_sum<E: Dtype>([u, v]: [&[E]; 2], [a, b]: [&[E]; 2]) -> [f64; 2] {
    let n = u.len().min(v.len()).min(a.len()).min(b.len());
    let (u, v, a, b) = (&u[..n], &v[..n], &a[..n], &b[..n]);
    let whole = n - n % LANES;
    let mut sums = [[0.0; LANES]; 2];
    for at in (0..whole).step_by(LANES) {
        let (u, v, a, b) = (&u[at..][..LANES], &v[at..][..LANES], &a[at..][..LANES], &b[at..][..LANES]);
        for i in 0..LANES {
            let sum = a[i].wide() + b[i].wide();
            sums[0][i] += u[i].wide() * sum;
            sums[1][i] += v[i].wide() * sum;
        }
    }
    for i in whole..n {
        let sum = a[i].wide() + b[i].wide();
        sums[0][0] += u[i].wide() * sum;
        sums[1][0] += v[i].wide() * sum;
    }
    sums.map(|lanes| lanes.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_takes_part_at_every_length() {
        for n in 0..40_u32 {
            let numbers = |factor: f64| (1..=n).map(|i| factor * f64::from(i)).collect::<Vec<_>>();
            let (a, b, u) = (numbers(1.0), numbers(2.0), numbers(3.0));
            let squares: f64 = (1..=n).map(|i| f64::from(i * i)).sum();
            assert_eq!(dot(&a, &b), 2.0 * squares);
            assert_eq!(dots_with_sum([&u, &a], [&a, &b]), [9.0 * squares, 3.0 * squares]);
        }
    }

    #[test]
    fn single_elements_are_summed_in_double() {
        let ones = vec![1.0 + f32::EPSILON; 1 << 5];
        assert_eq!(dot(&ones, &ones), 32.0 * f64::from(1.0 + f32::EPSILON).powi(2));
    }
}
