"""Vowels from a formant synthesiser: pulses of the glottis through resonances of the vocal tract, and spectrograms."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.signal import lfilter
from torch import Generator, Tensor, nn

from cnnlab.datasets import Examples

RATE = 16000  # samples per second
SAMPLES = 6400  # of a recording: 0.4 s
VOWELS = "aeiou"
# Measured: the mean pitch and the first three formants, in Hz, of 33 men, 28 women and 15 children who said hud, head,
# heed, hawed and who'd (Peterson & Barney 1952, "Control methods used in a study of the vowels", table II).
MEASURED: dict[str, dict[str, tuple[int, ...]]] = {
    "men": {"a": (130, 640, 1190, 2390), "e": (130, 530, 1840, 2480), "i": (136, 270, 2290, 3010),
            "o": (129, 570, 840, 2410), "u": (141, 300, 870, 2240)},
    "women": {"a": (221, 760, 1400, 2780), "e": (223, 610, 2330, 2990), "i": (235, 310, 2790, 3310),
              "o": (216, 590, 920, 2710), "u": (231, 370, 950, 2670)},
    "children": {"a": (261, 850, 1590, 3360), "e": (260, 690, 2610, 3570), "i": (272, 370, 3200, 3730),
                 "o": (263, 680, 1060, 3180), "u": (274, 430, 1170, 3260)},
}  # fmt: skip
BANDWIDTHS = (80, 100, 140)  # Hz, of the three resonances


def pulses(pitch: np.ndarray) -> np.ndarray:
    """The voice's source: 1 at each closing of the glottis, else 0. The pitch is given in Hz at each sample (N,)."""
    cycles = np.cumsum(pitch / RATE)
    return np.diff(np.floor(cycles), prepend=0.0)


def resonator(sound: np.ndarray, frequency: float, bandwidth: float) -> np.ndarray:
    """The sound (N,) behind one resonance: y[n] = a x[n] + b y[n-1] + c y[n-2], with gain 1 at 0 Hz.

    c = -exp(-2 pi bandwidth / RATE), b = 2 exp(-pi bandwidth / RATE) cos(2 pi frequency / RATE), a = 1 - b - c
    (Klatt 1980, "Software for a cascade/parallel formant synthesizer", eq. 2). Frequencies in Hz.
    """
    c = -math.exp(-2 * math.pi * bandwidth / RATE)
    b = 2 * math.exp(-math.pi * bandwidth / RATE) * math.cos(2 * math.pi * frequency / RATE)
    return lfilter([1 - b - c], [1, -b, -c], sound)


def vowel(formants: Sequence[float], pitch: float, *, tract: float = 1.0, glide: float = 0.0) -> np.ndarray:
    """0.4 s of a vowel, (SAMPLES,) in [-1, 1].

    Args:
        formants: resonances in Hz of a tract of length 1.
        pitch: in Hz, of the middle of the sound.
        tract: length of the vocal tract; all formants are divided by it. A child's is 0.75 of a man's.
        glide: by so many octaves the pitch rises from beginning to end.

    A resonance at RATE / 2 or above is not heard, and left out.

    Raises:
        ValueError: for a pitch that is not between 0 and RATE / 2, a formant or a tract that is not positive.
    """
    if not 0 < pitch < RATE / 2 or min(tract, *formants) <= 0:
        raise ValueError(f"pitch must lie between 0 and {RATE // 2} Hz, formants and tract above 0, not {pitch:g}, "
                         f"{list(formants)} and {tract:g}")  # fmt: skip
    scaled = [formant / tract for formant in formants if formant / tract < RATE / 2]
    time = np.linspace(-0.5, 0.5, SAMPLES)
    sound = resonator(pulses(pitch * 2 ** (glide * time)), 0, 200)  # the glottis closes fast, but not at once
    for formant, bandwidth in zip(scaled, BANDWIDTHS, strict=False):
        sound = resonator(sound, formant, bandwidth)
    sound = np.diff(sound, prepend=0.0)  # the lips radiate high frequencies better: 6 dB more per octave
    return sound / np.abs(sound).max()


