//! Pictures of pixels: the drawing library's own bitmaps, with text from DejaVu Sans, so that no font of the system is
//! needed.
//!
//! The drawing library takes fonts from the system, or from a table of the whole process; here letters are filled
//! directly.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use plotters::prelude::{BitMapBackend, DrawingBackend, IntoDrawingArea};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};

use super::options::PictureError;
use super::picture::Picture;
use super::render::{draw, size};

/// The bytes of a PNG file.
pub(super) fn png(picture: &Picture) -> Result<Vec<u8>, PictureError> {
    let failed = |problem: String| PictureError::Draw(problem);
    let (width, height) = size(picture);
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    let font = FontRef::try_from_slice(dejavu::sans::regular()).map_err(|error| failed(error.to_string()))?;
    let bitmap = BitMapBackend::with_buffer(&mut pixels, (width, height));
    let area = Lettered { bitmap, font }.into_drawing_area();
    draw(picture, &area).map_err(|error| failed(error.to_string()))?;
    drop(area);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|error| failed(error.to_string()))?;
    writer.write_image_data(&pixels).map_err(|error| failed(error.to_string()))?;
    writer.finish().map_err(|error| failed(error.to_string()))?;
    Ok(file)
}

/// A bitmap with a font.
struct Lettered<'a> {
    bitmap: BitMapBackend<'a>,
    font: FontRef<'static>,
}

type Outcome<'a> = Result<(), DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>>;

impl Lettered<'_> {
    /// The scale of letters of that size. Sizes are lines; the drawing library's SVG makes letters of size / 1.24.
    fn scale(&self, size: f64) -> PxScale {
        let line = self.font.height_unscaled() / self.font.units_per_em().unwrap_or(2048.0);
        PxScale::from((size / 1.24) as f32 * line)
    }

    fn width(&self, text: &str, scale: PxScale) -> f32 {
        let font = self.font.as_scaled(scale);
        text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum()
    }
}

impl<'a> DrawingBackend for Lettered<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.bitmap.get_size()
    }

    fn ensure_prepared(&mut self) -> Outcome<'a> {
        self.bitmap.ensure_prepared()
    }

    fn present(&mut self) -> Outcome<'a> {
        self.bitmap.present()
    }

    fn draw_pixel(&mut self, place: BackendCoord, colour: BackendColor) -> Outcome<'a> {
        self.bitmap.draw_pixel(place, colour)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Outcome<'a> {
        self.bitmap.draw_line(from, to, style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Outcome<'a> {
        self.bitmap.draw_rect(upper_left, bottom_right, style, fill)
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Outcome<'a> {
        let scale = self.scale(style.size());
        let (width, font) = (self.width(text, scale), self.font.clone());
        let font = font.as_scaled(scale);
        let mut left = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        let baseline = match style.anchor().v_pos {
            VPos::Top => font.ascent(),
            VPos::Center => font.ascent() / 2.0 - font.descent().abs() / 2.0,
            VPos::Bottom => -font.descent().abs(),
        };
        let (colour, turn) = (style.color(), style.transform());
        for letter in text.chars() {
            let glyph = font.glyph_id(letter);
            let advance = font.h_advance(glyph);
            if let Some(outline) = font.outline_glyph(glyph.with_scale_and_position(scale, point(left, baseline))) {
                let corner = outline.px_bounds().min;
                let mut outcome = Ok(());
                outline.draw(|dx, dy, coverage| {
                    let place = turn.transform(corner.x as i32 + dx as i32, corner.y as i32 + dy as i32);
                    let alpha = colour.alpha * f64::from(coverage.clamp(0.0, 1.0));
                    if outcome.is_ok() && alpha > 0.0 {
                        outcome = self.bitmap.draw_pixel((x + place.0, y + place.1), BackendColor { alpha, ..colour });
                    }
                });
                outcome?;
            }
            left += advance;
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Self::ErrorType>> {
        let scale = self.scale(style.size());
        Ok((self.width(text, scale).ceil() as u32, scale.y.ceil() as u32))
    }
}
