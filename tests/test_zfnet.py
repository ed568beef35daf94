"""The ZF-net: its data, its rules of training, its shipped weights."""

import hashlib
import importlib
import math
from pathlib import Path

import pytest
import torch
from torch import Generator, nn

from cnnlab.crops import centre, crops, region, vary, windows
from cnnlab.datasets import Examples
from cnnlab.images import PHOTOS, photo, resize
from cnnlab.training import accuracy, recorded_sha256
from cnnlab.zfnet import (
    EPOCHS,
    FIRST_LAYERS,
    FOLDER,
    VARIANTS,
    checkpoint_file,
    renormalize,
    rms,
    train_zfnet,
    trained_zfnet,
    weights,
    zfnet,
)  # fmt: skip


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def few() -> Examples:
    return crops(10, seeded())  # 160 crops


@pytest.mark.parametrize("name", ["cat", "retina", "camera"])
def test_the_regions_share_no_pixel_and_lose_none(name: str) -> None:
    learned, tested = region(name), region(name, held_out=True)
    assert min(learned.shape[2], learned.shape[3] + tested.shape[3]) == 400
    whole = torch.cat([learned, tested], dim=3)
    torch.testing.assert_close(whole, resize(photo(name), tuple(whole.shape[2:])))
    assert 0.6 < learned.shape[3] / whole.shape[3] < 0.7


def test_windows_lie_inside_the_region_and_are_what_they_show() -> None:
    height, width = 200, 300
    image = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))[None] + 0.5
    image = torch.cat([image, torch.ones(1, 1, height, width)], dim=1)  # each pixel says where it is
    shown = windows(image, 200, seeded())  # (200, 3, 72, 72)
    rows, columns = shown[:, 0], shown[:, 1]
    assert rows.min() > 0
    assert rows.max() < height
    assert columns.min() > 0
    assert columns.max() < width
    sides = (rows[:, -1, 0] - rows[:, 0, 0]) * 72 / 71
    across = (columns[:, 0, -1] - columns[:, 0, 0]) * 72 / 71
    assert 60 < sides.min() < 80  # the filter of the border takes a little
    assert 120 < sides.max() <= 128.5
    torch.testing.assert_close(across.abs(), sides, rtol=0.03, atol=0.5)
    assert 60 < (across < 0).sum() < 140, "half of them are mirrored"


def test_crops_are_labelled_and_repeat_with_their_generator(few: Examples) -> None:
    assert few.images.shape == (160, 3, 72, 72)
    assert few.labels.tolist() == list(range(16)) * 10
    assert torch.equal(few.images, crops(10, seeded()).images)
    assert not torch.equal(few.images, crops(10, seeded(1)).images)
    brick, coffee = few.images[PHOTOS.index("brick") :: 16], few.images[PHOTOS.index("coffee") :: 16]
    assert brick.std(dim=1).max() < 1e-5 < coffee.std(dim=1).mean()  # grey, and coloured


def test_vary_gives_a_mirrored_part_in_other_colours() -> None:
    image = torch.rand((1, 3, 72, 72), generator=seeded()).expand(40, -1, -1, -1) * 0.5
    seen = vary(image, seeded())
    assert seen.shape == (40, 3, 64, 64)
    assert torch.equal(seen, vary(image, seeded()))
    grey = torch.full((40, 3, 72, 72), 0.5)
    light = vary(grey, seeded())
    assert light.flatten(2).std(dim=2).max() < 1e-6
    assert light.min() >= 0.5 * 0.75 - 1e-6
    assert light.max() <= 0.5 * 1.25 + 1e-6
    assert centre(image).shape == seen.shape


@pytest.mark.parametrize("first", FIRST_LAYERS)
def test_both_first_layers_give_the_same_maps_from_the_second_pooling_on(first: str) -> None:
    chain = zfnet(seeded(), first=first)
    x = torch.rand(2, 3, 64, 64)
    sizes = {}
    for name, layer in chain.named_children():
        x = layer(x)
        sizes[name] = tuple(x.shape[1:])
    assert sizes["pool2"] == (48, 3, 3)
    assert sizes["relu5"] == (48, 3, 3)
    assert sizes["logits"] == (16,)


def test_the_first_weights() -> None:
    chain = zfnet(seeded())
    assert weights(chain, "conv1").std().item() == pytest.approx(1e-2, rel=0.05)
    assert weights(chain, "conv3").std().item() == pytest.approx(math.sqrt(2 / (48 * 9)), rel=0.05)
    assert all(not p.any() for name, p in chain.named_parameters() if name.endswith("bias"))
    everywhere = zfnet(seeded(), small=("conv1", "fc6"))
    assert weights(everywhere, "fc6").std().item() == pytest.approx(1e-2, rel=0.05)
    with pytest.raises(ValueError, match="small must name layers with weights, not 'relu1'"):
        zfnet(seeded(), small=("relu1",))
    with pytest.raises(ValueError, match="first must be one of 7x7 stride 2"):
        zfnet(seeded(), first="3x3")


