//! The data sets of the example and the places where their files are looked for.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::digits::{Digits, Split};
use super::idx::{self, Source};
use super::idx_error::IdxError;

/// A folder of data sets: this variable may name one.
pub const DATA_VARIABLE: &str = "PPL_DATA";

const DEBIAN_FASHION: &str = "/usr/share/datasets/fashion-mnist";

/// Images of 28 x 28 grey levels in ten classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dataset {
    /// 5,000 + 1,000 MNIST digits, part of this program
    Subset,
    /// All 60,000 + 10,000 MNIST digits, from files
    Mnist,
    /// The 60,000 + 10,000 pieces of clothing of Fashion-MNIST, from files
    Fashion,
}

/// A data set in its two parts.
#[derive(Clone, Debug)]
pub struct Splits {
    /// The images to fit.
    pub train: Digits,
    /// The held-out images.
    pub test: Digits,
}

/// Why a data set could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// No place holds any of its files.
    #[error("{}", not_found(*dataset, tried))]
    NotFound {
        /// The data set asked for.
        dataset: Dataset,
        /// The folders looked into, in order.
        tried: Vec<PathBuf>,
    },
    /// A folder was given with the data set that needs none.
    #[error(
        "--data-dir {} goes with --data mnist or fashion; the subset is part of this program",
        dir.display()
    )]
    NeedsNoFolder {
        /// The folder given.
        dir: PathBuf,
    },
    /// A file is missing beside the others, or is not as it should be.
    #[error(transparent)]
    Idx(#[from] IdxError),
}

fn not_found(dataset: Dataset, tried: &[PathBuf]) -> String {
    let mut text = format!("no {} files found; looked into\n", dataset.title());
    for dir in tried {
        text += &format!("  {}\n", dir.display());
    }
    let names = [Split::Train, Split::Test].map(Split::file_names).concat();
    text += &format!("Expected there, each plain or with .gz: {}.\n", names.join(", "));
    text += match dataset {
        Dataset::Fashion => "Debian has them as the package dataset-fashion-mnist. ",
        _ => "",
    };
    text += &format!("Name their folder by --data-dir or {DATA_VARIABLE}, or take --data subset, which needs no file.");
    text
}

impl Dataset {
    /// The name as written in prose.
    pub fn title(self) -> &'static str {
        match self {
            Self::Subset => "MNIST subset",
            Self::Mnist => "MNIST",
            Self::Fashion => "Fashion-MNIST",
        }
    }

    /// Reads both parts.
    ///
    /// `data_dir` is the user's `--data-dir`: the folder of the files or the one above it; when given,
    /// no other place is looked into. Without it, the places are what the variable `PPL_DATA` names,
    /// then `../shared/data` beside the project, then (Fashion-MNIST) where Debian puts the files.
    pub fn load(self, data_dir: Option<&Path>) -> Result<Splits, DatasetError> {
        match (self, data_dir) {
            (Self::Subset, None) => return Ok(subset()?),
            (Self::Subset, Some(dir)) => {
                return Err(DatasetError::NeedsNoFolder { dir: dir.into() });
            }
            _ => {}
        }
        let variable = std::env::var_os(DATA_VARIABLE);
        self.load_from(self.places(data_dir, variable.as_deref()))
    }

    fn load_from(self, tried: Vec<PathBuf>) -> Result<Splits, DatasetError> {
        let Some(dir) = tried.iter().find(|dir| holds_any(dir)) else {
            return Err(DatasetError::NotFound { dataset: self, tried });
        };
        let train = idx::read_dir(dir, Split::Train)?;
        let test = idx::read_dir(dir, Split::Test)?;
        Ok(Splits { train, test })
    }

    /// The folders to look into, best first.
    fn places(self, data_dir: Option<&Path>, variable: Option<&OsStr>) -> Vec<PathBuf> {
        if let Some(dir) = data_dir {
            let mut places = vec![dir.to_owned()];
            places.extend(self.subfolders(dir));
            return places;
        }
        let mut places = Vec::new();
        if let Some(dir) = variable.filter(|dir| !dir.is_empty()).map(Path::new) {
            places.extend(self.subfolders(dir));
            if self.may_be(dir) {
                places.push(dir.to_owned());
            }
        }
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        places.extend(self.subfolders(&project.join("../shared/data")));
        if self == Self::Fashion {
            places.push(DEBIAN_FASHION.into());
        }
        places
    }

    fn subfolders(self, dir: &Path) -> impl Iterator<Item = PathBuf> + use<'_> {
        let names: &[&str] = match self {
            Self::Fashion => &["fashion", "fashion-mnist"],
            _ => &["mnist"],
        };
        names.iter().map(|name| dir.join(name))
    }

    /// Both data sets use the same file names, so a folder is told apart by its own name: the variable
    /// names one folder for all data sets, and clothing must not pass for digits.
    fn may_be(self, dir: &Path) -> bool {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        name.to_lowercase().contains("fashion") == (self == Self::Fashion)
    }
}