def recorded(sound: np.ndarray, generator: Generator, noise: float = 0.003) -> Tensor:
    """The sound as a microphone takes it down, (1, 1, SAMPLES) in [0, 1], silence at 0.5.

    It begins and ends at random moments, is louder or softer, and has white noise of the given amplitude.
    """
    start, end, loudness = torch.rand(3, generator=generator).tolist()
    time = np.linspace(0, 1, len(sound))
    envelope = np.clip(np.minimum(time - 0.3 * start, 1 - 0.3 * end - time) / 0.05, 0, 1)
    wave = torch.from_numpy((0.3 + 0.6 * loudness) * envelope * sound).float()
    wave = wave + noise * torch.randn(len(sound), generator=generator)
    return (0.5 + 0.5 * wave).clamp(0, 1)[None, None]


def voices(
    people: str, number: int, generator: Generator, tract: tuple[float, float] = (0.92, 1.08), pitch: float = 1
) -> Examples:
    """Recordings (N, 1, 1, SAMPLES) of the vowels by `number` voices each, and which vowel each is (N,).

    A voice has a tract of its own, drawn between the two lengths, relative to the mean of "men", "women" or
    "children"; a pitch of its own, up to `pitch` octaves beside theirs; and a glide.
    """
    images, labels = [], []
    for label, name in enumerate(VOWELS):
        mean, *formants = MEASURED[people][name]
        for _ in range(number):
            length, height, glide, *each = torch.rand(6, generator=generator).tolist()
            own = [f * (0.97 + 0.06 * r) for f, r in zip(formants, each, strict=True)]
            sound = vowel(
                own, mean * 2 ** (pitch * (2 * height - 1)), tract=tract[0] + (tract[1] - tract[0]) * length,
                glide=glide - 0.5,
            )  # fmt: skip
            images.append(recorded(sound, generator))
            labels.append(label)
    return Examples(torch.stack(images), torch.tensor(labels))


class Spectrogram(nn.Module):
    """A layer from sound to picture, (B, 1, 1, SAMPLES) in [0, 1] -> (B, 1, bands, frames), high frequencies on top.

    Power of short windows (16 ms, Hann), in `bands` overlapping bands, evenly spaced in log frequency from 100 to 7800
    Hz; in decibels, of which the `decibels` below the loudest become 0 to 1. On such an axis a shorter tract shifts the
    picture up, as it is.
    """

    filters: Tensor
    slope: Tensor
    window: Tensor

    def __init__(self, bands: int = 40, frames: int = 40, width: int = 256, decibels: float = 50):
        super().__init__()
        self.frames, self.decibels, self.size = frames, decibels, 2048
        self.frequencies = 100 * (7800 / 100) ** (torch.arange(bands).flip(0) / (bands - 1))  # Hz, top to bottom
        distance = (torch.fft.rfftfreq(self.size, 1 / RATE).clamp(min=1) / self.frequencies[:, None]).log2().abs()
        weights = (1 - distance / 0.3).clamp(min=0)  # triangles, 0.3 octaves to either side
        self.register_buffer("filters", weights / weights.sum(1, keepdim=True))  # (bands, size / 2 + 1)
        self.register_buffer("slope", 6 * (self.frequencies / 100).log2()[:, None])  # (bands, 1): as ears hear
        self.register_buffer("window", torch.hann_window(width))

    def forward(self, sound: Tensor) -> Tensor:
        wave = 2 * sound.flatten(1) - 1  # (B, SAMPLES)
        pieces = wave.unfold(1, len(self.window), (SAMPLES - len(self.window)) // (self.frames - 1))  # (B, frames, w)
        power = torch.fft.rfft(pieces * self.window, self.size).abs().square()  # (B, frames, size / 2 + 1)
        level = 10 * (power @ self.filters.T + 1e-6).log10().transpose(1, 2) + self.slope  # (B, bands, frames) in dB
        top = level.amax((1, 2), keepdim=True)
        return ((level - top) / self.decibels + 1).clamp(min=0)[:, None]
