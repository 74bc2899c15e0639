//! Pictures as files: whole, of the size they say, in both formats.

use std::path::{Path, PathBuf};

use ppl_infer::pictures::{
    Picture, PictureError, PictureOptions, density_plot, energy_plot, loss_plot, pair_plot, rank_plot, trace_plot,
};

use crate::posterior::draws;

type Plot = fn(&ppl_infer::Draws, &PictureOptions) -> Result<Picture, PictureError>;

pub(crate) const PLOTS: [(&str, Plot); 5] = [
    ("trace", trace_plot),
    ("rank", rank_plot),
    ("density", density_plot),
    ("pair", pair_plot),
    ("energy", energy_plot),
];

/// Where pictures go to be looked at: the folder that `PPL_PICTURES` names, or one that is removed.
fn folder() -> (PathBuf, Option<tempfile::TempDir>) {
    match std::env::var_os("PPL_PICTURES") {
        Some(folder) => (folder.into(), None),
        None => {
            let folder = tempfile::tempdir().unwrap();
            (folder.path().to_owned(), Some(folder))
        }
    }
}

fn options(name: &str) -> PictureOptions {
    let variables = if name == "pair" { vec!["mu".into(), "tau".into(), "school/theta[0]".into()] } else { Vec::new() };
    PictureOptions { variables, title: Some(format!("Eight schools: {name}")), ..PictureOptions::default() }
}

#[test]
fn every_picture_is_written_as_svg() {
    let (folder, _guard) = folder();
    let draws = draws(4, 500);
    for (name, plot) in PLOTS {
        let picture = plot(&draws, &options(name)).unwrap();
        let path = folder.join(format!("{name}.svg"));
        picture.write(&path).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        let (width, height) = picture.size();
        assert!(svg.starts_with(&format!("<svg width=\"{width}\" height=\"{height}\"")), "{name}");
        assert!(svg.trim_end().ends_with("</svg>") && svg.contains(&format!("Eight schools: {name}")), "{name}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
}

#[cfg(feature = "pictures-png")]
#[test]
fn every_picture_is_written_as_png() {
    let (folder, _guard) = folder();
    let draws = draws(4, 500);
    for (name, plot) in PLOTS {
        let picture = plot(&draws, &options(name)).unwrap();
        let path = folder.join(format!("{name}.png"));
        picture.write(&path).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), picture.size(), "{name}");
        // The title: dark letters in the first lines.
        let title = &pixels[..3 * info.width as usize * 40];
        let dark = title.chunks(3).filter(|pixel| pixel.iter().all(|&part| part < 80)).count();
        assert!(dark > 100, "{name}: {dark} dark pixels");
        assert_eq!(pixels[..3], [255; 3], "{name}: the paper is white");
    }
}

#[test]
fn other_formats_and_folders_are_errors() {
    let picture = energy_plot(&draws(2, 10), &PictureOptions::default()).unwrap();
    let error = picture.write("energy.jpeg").unwrap_err().to_string();
    assert!(error.starts_with("energy.jpeg: the name must end in `.svg`"), "{error}");
    let missing = Path::new("no/such/folder/energy.svg");
    let error = picture.write(missing).unwrap_err().to_string();
    assert!(error.starts_with("no/such/folder/energy.svg: cannot be written: "), "{error}");
}

#[test]
fn losses_are_drawn_with_their_means_and_those_on_other_data() {
    let losses: Vec<f64> =
        (0..5000).map(|i| 100.0 * (-f64::from(i) / 300.0).exp() + (f64::from(i) * 0.9).sin()).collect();
    let validation: Vec<(u64, f64)> = (1..=10).map(|i| (i * 500, 1.5 - 0.1 * i as f64)).collect();
    let options = PictureOptions { title: Some("A run".into()), ..PictureOptions::default() };
    let picture = loss_plot(&losses, 100, &validation, &options).unwrap();
    let (folder, _guard) = folder();
    let path = folder.join("loss.svg");
    picture.write(&path).unwrap();
    let svg = std::fs::read_to_string(&path).unwrap();
    assert!(svg.contains("A run") && svg.contains("mean of 100") && svg.contains("validation"));
    assert_eq!(svg.matches("<circle").count(), 10);
    assert!(!svg.contains("NaN"));
    assert!(matches!(loss_plot(&[], 10, &[], &options), Err(PictureError::Nothing)));
    let error = loss_plot(&[1.0, f64::INFINITY], 10, &[], &options).unwrap_err().to_string();
    assert!(error.contains("`loss`") && error.contains("draw 1"), "{error}");
}
