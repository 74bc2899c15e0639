//! The chorales to learn from: a file of all of them where there is one, or the few in this program.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::chorale_error::ChoraleError;

/// Keys of a piano: notes are `0..88`, which is the MIDI number less [`LOWEST`].
pub const KEYS: usize = 88;
/// The MIDI number of note 0, the lowest A.
pub const LOWEST: u8 = 21;
/// A folder of data sets: this variable may name one.
pub const DATA_VARIABLE: &str = "PPL_DATA";
/// The names under which the file may lie in a folder, best first.
pub const FILE_NAMES: [&str; 2] = ["jsb_chorales.json.gz", "jsb_chorales.json"];

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const SAMPLE: &[u8] = include_bytes!("data/sample.json.gz");

/// A piece of music: the notes that sound in each quarter note, ascending, in `0..88`. A step may be silent.
pub type Sequence = Vec<Vec<u8>>;

/// Chorales in three parts, none of them empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chorales {
    /// Those to fit.
    pub train: Vec<Sequence>,
    /// Held out, to watch the training.
    pub valid: Vec<Sequence>,
    /// Held out, to judge its result.
    pub test: Vec<Sequence>,
}

impl Chorales {
    /// Chorales and steps of the three parts of the file that the papers on this model use
    /// (Boulanger-Lewandowski, Bengio and Vincent, 2012).
    const OF_THE_PAPERS: [(usize, usize); 3] = [(229, 13_807), (76, 4_602), (77, 4_725)];

    /// The three parts, those to fit first.
    pub fn splits(&self) -> [&[Sequence]; 3] {
        [&self.train, &self.valid, &self.test]
    }

    /// Whether they are those of the papers on this model, by their counts.
    pub fn are_of_the_papers(&self) -> bool {
        self.splits().map(|split| (split.len(), time_steps(split))) == Self::OF_THE_PAPERS
    }
}

/// The steps of all sequences together.
pub fn time_steps(sequences: &[Sequence]) -> usize {
    sequences.iter().map(Vec::len).sum()
}

/// Where the chorales are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// The few in this program, of which `data/README.md` tells.
    Sample,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Sample => f.write_str("built-in sample"),
        }
    }
}

/// Reads the chorales.
///
/// `data_dir` is the user's `--data-dir`: the file or its folder; when given, no other place is looked into.
/// Without it, the places are the folder that the variable `PPL_DATA` names, then `../shared/data` beside the
/// project; where neither has the file, the result is the sample in this program.
///
/// # Errors
/// If `data_dir` has no such file, or the file found is not as it should be.
pub fn load(data_dir: Option<&Path>) -> Result<(Chorales, Source), ChoraleError> {
    load_from(data_dir, std::env::var_os(DATA_VARIABLE).as_deref())
}

fn load_from(data_dir: Option<&Path>, variable: Option<&OsStr>) -> Result<(Chorales, Source), ChoraleError> {
    let tried = places(data_dir, variable);
    for path in &tried {
        match std::fs::read(path) {
            Ok(bytes) => return Ok((decode(path, &bytes)?, Source::File(path.clone()))),
            Err(error) if is_missing(&error) => {}
            Err(source) => return Err(ChoraleError::Read { path: path.clone(), source }),
        }
    }
    match data_dir {
        Some(_) => Err(ChoraleError::NotFound { tried }),
        None => Ok((decode(Path::new("built in/sample.json.gz"), SAMPLE)?, Source::Sample)),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The files to try, best first.
fn places(data_dir: Option<&Path>, variable: Option<&OsStr>) -> Vec<PathBuf> {
    let inside = |dir: &Path| FILE_NAMES.map(|name| dir.join(name));
    match data_dir {
        Some(dir) if dir.is_dir() => inside(dir).into(),
        Some(file) => vec![file.to_owned()],
        None => {
            let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
            let named = variable.filter(|dir| !dir.is_empty()).map(PathBuf::from);
            named.into_iter().chain([shared]).flat_map(|dir| inside(&dir)).collect()
        }
    }
}

/// Numbers as they stand in the file, to be checked.
type Numbers = Vec<Vec<Vec<i64>>>;

#[derive(Deserialize)]
struct Content {
    train: Option<Numbers>,
    valid: Option<Numbers>,
    test: Option<Numbers>,
}

/// Reads the bytes of a file, gzipped or plain.
fn decode(path: &Path, bytes: &[u8]) -> Result<Chorales, ChoraleError> {
    let json = unpack(path, bytes)?;
    let content: Content =
        serde_json::from_slice(&json).map_err(|source| ChoraleError::Json { path: path.into(), source })?;
    let train = split(path, "train", content.train)?;
    let valid = split(path, "valid", content.valid)?;
    let test = split(path, "test", content.test)?;
    Ok(Chorales { train, valid, test })
}

fn unpack<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, ChoraleError> {
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes.into());
    }
    let mut json = Vec::new();
    match MultiGzDecoder::new(bytes).read_to_end(&mut json) {
        Ok(_) => Ok(json.into()),
        Err(source) => Err(ChoraleError::Gzip { path: path.into(), source }),
    }
}

