"""Paint the paintings that the course ships, and write them into data/: `python -m tools.make_paintings`.

SHA256SUMS there is what `sha256sum -c` reads. Another processor rounds differently, and another version of Pillow
compresses differently, so that the same painter may give other bytes.
"""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from cnnlab._data import DATA
from tools.hashes import record
from tools.paintings.painters import PAINTERS


def make_painting(name: str, file: Path) -> str:
    """Paint a painting, write it to `file` as WebP, and give the SHA-256 of the file."""
    painter, seed = PAINTERS[name]
    canvas = painter(np.random.default_rng(seed)).clip(0, 1)  # (720, 720, rgb)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((255 * canvas).round().astype(np.uint8)).save(file, "WebP", quality=92, method=6)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> None:
    """Paint them all."""
    for name in PAINTERS:
        file = DATA / "paintings" / f"{name}.webp"
        make_painting(name, file)
        record(DATA, f"paintings/{file.name}")
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
