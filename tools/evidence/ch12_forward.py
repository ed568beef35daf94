"""How many evaluations does L-BFGS need until it is as good as one forward pass of the style network?"""

from typing import Any

from cnnlab import descend, lbfgs, load_net, painting, photo, pixels, score, spectrum
from cnnlab.chapters.ch12_style_net import STYLE, UNSEEN, trained_style_net
from tools.train_style_net import in_the_style_of, painted_like

SEEDS = tuple(range(len(UNSEEN)))  # each one is a photograph that the network was not trained with
FULL = {"size": 192, "steps": 60}
TINY = {"size": 64, "steps": 1}


def measure(seed: int, size: int, steps: int) -> dict[str, Any]:
    """The loss of the net, and of the photograph with the painting's colors, and after each evaluation of L-BFGS."""
    net, start, painted = load_net("squeezenet", device="cpu"), photo(UNSEEN[seed], size), painting(STYLE, size)
    objective = painted_like(net, start, in_the_style_of(net, painted))
    centered = (start - start.mean((2, 3), keepdim=True)) / start.std((2, 3), keepdim=True)
    colored = (centered * painted.std((2, 3), keepdim=True) + painted.mean((2, 3), keepdim=True)).clamp(0, 1)
    found: dict[str, Any] = {
        "photograph": UNSEEN[seed],
        "one pass": score(net, objective, trained_style_net()(start)).item(),
        "colors alone": score(net, objective, colored).item(),
    }
    for name, vary in (("spectrum", spectrum), ("pixels", pixels)):
        run = descend(net, objective, start, steps=steps, step=lbfgs(), parametrization=vary())
        run.finish()
        found[name] = [round(value, 4) for value in run.values]
    return found
