//! Chorales as standard MIDI files, to be listened to.

use std::io;
use std::path::{Path, PathBuf};

use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind};

use super::chorales::{KEYS, LOWEST};

/// Ticks of a quarter note, which is a step.
const TICKS: u32 = 480;
/// Microseconds of a quarter note: a hundred in a minute.
const TEMPO: u24 = u24::new(600_000);
/// Church organ, the twentieth instrument of General MIDI: it holds a note as long as it lasts.
const ORGAN: u7 = u7::new(19);
const VELOCITY: u7 = u7::new(80);
const CHANNEL: u4 = u4::new(0);

/// Why a MIDI file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MidiError {
    /// A note is no key of the piano.
    #[error("{}: step {step}: note {note} is outside of 0 to {}", path.display(), KEYS - 1)]
    Note {
        /// The file.
        path: PathBuf,
        /// Which step, from 0.
        step: usize,
        /// The note.
        note: u8,
    },
    /// The format has no number for so long a rest or note.
    #[error("{}: step {step}: nothing changes for too long for a MIDI file", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The step with the next change, from 0.
        step: usize,
    },
    /// The file could not be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes a chorale as a standard MIDI file of one track: each step a quarter note, and a note that sounds in
/// successive steps held over them.
///
/// # Errors
/// If a note is not in `0..88`, nothing changes for more than half a million steps, or the file cannot be written.
pub fn write_midi(path: impl AsRef<Path>, chorale: &[Vec<u8>]) -> Result<(), MidiError> {
    let path = path.as_ref();
    let header = Header::new(Format::SingleTrack, Timing::Metrical(u15::new(TICKS as u16)));
    let smf = Smf { header, tracks: vec![track(path, chorale)?] };
    smf.save(path).map_err(|source| MidiError::Write { path: path.into(), source })
}

fn track(path: &Path, chorale: &[Vec<u8>]) -> Result<Track<'static>, MidiError> {
    let mut track = vec![
        now(TrackEventKind::Meta(MetaMessage::Tempo(TEMPO))),
        now(voice(MidiMessage::ProgramChange { program: ORGAN })),
    ];
    let silence = Vec::new();
    let mut sounding = &silence;
    let mut changed = 0;
    // After the last step comes silence, which ends what still sounds.
    for (step, notes) in chorale.iter().chain([&silence]).enumerate() {
        if let Some(&note) = notes.iter().find(|&&note| usize::from(note) >= KEYS) {
            return Err(MidiError::Note { path: path.into(), step, note });
        }
        let mut changes = changes(sounding, notes);
        if step == chorale.len() {
            changes.push(now(TrackEventKind::Meta(MetaMessage::EndOfTrack)));
        }
        if let Some(first) = changes.first_mut() {
            let delta = ticks(step - changed).ok_or_else(|| MidiError::TooLong { path: path.into(), step })?;
            first.delta = delta;
            changed = step;
        }
        track.extend(changes);
        sounding = notes;
    }
    Ok(track)
}

/// What ends and then what begins where the notes `after` follow the notes `before`.
fn changes(before: &[u8], after: &[u8]) -> Track<'static> {
    let vel = VELOCITY;
    let ended = before.iter().filter(|note| !after.contains(note));
    let begun = after.iter().filter(|note| !before.contains(note));
    let off = ended.map(|&note| MidiMessage::NoteOff { key: key(note), vel });
    let on = begun.map(|&note| MidiMessage::NoteOn { key: key(note), vel });
    off.chain(on).map(|message| now(voice(message))).collect()
}

fn key(note: u8) -> u7 {
    u7::new(note + LOWEST)
}

fn voice(message: MidiMessage) -> TrackEventKind<'static> {
    TrackEventKind::Midi { channel: CHANNEL, message }
}

