"""The table that ends a notebook's measurements: what the source says, what was measured, whether it holds."""

from dataclasses import dataclass
from html import escape

# The rows the course covers: A convolution and its uses, B what neurons see, C ZF-net, D codes and fooling,
# E feature-map inversion.
IDS = tuple(
    f"{part}{number}"
    for part, count in (("A", 12), ("B", 5), ("C", 12), ("D", 11), ("E", 6))
    for number in range(1, count + 1)
)


@dataclass(frozen=True)
class Row:
    """One claim, its measurement, and how it is recorded to turn out."""

    id: str
    source_says: str
    measured: str
    holds: bool
    expected: bool
    reason: str

    @property
    def as_recorded(self) -> bool:
        """Whether the claim turned out as it is recorded."""
        return self.holds == self.expected

    @property
    def verdict(self) -> str:
        """A tick or a cross; for a claim that does not hold the reason; a remark where the record says otherwise."""
        mark = "✓" if self.holds else "✗"
        if not self.as_recorded:
            return f"{mark} (recorded as {'✓' if self.expected else '✗'})"
        return mark if self.holds else f"{mark} {self.reason}"


class Claims:
    """Collects the claims of a notebook; as the last expression of a cell it shows as a table."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def row(
        self, id: str, source_says: str, *, measured: str, holds: bool, expected: bool = True, reason: str = ""
    ) -> None:
        """Add a claim.

        `id` is one of `IDS`; an id may have several rows, with different claims. `measured` is text, with numbers
        rounded to what repeats on another machine. `expected=False` records a claim that does not hold, and needs
        a `reason`. Raises ValueError where one of them is not so.
        """
        if id not in IDS:
            raise ValueError(f"id must be one of {', '.join(IDS)}, not {id!r}")
        if not source_says.strip():
            raise ValueError("source_says is empty: write what the source claims")
        if any((row.id, row.source_says) == (id, source_says) for row in self.rows):
            raise ValueError(f"id {id} has this claim already: {source_says!r}")
        if not measured.strip():
            raise ValueError(f"measured of {id} is empty: write the numbers that were measured, as text")
        if str(holds) not in (
            "True",
            "False",
            "tensor(True)",
            "tensor(False)",
        ):  # NumPy's and torch's bools are welcome
            raise ValueError(f"holds of {id} must be True or False (a comparison), not {holds!r}")
        if not expected and not reason.strip():
            raise ValueError(f"reason of {id} is empty: say why the claim is not expected to hold")
        self.rows.append(Row(id, source_says, measured, bool(holds), expected, reason))

    def check(self) -> None:
        """Raise AssertionError that names the claims that turned out other than recorded.

        A table without rows guards nothing: ValueError.
        """
        if not self.rows:
            raise ValueError("no claims yet: add them with claims.row(...)")
        surprises = [row for row in self.rows if not row.as_recorded]
        if surprises:
            lines = (f"{row.id} {row.verdict}: {row.source_says!r}, but measured: {row.measured}" for row in surprises)
            raise AssertionError("turned out other than recorded:\n" + "\n".join(lines))

    def __repr__(self) -> str:
        return "\n".join(f"{row.id} {row.verdict}\n   {row.source_says}\n   {row.measured}" for row in self.rows)

    def _repr_html_(self) -> str:
        # No colours of its own but the mark's: text and lines are those of the page, light or dark.
        def cells(tag: str, *texts: str) -> str:
            style = 'style="text-align: left; vertical-align: top"'
            return "<tr>" + "".join(f"<{tag} {style}>{text}</{tag}>" for text in texts) + "</tr>"

        lines = [cells("th", "", "what the source says", "what we measured", "holds")]
        for row in self.rows:
            colour = "#2a9d4a" if row.as_recorded and row.holds else "#d9542b"
            verdict = escape(row.verdict)
            mark = f'<b style="color: {colour}">{verdict[0]}</b>{verdict[1:]}'
            lines.append(cells("td", row.id, escape(row.source_says), escape(row.measured), mark))
        return "<table>" + "".join(lines) + "</table>"
