//! Scalar implicature by rational speech acts: who hears "some" understands "not all", since a speaker who meant all would have said
//! so. Each agent is a model that asks what another would do, by a query of its own.
//! `cargo run --release --example scalar_implicature`
//!
//! Known: the posteriors, by hand. Reference: Goodman and Stuhlmüller, *Knowledge and implicature* (2013), as webPPL's example. The
//! last line on stdout is one JSON object.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::infer::{Executions, Explored};
use ppl::prelude64::*;
use serde_json::{Value, json};

type Scalar = Tensor<()>;
type Category = Tensor<(), usize>;

/// How many apples there are; any number of them may be red.
const APPLES: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Utterance {
    None,
    Some,
    All,
}

const UTTERANCES: [Utterance; 3] = [Utterance::None, Utterance::Some, Utterance::All];

impl Utterance {
    fn is_true(self, red: usize) -> bool {
        match self {
            Utterance::None => red == 0,
            Utterance::Some => red > 0,
            Utterance::All => red == APPLES,
        }
    }
}

/// How many are red, for one who takes the utterance literally.
#[model]
fn literal_listener(utterance: Utterance) -> usize {
    let red: Category = sample!("red", Categorical::new(Tensor::from([1.0; APPLES + 1])));
    let red = red.to_vec()[0];
    factor!("truth", Scalar::scalar(if utterance.is_true(red) { 0.0 } else { f64::NEG_INFINITY }));
    red
}

/// What one says who wants a literal listener to understand how many are red.
#[model]
fn speaker(red: usize, rationality: f64) -> Result<Utterance, String> {
    let utterance: Category = sample!("utterance", Categorical::new(Tensor::from([1.0; UTTERANCES.len()])));
    let utterance = UTTERANCES[utterance.to_vec()[0]];
    let heard = Executions::of(literal_listener, (utterance,)).explore().map_err(|error| error.to_string())?;
    factor!("informative", Scalar::scalar(rationality * heard.log_probability(&red)));
    Ok(utterance)
}

/// How many are red, for one who asks why the speaker said so.
#[model]
fn pragmatic_listener(utterance: Utterance, rationality: f64) -> Result<usize, String> {
    let red: Category = sample!("red", Categorical::new(Tensor::from([1.0; APPLES + 1])));
    let red = red.to_vec()[0];
    let said = Executions::of(speaker, (red, rationality)).explore().map_err(|error| error.to_string())?;
    let logits = UTTERANCES.map(|utterance| said.log_probability(&Ok(utterance)));
    sample!(
        "said",
        Categorical::from_logits(Tensor::from(logits)),
        obs = Category::from_vec(vec![utterance as usize], ())
    );
    Ok(red)
}

/// Rational speech acts about apples.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// How much better the speaker likes the better utterance
    #[arg(long, default_value_t = 1.0)]
    rationality: f64,
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let Options { rationality } = *options;
    if !(rationality > 0.0 && rationality.is_finite()) {
        return Err(format!("--rationality must be positive, but it is {rationality}").into());
    }
    let literal = Executions::of(literal_listener, (Utterance::Some,)).explore()?;
    let heard: Explored<Result<usize, String>> =
        Executions::of(pragmatic_listener, (Utterance::Some, rationality)).explore()?;
    if let Some(error) = heard.iter().find_map(|(red, _)| red.as_ref().err()) {
        return Err(error.clone().into());
    }
    // Of three red apples a speaker says "some" with this probability, else "all"; of one or two always.
    let some_of_three = 1.0 / (1.0 + 3.0_f64.powf(rationality));
    let known = [0.0, 1.0, 1.0, some_of_three].map(|weight| weight / (2.0 + some_of_three));
    let found = [0, 1, 2, 3].map(|red| heard.probability(&Ok(red)));
    for red in 0..=APPLES {
        eprintln!("some: {red} red, literally {:.4}, by its sense {:.4}", literal.probability(&red), found[red]);
        if (found[red] - known[red]).abs() > 1e-10 {
            return Err(format!("{red} red apples have probability {}, but {} by hand", found[red], known[red]).into());
        }
    }
    let literally = [0, 1, 2, 3].map(|red| literal.probability(&red));
    Ok(json!({
        "example": "scalar_implicature", "rationality": rationality, "literal": literally,
        "pragmatic": found,
    }))
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("scalar_implicature: {error}");
            ExitCode::FAILURE
        }
    }
}