/// An event at the time of the one before it.
fn now(kind: TrackEventKind<'static>) -> TrackEvent<'static> {
    TrackEvent { delta: u28::new(0), kind }
}

fn ticks(steps: usize) -> Option<u28> {
    u28::try_from(u32::try_from(steps).ok()?.checked_mul(TICKS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The notes of a file as (MIDI number, first tick, ticks), and the tick at which it ends.
    fn played(bytes: &[u8]) -> (Vec<(u8, u32, u32)>, u32) {
        let smf = Smf::parse(bytes).unwrap();
        assert_eq!(smf.header, Header::new(Format::SingleTrack, Timing::Metrical(480.into())));
        let [track] = &smf.tracks[..] else { panic!("{} tracks", smf.tracks.len()) };
        let (mut time, mut sounding, mut notes) = (0, Vec::new(), Vec::new());
        for event in track {
            time += event.delta.as_int();
            match event.kind {
                TrackEventKind::Midi { message: MidiMessage::NoteOn { key, .. }, .. } => {
                    assert!(sounding.iter().all(|&(other, _)| other != key), "{key} begins twice");
                    sounding.push((key, time));
                }
                TrackEventKind::Midi { message: MidiMessage::NoteOff { key, .. }, .. } => {
                    let at = sounding.iter().position(|&(other, _)| other == key).unwrap();
                    let (key, start) = sounding.remove(at);
                    notes.push((key.as_int(), start, time - start));
                }
                _ => {}
            }
        }
        assert!(sounding.is_empty(), "still sounding: {sounding:?}");
        assert_eq!(track.last().unwrap().kind, TrackEventKind::Meta(MetaMessage::EndOfTrack));
        notes.sort_unstable_by_key(|&(key, start, _)| (start, key));
        (notes, time)
    }

    #[test]
    fn the_file_has_the_notes_at_their_times_and_held_over_their_steps() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chorale.mid");
        let chorale = [vec![], vec![0, 39], vec![39, 43], vec![], vec![39, 87], vec![87], vec![]];
        write_midi(&path, &chorale).unwrap();
        let (notes, end) = played(&std::fs::read(&path).unwrap());
        assert_eq!(notes, [(21, 480, 480), (60, 480, 960), (64, 960, 480), (60, 4 * 480, 480), (108, 4 * 480, 960)]);
        assert_eq!(end, 7 * 480);
    }

    #[test]
    fn the_file_plays_a_whole_chorale() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chorale.mid");
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dmm/data/sample.json.gz");
        let (chorales, _) = super::super::chorales::load(Some(&sample)).unwrap();
        for chorale in chorales.train {
            write_midi(&path, &chorale).unwrap();
            let (notes, end) = played(&std::fs::read(&path).unwrap());
            let mut back: Vec<Vec<u8>> = vec![vec![]; chorale.len()];
            for (number, start, ticks) in notes {
                assert_eq!((start % 480, ticks % 480), (0, 0));
                for step in &mut back[(start / 480) as usize..][..(ticks / 480) as usize] {
                    step.push(number - 21);
                }
            }
            back.iter_mut().for_each(|step| step.sort_unstable());
            assert_eq!((back, end as usize), (chorale.clone(), 480 * chorale.len()));
        }
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chorale.mid");
        let error = write_midi(&path, &[vec![1], vec![5, 88]]).unwrap_err().to_string();
        assert_eq!(error, format!("{}: step 1: note 88 is outside of 0 to 87", path.display()));
        let error = write_midi(&path, &vec![vec![]; 600_000]).unwrap_err().to_string();
        assert!(error.ends_with("chorale.mid: step 600000: nothing changes for too long for a MIDI file"), "{error}");
        assert!(!path.exists());
        let path = dir.path().join("nowhere").join("chorale.mid");
        let error = write_midi(&path, &[vec![1]]).unwrap_err().to_string();
        assert!(error.contains("nowhere") && error.contains("cannot be written"), "{error}");
    }

    #[test]
    fn no_steps_are_an_empty_track() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chorale.mid");
        write_midi(&path, &[]).unwrap();
        assert_eq!(played(&std::fs::read(&path).unwrap()), (vec![], 0));
    }
}
