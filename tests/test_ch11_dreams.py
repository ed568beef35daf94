"""Skies of noise, and dreams in natural colors."""

import torch
from torch import Generator

from cnnlab import adam, descend, energy, jitter, load_net, photo, spectrum
from cnnlab.chapters.ch11_dreams import above_half, animals, clouds, deep, recorded_animals


def test_skies_are_white_and_blue_and_follow_their_seed() -> None:
    sky = clouds(60, 80, seed=3)
    assert sky.shape == (1, 3, 60, 80)
    assert sky.min() >= 0
    assert sky.max() <= 1
    assert (sky[:, 2] >= sky[:, 0]).all(), "no pixel is redder than it is blue"
    assert sky.equal(clouds(60, 80, seed=3))
    assert not sky.equal(clouds(60, 80, seed=4))


def test_with_one_octave_a_deep_dream_is_a_run_in_the_spectrum() -> None:
    net, image = load_net("squeezenet", device="cpu"), photo("cat", (48, 64))
    drift = jitter(64, Generator().manual_seed(5))
    run = descend(net, -energy("fire3"), image, steps=3, step=adam(0.06), transform=drift, parametrization=spectrum())
    found = deep(net, -energy("fire3"), image, steps=3, octaves=1, seed=5).finish(progress=False)
    torch.testing.assert_close(found, run.finish(progress=False))


def test_a_cat_is_an_animal_and_a_rocket_is_none() -> None:
    net = load_net("efficientnet_lite0", device="cpu")
    cat, rocket = animals(net, torch.cat([photo(name, 224) for name in ("cat", "rocket")]))
    assert cat > 0.9
    assert rocket < 0.4


def test_forty_skies_are_recorded_and_counted() -> None:
    shares = recorded_animals("spectrum", "fire7", "second")
    assert shares.shape == (40,)
    hits, text = above_half("spectrum", "fire7", "second")
    assert hits == sum(share > 0.5 for share in shares.tolist())
    assert text.startswith(f"{hits} of 40 (95 % interval")
