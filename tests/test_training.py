"""Training against a loop written out, and its steps as other runs' steps."""

import copy
from collections.abc import Callable, Iterable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Generator, nn

from cnnlab.material.digits import affine
from cnnlab.nets import Net, named
from cnnlab.runs import Run, Step
from cnnlab.training import Examples, accuracy, fit, initialize, logits_of


def tiny(seed: int = 0) -> nn.Sequential:
    chain = named(conv=nn.Conv2d(1, 3, 3), relu=nn.ReLU(), flatten=nn.Flatten(), logits=nn.Linear(3 * 4 * 5, 4))
    return initialize(chain, Generator().manual_seed(seed))


def blobs(number: int = 50) -> Examples:
    """Images (N, 1, 6, 7) of four classes: which quarter is bright."""
    labels = torch.arange(number) % 4
    images = 0.3 * torch.rand((number, 1, 6, 7), generator=Generator().manual_seed(0))
    for image, label in zip(images, labels.tolist(), strict=True):
        image[0, 3 * (label // 2) :, 3 * (label % 2) :] += 0.7
    return Examples(images.clamp(0, 1), labels)


def test_fit_is_the_loop_written_out() -> None:
    examples, generator = blobs(), Generator().manual_seed(3)
    chain, reference = tiny(), tiny()
    steps = list(fit(chain, examples, epochs=3, batch=16, rate=0.02, generator=generator, augment=affine))

    generator = Generator().manual_seed(3)
    descent = torch.optim.Adam(reference.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(descent, max_lr=0.02, epochs=3, steps_per_epoch=4)
    losses, right = [], []
    for _ in range(3):
        order = torch.randperm(50, generator=generator)
        for first in range(0, 50, 16):
            chosen = order[first : first + 16]
            logits = reference(affine(examples.images[chosen], generator))
            loss = F.cross_entropy(logits, examples.labels[chosen])
            descent.zero_grad()
            loss.backward()
            descent.step()
            schedule.step()
            losses.append(loss.item())
            right.append((logits.argmax(1) == examples.labels[chosen]).float().mean().item())
    assert [step.value for step in steps] == pytest.approx(losses)
    assert [step.accuracy for step in steps] == pytest.approx(right)
    for found, expected in zip(chain.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(found, expected)


def test_another_optimizer_can_be_chosen() -> None:
    def heavy(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=rate, momentum=0.9)

    chain, reference, examples = tiny(), tiny(), blobs()
    run = fit(chain, examples, epochs=10, batch=50, rate=1.0, generator=Generator(), optimizer=heavy)
    next(run)
    loss = F.cross_entropy(reference(examples.images), examples.labels)
    grads = torch.autograd.grad(loss, list(reference.parameters()))
    for found, old, grad in zip(chain.parameters(), reference.parameters(), grads, strict=True):
        torch.testing.assert_close(found, old - 0.04 * grad)  # the cycle begins at a 25th of the rate


def test_a_schedule_sees_each_step_and_sets_the_next_rate() -> None:
    seen = []

    def halving(optimizer: torch.optim.Optimizer, rate: float, total: int) -> Callable[[Step], None]:
        assert (rate, total) == (0.1, 4)

        def halve(step: Step) -> None:
            seen.append((step.number, step.value))
            optimizer.param_groups[0]["lr"] = rate / 2**step.number

        return halve

    chain, examples, rates = tiny(), blobs(32), []
    before = chain.logits.bias.detach().clone()
    run = fit(
        chain, examples, epochs=2, batch=16, rate=0.1, generator=Generator(), optimizer=torch.optim.SGD,
        schedule=halving,
    )  # fmt: skip
    for step in run:
        rates.append((chain.logits.bias.detach() - before).norm() / chain.logits.bias.grad.norm())
        before = chain.logits.bias.detach().clone()
        assert seen[-1] == (step.number, step.value)
    assert [float(rate) for rate in rates] == pytest.approx([0.1, 0.05, 0.025, 0.0125], rel=1e-4)


def test_after_each_step_the_parameters_can_be_changed_once_more() -> None:
    chain = tiny()

    def clip() -> None:
        with torch.no_grad():
            chain.conv.weight.clamp_(-0.1, 0.1)

    for _ in fit(chain, blobs(), epochs=1, batch=16, generator=Generator(), after_step=clip):
        assert chain.conv.weight.abs().max() <= 0.1


def test_dropout_is_drawn_from_the_generator_and_the_global_numbers_are_left_alone() -> None:
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(weights))
        chain = named(flatten=nn.Flatten(), drop=nn.Dropout(0.5), logits=nn.Linear(42, 4))
        initialize(chain, Generator().manual_seed(9))
        state = torch.get_rng_state()
        fit(chain, blobs(), epochs=1, batch=50, generator=Generator().manual_seed(seed)).finish(progress=False)
        assert torch.equal(torch.get_rng_state(), state)
        weights.append(chain.logits.weight.detach())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_same_generator_gives_the_same_net_and_another_another() -> None:
    nets = []
    for seed in (0, 0, 1):
        generator = Generator().manual_seed(seed)
        chain = initialize(tiny(9), generator)
        fit(chain, blobs(), epochs=2, generator=generator).finish(progress=False)
        nets.append(chain.logits.weight)
    assert torch.equal(nets[0], nets[1])
    assert not torch.equal(nets[0], nets[2])


def test_its_steps_are_steps_of_a_run() -> None:
    examples, chain = blobs(), tiny()
    run = fit(chain, examples, epochs=2, batch=16, generator=Generator().manual_seed(0))
    assert isinstance(run, Run)
    assert len(run) == 8
    assert torch.equal(run.image, examples.images[:16])
    seen = []
    for step in run:
        seen.append((step.number, step.total, step.stage, step.ends_stage, len(run.image)))
        assert step.chain is chain
        assert Net(step.chain).layers == ("conv", "relu", "flatten", "logits")
    assert seen == [(n, 8, (n - 1) // 4, n % 4 == 0, 2 if n % 4 == 0 else 16) for n in range(1, 9)]
    assert run.values[-1] < run.values[0]


def test_it_learns_and_can_be_left_at_any_step() -> None:
    examples = blobs(200)
    chain = tiny()
    for step in fit(chain, examples, epochs=20, rate=0.02, generator=Generator().manual_seed(0)):
        if step.number == 1:
            early = accuracy(chain, examples)
    assert early < 0.7
    assert accuracy(chain, examples) > 0.95


def test_what_cannot_be_trained_is_refused() -> None:
    examples = blobs(10)
    with pytest.raises(ValueError, match="a label for each image, not 9 for 10"):
        fit(tiny(), Examples(examples.images, examples.labels[:9]), epochs=1, generator=Generator())
    for wrong in ({"epochs": 0}, {"epochs": 1.5}, {"epochs": 1, "batch": 0}, {"epochs": 1, "rate": -1.0}):
        with pytest.raises(ValueError, match="must be (a whole number|at least 1|finite and positive)"):
            fit(tiny(), examples, generator=Generator(), **wrong)
    ruined = Examples(examples.images.masked_fill(examples.images > 0.9, float("nan")), examples.labels)
    with pytest.raises(ValueError, match="image must be finite, not .* with NaN or infinity"):
        fit(tiny(), ruined, epochs=5, generator=Generator())


def test_fit_learns_from_what_perturb_makes_of_each_batch_and_its_labels() -> None:
    images, labels = blobs(4).images, torch.arange(4)
    found, expected, seen = tiny(), tiny(), []

    def perturb(batch, of):
        seen.append((batch, of))
        return 1 - batch

    again = {"epochs": 2, "batch": 2}
    fit(found, Examples(images, labels), generator=Generator().manual_seed(2), perturb=perturb, **again).finish(False)
    fit(expected, Examples(1 - images, labels), generator=Generator().manual_seed(2), **again).finish(False)
    assert torch.equal(found.logits.weight, expected.logits.weight)
    assert not torch.equal(found.logits.weight, tiny().logits.weight)
    for batch, of in seen:
        assert torch.equal(batch, images[of])  # the labels are the numbers of the images here


def test_initial_weights_have_the_variance_of_he() -> None:
    chain = named(conv=nn.Conv2d(20, 300, 5), flatten=nn.Flatten(), dense=nn.Linear(400, 500))
    state = torch.get_rng_state()
    before = copy.deepcopy(chain.state_dict())
    initialize(chain, Generator().manual_seed(0))
    assert torch.equal(state, torch.get_rng_state())  # torch's global generator is left alone
    assert not torch.equal(chain.dense.weight, before["dense.weight"])
    assert chain.conv.weight.var().item() == pytest.approx(2 / (20 * 5 * 5), rel=0.03)
    assert chain.dense.weight.var().item() == pytest.approx(2 / 400, rel=0.03)
    assert not chain.conv.bias.any()


def test_logits_and_accuracy_over_several_batches_in_eval_mode() -> None:
    chain = named(flatten=nn.Flatten(), drop=nn.Dropout(0.5), logits=nn.Linear(42, 4))
    examples = blobs(23)
    chain.train()
    logits = logits_of(chain, examples.images, batch=5)
    assert chain.training
    torch.testing.assert_close(logits, chain.logits(examples.images.flatten(1)).detach())
    assert accuracy(chain, examples) == pytest.approx((logits.argmax(1) == examples.labels).sum().item() / 23)


def test_labels_of_every_integer_type_and_images_of_every_form_teach_the_same() -> None:
    examples, weights = blobs(12), []
    pixels = (examples.images * 255).round().byte()
    rounded = pixels / 255
    with torch.inference_mode():
        inferred = rounded.clone()
    for images, labels in (
        (rounded, examples.labels), (rounded.double().float(), examples.labels.int()), (pixels, examples.labels.byte()),
        (rounded.numpy(), examples.labels.tolist()), (inferred, examples.labels.numpy().astype(np.uint16)),
    ):  # fmt: skip
        for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
            chain = tiny()
            with mode():
                fit(chain, Examples(images, labels), epochs=1, batch=5, generator=Generator()).finish(progress=False)
            weights.append(chain.logits.weight)
            assert accuracy(chain, Examples(images, labels)) == accuracy(chain, Examples(rounded, examples.labels))
    assert all(torch.equal(weight, weights[0]) for weight in weights)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1, 4], "4"), ([0, -1, 2], "-1"), ([0.0, 1.0, 2.0], "labels must be whole numbers, the classes, not"),
        ([True, False, True], "labels must be whole numbers"), (["cat", "dog", "hen"], "labels must be whole numbers"),
        (3, "not one number for 3 images"), ([1, 2], "not 2 for 3 images"), (None, "labels must be whole numbers"),
    ],
)  # fmt: skip
def test_labels_that_are_no_classes_are_refused_by_name(labels, words) -> None:
    examples = Examples(blobs(3).images, labels)
    with pytest.raises(
        ValueError, match=f"class {words} is not one of the chain's, 0 to 3" if len(words) < 3 else words
    ):
        fit(tiny(), examples, epochs=1, generator=Generator()).finish(progress=False)
    with pytest.raises(ValueError, match=f"classes of the chain, 0 to 3.*{words}" if len(words) < 3 else words):
        accuracy(tiny(), examples)


def test_a_chain_that_cannot_learn_or_read_the_images_says_so() -> None:
    with pytest.raises(ValueError, match="no parameter to train; those of a Net are frozen"):
        fit(Net(tiny(), device="cpu").model, blobs(4), epochs=1, generator=Generator())
    large = Examples(torch.zeros(4, 1, 9, 9), torch.arange(4))
    with pytest.raises(ValueError, match=r"images \(4, 1, 9, 9\) do not fit this chain"):
        fit(tiny(), large, epochs=1, generator=Generator()).finish(progress=False)
    for call in (lambda: logits_of(tiny(), large.images), lambda: accuracy(tiny(), large)):
        with pytest.raises(ValueError, match=r"images \(4, 1, 9, 9\) do not fit this chain"):
            call()
    broken = tiny()
    broken.logits.bias.data.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="the logits are not finite"):
        logits_of(broken, blobs(4).images)
