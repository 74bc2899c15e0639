//! Grids of grey images as PNG.

use std::path::Path;

use super::super::digits::{PIXELS, SIDE};
use super::{PictureError, draw_error, write};

/// Pixels of the picture for each pixel of an image, in both directions.
const ZOOM: usize = 2;
/// Pixels between images and around the grid.
const MARGIN: usize = 4;
/// Grey level of the margin.
const PAPER: u8 = 255;

/// Writes a PNG of 28 x 28 grey images at twice their size: `rows[i][k]` stands in row `i`, column `k`.
///
/// Grey levels run from 0 (black) to 1 (white); those outside are clipped. A row may be shorter than the
/// longest one. The picture is `4 + 60 * columns` wide and `4 + 60 * rows` high.
pub fn image_grid(path: impl AsRef<Path>, rows: &[Vec<&[f32]>]) -> Result<(), PictureError> {
    let path = path.as_ref();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    if columns == 0 {
        return Err(PictureError::Empty { path: path.into() });
    }
    check_images(path, rows)?;
    let cell = ZOOM * SIDE + MARGIN;
    let (width, height) = (MARGIN + cell * columns, MARGIN + cell * rows.len());
    let mut grey = vec![PAPER; width * height];
    for (i, row) in rows.iter().enumerate() {
        for (k, image) in row.iter().enumerate() {
            let corner = (MARGIN + cell * i) * width + MARGIN + cell * k;
            paint(&mut grey[corner..], width, image);
        }
    }
    let png = encode(width as u32, height as u32, &grey).map_err(|error| draw_error(path, error))?;
    write(path, &png)
}

fn check_images(path: &Path, rows: &[Vec<&[f32]>]) -> Result<(), PictureError> {
    for (row, images) in rows.iter().enumerate() {
        for (column, image) in images.iter().enumerate() {
            let path = || path.to_owned();
            if image.len() != PIXELS {
                return Err(PictureError::ImageSize { path: path(), row, column, found: image.len() });
            }
            if let Some(pixel) = image.iter().position(|v| v.is_nan()) {
                return Err(PictureError::Pixel { path: path(), row, column, pixel });
            }
        }
    }
    Ok(())
}

/// Paints one image; `grey` starts at its upper left corner and has `width` pixels a line.
fn paint(grey: &mut [u8], width: usize, image: &[f32]) {
    for y in 0..ZOOM * SIDE {
        let line = &mut grey[y * width..][..ZOOM * SIDE];
        let source = &image[y / ZOOM * SIDE..][..SIDE];
        for (pixels, &v) in line.chunks_exact_mut(ZOOM).zip(source) {
            pixels.fill((v.clamp(0.0, 1.0) * 255.0).round() as u8);
        }
    }
}

fn encode(width: u32, height: u32, grey: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.write_header()?.write_image_data(grey)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(path: &Path) -> (u32, u32, Vec<u8>) {
        let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut grey = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut grey).unwrap();
        assert_eq!(info.color_type, png::ColorType::Grayscale);
        (info.width, info.height, grey)
    }

    #[test]
    fn the_grid_has_each_image_in_its_place_at_twice_its_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("grid.png");
        let ramp: Vec<f32> = (0..PIXELS).map(|i| (i % 200) as f32 / 255.0).collect();
        let (dark, beyond) = (vec![-3.0; PIXELS], vec![7.0; PIXELS]);
        image_grid(&path, &[vec![&dark, &ramp, &beyond], vec![&dark]]).unwrap();
        let (width, height, grey) = decode(&path);
        assert_eq!((width, height), (4 + 3 * 60, 4 + 2 * 60));
        let at = |x: usize, y: usize| grey[y * width as usize + x];
        assert_eq!([at(0, 0), at(3, 3), at(60, 4), at(100, 100)], [PAPER; 4]);
        assert_eq!([at(4, 4), at(59, 59), at(4, 64), at(124, 4)], [0, 0, 0, 255]);
        for (x, y) in (0..56).flat_map(|x| (0..56).map(move |y| (x, y))) {
            assert_eq!(usize::from(at(64 + x, 4 + y)), (y / 2 * 28 + x / 2) % 200, "{x}, {y}");
        }
    }

    #[test]
    fn bad_images_are_named_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("grid.png");
        let (good, short) = (vec![0.0; PIXELS], vec![0.0; 10]);
        let mut broken = good.clone();
        broken[5] = f32::NAN;
        let cases: [(&[Vec<&[f32]>], &str); 4] = [
            (&[], "no images"),
            (&[vec![]], "no images"),
            (&[vec![&good], vec![&good, &short]], "row 1, column 1: expected 784 pixels, found 10"),
            (&[vec![&broken]], "row 0, column 0: pixel 5 is not a number"),
        ];
        for (rows, part) in cases {
            let error = image_grid(&path, rows).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("grid.png"), "{part:?} is not in: {error}");
            assert!(!path.exists());
        }
    }
}