def test_renormalize_is_the_formula_filter_by_filter() -> None:
    filters = torch.randn((6, 3, 5, 4), generator=seeded()) * torch.logspace(-3, 1, 6).view(-1, 1, 1, 1)
    for radius in (1e-1, 5e-3, math.inf):
        done = renormalize(filters, radius)
        for before, after in zip(filters, done, strict=True):
            size = math.sqrt(sum(x * x for x in before.flatten().tolist()) / before.numel())
            expected = before if size <= radius else before * radius / size
            torch.testing.assert_close(after, expected)
    assert torch.equal(renormalize(torch.zeros(2, 3, 4, 4)), torch.zeros(2, 3, 4, 4))


def test_training_is_sgd_with_momentum_and_renormalised_filters(few: Examples) -> None:
    chain, twin = zfnet(seeded(), dense=()), zfnet(seeded(), dense=())  # without dropout
    still = Examples(centre(few.images), few.labels)
    run = train_zfnet(
        chain, still, epochs=2, generator=seeded(3), batch=160, rate=0.05, radius=0.02, augment=lambda x, _: x
    )
    losses = [step.value for step in run]
    descent = torch.optim.SGD(twin.parameters(), 0.05, momentum=0.9)
    expected = []
    for _ in range(2):
        loss = nn.functional.cross_entropy(twin(still.images), still.labels)
        descent.zero_grad()
        loss.backward()
        descent.step()
        for name in ("conv1", "conv2", "conv3", "conv4", "conv5"):
            filters = weights(twin, name)
            filters.data = renormalize(filters.data, 0.02)
        expected.append(loss.item())
    assert losses == pytest.approx(expected, rel=1e-4)
    torch.testing.assert_close(weights(chain, "conv5"), weights(twin, "conv5"), rtol=1e-3, atol=1e-5)
    assert rms(weights(chain, "conv2")).max() <= 0.02 + 1e-6


def test_training_repeats_and_leaves_the_global_random_numbers_alone(few: Examples) -> None:
    def trained() -> torch.Tensor:
        chain = zfnet(seeded())
        state = torch.random.get_rng_state()
        steps = list(train_zfnet(chain, few, epochs=2, generator=seeded(), batch=64))
        assert torch.equal(torch.random.get_rng_state(), state)
        assert [(step.number, step.stage, step.ends_stage) for step in steps][2:4] == [(3, 0, True), (4, 1, False)]
        return weights(chain, "fc6").detach()

    assert torch.equal(trained(), trained())


def test_the_rate_is_lowered_when_the_loss_is_stuck(few: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    step = torch.optim.SGD.step

    def recorded(self: torch.optim.SGD, *arguments: object) -> object:
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.SGD, "step", recorded)
    chain = zfnet(
        seeded(), small=("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "logits")
    )  # learns nothing
    train_zfnet(chain, few, epochs=6, generator=seeded(), batch=160).finish(progress=False)
    assert rates == pytest.approx([1e-2] * 3 + [1e-2 / 3] * 2 + [1e-2 / 9])


def test_every_shipped_file_has_its_hash() -> None:
    names = {checkpoint_file(name).name for name in (*EPOCHS, *VARIANTS)}
    assert names == {path.name for path in FOLDER.glob("*")}
    for name in names:
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == recorded_sha256(f"zfnet/{name}")


def test_the_shipped_nets_know_regions_that_they_have_not_seen() -> None:
    held_out = crops(15, seeded(5), held_out=True)
    held_out = Examples(centre(held_out.images), held_out.labels)
    shares = [accuracy(trained_zfnet(epoch).chain, held_out) for epoch in (0, 8, 48)]
    assert shares[0] < 0.15 < 0.3 < shares[1] < 0.65 < shares[2]
    assert trained_zfnet().labels == PHOTOS
    with pytest.raises(ValueError, match="unknown ZF-net 'vgg'"):
        trained_zfnet("vgg")


def test_make_checkpoints_writes_what_it_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: Examples
) -> None:
    tool = importlib.import_module("make_checkpoints")
    still = Examples(centre(few.images), few.labels)
    monkeypatch.setattr(tool, "zfnet_data", lambda: (few, still))
    monkeypatch.setattr(tool, "checkpoint_file", lambda name: tmp_path / "net.safetensors")
    monkeypatch.setitem(tool.VARIANTS, "tiny", (1, {"dense": (8,)}, {}))
    threads = torch.get_num_threads()
    try:
        hashes, share = tool.make_zfnet("tiny")
        assert hashes == {tmp_path / "net.safetensors": tool.make_zfnet("tiny")[0][tmp_path / "net.safetensors"]}
    finally:
        torch.set_num_threads(threads)
    assert 0 <= share <= 1
