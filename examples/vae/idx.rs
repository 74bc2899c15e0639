//! Reads images and labels in the IDX format of MNIST, plain or gzipped, and names the file and what is
//! wrong with it when it cannot.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::digits::{CLASSES, Digits, PIXELS, SIDE, Split};
use super::idx_error::IdxError;

/// The number that an image file starts with: unsigned bytes in three dimensions.
pub const IMAGE_MAGIC: u32 = 2051;
/// The number that a label file starts with: unsigned bytes in one dimension.
pub const LABEL_MAGIC: u32 = 2049;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The content of an IDX file, read from the disk or built into the program.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name to use in errors.
    pub path: PathBuf,
    /// The bytes, plain or gzipped.
    pub bytes: Cow<'static, [u8]>,
}

/// `path` and `path` with `.gz`: the names under which a file may lie.
pub fn both_names(path: &Path) -> [PathBuf; 2] {
    let mut gzipped = OsString::from(path);
    gzipped.push(".gz");
    [path.to_owned(), gzipped.into()]
}

/// Reads the images of the IDX file at `path`, or else at `path` with `.gz`: `n * 784` bytes.
pub fn read_images(path: impl AsRef<Path>) -> Result<Vec<u8>, IdxError> {
    Source::open(path.as_ref())?.images()
}

/// Reads the labels of the IDX file at `path`, or else at `path` with `.gz`: `n` bytes in `0..10`.
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<u8>, IdxError> {
    Source::open(path.as_ref())?.labels()
}

/// Reads one part of the data set in `dir`, from files of the usual names.
pub fn read_dir(dir: impl AsRef<Path>, split: Split) -> Result<Digits, IdxError> {
    let [images, labels] = split.file_names().map(|name| dir.as_ref().join(name));
    decode(Source::open(&images)?, Source::open(&labels)?)
}

/// Puts the images and the labels of two files together.
pub fn decode(images: Source, labels: Source) -> Result<Digits, IdxError> {
    let (bytes, classes) = (images.images()?, labels.labels()?);
    let (n_images, n_labels) = (bytes.len() / PIXELS, classes.len());
    if n_images != n_labels {
        let (images, labels) = (images.path, labels.path);
        return Err(IdxError::Counts { images, n_images, labels, n_labels });
    }
    if n_images == 0 {
        return Err(IdxError::Empty { path: images.path });
    }
    let pixels = bytes.iter().map(|&v| f32::from(v) / 255.0).collect();
    Ok(Digits { pixels, labels: classes })
}

impl Source {
    /// Reads the first of the two names of `path` that exists.
    fn open(path: &Path) -> Result<Self, IdxError> {
        let tried = both_names(path);
        for path in tried.clone() {
            match std::fs::read(&path) {
                Ok(bytes) => {
                    return Ok(Self { path, bytes: bytes.into() });
                }
                Err(source) if source.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(IdxError::Read { path, source }),
            }
        }
        Err(IdxError::Missing { tried: tried.into() })
    }

    fn images(&self) -> Result<Vec<u8>, IdxError> {
        let bytes = self.unpack()?;
        let [n, rows, columns] = self.header(&bytes, "image", IMAGE_MAGIC)?;
        if [rows, columns] != [SIDE as u32; 2] {
            let path = self.path.clone();
            return Err(IdxError::ImageSize { path, rows, columns });
        }
        self.payload(&bytes, 16, u64::from(n) * PIXELS as u64)
    }

    fn labels(&self) -> Result<Vec<u8>, IdxError> {
        let bytes = self.unpack()?;
        let [n] = self.header(&bytes, "label", LABEL_MAGIC)?;
        let labels = self.payload(&bytes, 8, u64::from(n))?;
        match labels.iter().position(|&label| label >= CLASSES) {
            Some(index) => Err(IdxError::Label { path: self.path.clone(), index, found: labels[index] }),
            None => Ok(labels),
        }
    }

