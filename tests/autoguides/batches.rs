//! Plates of latent sites that have some of their rows in a run: parameters of all rows, and unbiased losses.

use ppl::infer::autoguide::{AutoGuide, Blocks, Diagonal, Family, Named, PerSite, Point};
use ppl::infer::optim::Schedule;
use ppl::infer::{Adam, AutoGuideList, AutoNormal, InitStrategy, RunOptions, Svi, TraceElbo};
use ppl::prelude64::*;
use ppl::values::ValueMap;

type Vector = Tensor<(usize,)>;

const PEOPLE: usize = 5;
const Y: [f64; PEOPLE] = [0.4, 2.1, 0.9, 3.0, 0.2];

/// A rate for each person under a common Gamma prior, and a waiting time of each: positive values have a Jacobian.
#[model]
fn waiting(y: &Vector, batch: &[usize]) {
    let scale: Tensor<()> = sample!("scale", Gamma::new(2.0, 1.0));
    plate!("people", PEOPLE, rows = batch, |rows| {
        let rate: Vector = sample!("rate", Gamma::new(3.0, scale.expand((rows.len(),))));
        sample!("y", Exponential::new(rate), obs = y.gather::<(usize,)>(&rows.to_vec()));
    });
}

fn data() -> Vector {
    Tensor::vector(Y.to_vec())
}

/// Mean loss and its standard error with these rows, parameters at their first values.
fn loss<F>(guide: &AutoGuide<waiting, F, f64>, batch: &[usize], draws: u32) -> (f64, f64)
where
    F: Family<f64, Cpu> + Named + Clone,
{
    let mut svi = Svi::new(waiting, guide.clone(), Adam::new(0.01), TraceElbo::default()).seed(batch[0] as u64);
    let data = data();
    let losses: Vec<f64> = (0..draws).map(|_| svi.evaluate((&data, batch)).unwrap()).collect();
    let n = f64::from(draws);
    let mean = losses.iter().sum::<f64>() / n;
    (mean, (losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0) / n).sqrt())
}

/// The loss of all rows is the mean of those of all batches of two, within so many standard errors.
fn is_unbiased<F: Family<f64, Cpu> + Named + Clone>(family: F, draws: u32) {
    let all: Vec<usize> = (0..PEOPLE).collect();
    // Rates of e: each row left out, or a Jacobian that is not scaled, moves the loss by more than 2.
    let mut values = ValueMap::new();
    values.put("scale", Some(Tensor::<()>::from(1.0)));
    values.put("rate", Some(Vector::vector(vec![std::f64::consts::E; PEOPLE])));
    let init = InitStrategy::Values(values);
    let guide = AutoGuide::beginning(waiting, family, (&data(), &all[..]), &init, 1).unwrap();
    let pairs = (0..PEOPLE).flat_map(|i| (i + 1..PEOPLE).map(move |j| [j, i]));
    let parts: Vec<(f64, f64)> = pairs.map(|pair| loss(&guide, &pair, draws)).collect();
    let n = parts.len() as f64;
    let mean = parts.iter().map(|part| part.0).sum::<f64>() / n;
    let variance = parts.iter().map(|part| part.1.powi(2)).sum::<f64>() / (n * n);
    let (expected, error) = loss(&guide, &all, 10 * draws);
    // Five standard errors: a false alarm in 1.7 million runs, were the seed not fixed.
    let tolerance = 5.0 * (variance + error * error).sqrt() + 1e-10;
    assert!(tolerance < 0.3 && (mean - expected).abs() < tolerance, "{mean} for {expected} ± {tolerance}");
}

#[test]
fn losses_of_batches_are_unbiased() {
    // A point has no randomness: to the last digits.
    is_unbiased(Point, 1);
    // Of wide guides, so that a term which is scaled wrongly shows.
    is_unbiased(PerSite { init_scale: 0.5 }, 8000);
    is_unbiased(Diagonal { init_scale: 0.5 }, 8000);
}

/// A normal value for each person, and a measurement of each with error 0.5.
#[model]
fn measured(y: &Vector) {
    plate!("people", PEOPLE, subsample = 2, |rows| {
        let z: Vector = sample!("z", Normal::standard_like((rows.len(),)));
        sample!("y", Normal::new(z, 0.5), obs = y.gather::<(usize,)>(&rows.to_vec()));
    });
}

#[test]
fn drawn_batches_fit_every_row() {
    let data = data();
    let guide = AutoNormal::new(measured, &data).unwrap();
    assert_eq!((guide.dim(), guide.sites()[0].dims.clone()), (PEOPLE, vec![PEOPLE]));
    let adam = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: 6000, floor: 1e-4 });
    let mut svi = Svi::new(measured, guide.clone(), adam, TraceElbo::with_particles(8)).seed(2);
    svi.run(RunOptions::steps(6000), &data).unwrap();
    let posterior = guide.posterior(svi.params());
    // Prior precision 1, and 4 of the measurement. What Adam's last small steps leave; the seed is fixed.
    for (row, y) in Y.into_iter().enumerate() {
        assert!((posterior.loc[row] - 0.8 * y).abs() < 0.03 * 0.2_f64.sqrt(), "{:?}", posterior.loc);
        assert!((posterior.scale()[row] / 0.2_f64.sqrt() - 1.0).abs() < 0.03, "{:?}", posterior.scale());
    }
    // A median has the rows of its run, each its own.
    let median = guide.median(svi.params(), &data).unwrap();
    let z = median.z.value.to_vec();
    assert!(z.len() == 2 && z.iter().all(|z| posterior.loc.contains(z)), "{z:?} of {:?}", posterior.loc);
}

/// Rows of two plates, one within the other.
#[model]
fn table(outer: &[usize], inner: &[usize]) {
    plate!("rows", 3, rows = outer, |rows| {
        plate!("columns", 4, rows = inner, |columns| {
            let _: Tensor<(usize, usize, Const<2>)> =
                sample!("z", Normal::standard_like((rows.len(), columns.len(), Const::<2>)).to_event::<Axis<2>>());
        });
    });
}

#[test]
fn rows_of_nested_plates_keep_their_places() {
    let (outer, inner) = ([0, 1, 2], [0, 1, 2, 3]);
    let mut values = ValueMap::new();
    let numbers: Vec<f64> = (0..24).map(f64::from).collect();
    values.put("z", Some(Tensor::<(usize, usize, Const<2>)>::from_vec(numbers, (3, 4, Const::<2>))));
    let init = InitStrategy::Values(values);
    let guide = AutoGuide::beginning(table, PerSite::default(), (&outer[..], &inner[..]), &init, 0).unwrap();
    let params = ParamStore::<f64, Cpu>::new(0);
    let median = guide.median(&params, (&[2, 0][..], &[3, 1][..])).unwrap();
    let expected = [22.0, 23.0, 18.0, 19.0, 6.0, 7.0, 2.0, 3.0];
    assert_eq!(median.z.value.to_vec(), expected);
    // The same as a block of a list, in its median and in a run with next to no noise.
    let blocks = Blocks::new().rest(PerSite { init_scale: 1e-9 });
    let guide = AutoGuideList::beginning(table, blocks, (&outer[..], &inner[..]), &init, 0).unwrap();
    let median = guide.median(&params, (&[2, 0][..], &[3, 1][..])).unwrap();
    assert_eq!(median.z.value.to_vec(), expected);
    let draw = guide.draws(&params, (&[2, 0][..], &[3, 1][..]), 1, 5).unwrap().remove(0);
    assert!(draw.z.value.to_vec().iter().zip(expected).all(|(z, e)| (z - e).abs() < 1e-7), "{:?}", draw.z.value);
}
