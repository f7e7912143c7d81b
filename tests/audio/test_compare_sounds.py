"""Pairs are compared near a moment first; what is said of them are times of the whole sounds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st
from sound_files import stretched, write_pcm

from splitaudit.audio.verify import compare
from splitaudit.audio.verify.compare import NEAR_S, Pair
from splitaudit.audio.verify.waveform import Proof
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound
from splitaudit.engine import jobs
from splitaudit.engine.jobs import File
from splitaudit.engine.proving import CHANGED
from splitaudit.engine.store import Parts
from splitaudit.schema import UNDECIDED

FILE = File("/somewhere/a.wav", None, None, "1-2-3-4", "content")


def test_a_sound_that_the_window_covers_is_read_as_a_whole() -> None:
    for moment_s, seconds in ((0.0, 30.0), (30.0, 60.0), (29.0, 59.0), (5.0, 12.0), (-0.25, 2.0)):
        for file in (FILE, replace(FILE, start_s=7.0), replace(FILE, start_s=7.0, end_s=80.0)):
            assert compare._crop_around(file, moment_s, seconds) == (file, moment_s)


@pytest.mark.parametrize(
    ("clip", "moment_s", "seconds", "stretch", "moved_s"),
    [
        ((None, None), 100.0, 300.0, (70.0, 130.0), 30.0),
        ((None, None), 10.0, 300.0, (0.0, 40.0), 10.0),
        ((None, None), -0.25, 300.0, (0.0, 29.75), -0.25),
        ((None, None), 290.0, 300.0, (260.0, 320.0), 30.0),
        ((1000.0, None), 100.0, 300.0, (1070.0, 1130.0), 30.0),
        ((1000.0, 1300.0), 10.0, 300.0, (1000.0, 1040.0), 10.0),
        ((1000.0, 1300.0), 290.0, 300.0, (1260.0, 1300.0), 30.0),
        ((None, 300.0), 290.0, 300.0, (260.0, 300.0), 30.0),
    ],
)
def test_of_a_long_sound_the_surroundings_of_the_moment_are_read(
    clip: tuple[float | None, float | None],
    moment_s: float,
    seconds: float,
    stretch: tuple[float, float],
    moved_s: float,
) -> None:
    file = replace(FILE, start_s=clip[0], end_s=clip[1])
    near, moved = compare._crop_around(file, moment_s, seconds)
    assert (near.start_s, near.end_s) == stretch
    assert moved == moved_s
    assert (near.path, near.signature) == (file.path, file.signature)


@given(
    st.floats(0, 500), st.floats(0.1, 500), st.floats(-0.3, 1), st.booleans(), st.floats(0.1, 500)
)
def test_the_moment_stays_the_same_moment_of_the_file(
    begin_s: float, seconds: float, share: float, ends: bool, other_s: float
) -> None:
    moment_s = share * seconds if share > 0 else share
    file = replace(FILE, start_s=begin_s or None, end_s=begin_s + seconds if ends else None)
    other = replace(FILE, path="/somewhere/b.wav")
    pair = Pair("k", file, other, (moment_s, 0.0), 1.0, (seconds, other_s), False)
    near = compare._crop_pair(pair)
    first = near.a.start_s or 0.0
    assert first + near.moment_s[0] == pytest.approx(begin_s + moment_s, abs=1e-6)
    assert begin_s <= first
    last = begin_s + seconds if near.a.end_s is None else near.a.end_s
    assert min(begin_s + seconds, begin_s + moment_s + NEAR_S) == pytest.approx(
        min(last, begin_s + seconds), abs=1e-6
    )
    assert near.moment_s[1] == 0.0
    assert replace(near, a=file, b=other, moment_s=pair.moment_s) == pair


def on_disk(path: Path, sound: Sound) -> File:
    write_pcm(path, sound)
    return File(str(path), None, None, jobs.signature(str(path)), path.name)


def proof_of(pair: Pair, folder: Path) -> dict[str, object]:
    compare.Waveforms().verify([pair], folder)
    (row,) = Parts(folder).read(pa.array([pair.key]), compare.PROOFS).to_pylist()
    return dict(row)


def long_sound(seeds: range) -> Sound:
    return np.concatenate([sounds.distinct_sound(seed, 10.0) for seed in seeds])


@pytest.mark.parametrize("likely", [True, False])
@pytest.mark.parametrize("clip", [False, True], ids=["file", "clip"])
def test_a_copy_in_a_long_sound_is_proven_where_it_lies(
    tmp_path: Path, likely: bool, clip: bool
) -> None:
    """However it is read, in times of the sound: of a clip, since the clip begins."""
    whole = long_sound(range(9))
    part = whole[62 * RATE : 67 * RATE] * np.float32(0.5)
    a, b = on_disk(tmp_path / "a.wav", whole), on_disk(tmp_path / "b.wav", part)
    first = 10.0 if clip else 0.0
    a = replace(a, start_s=first, end_s=90.0) if clip else a
    pair = Pair("k", a, b, (64.0 - first, 2.0), 1.0, (90.0 - first, 5.0), likely)
    row = proof_of(pair, tmp_path / "proofs")
    assert (row["found"], row["accepted"]) == (True, True)
    spans = [row[name] for name in ("a_start", "a_end", "b_start", "b_end")]
    assert spans == pytest.approx([62 - first, 67 - first, 0, 5], abs=0.1)
    # It is of the whole sound, not of what was read near the moment.
    assert row["coverage_a"] == pytest.approx(5 / (90 - first), abs=0.03)
    assert row["coverage_b"] == pytest.approx(1, abs=0.02)


def test_what_is_not_proven_near_the_moment_is_told_where_it_lies(tmp_path: Path) -> None:
    """A device beeps in two long sounds, earlier in one: what repeats proves nothing."""
    beep = np.sin(2 * np.pi * 1_000 * np.arange(RATE // 10) / RATE).astype(np.float32) / 2
    beeps = np.tile(np.pad(beep, (0, RATE // 2 - len(beep))), 16)
    a, b = (
        on_disk(tmp_path / f"{seeds[0]}.wav", np.insert(long_sound(seeds), at * RATE, beeps))
        for seeds, at in ((range(9), 60), (range(20, 29), 45))
    )
    pair = Pair("k", a, b, (64.0, 49.0), 1.0, (98.0, 98.0), False)
    row = proof_of(pair, tmp_path / "proofs")
    assert (row["found"], row["accepted"]) == (True, False)
    spans = [row[name] for name in ("a_start", "a_end", "b_start", "b_end")]
    assert spans == pytest.approx([60, 68, 45, 53], abs=1.1)


def test_a_little_faster_is_told_though_a_part_fits_as_it_is(tmp_path: Path) -> None:
    """A tempo is changed in pieces: three seconds of this copy are those of the original."""
    sound = sounds.ambient(0, 5.0)
    a, b = on_disk(tmp_path / "a.wav", sound), on_disk(tmp_path / "b.wav", stretched(sound, 1.01))
    pair = Pair("k", a, b, (2.5, 2.475), 1.0, (5.0, 4.95), 2.0)
    row = proof_of(pair, tmp_path / "proofs")
    assert row["accepted"]
    assert row["tempo"] == pytest.approx(1.01, abs=0.007)
    assert row["a_end"] == pytest.approx(5, abs=0.05)


def test_pieces_count_for_what_they_have_beyond_chance() -> None:
    """Six seconds that correlate as windows free to choose their lags do are less than two."""
    plain = Proof(0.9, 0.2, 0.0, 0.0, 2.0, 1.0, 3.0, 0.3, 0.3, 0.0, True)
    pieces = replace(plain, correlation=0.14, a_end=6.0, tempo=0.998)
    assert compare._agreeing_s(pieces) == 0
    assert compare._agreeing_s(plain) == pytest.approx(0.4)
    assert compare._agreeing_s(replace(plain, tempo=1.02, pitch=1.02)) == pytest.approx(0.4)


# Thresholds, from both sides

PLAIN = Proof(0.9, 0.95, 0.0, 0.0, 4.0, 0.0, 4.0, 0.96, 0.5, 0.0, True)


def pair_of(evidence_s: float = 2.0, slope: float = 1.0, seconds: float = 90.0) -> Pair:
    return Pair("k", FILE, FILE, (1.0, 1.0), slope, (seconds, 90.0), evidence_s)


@pytest.mark.parametrize(
    ("correlation", "coverages", "slope", "settled"),
    [
        (1.0, (0.901, 0.2), 1.0, True),
        (1.0, (0.2, 0.901), 1.0, True),
        (1.0, (0.899, 0.899), 1.0, False),
        (-0.95, (0.95, 0.1), 1.0, True),  # 0.9025
        (0.95, (0.94, 0.1), 1.0, False),  # 0.893
        (1.0, (1.0, 1.0), 1.0049, True),
        (1.0, (1.0, 1.0), 1.0051, False),
        (1.0, (1.0, 1.0), 0.9951, True),
        (1.0, (1.0, 1.0), 0.9949, False),
    ],
)
def test_a_clean_copy_leaves_nothing_for_another_speed(
    correlation: float, coverages: tuple[float, float], slope: float, settled: bool
) -> None:
    proof = replace(
        PLAIN, correlation=correlation, coverage_a=coverages[0], coverage_b=coverages[1]
    )
    assert compare._is_unscaled_copy(proof, pair_of(slope=slope)) == settled
    assert not compare._is_unscaled_copy(replace(proof, accepted=False), pair_of(slope=slope))
    assert not compare._is_unscaled_copy(None, pair_of(slope=slope))


@pytest.mark.parametrize(
    ("tempo", "pitch", "correlation", "end", "other_is_choose_proof"),
    [  # beside 4 s of 0.5, which is 2 s
        (1.02, 1.02, 0.551, 4.0, True),
        (1.02, 1.02, 0.549, 4.0, False),
        (1.02, 1.02, -0.551, 4.0, True),
        (1.02, 1.0, 0.701, 4.0, True),  # less what pieces have by chance
        (1.02, 1.0, 0.699, 4.0, False),
        (1.02, 1.02, 0.5, 4.5, True),
        (1.02, 1.02, 0.5, 4.3, False),
    ],
)
def test_another_speed_must_explain_a_tenth_more(
    tempo: float, pitch: float, correlation: float, end: float, other_is_choose_proof: bool
) -> None:
    plain = replace(PLAIN, correlation=0.5)
    other = replace(plain, tempo=tempo, pitch=pitch, correlation=correlation, a_end=end)
    assert compare._choose_proof(plain, other) == (other if other_is_choose_proof else plain)


def test_what_is_accepted_is_told() -> None:
    plain, other = PLAIN, replace(PLAIN, tempo=1.02, correlation=0.2)
    refused, none = replace(plain, accepted=False), replace(other, accepted=False)
    assert compare._choose_proof(plain, None) == compare._choose_proof(plain, none) == plain
    assert compare._choose_proof(refused, other) == compare._choose_proof(None, other) == other
    assert compare._choose_proof(refused, none) == refused
    assert compare._choose_proof(None, None) is None


@pytest.mark.parametrize(
    ("seconds", "evidence_s", "tempo"),
    [
        (4.0, 0.251, 1.03),
        (4.0, 0.249, 1.0),  # no other speed is tried
        (0.8, 0.241, 1.03),  # of the shorter sound three tenths
        (0.8, 0.239, 1.0),
    ],
)
def test_of_some_evidence_another_speed_is_tried(
    tmp_path: Path, seconds: float, evidence_s: float, tempo: float
) -> None:
    sound = sounds.speech_like(4, 4.0)
    a = on_disk(tmp_path / "a.wav", sound)
    b = on_disk(tmp_path / "b.wav", np.asarray(soxr.resample(sound, 1.03, 1.0), np.float32))
    lengths = (seconds, 4.0) if evidence_s > 0.245 else (4.0, seconds)
    pair = Pair("k", a, b, (2.06, 2.0), 1 / 1.03, lengths, evidence_s)
    row = proof_of(pair, tmp_path / "proofs")
    tried = row["found"] and row["accepted"]
    assert tried == (tempo != 1)
    assert not tried or row["tempo"] == pytest.approx(tempo, abs=1e-4)


@pytest.mark.parametrize(("evidence_s", "found"), [(0.5, True), (0.499, False)])
def test_of_much_evidence_the_whole_is_compared(
    tmp_path: Path, evidence_s: float, found: bool
) -> None:
    """What they share lies 40 s from the moment; with less evidence that is not looked at."""
    whole, other = long_sound(range(9)), long_sound(range(20, 29))
    other[60 * RATE : 66 * RATE] = whole[60 * RATE : 66 * RATE]
    a, b = on_disk(tmp_path / "a.wav", whole), on_disk(tmp_path / "b.wav", other)
    row = proof_of(Pair("k", a, b, (20.0, 20.0), 1.0, (90.0, 90.0), evidence_s), tmp_path / "p")
    assert bool(row["found"] and row["accepted"]) == found
    assert not found or row["a_start"] == pytest.approx(60, abs=0.1)


def test_sounds_are_held_up_to_128_mb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at least; the one that was asked for last goes last."""
    monkeypatch.setattr(compare, "_CACHE", OrderedDict())
    monkeypatch.setattr(compare, "_CACHE_BYTES", 3 * 2 * 4 * RATE)  # as it is, and whitened
    files = [on_disk(tmp_path / f"{k}.wav", sounds.distinct_sound(k, 1.0)) for k in range(4)]
    for file in (files[0], files[1], files[2], files[0], files[3]):
        compare._load_sound(file)
    assert list(compare._CACHE) == [files[2], files[0], files[3]]
    monkeypatch.setattr(compare, "_CACHE_BYTES", 1)
    compare._load_sound(files[1])
    assert list(compare._CACHE) == [files[3], files[1]]


