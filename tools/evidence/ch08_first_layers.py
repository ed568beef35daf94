"""Which first layer is better, 7×7 stride 2 or 11×11 stride 4? And which layers of the former learn first?"""

from typing import Any

from cnnlab.chapters.ch08_nets import LAYERS, beyond_nyquist, cka, crop_sets, scores, trained
from cnnlab.nets import weights_of

SEEDS = (0, 1, 2, 3, 4)
FULL = {"crops": 200, "epochs": 6, "checkpoints": (0, 1, 2, 3, 4)}
TINY = {"crops": 8, "epochs": 2, "checkpoints": (0, 1)}


def measure(seed: int, crops: int, epochs: int, checkpoints: tuple[int, ...]) -> dict[str, Any]:
    """Train both nets; of the first one, also give each layer's CKA of the checkpoints with the end."""
    train, held_out = crop_sets(crops)
    found: dict[str, Any] = {}
    for name, stride in {"as it is": 2, "11x11 stride 4": 4}.items():
        nets = trained(name, train, seed, epochs, keep=checkpoints)
        first, last = (weights_of(nets[epoch].model, "conv1").detach() for epoch in (0, epochs))
        parts = {"first weights": first, "at the end": last, "learned": last - first}
        strongest = nets[epochs].activations(held_out.images[:400], ["relu1"])["relu1"].amax(dim=(0, 2, 3))
        found[name] = scores(nets[epochs], train, held_out) | {
            "beyond Nyquist": {part: round(beyond_nyquist(x, stride).median().item(), 4) for part, x in parts.items()},
            "dead": int((strongest < 0.02 * strongest.max()).sum()),
        }
        if stride == 2:
            maps = {e: net.activations(held_out.images[:240], LAYERS) for e, net in nets.items()}
            found["likeness"] = {
                layer: [round(cka(maps[e][layer], maps[epochs][layer]), 4) for e in checkpoints] for layer in LAYERS
            }
    return found
