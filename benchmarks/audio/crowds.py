"""Does a crowd hide anything? Copies of a recording, 5 to 500 a side, in test, in train, in both.

Each copy is changed in one of some ways that a scan survives, at a strength of its own. What is not
reported is scanned again alone with its original: what is found then was hidden by the crowd.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import harness
from benchmarks.common.audio.material import (
    RATE,
    Recording,
    add_options,
    cut,
    decode,
    find_recordings,
    measure_heard,
    write_wav,
)
from benchmarks.common.audio.transforms import TRANSFORMS
from benchmarks.common.crowds import PLACES, Crowd, measure
from benchmarks.common.harness import print_table

CHANGES = (
    *("ogg", "gain -12 dB", "equaliser 9 dB", "telephone", "polarity", "padding", "trimmed 15 %"),
    *("reverberation", "compression", "noise 20 dB", "noise 10 dB", "excerpt 3 s"),
)
HEARD_S = 4.0  # >= seconds of what is not silence


def main() -> None:
    parser = harness.make_parser(__doc__)
    add_options(parser)
    parser.add_argument("--seconds", type=float, default=6.0, help="of a recording")
    parser.add_argument("--places", nargs="+", choices=PLACES, default=list(PLACES))
    parser.add_argument("--sides", type=int, nargs="*", default=[5, 20, 100, 500])
    args = parser.parse_args()
    recordings = find_recordings(args.data, args.more)
    rows = []
    for side in args.sides:
        for place in args.places:
            write = partial(write_copy, tuple(recordings), args.seconds)
            with tempfile.TemporaryDirectory() as home:
                rows.append(measure(Crowd(write, 1, side, place), Path(home)))
    print_table("Crowds of sounds", rows)
    harness.keep(args.json, {"rows": rows})


@cache
def _original(recordings: Sequence[Recording], seconds: float, at: int) -> Any:
    """A stretch of one recording after the other in which enough is heard."""
    left = at
    for recording in recordings:
        samples = decode(recording.path)
        if len(samples) < seconds * RATE:
            continue
        _, piece = cut(samples, seconds, np.random.default_rng(at))
        if measure_heard(piece) >= min(HEARD_S, seconds / 2):
            if not left:
                return piece
            left -= 1
    raise SystemExit("there are too few recordings in which enough is heard")


def write_copy(
    recordings: Sequence[Recording], seconds: float, original: int, change: int, path: Path
) -> None:
    """Write an original (change 0) or a copy that was changed."""
    sound, rng = _original(recordings, seconds, original), np.random.default_rng([original, change])
    if not change:
        write_wav(Path(f"{path}.wav"), sound)
        return
    transform = TRANSFORMS[CHANGES[(change - 1) % len(CHANGES)]]
    made = transform.make(sound, sound, rng)[0]
    made = made * np.float32(10 ** (rng.uniform(-6, 0) / 20))  # no two are equal
    transform.write(Path(f"{path}{transform.suffix}"), made)


if __name__ == "__main__":
    main()
