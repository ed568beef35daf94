"""Download a file: whole and with the right hash, or not at all."""

import hashlib
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tqdm import tqdm

from cnnlab.files import write_whole

PATIENCE = 30.0  # seconds without a byte, after which we stop waiting


def download(url: str, file: Path, sha256: str) -> None:
    """Write what the URL gives into the file, with a progress bar; its SHA-256 must begin with `sha256`.

    Each process that downloads the file writes a temporary one and moves it into place when it is whole. If that fails
    or is stopped, nothing is left. Raises RuntimeError, which says why it failed.
    """
    try:
        with urlopen(url, timeout=PATIENCE) as answer:
            if url.startswith("https:") and not answer.url.startswith("https:"):
                raise ValueError(f"it leads to {answer.url}, which is not encrypted")
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, lambda temporary: _save(answer, temporary, file.name, sha256))
    except (OSError, HTTPException, ValueError) as error:
        cause = error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error
        reason = f"nothing came for {PATIENCE:g} seconds" if isinstance(cause, TimeoutError) else f"{cause}"
        raise RuntimeError(f"{url} could not be downloaded ({reason.splitlines()[0][:200]})") from error


def _save(answer: HTTPResponse, temporary: str, name: str, sha256: str) -> None:
    digest, head, count, length = hashlib.sha256(), b"", 0, answer.length or 0
    with open(temporary, "wb") as file, tqdm.wrapattr(file, "write", length or None, desc=name) as out:
        while block := answer.read1(2**20):
            head, count = head or block[:100], count + len(block)
            digest.update(block)
            out.write(block)
    if not digest.hexdigest().startswith(sha256):
        page = "a page came instead of the file; does your network ask for a login?"
        cut = f"it ended after {count:,} of {length:,} bytes" if count < length else "its hash is another one"
        raise ValueError(page if head.lstrip().startswith(b"<") else cut)
