"""What a panel asks of the Jupyter kernel in which it lives. Outside a kernel, all of it does nothing."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from IPython.core.getipython import get_ipython


def present_cell() -> tuple[str, str] | None:
    """The id of the cell that runs now, and of this run of it; None if the front end tells no id."""
    shell: Any = get_ipython()
    message = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = message.get("metadata", {}).get("cellId")
    return (cell, message["header"]["msg_id"]) if cell else None


def answer_at_once(widget: widgets.Widget) -> None:
    """Let the widget's messages be read while a cell runs.

    JupyterLab sends them to a second shell of the kernel. ipykernel 7.4 would send them back to the shell that has sent
    this widget's last message, which is the one of the cells; an asynchronous cell might wait for them there.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, subshell: subshell


def on_cells(before: Callable[[], None], after: Callable[[], None]) -> Callable[[], None]:
    """Call `before` and `after` around each cell, if the kernel has no second shell then; the result ends it."""
    shell: Any = get_ipython()
    if not hasattr(shell, "kernel"):
        return lambda: None

    def begins(info: Any) -> None:
        thread = getattr(shell.kernel, "shell_channel_thread", None)
        if thread is None or not thread.manager.list_subshell():
            before()

    def ends(result: Any) -> None:
        after()

    shell.events.register("pre_run_cell", begins)
    shell.events.register("post_run_cell", ends)

    def end() -> None:
        shell.events.unregister("pre_run_cell", begins)
        shell.events.unregister("post_run_cell", ends)

    return end