def test_what_changed_or_went_is_not_told(tmp_path: Path) -> None:
    sound = sounds.speech_like(4, 2.0)
    a, b = on_disk(tmp_path / "a.wav", sound), on_disk(tmp_path / "b.wav", sound)
    pairs = [
        Pair(
            "gone", a, replace(b, path=str(tmp_path / "gone.wav")), (1.0, 1.0), 1.0, (2.0, 2.0), 1.0
        ),
        Pair("changed", a, replace(b, signature="1-2-3-4"), (1.0, 1.0), 1.0, (2.0, 2.0), 1.0),
        Pair("same", a, b, (1.0, 1.0), 1.0, (2.0, 2.0), 1.0),
    ]
    compare.Waveforms().verify(pairs, tmp_path / "proofs")
    names = pa.array(sorted(pair.key for pair in pairs))
    found = Parts(tmp_path / "proofs").read(names, compare.PROOFS)
    assert found["key"].to_pylist() == ["same"]
    undecided = Parts(tmp_path / "proofs" / "undecided").read(names, jobs.UNDECIDED).to_pylist()
    said = {"status": UNDECIDED, "error": CHANGED}
    assert undecided == [{"key": "changed", **said}, {"key": "gone", **said}]


def test_of_a_file_that_was_moved_or_linked_the_sound_is_compared(tmp_path: Path) -> None:
    sound = sounds.speech_like(4, 2.0)
    a, b = (on_disk(tmp_path / name, sound) for name in ("a.wav", "b.wav"))
    of_bytes = {x: jobs.digest_bytes(x.path, x.signature) for x in (a, b)}
    a, b = (replace(x, content_id=of_bytes[x]) for x in (a, b))
    Path(a.path).chmod(0o600)
    Path(b.path).touch()
    pair = Pair("k", a, b, (1.0, 1.0), 1.0, (2.0, 2.0), 1.0)
    compare.Waveforms().verify([pair], tmp_path)
    (row,) = Parts(tmp_path).read(pa.array(["k"]), compare.PROOFS).to_pylist()
    assert row["accepted"]
