"""Makes the chorales of the Deep Markov Model example from the corpus of the Python package music21.

    python3 examples/dmm/make_chorales.py jsb_chorales.json.gz    # all chorales, for --data-dir
    python3 examples/dmm/make_chorales.py --sample                # examples/dmm/data/sample.json.gz

Needs Python 3.10 or newer with music21 (made with 10.5.1), whose package brings the scores. No network.

The file is gzip of one JSON object {"train": S, "valid": S, "test": S}. S is a list of chorales, a chorale a
list of steps of a quarter note, a step the ascending list of the notes that sound, as MIDI number - 21.

The rule. Of Bach's scores, those with exactly one part each named Soprano, Alto, Tenor and Bass are taken;
other instruments are left out. A step is what the four voices sound on a beat: beats lie a quarter note apart
and one of them falls on the first full bar, repeats are not played again, and silence before the first and after
the last note is cut off. Left out are chorales whose voices wait for other instruments (more than LONGEST_REST
steps of silence on end) and those that an earlier one holds for the most part, perhaps in another key (more than
SAME of their pairs of successive chords), so that nothing is both fitted and held out. In the order of their names,
five by five, the first three are for training, the fourth is for validation and the fifth is for testing. With
--sample, only scores in which no copyright line stands are taken, and of each split as many as SAMPLE says, evenly
spaced.
"""

import argparse
import gzip
import hashlib
import json
import re
import sys
import zipfile
from collections import Counter
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path

import music21

VOICES = ["Soprano", "Alto", "Tenor", "Bass"]
LOWEST, KEYS = 21, 88
LONGEST_REST = 4
SAME = 0.6
SPLITS = ["train", "train", "train", "valid", "test"]
SAMPLE = {"train": 24, "valid": 4, "test": 4}
SAMPLE_FILE = Path(__file__).resolve().parent / "data/sample.json.gz"


def natural(path):
    """Orders bwv9.7 before bwv10.7."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", path.stem)]


def scores():
    """The files of Bach's scores in MusicXML, each score once."""
    paths = [Path(path) for path in music21.corpus.getComposer("bach")]
    files = {path.stem: path for path in paths if path.suffix in (".xml", ".mxl")}
    return sorted(files.values(), key=natural)


def has_copyright_line(path):
    if path.suffix == ".mxl":
        with zipfile.ZipFile(path) as packed:
            text = b"".join(packed.read(name) for name in packed.namelist()).decode("utf-8", "replace")
    else:
        text = path.read_text("utf-8", "replace")
    return bool(re.search(r"©|&#169;|&#xA9;|copyright|<rights", text, re.IGNORECASE))


def voices(score):
    """The four voices, or None where the score is no chorale."""
    counts = Counter(part.partName for part in score.parts)
    if any(counts[name] != 1 for name in VOICES):
        return None
    return [next(part for part in score.parts if part.partName == name) for name in VOICES]


def steps(parts):
    """What sounds on each beat."""
    bars = sorted({bar.offset for part in parts for bar in part.getElementsByClass("Measure")})
    beat = Fraction(bars[1] if len(bars) > 1 else 0) % 1
    end = max(part.duration.quarterLength for part in parts)
    sounding = [set() for _ in range(int(end) + 1)]
    for part in parts:
        for note in part.flatten().notes:
            if isinstance(note, music21.harmony.ChordSymbol):
                continue
            start = Fraction(note.offset) - beat
            stop = start + Fraction(note.quarterLength)
            # Beats start <= k < stop; a grace note has start == stop, so it sounds on none.
            for step in range(max(0, -(-start // 1)), max(0, -(-stop // 1))):
                sounding[step].update(pitch.midi - LOWEST for pitch in note.pitches)
    chorale = [sorted(notes) for notes in sounding]
    sung = [step for step, notes in enumerate(chorale) if notes]
    return chorale[sung[0] : sung[-1] + 1] if sung else []


def longest_rest(chorale):
    return max((len(list(run)) for silent, run in groupby(not notes for notes in chorale) if silent), default=0)


def changes(chorale):
    """The pairs of successive chords, each chord as distances from its lowest note: the same in every key."""
    chords = [tuple(note - notes[0] for note in notes) for notes in chorale]
    return Counter(pairwise(chords))


def is_known(chorale, known):
    own = changes(chorale)
    return any((own & other).total() > SAME * min(own.total(), other.total()) for other in known)


def why_left_out(chorale, known):
    if not chorale:
        return "not in four voices"
    if longest_rest(chorale) > LONGEST_REST:
        return "with long rests"
    if is_known(chorale, known):
        return "there already"
    return None


def chorales(sample):
    """Name and steps of each chorale, in the order of the names."""
    known, found, left_out = [], [], Counter()
    for path in scores():
        if sample and has_copyright_line(path):
            left_out["with a copyright line"] += 1
            continue
        parts = voices(music21.corpus.parse(path))
        chorale = steps(parts) if parts else []
        if why := why_left_out(chorale, known):
            left_out[why] += 1
            continue
        if not all(0 <= note < KEYS for notes in chorale for note in notes):
            sys.exit(f"{path.stem}: a note is not on the piano")
        known.append(changes(chorale))
        found.append((path.stem, chorale))
    print("left out:", ", ".join(f"{count} {why}" for why, count in sorted(left_out.items())))
    return found


def spaced(items, count):
    """So many of the items, evenly spaced."""
    if len(items) < count:
        sys.exit(f"{count} chorales are needed, there are {len(items)}")
    return [items[i * len(items) // count] for i in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", nargs="?", type=Path, help="the file to write (.json.gz)")
    parser.add_argument("--sample", action="store_true", help="only a few chorales, for the program itself")
    args = parser.parse_args()
    output = args.output or (SAMPLE_FILE if args.sample else parser.error("which file?"))

    splits = {"train": [], "valid": [], "test": []}
    for i, named in enumerate(chorales(args.sample)):
        splits[SPLITS[i % len(SPLITS)]].append(named)
    if args.sample:
        splits = {split: spaced(splits[split], count) for split, count in SAMPLE.items()}

    for split, named in splits.items():
        lengths = [len(chorale) for _, chorale in named]
        notes = sum(len(step) for _, chorale in named for step in chorale)
        extent = f"{sum(lengths)} steps (from {min(lengths)} to {max(lengths)})"
        print(f"{split}: {len(named)} chorales, {extent}, {notes} notes")
        if args.sample:
            print("  " + ", ".join(name for name, _ in named))
    bare = {split: [chorale for _, chorale in named] for split, named in splits.items()}
    text = json.dumps(bare, separators=(",", ":")).encode("ascii")
    packed = gzip.compress(text, 9, mtime=0)
    output.write_bytes(packed)
    print(f"{output}: {len(packed)} bytes, sha256 {hashlib.sha256(packed).hexdigest()}")
    print(f"the JSON inside: {len(text)} bytes, sha256 {hashlib.sha256(text).hexdigest()}")


if __name__ == "__main__":
    main()
