//! Pictures of draws: traces, ranks, densities, pairs and energies, as SVG (feature `pictures`) and PNG (feature
//! `pictures-png`).
//!
//! Each kind is a function of [`Draws`](crate::Draws) and [`PictureOptions`] that gives a [`Picture`].

#![cfg(feature = "pictures")]

// What to show, and why it cannot be.
mod options;
// Colours that the colour-blind tell apart.
mod palette;
// What an axis spans, and the numbers along it.
mod scale;
// What a picture is made of, whoever draws it.
mod panel;
// Densities of draws, smoothed.
mod kernel_density;
// Text in pictures of pixels, from a font of the crate's own.
#[cfg(feature = "pictures-png")]
mod bitmap;
// Panels, drawn.
mod render;
// A picture, and its files.
mod picture;
// Draws in their order.
mod trace;
// Ranks of each chain among all.
mod rank;
// Densities of each chain.
mod density;
// Two quantities against one another.
mod pair;
// Energies and their steps.
mod energy;
// Losses of a run of variational inference.
mod loss;

pub use density::density_plot;
pub use energy::energy_plot;
pub use kernel_density::KernelDensity;
pub use loss::loss_plot;
pub use options::{PictureError, PictureOptions};
pub use pair::pair_plot;
pub use picture::Picture;
pub use rank::{rank_counts, rank_plot};
pub use trace::trace_plot;
