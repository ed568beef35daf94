"""The ledger's page: a block for each claim, which a reader can filter by outcome."""

from html import escape
from itertools import groupby
from typing import Any

from tools.make_ledger import OUTCOMES, counts

TEXTS = {
    "A": ("Convolution and its uses", "Notes of a lecture on CNNs."),
    "B": ("What neurons see", "A blog post about VGG-16."),
    "C": ("The ZF-net", "A summary of Zeiler and Fergus 2014, and the paper itself."),
    "D": ("Codes, dreams, style, fooled nets", "Notes on seeing inside CNNs."),
    "E": ("Textures of filters", "A paper of 2016, translated."),
}
BUTTONS = {True: "hold", False: "do not hold", None: "are not tested"}
FIELDS = {"criterion": "it holds if", "measured": "measured", "n": "n", "control": "control"}


def ledger_page(found: list[tuple[str, dict[str, Any]]]) -> str:
    """The page's markdown, from pairs of a chapter's name and a row of its table of claims, sorted by id."""
    lines = [
        "# The ledger: every claim, and what came out",
        "",
        counts([row for _, row in found]),
        "",
        "What stands in gray behind a claim names the section of its source, or says that the claim is ours.",
        "*It holds if* was written before the last run. *Control* is what could have done as well. The link leads",
        "to the cell that measures.",
        "",
        *filters([row for _, row in found]),
    ]
    for part, of_part in groupby(found, key=lambda pair: pair[1]["id"][0]):
        title, source = TEXTS[part]
        lines += ["", f"## {part} · {title}", "", source, ""]
        for id, of_id in groupby(of_part, key=lambda pair: pair[1]["id"]):
            lines += [f'<section class="claims" id="{id}">', *(claim(*pair) for pair in of_id), "</section>"]
    return "\n".join(lines) + "\n"


def filters(rows: list[dict[str, Any]]) -> list[str]:
    """The buttons that show all claims, or those with one outcome; site.js gives them their effect."""
    buttons = [f'<button type="button" aria-pressed="true" data-outcome="">all {len(rows)}</button>']
    for holds, outcome in OUTCOMES.items():
        number = sum(row["holds"] is holds for row in rows)
        buttons.append(
            f'<button type="button" aria-pressed="false" data-outcome="{outcome}">{number} {BUTTONS[holds]}</button>'
        )
    return ['<div class="filters" role="group" aria-label="Show claims by outcome">', *buttons, "</div>"]


def claim(chapter: str, row: dict[str, Any]) -> str:
    """The block of one claim."""
    outcome = OUTCOMES[row["holds"]]
    fields = "".join(f"<dt>{name}</dt><dd>{escape(row[key])}</dd>" for key, name in FIELDS.items() if row[key])
    reason = f'<p class="reason">{escape(row["reason"])}</p>' if row["reason"] else ""
    block = (
        f'<article class="claim" data-outcome="{outcome}">'
        f'<p class="verdict"><b>{row["id"]}</b> · <span>{outcome}</span> · '
        f'<a href="{chapter}.html#cell-{row["cell"]}">chapter {chapter[:2]}</a></p>'
        f'<p class="claimed">{escape(row["claim"])} <span>{escape(row["source"])}</span></p>{reason}'
        f"<dl>{fields}</dl></article>"
    )
    return block.replace("\n", " ")  # an empty line would end the block of HTML