fn holds_any(dir: &Path) -> bool {
    let names = [Split::Train, Split::Test].map(Split::file_names).concat();
    names.iter().flat_map(|name| idx::both_names(&dir.join(name))).any(|path| path.exists())
}

/// The built-in digits; `data/README.md` tells where they are from.
fn subset() -> Result<Splits, IdxError> {
    let files: [(&str, &[u8]); 4] = [
        ("train-images-idx3-ubyte.gz", include_bytes!("data/train-images-idx3-ubyte.gz")),
        ("train-labels-idx1-ubyte.gz", include_bytes!("data/train-labels-idx1-ubyte.gz")),
        ("t10k-images-idx3-ubyte.gz", include_bytes!("data/t10k-images-idx3-ubyte.gz")),
        ("t10k-labels-idx1-ubyte.gz", include_bytes!("data/t10k-labels-idx1-ubyte.gz")),
    ];
    let [train_images, train_labels, test_images, test_labels] =
        files.map(|(name, bytes)| Source { path: Path::new("built in").join(name), bytes: bytes.into() });
    let train = idx::decode(train_images, train_labels)?;
    let test = idx::decode(test_images, test_labels)?;
    Ok(Splits { train, test })
}

#[cfg(test)]
mod tests {
    use super::super::digits::PIXELS;
    use super::*;

    /// The files of a data set of one black image a part, whose label is `label`.
    fn write_set(dir: &Path, label: u8) {
        std::fs::create_dir_all(dir).unwrap();
        let mut images = [2051_u32, 1, 28, 28].map(u32::to_be_bytes).concat();
        images.extend([0; PIXELS]);
        let mut labels = [2049_u32, 1].map(u32::to_be_bytes).concat();
        labels.push(label);
        for split in [Split::Train, Split::Test] {
            let [image_name, label_name] = split.file_names();
            std::fs::write(dir.join(image_name), &images).unwrap();
            std::fs::write(dir.join(label_name), &labels).unwrap();
        }
    }

    fn label_from(dataset: Dataset, data_dir: Option<&Path>, variable: Option<&Path>) -> u8 {
        let places = dataset.places(data_dir, variable.map(Path::as_os_str));
        dataset.load_from(places).unwrap().train.labels[0]
    }

