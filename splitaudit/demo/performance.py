"""Performance."""


def utter(script: Rng, play: Rng, times: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """What the speaker does in each frame: loudness of voice and hiss, formants, accent."""
    n = int(times[-1] * 8) + 4
    onset_kind = script.choice(4, n, p=[0.15, 0.35, 0.3, 0.2])
    glide = _VOWELS[script.integers(0, 8, (2, n))]
    hiss_hz = script.choice([2800.0, 4200.0, 6000.0], n) * script.uniform(0.9, 1.1, n)
    stress, accent = script.uniform(0.4, 1, n), script.normal(0, 0.15, n)
    length = [  # of the pause, the consonant and the vowel, in s
        script.uniform(0.12, 0.5, n) * (script.random(n) < 0.16),
        script.uniform(0.05, 0.13, n),
        script.uniform(0.08, 0.26, n),
    ]
    pause, onset, vowel = (x * np.exp(play.normal(0, 0.12, n)) for x in length)
    begin = np.cumsum(pause + onset + vowel) - (pause + onset + vowel)
    i = np.searchsorted(begin, times, side="right") - 1
    since = times - begin[i] - pause[i]
    x = np.clip((since - onset[i]) / vowel[i], 0, 1)
    kind, is_onset, is_vowel = onset_kind[i], (since >= 0) & (since < onset[i]), since >= onset[i]
    arch = np.sqrt(np.sin(np.pi * np.clip(x, 0.04, 0.96)))
    murmur = np.select([kind == _NASAL, kind == _NONE], [0.35, 0.25], 0.0)
    burst = (kind == _PLOSIVE) & (since > 0.6 * onset[i])
    hiss = np.select([is_vowel, burst, kind == _FRICATIVE], [0.01, 0.5, 0.35], 0.0) * (since >= 0)
    voice = stress[i] * play.uniform(0.8, 1.1, n)[i] * (is_vowel * arch + is_onset * murmur)
    phrase = np.maximum.accumulate(np.where(pause > 0, begin, 0))
    formants = glide[0][i] * (1 - x[:, None]) + glide[1][i] * x[:, None]
    return {
        "voice": ndimage.uniform_filter1d(voice, 2),
        "hiss": hiss,
        "hiss_hz": hiss_hz[i],
        "hiss_width": np.where(kind == _PLOSIVE, 3000, 900),
        "formants": ndimage.uniform_filter1d(formants, 5, axis=0),
        "accent": ndimage.uniform_filter1d((accent + play.normal(0, 0.04, n))[i], 7),
        "since_pause": times - phrase[i],
    }


def formant_gain(formants: NDArray[Any], bins: Sound) -> Sound:
    """Magnitude of resonators in a row, (frames, bins), for formants in Hz (frames, count)."""
    gain = np.ones((len(formants), len(bins)), np.float32)
    for k, width in enumerate((70, 90, 130, 200)):
        square = formants[:, k, None].astype(np.float32) ** 2
        gain *= square / np.sqrt((bins**2 - square) ** 2 + (width * bins) ** 2)
    return gain


def compose(script: Rng, beats: int) -> list[tuple[float, ...]]:
    """Notes (start and length in beats, MIDI pitch, level, part) of chords, bass and melody."""
    scale, key = np.array(script.choice([_MAJOR, _MINOR])), script.integers(45, 57)

    def pitch(degree: int) -> int:
        return int(key + 12 * (degree // 7) + scale[degree % 7])

    notes: list[tuple[float, ...]] = []
    roots = script.integers(0, 7, beats // 4 + 1)
    for bar, root in enumerate(roots):
        notes += [(4 * bar, 4, pitch(root + third), 0.22, 0) for third in (0, 2, 4)]
    for beat in np.flatnonzero(script.random(beats) < 0.7):
        notes.append((beat, 0.9, pitch(roots[beat // 4] - 7), 0.5, 1))
    walk = 9 + np.cumsum(script.integers(-2, 3, 2 * beats))
    for slot in np.flatnonzero(script.random(2 * beats) < 0.65):
        notes.append((slot / 2, script.choice([0.5, 1.0]), pitch(4 + walk[slot] % 12), 0.6, 2))
    return notes


def note(rng: Rng, table: Sound, freq: float, seconds: float, rate: int) -> Sound:
    """A struck note with vibrato that sets in slowly."""
    n = round(seconds * rate)
    t = np.arange(n, dtype=np.float32) / np.float32(rate)
    speed = rng.uniform(4.5, 6.5)
    vibrato = rng.uniform(0.001, 0.006) * freq / (2 * np.pi * speed) * np.minimum(t * 3, 1)
    periods = freq * t + vibrato * np.sin(2 * np.pi * speed * t) + rng.random()
    return table[index(periods)] * np.exp(-t * 2.5) * fade(n, rate, 0.01)


def drum(rng: Rng, out: Sound, pattern: NDArray[Any], step: float, rate: int) -> None:
    """Kick, snare and hat by a pattern of 16 steps that the player often leaves."""
    t = np.arange(round(0.15 * rate), dtype=np.float32) / np.float32(rate)
    for k in range(int(len(out) / rate / step) + 1):
        for drum in np.flatnonzero(pattern[:, k % 16] ^ (rng.random(3) < 0.08)):
            noise = white(rng, len(t))
            if drum == 0:
                low = 2 * np.pi * (rng.uniform(45, 55) * t - 4 * np.exp(-t * rng.uniform(25, 35)))
                hit = 0.9 * np.sin(low) * np.exp(-t * 18)
            elif drum == 1:
                hit = (0.4 * noise + 0.3 * np.sin(2 * np.pi * 190 * t)) * np.exp(-t * 28)
            else:
                hit = 0.15 * np.diff(noise, append=0) * np.exp(-t * 60)
            add(out, hit * rng.uniform(0.6, 1.1), k * step + rng.normal(0, 0.006), rate)


def bird(rng: Rng, rate: int) -> Sound:
    """A few quick whistles that sweep up or down."""
    t = np.arange(round(rng.uniform(0.06, 0.14) * rate)) / rate
    base, sweep, warble = rng.uniform(2200, 4800), rng.normal(0, 1500), rng.uniform(15, 50)
    calls = []
    for _ in range(rng.integers(2, 7)):
        f = base + rng.normal(0, 60) + sweep * t / t[-1] + 250 * np.sin(2 * np.pi * warble * t)
        call = np.sin(2 * np.pi * np.cumsum(f) / rate) * np.hanning(len(t))
        calls += [call, np.zeros(round(rng.uniform(0.03, 0.09) * rate))]
    return np.concatenate(calls).astype(np.float32)


def drop(rng: Rng, rate: int) -> Sound:
    """A bubble: a damped sine that rises."""
    t = np.arange(round(0.12 * rate)) / rate
    f = rng.uniform(500, 1800) * (1 + rng.uniform(1, 4) * t)
    return np.asarray(np.sin(2 * np.pi * f * t) * np.exp(-t * rng.uniform(25, 60)), np.float32)


def knock(rng: Rng, rate: int) -> Sound:
    """Wood: some damped modes, struck once to three times."""
    t = np.arange(round(0.2 * rate)) / rate
    modes, damping = rng.uniform(120, 1600, (5, 1)), rng.uniform(20, 70, (5, 1))
    once = (np.sin(2 * np.pi * modes * t) * np.exp(-t * damping)).mean(axis=0)
    return np.concatenate([once * rng.uniform(0.6, 1.2) for _ in range(rng.integers(1, 4))])
