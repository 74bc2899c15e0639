//! A save puts a whole file in the place of the old one or leaves the old one.

use std::path::Path;

use crate::switch::{data, fresh, future, trained};

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_save_leaves_one_file_and_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut run = trained();
    run.save(&path).unwrap();
    run.step((&data(), true)).unwrap();
    run.save(&path).unwrap();
    assert_eq!(names(folder.path()), ["run.safetensors"]);
    let mut loaded = fresh();
    loaded.load(&path, (&data(), true)).unwrap();
    assert_eq!(loaded.steps(), 5);
    assert!(future(&loaded) == future(&run));
}

#[test]
fn a_save_that_cannot_be_put_in_place_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::create_dir_all(taken.join("inside")).unwrap();
    let error = trained().save(&taken).unwrap_err().to_string();
    assert!(error.starts_with(&taken.display().to_string()) && error.contains("into place"), "{error}");
    assert_eq!(names(folder.path()), ["taken"]);
}

#[test]
fn a_folder_that_is_missing_or_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for path in [folder.path().join("missing/run.safetensors"), file.join("run.safetensors")] {
        let error = trained().save(&path).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()) && error.contains("creating a file"), "{error}");
    }
    assert_eq!(names(folder.path()), ["file"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    trained().save(&path).unwrap();
    let old = std::fs::read(&path).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(folder.path().join("probe"), "x").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    let error = fresh().save(&path).unwrap_err().to_string();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), old);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Set in the process that [`a_disk_that_is_full_leaves_the_old_file`] starts: where to save.
#[cfg(unix)]
const SAVE_TO: &str = "PPL_TEST_SAVE_TO";

/// The part of [`a_disk_that_is_full_leaves_the_old_file`] that runs under a limit on the size of
/// files; by itself it does nothing.
#[cfg(unix)]
#[test]
fn saving_under_a_limit() {
    let Some(path) = std::env::var_os(SAVE_TO) else { return };
    let error = trained().save(Path::new(&path)).expect_err("the limit is below the checkpoint's size");
    assert!(error.to_string().contains("writing"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut earlier = fresh();
    earlier.step((&data(), true)).unwrap();
    earlier.save(&path).unwrap();
    let old = std::fs::read(&path).unwrap();
    // A shell that lets no file grow beyond 512 bytes, and turns the signal for it into an error.
    let child = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "atomic::saving_under_a_limit"])
        .env(SAVE_TO, &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), old);
    assert_eq!(names(folder.path()), ["run.safetensors"]);
}

#[test]
fn threads_that_save_to_one_path_leave_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let run = trained();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| run.save(&path).unwrap()));
        }
    });
    assert_eq!(names(folder.path()), ["run.safetensors"]);
    let mut loaded = fresh();
    loaded.load(&path, (&data(), true)).unwrap();
    assert!(future(&loaded) == future(&run));
}
