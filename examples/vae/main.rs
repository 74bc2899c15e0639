//! The variational autoencoder of the Pyro paper, trained on real digits:
//! `cargo run --release --example vae`. The last line on stdout is one JSON object.

pub mod args;
pub mod dataset;
pub mod digits;
pub mod idx;
pub mod idx_error;
pub mod network;
pub mod pictures;
pub mod training;

use std::process::ExitCode;

use args::Args;
use clap::Parser;

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    match training::train(&Args::parse()) {
        Ok(summary) => {
            println!("{}", serde_json::to_string(&summary).expect("a summary is plain numbers and names"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("vae: {error}");
            ExitCode::FAILURE
        }
    }
}
