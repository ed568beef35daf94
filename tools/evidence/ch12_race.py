"""Which needs fewer evaluations to paint a photograph, L-BFGS or the best of three rates of Adam?"""

from typing import Any

from cnnlab import adam, descend, lbfgs, load_net, painting, photo, pixels, spectrum
from tools.train_style_net import in_the_style_of, painted_like

SEEDS = (0, 1, 2, 3, 4)  # each one is a pair of a photograph and a painting
FULL = {"size": 128, "steps": {"spectrum": 80, "pixels": 160}}
TINY = {"size": 64, "steps": {"spectrum": 1, "pixels": 1}}
PAIRS = (("china", "swirls"), ("cat", "mosaic"), ("coffee", "wave"), ("rocket", "dots"), ("flower", "circles"))
RATES = {"spectrum": (0.1, 0.2, 0.4), "pixels": (0.01, 0.02, 0.04)}


def measure(seed: int, size: int, steps: dict[str, int]) -> dict[str, Any]:
    """The loss after each evaluation, of L-BFGS and of Adam, whose best rate counts at each evaluation."""
    net, (photograph, painted) = load_net("squeezenet", device="cpu"), PAIRS[seed]
    start = photo(photograph, size)
    objective = painted_like(net, start, in_the_style_of(net, painting(painted, size)))
    found: dict[str, Any] = {}
    for name, vary in (("spectrum", spectrum), ("pixels", pixels)):
        curves = []
        for step in (lbfgs(), *map(adam, RATES[name])):
            run = descend(net, objective, start, steps=steps[name], step=step, parametrization=vary())
            run.finish()
            curves.append([round(value, 4) for value in run.values])
        found[name] = {"L-BFGS": curves[0], "Adam": [min(values) for values in zip(*curves[1:], strict=True)]}
    return {"pair": f"{photograph}, {painted}"} | found
