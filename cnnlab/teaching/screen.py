"""The two widgets of our own: one shows the panel's picture, one takes the reader's.

ipywidgets' Image and FileUpload keep what they show as state, which Lab saves in the notebook if "Save Widget State" is
on; and a reader's photograph is nobody else's business. Ours send pictures as messages, which nobody saves. A server
also refuses a message above its limit (10 MB, unless it is told otherwise) by cutting the connection, after which the
page sends nothing more. Ours reduces a large photograph in the browser, before it is sent.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
from torch import Tensor
from traitlets import Bytes, Instance, Int, Unicode

from cnnlab.files import load_image

STATIC = Path(__file__).parent / "static"
LIMIT = 4_000_000  # bytes of a file that is sent as it is
SIDE = 2048  # pixels of the longer side of a picture that is reduced


class Screen(anywidget.AnyWidget):
    """Show a picture, the bytes of a PNG file, in every view of the widget."""

    _esm = (STATIC / "screen.js").read_text(encoding="utf-8")
    value = Bytes().tag(sync=False)

    def __init__(self) -> None:
        super().__init__()
        self.observe(lambda change: self._show(), "value")
        self.on_msg(lambda widget, content, buffers: self._show())

    def _show(self) -> None:
        if self.value:
            self.send({}, [self.value])


class Upload(anywidget.AnyWidget):
    """A button with which the reader chooses a picture file: a control of a panel.

    Args:
        label: what stands on the button; the name of the file is added.

    Attributes:
        value: the picture, (1, 3, H, W), of at most 4 megapixels; None until there is one.
        tell: (name, error) is called for each file: the error says why it is not taken, None that it is.
    """

    _esm = (STATIC / "upload.js").read_text(encoding="utf-8")
    description = Unicode().tag(sync=True)
    limit, side = Int(LIMIT).tag(sync=True), Int(SIDE).tag(sync=True)
    value = Instance(Tensor, allow_none=True).tag(sync=False)

    def __init__(self, label: str = "your own picture") -> None:
        super().__init__(description=label)
        self.label = label
        self.tell: Callable[[str, ValueError | None], None] = lambda name, error: None
        self.observe(self._forget_name, "value")
        self.on_msg(lambda widget, file, buffers: self.take(str(file["name"]), bytes(buffers[0]) if buffers else None))

    def take(self, name: str, content: bytes | None) -> None:
        """Take the content of a file; None is a file that is too large to send, and that the browser cannot reduce."""
        try:
            if content is None:
                raise ValueError(
                    f"it has more than {LIMIT // 10**6} MB, and the browser cannot reduce it: make it smaller"
                )
            self.value = load_image(content, most=SIDE**2)
        except ValueError as error:
            return self.tell(name, error)
        self.description = f"{self.label}: {name}"
        self.tell(name, None)

    def _forget_name(self, change: Any) -> None:
        self.description = self.label
