//! The first model: the program that README.md and the crate's documentation begin with.

use ppl::infer::{Adam, RunOptions, Svi, TraceElbo};
use ppl::prelude::*;

type Number = Tensor<()>;
type Points = Tensor<Rank1<5>>;

/// A line through five points whose heights were measured with an error of 0.5.
#[model]
fn line(x: &Points, y: &Points) {
    let slope: Number = sample!("slope", Normal::new(0.0, 10.0));
    let intercept: Number = sample!("intercept", Normal::new(0.0, 10.0));
    plate!("points", 5, |_| {
        sample!("height", Normal::new(slope * x + intercept, 0.5), obs = y);
    });
}

/// A guess at slope and intercept, to be fitted. Leave one of them out, or give it
/// another type than the model does, and this function does not compile.
#[guide(line)]
fn line_guide(_x: &Points, _y: &Points) {
    let loc: Number = param!("slope_loc", Number::scalar(0.0));
    let scale: Number = param!("slope_scale", Number::scalar(1.0), constraint = Positive);
    sample!("slope", Normal::new(loc, scale));

    let loc: Number = param!("intercept_loc", Number::scalar(0.0));
    let scale: Number = param!("intercept_scale", Number::scalar(1.0), constraint = Positive);
    sample!("intercept", Normal::new(loc, scale));
}

fn main() -> Result<(), ppl::Error> {
    let x = Tensor::from([-2.0, -1.0, 0.0, 1.0, 2.0]);
    let y = Tensor::from([-3.1, -0.8, 1.2, 2.9, 5.2]);

    // One run of the model: `LineTrace` has a field for each site.
    let ((), run) = trace(&line, (&x, &y), 0)?;
    let prior: LineTrace = run.typed()?;
    println!("before the data: a slope of {:.2}", prior.slope.value.item());

    // Stochastic variational inference fits the guide to what the data say.
    let mut svi = Svi::new(line, line_guide, Adam::new(0.01), TraceElbo::with_particles(8)).seed(0);
    svi.run(RunOptions::steps(1_500), (&x, &y))?;
    let fitted = |name| svi.params().constrained(name).expect("the guide has it").item();
    println!("after: a slope of {:.2} ± {:.2}", fitted("slope_loc"), fitted("slope_scale"));

    // The exact posterior: 2.03 ± 0.16 and 1.08 ± 0.22.
    assert!((fitted("slope_loc") - 2.03).abs() < 0.1 && (fitted("slope_scale") - 0.16).abs() < 0.05);
    assert!((fitted("intercept_loc") - 1.08).abs() < 0.1 && (fitted("intercept_scale") - 0.22).abs() < 0.07);
    Ok(())
}
