//! Colours that the colour-blind tell apart.
//!
//! Reference: Okabe, Ito, *Color Universal Design*, 2008, <https://jfly.uni-koeln.de/color/>.

use plotters::style::RGBColor;

/// What marks divergences, and nothing else: vermilion.
pub(super) const DIVERGENCE: RGBColor = RGBColor(213, 94, 0);
/// What is no chain's: points of pairs, lines of reference.
pub(super) const NEUTRAL: RGBColor = RGBColor(70, 70, 70);
/// Blue, orange, green, purple, sky blue, black: those of the palette that show on white.
const CHAINS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// The colour of a chain; the seventh has that of the first.
pub(super) fn chain(number: usize) -> RGBColor {
    CHAINS[number % CHAINS.len()]
}
