//! Panels, drawn on whatever the drawing library can draw on.

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::panel::{Entry, Mark, Panel};
use super::picture::Picture;
use super::scale::{Scale, Ticks};

/// The height of the line above all.
const TITLE: u32 = 34;
/// The height of a line of the legend.
const LEGEND: u32 = 24;
/// The distance from the picture's edge.
const MARGIN: u32 = 12;
/// How wide a letter of size 1 is taken to be: the SVG's font is the viewer's.
const LETTER: f64 = 0.52;
/// The room for numbers below and beside a panel, for what an axis is of, and beside an axis without numbers.
const TICKS: (u32, u32) = (52, 22);
const LABEL: u32 = 18;
const BARE: u32 = 6;
/// What a panel with numbers and labels needs more than one without.
pub(super) const EDGE: (u32, u32) = (TICKS.0 + LABEL - BARE, TICKS.1 + LABEL - BARE);
const FONT: &str = "sans-serif";

type Outcome<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;
type Axes<'a, DB> = ChartContext<'a, DB, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Width and height of a picture.
pub(super) fn size(picture: &Picture) -> (u32, u32) {
    let rows = picture.panels.len().div_ceil(picture.columns) as u32;
    let width = 2 * MARGIN + picture.edge.0 + picture.columns as u32 * picture.cell.0;
    (width, 2 * MARGIN + above(picture, width) + rows * picture.cell.1 + picture.edge.1)
}

/// The height of what stands above the panels.
fn above(picture: &Picture, width: u32) -> u32 {
    let title = if picture.title.is_some() { TITLE } else { 0 };
    title + legend_places(&picture.legend, width).last().map_or(0, |(_, y)| *y as u32 + LEGEND)
}

/// Draws a picture on an area of its size.
pub(super) fn draw<DB: DrawingBackend>(picture: &Picture, area: &DrawingArea<DB, Shift>) -> Outcome<DB> {
    area.fill(&WHITE)?;
    let (width, _) = area.dim_in_pixel();
    let mut top = MARGIN as i32;
    if let Some(title) = &picture.title {
        write(area, &shown(title, width, 19), (width as i32 / 2, top), 19, HPos::Center)?;
        top += TITLE as i32;
    }
    for (entry, (x, y)) in picture.legend.iter().zip(legend_places(&picture.legend, width)) {
        draw_entry(area, entry, (x, top + y))?;
    }
    let top = (MARGIN + above(picture, width)) as i32;
    let [cell, edge] = [picture.cell, picture.edge].map(|(width, height)| (width as i32, height as i32));
    let last = picture.panels.len().div_ceil(picture.columns) as i32 - 1;
    for (number, panel) in picture.panels.iter().enumerate() {
        let Some(panel) = panel else { continue };
        let (row, column) = ((number / picture.columns) as i32, (number % picture.columns) as i32);
        let left = if column == 0 { 0 } else { edge.0 };
        let (x, y) = (MARGIN as i32 + left + column * cell.0, top + row * cell.1);
        let size = (cell.0 + edge.0 - left, cell.1 + if row == last { edge.1 } else { 0 });
        let place = area.clone().shrink((x, y), size);
        draw_panel(panel, &place)?;
    }
    area.present()
}

/// Where each entry begins, line after line.
fn legend_places(legend: &[Entry], width: u32) -> Vec<(i32, i32)> {
    let (mut x, mut y) = (MARGIN as i32, 0);
    let place = |entry: &Entry| {
        let swatch = if entry.colour.is_some() { 30 } else { 0 };
        let length = swatch + (LETTER * 15.0 * entry.name.chars().count() as f64) as i32 + 22;
        if x + length > (width - MARGIN) as i32 && x > MARGIN as i32 {
            (x, y) = (MARGIN as i32, y + LEGEND as i32);
        }
        x += length;
        (x - length, y)
    };
    legend.iter().map(place).collect()
}

fn draw_entry<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, entry: &Entry, (x, y): (i32, i32)) -> Outcome<DB> {
    let mut text = x;
    if let Some(colour) = entry.colour {
        area.draw(&Rectangle::new([(x, y + 5), (x + 22, y + 9)], colour.filled()))?;
        text += 30;
    }
    write(area, &shown(&entry.name, 10_000, 15), (text, y), 15, HPos::Left)
}

