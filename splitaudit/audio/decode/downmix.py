"""Several channels as one, in which nothing cancels.

The mean of the channels is what people mix down to. Where one channel is about the other turned
upside down (a wire that was swapped, the side of a matrix) nothing is left of both in it: there the
channels are turned to point the same way before they are added.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from splitaudit.audio.decode.views import Hidden

Samples = npt.NDArray[np.float32]

WINDOW_S = 0.25  # looked at as one: what cancels may do so for a while
# <: power of the mean, of what it is where the channels have nothing in common (10 dB)
CANCELLED = 0.1
HEARD = 0.1  # >=: power of a channel, of the loudest: it says which way up the others are turned


def downmix(
    blocks: Iterator[Samples], rate: int, hidden: Hidden | None = None
) -> Iterator[Samples]:
    """Mix blocks of shape (frames, channels) to one channel, in pieces of any length, shape (n,).

    Parameters
    ----------
    blocks
        Of one sound; where they begin and end changes nothing.
    rate
        Frames a second.
    hidden
        Is told of what is mixed, and what became of it.
    """
    hidden = hidden or Hidden()
    window, held = max(1, round(WINDOW_S * rate)), None
    for block in blocks:
        if block.shape[1] == 1:
            yield block[:, 0]
            continue
        held = block if held is None or not len(held) else np.concatenate([held, block])
        whole = len(held) // window * window
        if whole:
            yield _mix(held[:whole].reshape(-1, window, held.shape[1]), hidden)
        held = held[whole:]
    if held is not None and len(held):
        yield _mix(held[None], hidden)


def _mix(windows: Samples, hidden: Hidden) -> Samples:
    """Mix windows of shape (windows, frames, channels); shape (windows * frames,)."""
    mean = mixed = _mean(windows)
    power = np.einsum("wf,wf->w", mixed, mixed) * windows.shape[2] ** 2
    lost = power < CANCELLED * np.einsum("wfc,wfc->w", windows, windows)
    if lost.any():
        mixed = mean.copy()
        mixed[lost] = _mean(_turn(windows[lost]))
    hidden.add(windows, mixed, mean)
    return mixed.ravel()


def _mean(windows: Samples) -> Samples:
    """Mean of the channels; by columns, which is far faster than numpy's own along a short axis."""
    total = windows[:, :, 0].copy()
    for channel in range(1, windows.shape[2]):
        total += windows[:, :, channel]
    total /= np.float32(windows.shape[2])
    return total


def _turn(windows: Samples) -> Samples:
    """Turn channels upside down where they go against the first of them that is heard."""
    power = np.einsum("wfc,wfc->wc", windows, windows)
    first = (power >= HEARD * power.max(axis=1, keepdims=True)).argmax(axis=1)
    leading = np.take_along_axis(windows, first[:, None, None], axis=2)[:, :, 0]
    against = np.einsum("wfc,wf->wc", windows, leading) < 0
    signs: Samples = np.where(against, np.float32(-1), np.float32(1))
    return np.asarray(windows * signs[:, None, :])
