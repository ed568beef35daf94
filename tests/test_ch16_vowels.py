"""The formant synthesizer and its spectrogram agree with their formulas."""

import numpy as np
import pytest
import torch
from scipy.signal import find_peaks, freqz
from torch import Generator

from cnnlab.chapters.ch16_vowels import (
    MEASURED,
    RATE,
    SAMPLES,
    VOWELS,
    Spectrogram,
    pulses,
    recorded,
    resonator,
    voices,
    vowel,
)


def spectrum(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.fft.rfftfreq(len(sound), 1 / RATE), np.abs(np.fft.rfft(sound))


def tone(hertz: float, samples: int = SAMPLES) -> torch.Tensor:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)
    return torch.from_numpy(0.5 + 0.5 * wave).float()[None, None, None]


def test_pulses_come_at_the_pitch() -> None:
    clicks = pulses(np.full(RATE, 125.0))
    assert clicks.sum() == 125
    assert set(np.diff(np.flatnonzero(clicks))) == {RATE / 125}
    rising = np.diff(np.flatnonzero(pulses(np.linspace(100, 200, RATE))))
    assert rising[0] > 1.5 * rising[-1]


def test_a_resonator_is_its_recursion_and_rings_at_its_frequency() -> None:
    sound = np.random.default_rng(0).normal(size=200)
    c = -np.exp(-2 * np.pi * 90 / RATE)
    b = 2 * np.exp(-np.pi * 90 / RATE) * np.cos(2 * np.pi * 1200 / RATE)
    y = [0.0, 0.0]
    for x in sound:
        y.append((1 - b - c) * x + b * y[-1] + c * y[-2])
    assert np.allclose(resonator(sound, 1200, 90), y[2:])
    frequencies, gain = freqz([1 - b - c], [1, -b, -c], worN=8192, fs=RATE)
    assert frequencies[np.abs(gain).argmax()] == pytest.approx(1200, abs=5)
    assert abs(gain[0]) == pytest.approx(1)
    impulse = np.eye(1, 4096)[0]
    frequencies, response = spectrum(resonator(impulse, 1200, 90))
    half = frequencies[response > response.max() / np.sqrt(2)]
    assert half[-1] - half[0] == pytest.approx(90, rel=0.1)  # the bandwidth, 3 dB below the peak


@pytest.mark.parametrize("tract", [1.0, 0.8])
def test_the_spectrum_of_a_vowel_has_its_peaks_at_the_formants(tract: float) -> None:
    formants = MEASURED["men"]["head"][1:]
    frequencies, strength = spectrum(vowel(formants, pitch=3, tract=tract))  # a single click: no harmonics
    peaks, _ = find_peaks(np.log(strength), prominence=0.1)
    expected = [formant / tract for formant in formants]
    found = [hertz for hertz in frequencies[peaks] if 300 < hertz < 4000]
    assert found == pytest.approx(expected, rel=0.03)


def test_a_vowel_has_its_pitch() -> None:
    sound = vowel(MEASURED["women"]["hud"][1:], pitch=220)
    assert np.abs(sound).max() == pytest.approx(1)
    later = sound[2000:]
    correlation = np.correlate(later, later, "full")[len(later) - 1 :]
    assert RATE / (50 + correlation[50:200].argmax()) == pytest.approx(220, rel=0.02)


def test_bad_voices_are_refused() -> None:
    for pitch, tract, formants in ((0, 1, (500,)), (9000, 1, (500,)), (100, 0, (500,)), (100, 1, (-5,))):
        with pytest.raises(ValueError, match="must lie between"):
            vowel(formants, pitch, tract=tract)
    assert np.isfinite(vowel((3000,), 100, tract=0.1)).all()  # at 30 kHz: not heard


def test_a_recording_lies_around_one_half() -> None:
    image = recorded(vowel(MEASURED["men"]["hawed"][1:], 130), Generator().manual_seed(0))
    assert image.shape == (1, 1, SAMPLES)
    assert 0 <= image.min() < 0.4 < 0.6 < image.max() <= 1
    assert image[0, 0, [0, -1]].tolist() == pytest.approx([0.5, 0.5], abs=0.01)  # only noise


def test_voices_are_drawn_by_the_generator_alone() -> None:
    first, again = (voices("children", 2, Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first.images, again.images)
    assert first.images.shape == (10, 1, 1, SAMPLES)
    assert first.labels.tolist() == [label for label in range(len(VOWELS)) for _ in range(2)]


@pytest.mark.parametrize("hertz", [200, 800, 3000])
def test_a_tone_is_a_line_at_its_band(hertz: float) -> None:
    layer = Spectrogram(bands=30)
    picture = layer(tone(hertz))
    assert picture.shape == (1, 1, 30, 40)
    assert float(picture.max()) == pytest.approx(1)
    assert float(picture.min()) >= 0
    found = layer.frequencies[picture.mean((0, 1, 3)).argmax()]
    assert abs(np.log2(float(found) / hertz)) < 0.3
    assert float(layer.frequencies[0]) == pytest.approx(7800)
    assert float(layer.frequencies[-1]) == pytest.approx(100)


def test_a_shorter_tract_shifts_the_picture_up_and_a_louder_voice_changes_nothing() -> None:
    layer = Spectrogram()
    sounds = [vowel(MEASURED["men"]["hud"][1:], 60, tract=tract) for tract in (1.0, 0.8)]
    one, short = (layer(torch.from_numpy(0.5 + 0.4 * s).float()[None, None, None]).mean((0, 1, 3)) for s in sounds)
    bands = np.log2(1 / 0.8) / (np.log2(78) / 39)  # two
    shifts = {up: float((one[8:32] - short[8 - up : 32 - up]).abs().mean()) for up in range(-6, 7)}
    assert min(shifts, key=shifts.__getitem__) == round(bands)
    soft = torch.from_numpy(0.5 + 0.2 * sounds[0]).float()[None, None, None]
    assert torch.allclose(layer(soft).mean((0, 1, 3)), one, atol=0.02)


def test_the_gradient_reaches_the_sound() -> None:
    sound = tone(500).requires_grad_()
    Spectrogram()(sound).sum().backward()
    assert sound.grad is not None
    assert bool(sound.grad.isfinite().all())
    assert bool((sound.grad != 0).any())
