"""The table at the end of a notebook: what is claimed, when it would be true, what we measured, and the outcome."""

import re
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest
from torch import Tensor

# The claims that the course covers: A is convolution and its uses, B what neurons see, C the ZF-net, D codes and
# adversarial examples, E feature-map inversion.
PARTS = {"A": 12, "B": 5, "C": 12, "D": 11, "E": 6}
IDS = tuple(f"{part}{number}" for part, count in PARTS.items() for number in range(1, count + 1))
MIME = "application/vnd.cnnlab.claims+json"  # the rows as data, beside the table: `make ledger` reads them


@dataclass(frozen=True)
class Row:
    """One claim, how it was tested, and what came out; `Claims.row` explains the fields."""

    id: str
    claim: str
    source: str
    criterion: str
    measured: str
    n: str
    control: str
    holds: bool | None
    expected: bool
    reason: str

    @property
    def as_recorded(self) -> bool:
        """Whether the outcome is the expected one; a claim that is not tested has none."""
        return self.holds is None or self.holds == self.expected

    @property
    def mark(self) -> str:
        """ "✓", "✗" or "not tested"."""
        return "not tested" if self.holds is None else "✓" if self.holds else "✗"

    @property
    def remark(self) -> str:
        """The reason, or, if the outcome is not the expected one, that it is not."""
        return self.reason if self.as_recorded else f"(recorded as {'✓' if self.expected else '✗'})"

    @property
    def outcome(self) -> str:
        """The mark and the remark, in one line."""
        return f"{self.mark} {self.remark}".strip()


class Claims:
    """The claims of a notebook; as the last expression of a cell, they show as a table."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def row(
        self, id: str, claim: str, *, source: str, holds: bool | np.bool_ | Tensor | None, criterion: str = "",
        measured: str = "", n: str = "", control: str = "", expected: bool = True, reason: str = "",
    ) -> None:  # fmt: skip
        """Add a claim.

        Args:
            id: one of `IDS`; an id may have several rows with different claims.
            claim: what is claimed, as its source says it.
            source: whose claim it is: the section of the source ("notes, 'Why CNN'"), or "ours".
            holds: the outcome, a bool of Python, NumPy or torch. None says that the claim is not tested.
            criterion: when the claim holds, in words, written before the last run: "at least 12 of 16 photographs".
            measured: the numbers, rounded to what repeats on another machine.
            n: how many cases were measured, or the interval: "16 photographs", "5 seeds, 95 % interval 0.2 to 0.4".
            control: what could have done as well by chance or by other means, with its number; for an identity, what
                it is compared with.
            expected: False records a claim that does not hold; it needs a reason.
            reason: why the claim does not hold: it is wrong, or our means are too small. Where the claim is not
                tested: what a test would take.

        Raises ValueError if the id is unknown, a text is empty, `measured` or `n` holds no number, the claim is there
        already, or `holds` is not a bool.
        """
        if id not in IDS:
            raise ValueError(f"id must be one of {', '.join(IDS)}, not {id!r}")
        if any((row.id, row.claim) == (id, claim) for row in self.rows):
            raise ValueError(f"id {id} has this claim already: {claim!r}")
        texts = {"claim": (claim, "what the source claims"), "source": (source, "the source's section, or 'ours'")}
        if holds is None:
            texts["reason"] = reason, "what a test of the claim would take"
        else:
            texts["criterion"] = criterion, "when the claim holds, in words"
            texts["measured"] = measured, "the numbers that were measured, as text"
            texts["n"] = n, "how many cases were measured"
            texts["control"] = control, "what could have done as well, with its number"
        if not expected:
            texts["reason"] = reason, "why the claim is not expected to hold"
        for name, (text, wanted) in texts.items():
            if not text.strip():
                raise ValueError(f"{name} of {id} is empty: write {wanted}")
            if name in ("measured", "n") and not re.search(r"\d", text):
                raise ValueError(f"{name} of {id} holds no number: {text!r}")
        bool_tensor = isinstance(holds, Tensor) and holds.dtype == torch.bool and holds.ndim == 0
        if not (bool_tensor or holds is None or isinstance(holds, bool | np.bool_)):
            raise ValueError(f"holds of {id} must be True, False (a comparison) or None (not tested), not {holds!r}")
        outcome = None if holds is None else bool(holds)
        self.rows.append(Row(id, claim, source, criterion, measured, n, control, outcome, expected, reason))

    def check(self) -> None:
        """Raise AssertionError if a claim's outcome is not the expected one, ValueError if there are no claims."""
        if not self.rows:
            raise ValueError("no claims yet: add them with claims.row(...)")
        lines = [
            f"{row.id} {row.outcome}: {row.claim!r}, but measured: {row.measured}"
            for row in self.rows if not row.as_recorded
        ]  # fmt: skip
        if lines:
            raise AssertionError("turned out other than recorded:\n" + "\n".join(lines))

    def __repr__(self) -> str:
        return "\n".join(
            f"{row.id} {row.outcome}\n   {row.claim} [{row.source}]"
            + f"\n   holds if: {row.criterion}\n   measured: {row.measured}\n   n: {row.n}; control: {row.control}"
            * (row.holds is not None)
            for row in self.rows
        )

    def _html(self) -> str:
        # Only the mark has a color of its own: text and lines have those of the page, which may be light or dark.
        def cells(tag: str, *texts: str) -> str:
            style = 'style="text-align: left; vertical-align: top"'
            return "<tr>" + "".join(f"<{tag} {style}>{text}</{tag}>" for text in texts) + "</tr>"

        def pair(text: str, below: str) -> str:
            return f'{escape(text)}<br><span style="opacity: 0.7">{escape(below)}</span>'

        lines = [cells("th", "", "what is claimed, and by whom", "it holds if", "what we measured", "control", "")]
        for row in self.rows:
            color = "#2a9d4a" if row.as_recorded and row.holds else "#8a8a8a" if row.holds is None else "#d9542b"
            verdict = f'<b style="color: {color}">{row.mark}</b> {escape(row.remark)}'.strip()
            claim, measured = pair(row.claim, row.source), pair(row.measured, f"n: {row.n}") if row.n else ""
            lines.append(cells("td", row.id, claim, escape(row.criterion), measured, escape(row.control), verdict))
        return "<table>" + "".join(lines) + "</table>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        rows = [asdict(row) for row in self.rows]
        return {"text/plain": repr(self), "text/html": self._html(), MIME: rows}


def counted(hits: int | Tensor, of: int) -> str:
    """Say a count with its interval: `counted(12, 16)` is "12 of 16 (95 % interval 51 to 90 %)".

    The interval is Wilson's score interval of a share. Raises ValueError unless 0 <= hits <= of and of >= 1.
    """
    hits = int(hits)
    if not 0 <= hits <= of or of < 1:
        raise ValueError(f"hits must be between 0 and of, and of at least 1, not {hits} of {of}")
    interval = binomtest(hits, of).proportion_ci(method="wilson")
    return f"{hits} of {of} (95 % interval {100 * interval.low:.0f} to {100 * interval.high:.0f} %)"
