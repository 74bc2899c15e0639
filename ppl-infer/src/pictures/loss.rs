//! Losses of a run of variational inference, and what they are on average.

use crate::diagnostics::moving_average;

use super::options::{PictureError, PictureOptions, check_values};
use super::palette;
use super::panel::{Entry, Mark, Panel};
use super::picture::Picture;
use super::scale::Scale;
use super::trace::thinned;

/// The loss of each step, the mean of each and the `window` − 1 before it, and losses on other data by step. The axis of losses
/// spans what the second half of the steps and the means have, so that a steep beginning does not flatten the rest; what is
/// beyond it is left out. Of the options, only the title matters.
///
/// # Errors
/// If there are no losses, or one is not finite.
pub fn loss_plot(
    losses: &[f64],
    window: usize,
    validation: &[(u64, f64)],
    options: &PictureOptions,
) -> Result<Picture, PictureError> {
    if losses.is_empty() {
        return Err(PictureError::Nothing);
    }
    check_values("loss", &[losses.to_vec()])?;
    check_values("validation loss", &[validation.iter().map(|&(_, loss)| loss).collect()])?;
    let window = window.max(1);
    let means = moving_average(losses, window);
    let half = losses.len() / 2;
    let shown = || losses[half..].iter().chain(&means[half..]).copied().chain(validation.iter().map(|&(_, loss)| loss));
    let (low, high) = shown().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    let room = 0.5 * (high - low);
    let within = |points: Vec<(f64, f64)>| -> Vec<(f64, f64)> {
        points.into_iter().filter(|&(_, y)| y >= low - room && y <= high + room).collect()
    };
    let mut marks = vec![
        Mark::Line { points: within(thinned(losses)), colour: palette::chain(0), width: 1 },
        Mark::Line { points: within(thinned(&means)), colour: palette::chain(1), width: 2 },
    ];
    let mut legend = vec![
        Entry::new("loss of a step", palette::chain(0)),
        Entry::new(format!("mean of {window}"), palette::chain(1)),
    ];
    if !validation.is_empty() {
        let points = validation.iter().map(|&(step, loss)| (step as f64, loss)).collect();
        marks.push(Mark::Dots { points, colour: palette::chain(2), radius: 3, opacity: 1.0 });
        legend.push(Entry::new("validation", palette::chain(2)));
    }
    let last = validation.last().map_or(0.0, |&(step, _)| step as f64).max((losses.len() - 1) as f64);
    Ok(Picture {
        title: options.title.clone(),
        legend,
        columns: 1,
        cell: (840, 360),
        edge: (0, 0),
        panels: vec![Some(Panel {
            title: String::new(),
            x: Scale::over([0.0, last].into_iter()).label("step"),
            y: Scale::over([low - room, high + room].into_iter()).label("loss (nats)"),
            marks,
        })],
    })
}