fn write<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    text: &str,
    place: (i32, i32),
    size: u32,
    side: HPos,
) -> Outcome<DB> {
    let style = (FONT, size).into_font().color(&BLACK).pos(Pos::new(side, VPos::Top));
    area.draw(&Text::new(text.to_owned(), place, style))
}

/// Text that fits in so many pixels, its middle left out if need be, and has only what XML may have.
fn shown(text: &str, width: u32, size: u32) -> String {
    let fits = (f64::from(width) / (LETTER * f64::from(size))) as usize;
    let letters: Vec<char> = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if letters.len() <= fits {
        return letters.into_iter().collect();
    }
    // Scopes stand in front, indices at the end.
    let end = fits.saturating_sub(1).div_ceil(2);
    let start = fits.saturating_sub(1 + end);
    letters[..start].iter().chain(&['…']).chain(&letters[letters.len() - end..]).collect()
}

fn draw_panel<DB: DrawingBackend>(panel: &Panel, area: &DrawingArea<DB, Shift>) -> Outcome<DB> {
    let (width, _) = area.dim_in_pixel();
    let title = if panel.title.is_empty() { 4 } else { 24 };
    if !panel.title.is_empty() {
        let left = 4 + label_area(&panel.y, TICKS.0);
        let middle = (left + width - 14) as i32 / 2;
        write(area, &shown(&panel.title, width - left, 15), (middle, 2), 15, HPos::Center)?;
    }
    let mut axes = ChartBuilder::on(area)
        .margin_top(title)
        .margin_right(14)
        .margin_bottom(4)
        .margin_left(4)
        .x_label_area_size(label_area(&panel.x, TICKS.1))
        .y_label_area_size(label_area(&panel.y, TICKS.0))
        .build_cartesian_2d(panel.x.span.clone(), panel.y.span.clone())?;
    draw_axes(panel, area.dim_in_pixel(), &mut axes)?;
    panel.marks.iter().try_for_each(|mark| draw_mark(mark, panel, &mut axes))
}

/// The room for what is written along an axis.
fn label_area(scale: &Scale, ticks: u32) -> u32 {
    let label = if scale.label.is_empty() { 0 } else { LABEL };
    match scale.ticks {
        Ticks::Numbers => ticks + label,
        Ticks::Whole => ticks.min(28) + label,
        Ticks::None => BARE + label,
        Ticks::Hidden => ticks + LABEL,
    }
}

fn draw_axes<DB: DrawingBackend>(panel: &Panel, (width, height): (u32, u32), axes: &mut Axes<DB>) -> Outcome<DB> {
    let beside = label_area(&panel.y, TICKS.0) + 18;
    let [x, y] = [shown(&panel.x.label, width - beside, 14), shown(&panel.y.label, height - 40, 14)];
    let tick = |scale: &Scale| if matches!(scale.ticks, Ticks::None | Ticks::Hidden) { 0 } else { 5 };
    axes.configure_mesh()
        .set_tick_mark_size(LabelAreaPosition::Bottom, tick(&panel.x))
        .set_tick_mark_size(LabelAreaPosition::Left, tick(&panel.y))
        .x_desc(x)
        .y_desc(y)
        .x_labels((width / 80) as usize)
        .y_labels((height / 34) as usize)
        .x_label_formatter(&|v| panel.x.tick(*v))
        .y_label_formatter(&|v| panel.y.tick(*v))
        .label_style((FONT, 13))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.08))
        .draw()
}

fn draw_mark<DB: DrawingBackend>(mark: &Mark, panel: &Panel, axes: &mut Axes<DB>) -> Outcome<DB> {
    match mark {
        Mark::Line { points, colour, width } => {
            axes.draw_series([PathElement::new(points.clone(), colour.stroke_width(*width))])?;
        }
        Mark::Dots { points, colour, radius, opacity } => {
            let style = colour.mix(*opacity).filled();
            axes.draw_series(points.iter().map(|&point| Circle::new(point, *radius, style)))?;
        }
        Mark::Bars { corners, colour } => {
            axes.draw_series(corners.iter().map(|&corners| Rectangle::new(corners, colour.mix(0.75).filled())))?;
        }
        Mark::Rug { places, colour } => {
            let (low, high) = (panel.y.span.start, panel.y.span.end);
            let stroke = |&x: &f64| PathElement::new(vec![(x, low), (x, low + 0.05 * (high - low))], *colour);
            axes.draw_series(places.iter().map(stroke))?;
        }
    }
    Ok(())
}
