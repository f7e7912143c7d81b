"""What the fingerprint of a sound says of it: whole, damaged or too short."""

from __future__ import annotations

from pathlib import Path

import av
import pyarrow as pa
import pytest
from sound_files import RATE, write_av, write_pcm

from splitaudit import schema
from splitaudit.audio.fingerprint import extract
from splitaudit.demo import sounds
from splitaudit.engine import jobs
from splitaudit.engine.store import Parts

SOUND = sounds.speech_like(1, 3.0)


def outcome(path: Path) -> tuple[str, str | None]:
    """Return the status and the reason that a scan notes of a sound."""
    file = jobs.File(str(path), None, None, jobs.signature(str(path)), path.name)
    facts = Parts(path.parent / f"facts of {path.name}")
    extract.fingerprint([file], facts.folder)
    (row,) = facts.read(pa.array([path.name]), extract.SOUNDS).to_pylist()
    return row["status"], row["error"]


def overwrite_packet(path: Path, header: int) -> None:
    """Fill the packet in the middle with ones, apart from so many bytes at its beginning."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
    middle = packets[len(packets) // 2]
    assert middle.pos is not None
    content = bytearray(path.read_bytes())
    length = middle.size - header
    content[middle.pos + header : middle.pos + middle.size] = b"\xff" * length
    path.write_bytes(content)


@pytest.mark.parametrize(("name", "header"), [("a.mp3", 0), ("a.m4a", 0), ("a.aac", 7)])
def test_one_packet_that_cannot_be_decoded_is_told(tmp_path: Path, name: str, header: int) -> None:
    """What it lacks is shorter than what a decoder may drop."""
    assert outcome(write_av(tmp_path / f"whole_{name}", SOUND)) == ("ok", None)
    damaged = write_av(tmp_path / name, SOUND)
    overwrite_packet(damaged, header)
    status, reason = outcome(damaged)
    assert (status, reason) == ("truncated", "1 packets could not be decoded")
    assert status not in schema.AUDITED


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (1584, ("unsupported", "0.099 s is too short: compared as an equal copy only")),
        (1599, ("unsupported", "0.0999 s is too short: compared as an equal copy only")),
        (1600, ("ok", None)),
        (1616, ("ok", None)),
    ],
)
def test_sounds_of_a_tenth_of_a_second_and_more_are_compared(
    tmp_path: Path, samples: int, expected: tuple[str, str | None]
) -> None:
    assert outcome(write_pcm(tmp_path / "a.wav", SOUND[RATE:][:samples])) == expected
