"""Train the network that paints in one style (chapter 12), into data/: `python -m tools.train_style_net`, minutes.

The loss is that of the chapter's own runs, which L-BFGS makes small for one picture at a time: content in fire5, style
in nine layers, a little total variation. Here it is the mean over random crops of the photographs.
"""

from pathlib import Path

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from cnnlab import PHOTOS, Net, Objective, code, crop_to, load_net, painting, photo, resize, total_variation
from cnnlab._data import DATA
from cnnlab.chapters.ch12_style_net import CHECKPOINT, STYLE, UNSEEN, style_net
from cnnlab.techniques.gram_style import gram, style
from tools.hashes import record
from tools.make_checkpoints import save_half

LAYERS = ["conv1", "relu1", "pool1", "fire2", "fire3", "fire4", "fire5", "fire6", "fire7"]
SIZE, BATCH, STEPS, RATE, ALPHA = 128, 4, 900, 4e-3, 0.2


def random_crops(photographs: list[Tensor], count: int, generator: Generator) -> Tensor:
    """Squares of random size and position, every second one mirrored, as (count, 3, SIZE, SIZE)."""
    crops = []
    for index in torch.randint(len(photographs), (count,), generator=generator).tolist():
        image = photographs[index]
        side = int(torch.randint(SIZE, 257, (), generator=generator))
        y, x = (int(torch.randint(length - side + 1, (), generator=generator)) for length in image.shape[2:])
        crop = resize(image[..., y : y + side, x : x + side], SIZE)
        crops.append(crop.flip(-1) if torch.rand((), generator=generator) < 0.5 else crop)
    return torch.cat(crops)


def in_the_style_of(net: Net, painted: Tensor) -> Objective:
    """The chapter's objective for style alone, of paintings (B, 3, H, W): the mean over the layers."""
    found = net.activations(painted, LAYERS)
    first, *others = (style(layer, gram(found[layer])) for layer in LAYERS)
    return (1 / len(LAYERS)) * sum(others, first)


def painted_like(net: Net, photographs: Tensor, in_style: Objective) -> Objective:
    """The chapter's objective for photographs (B, 3, H, W) and a style."""
    content = net.activations(photographs, ["fire5"])["fire5"]
    return ALPHA * code("fire5", content) + in_style + 0.01 * total_variation()


def train(steps: int = STEPS, folder: Path = DATA) -> float:
    """Train with one thread, write the weights into the folder, and give the mean loss of the last fifty steps."""
    torch.set_num_threads(1)
    net, generator = load_net("squeezenet", device="cpu"), Generator().manual_seed(0)
    torch.manual_seed(0)  # the first weights
    chain = style_net().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    in_style = in_the_style_of(net, painting(STYLE, 224))
    photographs = [crop_to(photo(name), 300) for name in PHOTOS if name not in UNSEEN]
    optimizer = torch.optim.Adam(chain.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    losses: list[float] = []
    for _ in tqdm(range(steps), leave=False):
        crops = random_crops(photographs, BATCH, generator)
        y, x = torch.randint(4, (2,), generator=generator).tolist()
        made, crops = chain(crops)[..., y:, x:], crops[..., y:, x:]  # the grid of SqueezeNet's strides lies elsewhere
        loss = painted_like(net, crops, in_style).score(made, net.run(made, LAYERS)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    save_half(chain, folder / CHECKPOINT)
    record(folder, CHECKPOINT)
    return sum(losses[-50:]) / len(losses[-50:])


def main() -> None:
    """Train, record the hash, and say how far the training came."""
    print(f"{CHECKPOINT}: mean loss {train():.3f}")


if __name__ == "__main__":
    main()
