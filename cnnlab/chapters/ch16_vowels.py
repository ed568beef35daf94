"""Vowels from a formant synthesizer, pulses of the glottis through resonances of the vocal tract; and spectrograms."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.signal import lfilter
from torch import Generator, Tensor, nn

from cnnlab.training import Examples

RATE = 16000  # samples per second
SAMPLES = 6400  # of a recording: 0.4 s
VOWELS = ("hud", "head", "heed", "hawed", "who'd")  # the words in which they were spoken
# Measured: the mean pitch and the first three formants, in Hz, of 33 men, 28 women and 15 children
# (Peterson & Barney 1952, "Control methods used in a study of the vowels", table II).
MEASURED: dict[str, dict[str, tuple[int, ...]]] = {
    "men": {"hud": (130, 640, 1190, 2390), "head": (130, 530, 1840, 2480), "heed": (136, 270, 2290, 3010),
            "hawed": (129, 570, 840, 2410), "who'd": (141, 300, 870, 2240)},
    "women": {"hud": (221, 760, 1400, 2780), "head": (223, 610, 2330, 2990), "heed": (235, 310, 2790, 3310),
              "hawed": (216, 590, 920, 2710), "who'd": (231, 370, 950, 2670)},
    "children": {"hud": (261, 850, 1590, 3360), "head": (260, 690, 2610, 3570), "heed": (272, 370, 3200, 3730),
                 "hawed": (263, 680, 1060, 3180), "who'd": (274, 430, 1170, 3260)},
}  # fmt: skip
_BANDWIDTHS = (80, 100, 140)  # Hz, of the three resonances


def pulses(pitch: np.ndarray) -> np.ndarray:
    """Make the source of the voice: 1 where the glottis closes, else 0; `pitch` is in Hz for each sample (N,)."""
    return np.diff(np.floor(np.cumsum(pitch / RATE)), prepend=0.0)


def resonator(sound: np.ndarray, frequency: float, bandwidth: float) -> np.ndarray:
    """Filter a sound x (N,) with one resonance: y[n] = a x[n] + b y[n-1] + c y[n-2], with gain 1 at 0 Hz.

    c = -exp(-2 pi bandwidth / RATE), b = 2 exp(-pi bandwidth / RATE) cos(2 pi frequency / RATE), a = 1 - b - c;
    frequency and bandwidth are in Hz.
    Source: Klatt 1980, "Software for a cascade/parallel formant synthesizer", eq. 2. Chapter 16.
    """
    c = -math.exp(-2 * math.pi * bandwidth / RATE)
    b = 2 * math.exp(-math.pi * bandwidth / RATE) * math.cos(2 * math.pi * frequency / RATE)
    return lfilter([1 - b - c], [1, -b, -c], sound)


def vowel(formants: Sequence[float], pitch: float, *, tract: float = 1.0, glide: float = 0.0) -> np.ndarray:
    """Synthesize 0.4 s of a vowel, (SAMPLES,) in [-1, 1]. Chapter 16.

    Args:
        formants: the resonances in Hz of a vocal tract of length 1. Those at RATE / 2 or above are left out.
        pitch: the pitch in Hz in the middle of the sound.
        tract: the length of the vocal tract; all formants are divided by it. A child's is 0.75 of a man's.
        glide: the number of octaves by which the pitch rises from beginning to end.

    Raises ValueError if the pitch is not between 0 and RATE / 2, or a formant or the tract is not positive.
    """
    if not 0 < pitch < RATE / 2 or min(tract, *formants) <= 0:
        raise ValueError(f"pitch must lie between 0 and {RATE // 2} Hz, formants and tract above 0, not {pitch:g}, "
                         f"{list(formants)} and {tract:g}")  # fmt: skip
    scaled = [formant / tract for formant in formants if formant / tract < RATE / 2]
    time = np.linspace(-0.5, 0.5, SAMPLES)
    sound = resonator(pulses(pitch * 2 ** (glide * time)), 0, 200)  # the glottis closes fast, but not instantly
    for formant, bandwidth in zip(scaled, _BANDWIDTHS, strict=False):
        sound = resonator(sound, formant, bandwidth)
    sound = np.diff(sound, prepend=0.0)  # the lips radiate 6 dB more per octave
    return sound / np.abs(sound).max()


def recorded(sound: np.ndarray, generator: Generator) -> Tensor:
    """Record a sound as a microphone does, (1, 1, SAMPLES) in [0, 1]; silence is 0.5.

    It begins and ends at random moments, has a random loudness, and white noise with a standard deviation of 0.3 %.
    """
    start, end, loudness = torch.rand(3, generator=generator).tolist()
    time = np.linspace(0, 1, len(sound))
    envelope = np.clip(np.minimum(time - 0.3 * start, 1 - 0.3 * end - time) / 0.05, 0, 1)
    wave = torch.from_numpy((0.3 + 0.6 * loudness) * envelope * sound).float()
    wave = wave + 0.003 * torch.randn(len(sound), generator=generator)
    return (0.5 + 0.5 * wave).clamp(0, 1)[None, None]


def voices(
    people: str, number: int, generator: Generator, tract: tuple[float, float] = (0.92, 1.08), pitch: float = 1
) -> Examples:
    """Record each vowel from `number` voices: (N, 1, 1, SAMPLES), with the number of the vowel as the label (N,).

    Every voice has its own glide, pitch and tract.

    Args:
        people: "men", "women" or "children", from whose mean the voices differ.
        number: the number of voices for each vowel.
        generator: the source of the random numbers.
        tract: the shortest and the longest tract, relative to the mean.
        pitch: the largest distance from the mean pitch, in octaves.
    """
    images, labels = [], []
    for label, name in enumerate(VOWELS):
        mean, *formants = MEASURED[people][name]
        for _ in range(number):
            length, height, glide, *each = torch.rand(6, generator=generator).tolist()
            own = [f * (0.97 + 0.06 * r) for f, r in zip(formants, each, strict=True)]
            own_pitch, own_tract = mean * 2 ** (pitch * (2 * height - 1)), tract[0] + (tract[1] - tract[0]) * length
            images.append(recorded(vowel(own, own_pitch, tract=own_tract, glide=glide - 0.5), generator))
            labels.append(label)
    return Examples(torch.stack(images), torch.tensor(labels))


class Spectrogram(nn.Module):
    """A layer from sound to image, (B, 1, 1, SAMPLES) in [0, 1] -> (B, 1, bands, 40), high frequencies on top.

    Each of the 40 columns shows the power of a Hann window of 16 ms in overlapping bands, whose frequencies are evenly
    spaced on a logarithmic axis from 100 to 7800 Hz. The power is in decibels: the loudest band becomes 1, and 50 dB
    below it becomes 0. On this axis a shorter vocal tract shifts the image up and does not change it otherwise.
    """

    filters: Tensor
    slope: Tensor
    window: Tensor

    def __init__(self, bands: int = 40):
        super().__init__()
        self.size = 2048  # of the Fourier transform
        self.frequencies = 100 * (7800 / 100) ** (torch.arange(bands).flip(0) / (bands - 1))  # Hz, top to bottom
        distance = (torch.fft.rfftfreq(self.size, 1 / RATE).clamp(min=1) / self.frequencies[:, None]).log2().abs()
        weights = (1 - distance / 0.3).clamp(min=0)  # triangles, 0.3 octaves to either side
        slope = 6 * (self.frequencies / 100).log2()[:, None]  # (bands, 1), in dB: ears hear high tones better
        self.register_buffer("filters", weights / weights.sum(1, keepdim=True))  # (bands, size / 2 + 1)
        self.register_buffer("slope", slope)
        self.register_buffer("window", torch.hann_window(256))

    def forward(self, sound: Tensor) -> Tensor:
        wave = 2 * sound.flatten(1) - 1  # (B, SAMPLES)
        windows = wave.unfold(1, len(self.window), (SAMPLES - len(self.window)) // 39)  # (B, 40, 256)
        power = torch.fft.rfft(windows * self.window, self.size).abs().square()  # (B, 40, size / 2 + 1)
        level = 10 * (power @ self.filters.T + 1e-6).log10().transpose(1, 2) + self.slope  # (B, bands, 40) in dB
        top = level.amax((1, 2), keepdim=True)
        return ((level - top) / 50 + 1).clamp(min=0)[:, None]