fn split(path: &Path, split: &'static str, numbers: Option<Numbers>) -> Result<Vec<Sequence>, ChoraleError> {
    let numbers = numbers.ok_or_else(|| ChoraleError::NoSplit { path: path.into(), split })?;
    if numbers.is_empty() {
        return Err(ChoraleError::EmptySplit { path: path.into(), split });
    }
    let mut sequences = Vec::with_capacity(numbers.len());
    for (sequence, steps) in numbers.iter().enumerate() {
        if steps.is_empty() {
            return Err(ChoraleError::NoSteps { path: path.into(), split, sequence });
        }
        let checked = steps.iter().enumerate().map(|(step, values)| {
            notes(values).map_err(|wrong| match wrong {
                Wrong::Note { value } => ChoraleError::Note { path: path.into(), split, sequence, step, value },
                Wrong::Order { value, before } => {
                    ChoraleError::Order { path: path.into(), split, sequence, step, value, before }
                }
            })
        });
        sequences.push(checked.collect::<Result<_, _>>()?);
    }
    Ok(sequences)
}

/// What can be wrong with one step.
enum Wrong {
    Note { value: i64 },
    Order { value: i64, before: i64 },
}

fn notes(values: &[i64]) -> Result<Vec<u8>, Wrong> {
    let note = |&value: &i64| {
        let note = u8::try_from(value).ok().filter(|&note| usize::from(note) < KEYS);
        note.ok_or(Wrong::Note { value })
    };
    let notes = values.iter().map(note).collect::<Result<_, _>>()?;
    match values.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(Wrong::Order { value: pair[1], before: pair[0] }),
        None => Ok(notes),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const GOOD: &str = r#"{"train":[[[1,4],[],[87]],[[0]]],"valid":[[[2]]],"test":[[[3]]]}"#;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// The message for a file of these bytes, which must name the file.
    fn message(bytes: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAMES[0]);
        std::fs::write(&path, bytes).unwrap();
        let message = load(Some(dir.path())).unwrap_err().to_string();
        let rest = message.strip_prefix(&format!("{}: ", path.display()));
        rest.unwrap_or_else(|| panic!("the file is not named first in: {message}")).to_owned()
    }

    fn n_notes(sequences: &[Sequence]) -> usize {
        sequences.iter().flatten().map(Vec::len).sum()
    }

    #[test]
    fn packed_and_plain_files_are_read_from_their_folder_or_by_name() {
        for (name, bytes) in [(FILE_NAMES[0], gzip(GOOD)), (FILE_NAMES[1], GOOD.into()), ("other", gzip(GOOD))] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let expected = Chorales {
                train: vec![vec![vec![1, 4], vec![], vec![87]], vec![vec![0]]],
                valid: vec![vec![vec![2]]],
                test: vec![vec![vec![3]]],
            };
            let found = (expected, Source::File(path.clone()));
            assert_eq!(load(Some(&path)).unwrap(), found);
            if name != "other" {
                assert_eq!(load(Some(dir.path())).unwrap(), found);
                assert_eq!(load_from(None, Some(dir.path().as_os_str())).unwrap(), found);
            }
        }
    }

    #[test]
    fn a_data_dir_without_the_file_is_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let (given, variable) = (dir.path().join("given"), dir.path().join("variable"));
        std::fs::create_dir_all(&given).unwrap();
        std::fs::create_dir_all(&variable).unwrap();
        std::fs::write(variable.join(FILE_NAMES[1]), GOOD).unwrap();
        assert!(load_from(None, Some(variable.as_os_str())).is_ok());
        let message = load_from(Some(&given), Some(variable.as_os_str())).unwrap_err().to_string();
        for part in FILE_NAMES.map(|name| given.join(name)) {
            assert!(message.contains(&format!("\n  {}\n", part.display())), "{message}");
        }
        assert!(message.contains("--data-dir") && message.contains(DATA_VARIABLE), "{message}");
        assert!(!message.contains(variable.to_str().unwrap()), "{message}");
        for nowhere in [dir.path().join("nowhere"), variable.join(FILE_NAMES[1]).join("below a file")] {
            let message = load(Some(&nowhere)).unwrap_err().to_string();
            assert!(message.contains(&format!("\n  {}\n", nowhere.display())), "{message}");
        }
    }

    #[test]
    fn the_variable_comes_before_the_shared_folder_and_may_be_empty() {
        let places_of = |variable: &str| places(None, Some(OsStr::new(variable)));
        assert_eq!(places_of("/a")[..2], FILE_NAMES.map(|name| Path::new("/a").join(name)));
        assert_eq!(places_of("/a")[2..], places(None, None));
        assert_eq!(places_of(""), places(None, None));
        assert!(places(None, None).iter().all(|path| path.parent().unwrap().ends_with("../shared/data")));
    }

    #[test]
    fn the_sample_is_what_its_readme_says() {
        let chorales = decode(Path::new("sample"), SAMPLE).unwrap();
        let splits = chorales.splits();
        assert_eq!(splits.map(<[_]>::len), [24, 4, 4]);
        assert_eq!(splits.map(time_steps), [1378, 228, 308]);
        assert_eq!(splits.map(n_notes), [5363, 892, 1197]);
        assert!(!chorales.are_of_the_papers());
        assert!(SAMPLE.len() < 100 * 1024);
    }

    #[test]
    fn what_cannot_be_read_or_unpacked_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAMES[0]);
        std::fs::create_dir(&path).unwrap();
        let text = load(Some(dir.path())).unwrap_err().to_string();
        assert!(text.starts_with(&format!("{}: cannot be read: ", path.display())), "{text}");

        let packed = gzip(GOOD);
        let text = message(&packed[..packed.len() - 9]);
        assert!(text.starts_with("damaged gzip data: "), "{text}");
    }

    #[test]
    fn bad_json_is_named_with_line_and_column() {
        let cases = [
            ("{\"train\":[[[1]]],\n\"valid\":[[[x]]]}", "line 2 column 12"),
            ("{\"train\":[[[1]", "EOF while parsing a list at line 1 column 14"),
            ("{\"train\":[[[1.5]]]}", "floating point `1.5`, expected i64 at line 1 column 15"),
            ("", "EOF while parsing a value at line 1 column 0"),
        ];
        for (json, place) in cases {
            for text in [message(json.as_bytes()), message(&gzip(json))] {
                assert!(text.starts_with("not the JSON of chorales: ") && text.ends_with(place), "{text}");
            }
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_with_its_place() {
        let good = |valid: &str| GOOD.replace("[[[2]]]", valid);
        let cases = [
            (r#"{"train":[[[1]]],"test":[[[1]]]}"#.into(), "no \"valid\"; expected are \"train\", \"valid\" and"),
            (r#"{}"#.into(), "no \"train\"; expected are"),
            (good("[]"), "\"valid\" is empty, expected at least one sequence"),
            (good("[[[1]],[]]"), "\"valid\", sequence 1: no steps, expected at least one"),
            (good("[[[1]],[[],[5,88]]]"), "\"valid\", sequence 1, step 1: note 88 is outside of 0 to 87"),
            (good("[[[-1]]]"), "\"valid\", sequence 0, step 0: note -1 is outside of 0 to 87"),
            (good("[[[300]]]"), "\"valid\", sequence 0, step 0: note 300 is outside of 0 to 87"),
            (good("[[[2],[4,7,6]]]"), "\"valid\", sequence 0, step 1: note 6 follows 7, expected ascending notes"),
            (good("[[[7,7]]]"), "\"valid\", sequence 0, step 0: note 7 follows 7, expected ascending notes"),
        ];
        for (json, expected) in cases {
            let text = message(json.as_bytes());
            assert!(text.starts_with(expected), "{expected:?} does not begin: {text}");
        }
    }

    /// Counts of the file of the papers on this model (Boulanger-Lewandowski et al., 2012), by its own README.
    #[test]
    fn the_file_of_the_papers_has_its_known_counts() {
        let (chorales, source) = load(None).unwrap();
        let size = match &source {
            Source::File(path) => path.metadata().unwrap().len(),
            Source::Sample => return println!("skipped: {DATA_VARIABLE} and ../shared/data have no {}", FILE_NAMES[0]),
        };
        if size != 41_976 {
            return println!("skipped: {source} is another file, of {size} bytes");
        }
        let splits = chorales.splits();
        assert!(chorales.are_of_the_papers());
        assert_eq!(splits.map(<[_]>::len), [229, 76, 77]);
        assert_eq!(splits.map(time_steps), [13_807, 4_602, 4_725]);
        assert_eq!(splits.map(n_notes), [53_824, 17_811, 18_367]);
        let longest = |split: &[Sequence]| split.iter().map(Vec::len).max();
        assert_eq!(splits.map(longest), [Some(129), Some(144), Some(160)]);
    }
}
