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
from traitlets import Bytes, Int, Unicode

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


class Chooser(anywidget.AnyWidget):
    """A button with which the reader chooses a picture file; `receive(name, content)` is called with what comes.

    The content is None if the file has more than `LIMIT` bytes and the browser cannot reduce it.
    """

    _esm = (STATIC / "chooser.js").read_text(encoding="utf-8")
    description = Unicode().tag(sync=True)
    limit, side = Int(LIMIT).tag(sync=True), Int(SIDE).tag(sync=True)

    def __init__(self, receive: Callable[[str, bytes | None], None], description: str) -> None:
        super().__init__(description=description)

        def take(widget: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
            receive(str(content["name"]), bytes(buffers[0]) if buffers else None)

        self.on_msg(take)
