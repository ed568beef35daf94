"""The ZF-nets: their layers, how they are trained, their shipped weights."""

import math
from pathlib import Path

import pytest
import torch
from torch import Generator, nn

from cnnlab._data import DATA
from cnnlab.images import center_crop
from cnnlab.material.crops import SEEN, augment_crops, photo_crops
from cnnlab.material.photos import PHOTOS
from cnnlab.training import Examples, accuracy
from cnnlab.zoo.zfnets import (
    EPOCHS,
    FIRST_LAYERS,
    VARIANTS,
    Variant,
    checkpoint_file,
    filter_rms,
    renormalize,
    train_zfnet,
    trained_zfnet,
    weights_of,
    zfnet,
)
from tools import make_checkpoints


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def few() -> Examples:
    return photo_crops(10, seeded())  # 160 crops


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


def test_the_first_weights_of() -> None:
    chain = zfnet(seeded())
    assert weights_of(chain, "conv1").std().item() == pytest.approx(1e-2, rel=0.05)
    assert weights_of(chain, "conv3").std().item() == pytest.approx(math.sqrt(2 / (48 * 9)), rel=0.05)
    assert all(not p.any() for name, p in chain.named_parameters() if name.endswith("bias"))
    everywhere = zfnet(seeded(), small=("conv1", "fc6"))
    assert weights_of(everywhere, "fc6").std().item() == pytest.approx(1e-2, rel=0.05)
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


def test_training_is_sgd_with_momentum_and_renormalized_filters(few: Examples) -> None:
    chain, twin = zfnet(seeded(), dense=()), zfnet(seeded(), dense=())  # without dropout
    generator, twins = seeded(3), seeded(3)
    losses = [step.value for step in train_zfnet(chain, few, epochs=2, generator=generator, radius=0.02)]
    descent = torch.optim.SGD(twin.parameters(), 1e-2, momentum=0.9)
    expected = []
    for _ in range(2):
        for chosen in torch.randperm(160, generator=twins).split(128):
            loss = nn.functional.cross_entropy(twin(augment_crops(few.images[chosen], twins)), few.labels[chosen])
            descent.zero_grad()
            loss.backward()
            descent.step()
            for name in ("conv1", "conv2", "conv3", "conv4", "conv5"):
                filters = weights_of(twin, name)
                filters.data = renormalize(filters.data, 0.02)
            expected.append(loss.item())
    assert losses == pytest.approx(expected, rel=1e-4)
    torch.testing.assert_close(weights_of(chain, "conv5"), weights_of(twin, "conv5"), rtol=1e-3, atol=1e-5)
    assert filter_rms(weights_of(chain, "conv2")).max() <= 0.02 + 1e-6


def test_training_repeats_and_leaves_the_global_random_numbers_alone(few: Examples) -> None:
    def trained() -> torch.Tensor:
        chain = zfnet(seeded())
        state = torch.random.get_rng_state()
        steps = list(train_zfnet(chain, few, epochs=2, generator=seeded()))
        assert torch.equal(torch.random.get_rng_state(), state)
        assert [(step.number, step.stage, step.ends_stage) for step in steps][1:3] == [(2, 0, True), (3, 1, False)]
        return weights_of(chain, "fc6").detach()

    assert torch.equal(trained(), trained())


def test_the_rate_is_lowered_when_the_loss_is_stuck(few: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    step = torch.optim.SGD.step

    def recorded(self: torch.optim.SGD, *arguments: object) -> object:
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.SGD, "step", recorded)
    chain = zfnet(seeded(), **VARIANTS["1e-2 throughout"].options)  # learns nothing
    train_zfnet(chain, few, epochs=6, generator=seeded()).finish(progress=False)  # two steps an epoch
    assert rates == pytest.approx([1e-2] * 6 + [1e-2 / 3] * 4 + [1e-2 / 9] * 2)


def test_every_shipped_file_belongs_to_a_net_and_is_read_after_a_check_of_its_hash() -> None:
    names = {checkpoint_file(name) for name in (*EPOCHS, *VARIANTS)}
    assert names == {path.relative_to(DATA).as_posix() for path in (DATA / "zfnet").glob("*")}
    for name in (*EPOCHS, *VARIANTS):
        assert trained_zfnet(name).layers[-1] == "logits"


def test_the_shipped_nets_know_parts_that_they_have_not_seen() -> None:
    held_out = photo_crops(15, seeded(5), held_out=True)
    held_out = Examples(center_crop(held_out.images, SEEN), held_out.labels)
    shares = [accuracy(trained_zfnet(epoch).model, held_out) for epoch in (0, 8, 48)]
    assert shares[0] < 0.15 < 0.3 < shares[1] < 0.65 < shares[2]
    assert trained_zfnet().labels == PHOTOS
    with pytest.raises(ValueError, match="unknown ZF-net 'vgg'"):
        trained_zfnet("vgg")


def test_make_checkpoints_writes_what_it_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: Examples
) -> None:
    monkeypatch.setattr(
        make_checkpoints, "zfnet_data", lambda: (few, Examples(center_crop(few.images, SEEN), few.labels))
    )
    monkeypatch.setitem(make_checkpoints.VARIANTS, "tiny", Variant("tiny", 1, {"dense": (8,)}))
    threads = torch.get_num_threads()
    try:
        hashes, share = make_checkpoints.make_zfnet("tiny", tmp_path)
        assert make_checkpoints.make_zfnet("tiny", tmp_path / "again") == (hashes, share)
    finally:
        torch.set_num_threads(threads)
    assert list(hashes) == ["zfnet/tiny.safetensors"]
    assert (tmp_path / "zfnet" / "tiny.safetensors").is_file()
    assert 0 <= share <= 1
