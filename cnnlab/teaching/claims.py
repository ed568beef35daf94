"""The table at the end of a notebook: what the source claims, what we measured, and whether the claim holds."""

from dataclasses import dataclass
from html import escape

import numpy as np
import torch
from torch import Tensor

# The claims that the course covers: A is convolution and its uses, B what neurons see, C the ZF-net, D codes and
# adversarial examples, E feature-map inversion.
PARTS = {"A": 12, "B": 5, "C": 12, "D": 11, "E": 6}
IDS = tuple(f"{part}{number}" for part, count in PARTS.items() for number in range(1, count + 1))


@dataclass(frozen=True)
class Row:
    """One claim, its measurement, and whether we expect it to hold."""

    id: str
    source_says: str
    measured: str
    holds: bool
    expected: bool
    reason: str

    @property
    def as_recorded(self) -> bool:
        """Whether the outcome is the expected one."""
        return self.holds == self.expected

    @property
    def verdict(self) -> str:
        """A tick or a cross with its reason, or with a remark if the outcome is not the expected one."""
        mark = "✓" if self.holds else "✗"
        if not self.as_recorded:
            return f"{mark} (recorded as {'✓' if self.expected else '✗'})"
        return mark if self.holds else f"{mark} {self.reason}"


class Claims:
    """The claims of a notebook; as the last expression of a cell, they show as a table."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def row(
        self, id: str, source_says: str, *,
        measured: str, holds: bool | np.bool_ | Tensor, expected: bool = True, reason: str = "",
    ) -> None:  # fmt: skip
        """Add a claim.

        `id` is one of `IDS`; an id may have several rows with different claims. `measured` is text; round its numbers
        so that they are the same on another machine. `holds` is a bool of Python, NumPy or torch. `expected=False`
        records a claim that does not hold, and needs a `reason`. Raises ValueError if the id is unknown, a text is
        empty, the claim is there already, or `holds` is not a bool.
        """
        if id not in IDS:
            raise ValueError(f"id must be one of {', '.join(IDS)}, not {id!r}")
        if not source_says.strip():
            raise ValueError("source_says is empty: write what the source claims")
        if any((row.id, row.source_says) == (id, source_says) for row in self.rows):
            raise ValueError(f"id {id} has this claim already: {source_says!r}")
        if not measured.strip():
            raise ValueError(f"measured of {id} is empty: write the numbers that were measured, as text")
        bool_tensor = isinstance(holds, Tensor) and holds.dtype == torch.bool and holds.ndim == 0
        if not (bool_tensor or isinstance(holds, bool | np.bool_)):
            raise ValueError(f"holds of {id} must be True or False (a comparison), not {holds!r}")
        if not expected and not reason.strip():
            raise ValueError(f"reason of {id} is empty: say why the claim is not expected to hold")
        self.rows.append(Row(id, source_says, measured, bool(holds), expected, reason))

    def check(self) -> None:
        """Raise AssertionError if a claim's outcome is not the expected one, ValueError if there are no claims."""
        if not self.rows:
            raise ValueError("no claims yet: add them with claims.row(...)")
        lines = [
            f"{row.id} {row.verdict}: {row.source_says!r}, but measured: {row.measured}"
            for row in self.rows if not row.as_recorded
        ]  # fmt: skip
        if lines:
            raise AssertionError("turned out other than recorded:\n" + "\n".join(lines))

    def __repr__(self) -> str:
        return "\n".join(f"{row.id} {row.verdict}\n   {row.source_says}\n   {row.measured}" for row in self.rows)

    def _repr_html_(self) -> str:
        # Only the mark has a color of its own: text and lines have those of the page, which may be light or dark.
        def cells(tag: str, *texts: str) -> str:
            style = 'style="text-align: left; vertical-align: top"'
            return "<tr>" + "".join(f"<{tag} {style}>{text}</{tag}>" for text in texts) + "</tr>"

        lines = [cells("th", "", "what the source says", "what we measured", "holds")]
        for row in self.rows:
            color = "#2a9d4a" if row.as_recorded and row.holds else "#d9542b"
            verdict = escape(row.verdict)
            mark = f'<b style="color: {color}">{verdict[0]}</b>{verdict[1:]}'
            lines.append(cells("td", row.id, escape(row.source_says), escape(row.measured), mark))
        return "<table>" + "".join(lines) + "</table>"
