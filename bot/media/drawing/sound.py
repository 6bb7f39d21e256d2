"""The quiet sound under a film: a soft chord that swells and fades."""

from __future__ import annotations

import random
from array import array
from math import cos, pi, sin

PAD_RATE_HZ = 16_000  # no partial is above 4 kHz, and the encoder's resampler is faster than Python

_LOUDNESS = 0.2  # of full scale: under a voice, well above silence
_FADE_IN_S = 1.4
_FADE_OUT_S = 1.8
# Semitones above the root: open voicings without a third in the bass, which would sound muddy.
_CHORDS = (
    (0, 7, 14, 16, 23),
    (0, 7, 12, 15, 22),
    (0, 7, 11, 16, 19),
    (0, 5, 12, 14, 21),
    (0, 7, 10, 15, 17),
)
_ROOTS_HZ = (98.0, 110.0, 116.54, 123.47, 130.81, 146.83)  # G2 to D3
_SWELL_SAMPLES = 32  # in which the swell, of seconds, does not change
_PARTIALS = ((1, 1.0), (2, 0.28), (3, 0.1))


def play_pad(chance: random.Random, seconds: float) -> bytes:
    """Return `seconds` of 16-bit stereo at `PAD_RATE_HZ`; `chance` picks the chord."""
    root_hz = chance.choice(_ROOTS_HZ)
    chord = chance.choice(_CHORDS)
    count = round(seconds * PAD_RATE_HZ)
    left, right = [0.0] * count, [0.0] * count
    for rank, semitones in enumerate(chord):
        note_hz = root_hz * 2 ** (semitones / 12)
        volume = 0.8**rank
        swell_hz = chance.uniform(0.07, 0.16)
        phase = chance.uniform(0, 2 * pi)
        # The two sides are a hair apart in pitch: this is what makes the chord wide.
        _add_note(left, note_hz * 0.9988, volume, swell_hz, phase)
        _add_note(right, note_hz * 1.0012, volume, swell_hz, phase + pi / 2)
    return _mixed(left, right)


def _add_note(side: list[float], note_hz: float, volume: float, swell_hz: float, phase: float) -> None:
    turn = 2 * pi / PAD_RATE_HZ
    wave = _one_period(note_hz)
    step = note_hz * len(wave) / PAD_RATE_HZ
    length = len(wave)
    for start in range(0, len(side), _SWELL_SAMPLES):
        swell = volume * (0.7 + 0.3 * sin(turn * swell_hz * start + phase))
        for index in range(start, min(start + _SWELL_SAMPLES, len(side))):
            side[index] += swell * wave[int(index * step + phase * 100) % length]


def _one_period(note_hz: float) -> list[float]:
    """Return a table of one period, fine enough that stepping through it makes no audible noise."""
    heard = [(partial, volume) for partial, volume in _PARTIALS if note_hz * partial < PAD_RATE_HZ / 4]
    return [
        sum(volume * sin(2 * pi * partial * index / 8192) for partial, volume in heard)
        for index in range(8192)
    ]


def _mixed(left: list[float], right: list[float]) -> bytes:
    loudest = max((abs(value) for side in (left, right) for value in side), default=0) or 1.0
    scale = _LOUDNESS * 32767 / loudest
    count = len(left)
    samples = array("h", bytes(4 * count))
    for index in range(count):
        level = scale * _fade(index / PAD_RATE_HZ, count / PAD_RATE_HZ)
        samples[2 * index] = round(level * left[index])
        samples[2 * index + 1] = round(level * right[index])
    return samples.tobytes()


def _fade(at_s: float, length_s: float) -> float:
    rise = min(1.0, at_s / _FADE_IN_S)
    fall = min(1.0, max(0.0, length_s - at_s) / _FADE_OUT_S)
    return (0.5 - 0.5 * cos(pi * rise)) * (0.5 - 0.5 * cos(pi * fall))
