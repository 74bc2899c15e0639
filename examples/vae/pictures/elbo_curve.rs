//! The course of the ELBO over the epochs as SVG.

use std::path::Path;

use plotters::prelude::SeriesLabelPosition;

use super::line_chart::{Line, LineChart, LineChartError};

/// Writes an SVG of the ELBO against the epoch: blue for training, orange for test, and a legend.
///
/// The points are `(epoch, ELBO in nats an image)`, by ascending epoch; one of the two may be empty.
pub fn elbo_curve(path: impl AsRef<Path>, train: &[(u32, f64)], test: &[(u32, f64)]) -> Result<(), LineChartError> {
    let lines = [Line { name: "training", points: train }, Line { name: "test", points: test }];
    let legend = SeriesLabelPosition::LowerRight;
    LineChart { quantity: "ELBO", unit: "nats per image", legend, lines: &lines }.write(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_has_both_series_with_every_point() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("elbo.svg");
        elbo_curve(&path, &[(1, -180.0), (2, -130.0), (3, -112.0)], &[(1, -140.0), (3, -110.0)]).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        for part in ["training", "test", "epoch", "ELBO (nats per image)", "-120"] {
            assert!(svg.contains(&format!("\n{part}\n")), "no text {part:?}");
        }
        for (colour, points) in [("#1F5FA6", 3), ("#D05418", 2)] {
            let marks = |kind: &str| svg.lines().filter(|line| line.starts_with(kind) && line.contains(colour)).count();
            assert_eq!(marks("<circle"), points, "dots of {colour}");
            assert_eq!(marks("<polyline"), 2, "the line of {colour} and its mark in the legend");
        }
    }

    #[test]
    fn one_point_or_a_flat_line_still_has_axes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("elbo.svg");
        elbo_curve(&path, &[(7, -100.0)], &[]).unwrap();
        elbo_curve(&path, &[], &[(u32::MAX, -100.0)]).unwrap();
        elbo_curve(&path, &[(0, 0.0), (1, 0.0)], &[(u32::MAX, 0.0)]).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("NaN"));
    }

    #[test]
    fn an_elbo_that_is_not_finite_is_named() {
        let path = Path::new("elbo.svg");
        let error = elbo_curve(path, &[(1, -100.0)], &[(4, f64::NAN)]).unwrap_err().to_string();
        assert_eq!(error, "elbo.svg: the test ELBO of epoch 4 is NaN, expected a finite number");
        let error = elbo_curve(path, &[], &[]).unwrap_err().to_string();
        assert_eq!(error, "elbo.svg: no ELBO to draw");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nowhere").join("elbo.svg");
        let error = elbo_curve(&path, &[(1, -100.0)], &[]).unwrap_err().to_string();
        assert!(error.contains("nowhere") && error.contains("cannot be written"), "{error}");
    }
}
