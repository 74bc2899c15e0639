//! The Deep Markov Model of the Pyro paper on chorales of Bach: `cargo run --release --example dmm`. The last line on
//! stdout is one JSON object.

pub mod args;
pub mod batch;
pub mod chorale_error;
pub mod chorales;
pub mod curves;
pub mod generation;
pub mod inference;
#[path = "../pictures/line_chart.rs"]
pub mod line_chart;
pub mod midi;
pub mod model;
pub mod network;
pub mod piano_roll;
pub mod progress;
pub mod training;

use std::process::ExitCode;

use args::Args;
use clap::Parser;

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    let args = Args::parse();
    // On a thread of the pool, so that the kernels' threads include the one that calls them.
    match rayon::scope(|_| training::train(&args).map_err(|error| error.to_string())) {
        Ok(summary) => {
            println!("{}", serde_json::to_string(&summary).expect("a summary is plain numbers and names"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("dmm: {error}");
            ExitCode::FAILURE
        }
    }
}
