//! Images of 28 x 28 grey levels in ten classes, the form that MNIST and Fashion-MNIST share.

/// Rows and columns of an image.
pub const SIDE: usize = 28;
/// Pixels of an image, `28 * 28`.
pub const PIXELS: usize = SIDE * SIDE;
/// Classes: labels are `0..10`.
pub const CLASSES: u8 = 10;

/// Which part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The images to fit.
    Train,
    /// The held-out images.
    Test,
}

impl Split {
    /// The usual names, without `.gz`, of this part's image file and label file.
    pub fn file_names(self) -> [&'static str; 2] {
        match self {
            Self::Train => ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
            Self::Test => ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
        }
    }
}

/// Images of 28 x 28 grey levels with their classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Digits {
    /// `len() * 784` grey levels in `[0, 1]` (byte / 255): image after image, row after row.
    pub pixels: Vec<f32>,
    /// The class of each image, `0..10`.
    pub labels: Vec<u8>,
}

impl Digits {
    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The 784 grey levels of image `i`; panics when `i >= len()`.
    pub fn image(&self, i: usize) -> &[f32] {
        &self.pixels[i * PIXELS..(i + 1) * PIXELS]
    }
}
