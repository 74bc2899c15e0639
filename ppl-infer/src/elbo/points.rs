//! Numbers of draws on the host, and slopes in them back on the tape.

use ppl_core::backend::Backend;
use ppl_core::trace::{Numbers, SiteRecord};
use ppl_core::{Dtype, Error, Tensor};

/// The numbers of a site whose draws are pathwise, as `what` needs; `remedy` is what else to do.
pub(super) fn pathwise_numbers<'a, E: Dtype, D: Backend<E>>(
    site: &'a SiteRecord<E, D>,
    what: &str,
    remedy: &str,
) -> Result<&'a Numbers<E, D>, Error> {
    check_pathwise_site(site, what, remedy)?;
    site.numbers.as_ref().ok_or_else(|| {
        let problem = format!("{what} compares numbers, but its values are no tensors of the model's dtype; {remedy}");
        Error::Site { site: site.address.to_string(), problem }
    })
}

/// That the draws of a site are pathwise, as `what` needs; `remedy` is what else to do.
pub(super) fn check_pathwise_site<E: Dtype, D: Backend<E>>(
    site: &SiteRecord<E, D>,
    what: &str,
    remedy: &str,
) -> Result<(), Error> {
    if site.has_rsample {
        return Ok(());
    }
    let distribution = site.distribution;
    let problem = format!(
        "{what} needs draws with pathwise gradients, which {distribution} does not have; draw the site from another distribution, or {remedy}"
    );
    Err(Error::Site { site: site.address.to_string(), problem })
}

/// The first of some numbers that is not finite among those that count, as an error of its site.
pub(super) fn check_finite(
    site: &str,
    what: &str,
    numbers: &[f64],
    counts: impl Fn(usize) -> bool,
) -> Result<(), Error> {
    let Some(at) = (0..numbers.len()).find(|&at| counts(at) && !numbers[at].is_finite()) else { return Ok(()) };
    let problem = format!("{what} is {} at number {at}, so that it has no distance from others", numbers[at]);
    Err(Error::Site { site: site.to_owned(), problem })
}

/// A number whose slopes in the numbers of a draw are these.
pub(super) fn along<E: Dtype, D: Backend<E>>(numbers: &Numbers<E, D>, slopes: Vec<f64>) -> Tensor<(), E, D> {
    let slopes = Tensor::vector(slopes.into_iter().map(E::of).collect());
    (&numbers.values * slopes).sum_all()
}

/// The square of the distance of two points.
pub(super) fn square(x: &[f64], y: &[f64]) -> f64 {
    // Four sums side by side, which a processor adds up at once.
    let (mut sums, (xs, ys)) = ([0.0; 4], (x.chunks_exact(4), y.chunks_exact(4)));
    let rest = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
    for (x, y) in xs.zip(ys) {
        for at in 0..4 {
            sums[at] += (x[at] - y[at]) * (x[at] - y[at]);
        }
    }
    sums.iter().sum::<f64>() + rest
}