    #[test]
    fn the_subset_is_complete_and_balanced() {
        let Splits { train, test } = Dataset::Subset.load(None).unwrap();
        for (part, of_each_digit) in [(&train, 500), (&test, 100)] {
            assert_eq!(part.len(), 10 * of_each_digit);
            assert_eq!(part.pixels.len(), part.len() * PIXELS);
            for digit in 0..10 {
                let n = part.labels.iter().filter(|&&label| label == digit).count();
                assert_eq!(n, of_each_digit, "digit {digit}");
            }
            assert!(part.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
        }
        // Known from the original MNIST files; the README says how they were compared.
        let mean = train.pixels.iter().map(|&v| f64::from(v)).sum::<f64>() / train.pixels.len() as f64;
        assert!((mean - 0.131_319_629_8).abs() < 1e-8, "{mean}");
        assert_eq!(train.labels[..8], [8, 5, 6, 2, 5, 8, 4, 6]);
        assert_eq!(test.labels[..8], [9, 2, 0, 8, 8, 4, 7, 2]);
    }

    #[test]
    fn no_image_is_in_both_parts_of_the_subset() {
        let Splits { train, test } = Dataset::Subset.load(None).unwrap();
        let key = |image: &[f32]| -> Vec<u32> { image.iter().map(|v| v.to_bits()).collect() };
        let seen: std::collections::HashSet<_> = (0..train.len()).map(|i| key(train.image(i))).collect();
        assert_eq!(seen.len(), train.len());
        assert!((0..test.len()).all(|i| !seen.contains(&key(test.image(i)))));
    }

    #[test]
    fn the_data_dir_comes_before_the_variable() {
        let root = tempfile::tempdir().unwrap();
        let (given, variable) = (root.path().join("given"), root.path().join("variable"));
        write_set(&given, 1);
        write_set(&variable.join("mnist"), 2);
        assert_eq!(label_from(Dataset::Mnist, Some(&given), Some(&variable)), 1);
        assert_eq!(label_from(Dataset::Mnist, None, Some(&variable)), 2);
    }

    #[test]
    fn a_wrong_data_dir_is_not_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let (given, variable) = (root.path().join("given"), root.path().join("variable"));
        write_set(&variable, 2);
        let places = Dataset::Mnist.places(Some(&given), Some(variable.as_os_str()));
        let error = Dataset::Mnist.load_from(places).unwrap_err().to_string();
        for part in ["no MNIST files", given.to_str().unwrap(), "t10k-labels-idx1-ubyte", "--data subset"] {
            assert!(error.contains(part), "{part:?} is not in: {error}");
        }
        assert!(!error.contains(variable.to_str().unwrap()), "{error}");
    }

    #[test]
    fn clothing_is_not_taken_for_digits() {
        let root = tempfile::tempdir().unwrap();
        write_set(root.path(), 1);
        write_set(&root.path().join("fashion-mnist"), 2);
        assert_eq!(label_from(Dataset::Mnist, None, Some(root.path())), 1);
        assert_eq!(label_from(Dataset::Fashion, None, Some(root.path())), 2);
        let clothing = root.path().join("fashion-mnist");
        assert!(!Dataset::Mnist.places(None, Some(clothing.as_os_str())).contains(&clothing));
        assert_eq!(label_from(Dataset::Fashion, None, Some(&clothing)), 2);
    }

    #[test]
    fn missing_clothing_names_the_debian_package() {
        let tried = vec![PathBuf::from("/a"), PathBuf::from("/b")];
        let error = DatasetError::NotFound { dataset: Dataset::Fashion, tried }.to_string();
        for part in ["Fashion-MNIST", "/a", "/b", "dataset-fashion-mnist", "--data-dir", "PPL_DATA"] {
            assert!(error.contains(part), "{part:?} is not in: {error}");
        }
        let places = Dataset::Fashion.places(None, None);
        assert_eq!(places.last().unwrap(), Path::new(DEBIAN_FASHION));
    }

    #[test]
    fn one_missing_file_is_named() {
        let root = tempfile::tempdir().unwrap();
        write_set(root.path(), 1);
        std::fs::remove_file(root.path().join("t10k-labels-idx1-ubyte")).unwrap();
        let error = Dataset::Mnist.load(Some(root.path())).unwrap_err().to_string();
        assert!(error.contains("t10k-labels-idx1-ubyte.gz"), "{error}");
    }

    #[test]
    fn the_subset_refuses_a_folder() {
        let error = Dataset::Subset.load(Some(Path::new("/a"))).unwrap_err().to_string();
        assert!(error.contains("/a") && error.contains("--data mnist"), "{error}");
    }
}
