//! The diagnostics: against ArviZ on the same draws, and against what is known of them.

mod against_arviz;
mod information_criteria;
mod laws;
mod processes;
