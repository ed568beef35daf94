"""Where the course's pages lie on the site, and its links rewritten so that they lead there."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

# Page on the site: where its text lies in the repository.
PAGES = {
    "chapters": "notebooks/CHAPTERS.md",
    "ledger": "notebooks/LEDGER.md",
    "glossary": "notebooks/GLOSSARY.md",
    "teaching": "TEACHING.md",
    "about": "README.md",
    "sources": "data/README.md",
}
# A block or a piece of code is passed over, because `x[0](y)` in it is no link.
LINK_OR_CODE = re.compile(
    r"```.*?```|(?P<picture>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^)\s]+)\)|`[^`\n]*`", re.DOTALL
)
TERM = re.compile(r'^\| <a id="([^"]+)"></a>([^|]+)\|([^|]+)\|([^|]+)\|', re.MULTILINE)


@dataclass(frozen=True)
class Term:
    """A term of the glossary: in English, in Chinese, and what it means."""

    english: str
    chinese: str
    meaning: str


def read_terms(glossary: str) -> dict[str, Term]:
    """The terms of GLOSSARY.md by their anchors."""
    return {anchor: Term(*(plain(cell) for cell in cells)) for anchor, *cells in TERM.findall(glossary)}


def plain(markdown: str) -> str:
    """The text without marks of emphasis, code and links."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`$]", r"\1", markdown).strip()


def relink(text: str, source: str, terms: dict[str, Term], copy_picture: Callable[[str], str]) -> str:
    """Markdown whose links and pictures lead to what the site has.

    Args:
        text: the markdown.
        source: the path of its file in the repository; links start from its folder.
        terms: the glossary. A link to a term becomes one that says what it means when the mouse rests on it.
        copy_picture: takes the path of a picture in the repository, and gives its path on the site.

    A link to a file that is not on the site becomes its mere text. Raises ValueError for a term that is not there.
    """

    def replaced(match: re.Match[str]) -> str:
        if match["target"] is None or re.match(r"https?:|#", match["target"]):
            return match[0]
        path, _, anchor = match["target"].partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if match["picture"]:
            return f"![{match['text']}]({copy_picture(path)})"
        if path == PAGES["glossary"] and anchor:
            if anchor not in terms:
                raise ValueError(f"{source} links to the term {anchor!r}, which is not in {path}")
            term = terms[anchor]
            title = escape(f"{term.chinese}: {term.meaning}")
            return f'<a class="term" href="glossary.html#{anchor}" title="{title}">{match["text"]}</a>'
        name = next((page for page, origin in PAGES.items() if origin == path), None)
        if name:
            return f"[{match['text']}]({name}.md)"
        if path.endswith(".ipynb"):
            return f"[{match['text']}]({Path(path).name})"
        return match["text"]

    return LINK_OR_CODE.sub(replaced, text)
