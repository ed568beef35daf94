"""SHA256SUMS of data/: what the tools that write its files record, and what the course checks before it reads them."""

import hashlib
from pathlib import Path

from cnnlab.files import write_whole


def record(folder: Path, *names: str) -> None:
    """Put the hashes of files into SHA256SUMS of their folder, in the place of older ones."""
    sums = folder / "SHA256SUMS"
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.exists() else []
    found = {line[66:]: line for line in lines}  # "hash  name", as `sha256sum -c` reads it
    for name in names:
        found[name] = f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}"
    text = "".join(f"{found[name]}\n" for name in sorted(found))
    write_whole(sums, lambda file: Path(file).write_bytes(text.encode()))
