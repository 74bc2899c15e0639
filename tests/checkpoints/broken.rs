//! Files that are not whole checkpoints.

use ppl::infer::checkpoint::{Checkpoint, CheckpointError};
use rand::{Rng, SeedableRng};

use crate::switch::{data, refused, trained};

#[test]
fn a_file_cut_off_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.safetensors");
    trained().save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = Checkpoint::<f64>::read(&path).unwrap_err();
        assert!(matches!(error, CheckpointError::Broken { .. }), "{length} bytes: {error}");
    }
    for length in [0, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(refused(&path).to_string().contains("not a whole checkpoint"));
    }
    std::fs::write(&path, &whole).unwrap();
    trained().load(&path, (&data(), true)).unwrap();
}

#[test]
fn a_file_with_something_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.safetensors");
    trained().save(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend([0; 16]);
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(refused(&path), CheckpointError::Broken { .. }));
}

#[test]
fn garbage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("garbage.safetensors");
    let mut rng = rand::rngs::StdRng::seed_from_u64(0);
    for round in 0..200 {
        let mut bytes: Vec<u8> = (0..rng.gen_range(0..300)).map(|_| rng.r#gen()).collect();
        if round % 2 == 0 && bytes.len() > 8 {
            // A header of a length that is there, and one that no memory holds.
            let length = if round % 4 == 0 { bytes.len() as u64 - 8 } else { u64::MAX };
            bytes[..8].copy_from_slice(&length.to_le_bytes());
        }
        std::fs::write(&path, &bytes).unwrap();
        let error = Checkpoint::<f64>::read(&path).unwrap_err();
        assert!(matches!(error, CheckpointError::Broken { .. }), "{error}");
    }
    refused(&path);
}

#[test]
fn a_safetensors_file_of_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.safetensors");
    let header = br#"{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 8]].concat();
    std::fs::write(&path, bytes).unwrap();
    assert!(refused(&path).to_string().contains("no header of ppl"));
}

#[test]
fn a_path_that_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let error = refused(&folder.path().join("nothing/here.safetensors"));
    assert!(matches!(&error, CheckpointError::Io { action: "reading", .. }), "{error}");
}
