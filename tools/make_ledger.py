"""Gather the claims of all notebooks in LEDGER.md: `python -m tools.make_ledger`.

The rows come from the notebooks' saved outputs, so that the ledger says what a reader sees.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from cnnlab.teaching.claims import IDS, MIME

ROOT = Path(__file__).parent.parent
LEDGER = ROOT / "notebooks" / "LEDGER.md"
OUTCOMES = {True: "holds", False: "does not hold", None: "not tested"}
HEADER = ("", "claim", "whose", "it holds if", "measured", "n", "control", "outcome", "where")


def rows(notebook: NotebookNode) -> list[dict[str, Any]]:
    """The claims of a notebook, as its outputs hold them, each with the id of the cell that measures it."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tables = [output["data"][MIME] for cell in code for output in cell.outputs if MIME in output.get("data", {})]
    found = tables[-1] if tables else []
    # The cell that measures a row holds its claim, maybe in several pieces; a claim that is put together is only there
    # by its id.
    for row in found:
        calls = [cell for cell in code if re.search(rf'\.row\(\s*"{row["id"]}"', cell.source)]
        exact = [cell for cell in calls if row["claim"] in cell.source.replace('"\n', "").replace('    "', "")]
        row["cell"] = (exact or calls)[0]["id"]
    return found


def line(chapter: Path, row: dict[str, Any]) -> str:
    """One line of the table."""
    outcome = OUTCOMES[row["holds"]] + (f": {row['reason']}" if row["reason"] else "")
    where = f"[{chapter.name[:2]}]({chapter.name}#cell-id={row['cell']})"
    texts = (row["id"], row["claim"], row["source"], row["criterion"], row["measured"], row["n"], row["control"])
    return "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in (*texts, outcome, where)) + " |"


def counts(found: list[dict[str, Any]]) -> str:
    """How many claims hold, do not hold, and are not tested, in one sentence."""
    by_outcome = Counter(row["holds"] for row in found)
    return (
        f"Of {len(found)} claims {by_outcome[True]} hold, {by_outcome[False]} do not hold, "
        f"and {by_outcome[None]} are not tested."
    )


def ledger(folder: Path = ROOT / "notebooks") -> str:
    """The text of LEDGER.md."""
    found = [(path, row) for path in sorted(folder.glob("*.ipynb")) for row in rows(nbformat.read(path, 4))]
    found.sort(key=lambda pair: IDS.index(pair[1]["id"]))  # stable: within an id, in the order of the chapters
    lines = [
        "# The ledger: every claim, and what came out",
        "",
        "`make ledger` writes this page from the notebooks' outputs. *Whose* names the section of the source, or says",
        "that the claim is ours. *It holds if* was written before the last run. *Control* is what could have done as",
        "well.",
        "",
        counts([row for _, row in found]),
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + "---|" * len(HEADER),
        *(line(path, row) for path, row in found),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write LEDGER.md."""
    LEDGER.write_text(ledger(), encoding="utf-8")
    print(LEDGER.read_text(encoding="utf-8").splitlines()[6])


if __name__ == "__main__":
    main()