    fn unpack(&self) -> Result<Cow<'_, [u8]>, IdxError> {
        if !self.bytes.starts_with(&GZIP_MAGIC) {
            return Ok(Cow::Borrowed(&self.bytes));
        }
        let mut bytes = Vec::new();
        match MultiGzDecoder::new(&*self.bytes).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes.into()),
            Err(source) => Err(IdxError::Gzip { path: self.path.clone(), source }),
        }
    }

    /// Checks the magic number and returns the `N` sizes that follow it; all are big-endian.
    fn header<const N: usize>(&self, bytes: &[u8], kind: &'static str, expected: u32) -> Result<[u32; N], IdxError> {
        let mut words = bytes.chunks_exact(4).map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]]));
        match words.next() {
            Some(found) if found != expected => {
                let path = self.path.clone();
                return Err(IdxError::Magic { path, kind, expected, found });
            }
            _ if words.len() < N => return Err(self.truncated(4 + 4 * N as u64, bytes)),
            _ => {}
        }
        Ok(std::array::from_fn(|_| words.next().expect("the length was checked above")))
    }

    /// The bytes from `start` to the end, which must be `len`.
    fn payload(&self, bytes: &[u8], start: usize, len: u64) -> Result<Vec<u8>, IdxError> {
        let (expected, found) = (start as u64 + len, bytes.len() as u64);
        if found < expected {
            return Err(self.truncated(expected, bytes));
        }
        if found > expected {
            return Err(IdxError::Trailing { path: self.path.clone(), expected, found });
        }
        Ok(bytes[start..].to_vec())
    }

    fn truncated(&self, expected: u64, bytes: &[u8]) -> IdxError {
        IdxError::Truncated { path: self.path.clone(), expected, found: bytes.len() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    const IMAGES: &str = "train-images-idx3-ubyte";
    const LABELS: &str = "train-labels-idx1-ubyte";

    fn idx(header: &[u32], payload: &[u8]) -> Vec<u8> {
        let mut bytes: Vec<u8> = header.iter().flat_map(|n| n.to_be_bytes()).collect();
        bytes.extend(payload);
        bytes
    }

    fn two_images() -> Vec<u8> {
        idx(&[IMAGE_MAGIC, 2, 28, 28], &[[0; PIXELS], [255; PIXELS]].concat())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A folder with these two files, and the training part read from it.
    fn read(images: (&str, Vec<u8>), labels: (&str, Vec<u8>)) -> Result<Digits, IdxError> {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in [images, labels] {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        read_dir(dir.path(), Split::Train)
    }

    /// The error for this image file beside two good labels.
    fn image_error(bytes: Vec<u8>) -> String {
        let labels = idx(&[LABEL_MAGIC, 2], &[7, 3]);
        let error = read((IMAGES, bytes), (LABELS, labels)).unwrap_err().to_string();
        assert!(error.contains(IMAGES), "{error}");
        error
    }

    fn label_error(bytes: Vec<u8>) -> String {
        let error = read((IMAGES, two_images()), (LABELS, bytes)).unwrap_err().to_string();
        assert!(error.contains(LABELS), "{error}");
        error
    }

    #[track_caller]
    fn assert_says(error: &str, part: &str) {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }

    #[test]
    fn plain_and_gzipped_files_are_told_by_their_bytes() {
        let labels = idx(&[LABEL_MAGIC, 2], &[7, 3]);
        let plain = read((IMAGES, two_images()), (LABELS, labels.clone())).unwrap();
        assert_eq!((plain.len(), &*plain.labels), (2, &[7, 3][..]));
        assert!(plain.image(0).iter().all(|&v| v == 0.0) && plain.image(1).iter().all(|&v| v == 1.0));
        let gz = |name: &str| format!("{name}.gz");
        let packed = read((&gz(IMAGES), gzip(&two_images())), (&gz(LABELS), gzip(&labels)));
        assert_eq!(packed.unwrap(), plain);
        let misnamed = read((IMAGES, gzip(&two_images())), (&gz(LABELS), labels));
        assert_eq!(misnamed.unwrap(), plain);
    }

    #[test]
    fn a_missing_file_lists_the_names_tried() {
        let dir = tempfile::tempdir().unwrap();
        let error = read_images(dir.path().join(IMAGES)).unwrap_err().to_string();
        let plain = dir.path().join(IMAGES).display().to_string();
        assert_eq!(error, format!("no such file; tried {plain}, {plain}.gz"));
        let error = read_labels(dir.path().join(LABELS)).unwrap_err();
        assert!(matches!(error, IdxError::Missing { .. }));
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_says(&read_images(dir.path()).unwrap_err().to_string(), "cannot be read");
    }

    #[test]
    fn truncated_files_and_headers() {
        let mut bytes = two_images();
        bytes.pop();
        assert_says(&image_error(bytes), "truncated: expected 1584 bytes, found 1583");
        assert_says(&image_error(two_images()[..15].into()), "expected 16 bytes, found 15");
        assert_says(&image_error(Vec::new()), "expected 16 bytes, found 0");
        assert_says(&label_error(idx(&[LABEL_MAGIC, u32::MAX], &[1])), "expected 4294967303 bytes, found 9");
    }

    #[test]
    fn trailing_bytes() {
        let mut bytes = two_images();
        bytes.push(0);
        assert_says(&image_error(bytes), "trailing bytes: expected 1584 bytes, found 1585");
    }

    #[test]
    fn foreign_files() {
        assert_says(
            &image_error(idx(&[LABEL_MAGIC, 2], &[7, 3])),
            "expected it to start with the number 2051, found 2049 (a label file)",
        );
        assert_says(&label_error(b"%PDF-1.7".to_vec()), "not an IDX label file");
    }

    #[test]
    fn images_of_another_size() {
        let bytes = idx(&[IMAGE_MAGIC, 2, 32, 32], &[0; 2048]);
        assert_says(&image_error(bytes), "expected images of 28 x 28, found 32 x 32");
    }

    #[test]
    fn labels_that_are_no_class() {
        assert_says(&label_error(idx(&[LABEL_MAGIC, 2], &[9, 10])), "label 1 is 10, expected 0 to 9");
    }

    #[test]
    fn counts_that_differ() {
        let error = label_error(idx(&[LABEL_MAGIC, 3], &[7, 3, 1]));
        assert_says(&error, "has 2 images");
        assert_says(&error, "has 3 labels");
        let none = (idx(&[IMAGE_MAGIC, 0, 28, 28], &[]), idx(&[LABEL_MAGIC, 0], &[]));
        let error = read((IMAGES, none.0), (LABELS, none.1)).unwrap_err();
        assert_says(&error.to_string(), "at least one image");
    }

    #[test]
    fn damaged_gzip_data() {
        let packed = gzip(&two_images());
        let mut wrong_sum = packed.clone();
        wrong_sum[packed.len() - 8] ^= 1;
        assert_says(&image_error(wrong_sum), "damaged gzip data");
        assert_says(&image_error(packed[..packed.len() - 1].into()), "damaged gzip data");
    }
}
