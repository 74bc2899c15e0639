//! Files that are either the old one or the new one: written aside, synced and renamed.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What failed, and why.
#[derive(Debug)]
pub(crate) struct Failed {
    /// What was being done.
    pub(crate) action: &'static str,
    /// What the system said.
    pub(crate) source: io::Error,
}

impl Failed {
    fn at(action: &'static str) -> impl FnOnce(io::Error) -> Failed {
        move |source| Failed { action, source }
    }
}

/// Puts a file of what `write` writes in the place of `path`.
///
/// # Errors
/// If a file operation fails; a file that was there before is then untouched.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Failed> {
    let (aside, file) = create_aside(path)?;
    let written = write_synced(file, write)
        .and_then(|()| std::fs::rename(&aside, path).map_err(Failed::at("renaming the new file into place")));
    if written.is_err() {
        // The error of the write matters; that of the clean-up does not.
        let _ = std::fs::remove_file(&aside);
    }
    written?;
    sync_folder(path);
    Ok(())
}

/// Creates a file beside `path` that nobody else writes.
fn create_aside(path: &Path) -> Result<(PathBuf, File), Failed> {
    let mut number = 0;
    loop {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{number}.tmp", std::process::id()));
        let aside = path.with_file_name(name);
        match File::create_new(&aside) {
            Ok(file) => return Ok((aside, file)),
            // Another thread is writing it, or a process of this number died while it did.
            Err(source) if source.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(source) => return Err(Failed { action: "creating a file beside it", source }),
        }
    }
}

fn write_synced(file: File, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Failed> {
    let mut writer = BufWriter::new(file);
    write(&mut writer).and_then(|()| writer.flush()).map_err(Failed::at("writing"))?;
    writer.get_ref().sync_all().map_err(Failed::at("syncing"))
}

/// Makes the renaming durable where the system allows it; the file is whole either way.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, |writer| writer.write_all(b"old")).unwrap();
        let half = |writer: &mut BufWriter<File>| writer.write_all(b"ne").and(Err(io::Error::other("no power")));
        let failed = replace(&path, half).unwrap_err();
        assert_eq!((failed.action, failed.source.to_string().as_str()), ("writing", "no power"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
