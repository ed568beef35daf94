"""The course as a site: `python -m tools.site` writes build/site, which any web server can hand out.

The pages are staged in build/site-src/pages: the chapters with their saved outputs, the ledger, the glossary, the
chapters in two languages, the pages for teachers and about the course. Sphinx and MyST-NB make them into HTML; no code
runs. The site asks no other host for anything.
"""

import re
import shutil
import sys
import time
from pathlib import Path

import nbformat

from cnnlab.microscope.reading import SHIPPED
from cnnlab.microscope.site import make_site
from cnnlab.teaching.claims import IDS
from tools.make_ledger import counts, rows
from tools.npm import node_modules
from tools.site.chapters import Title, read_titles, stage_chapter
from tools.site.front import front_page
from tools.site.ledger import ledger_page
from tools.site.links import PAGES, read_terms, relink

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
BUILD = ROOT / "build"
SITE_LIMIT, PAGE_LIMIT = 25e6, 2e6  # bytes: of the site, and of a page with its pictures
FRONT = """---
hide-toc: true
---
# See what convolutional networks see

```{{raw}} html
{front}
```

```{{toctree}}
:hidden:
:caption: Chapters

{chapters}
```

```{{toctree}}
:hidden:
:caption: The course

In two languages · 双语目录 <chapters>
The ledger of claims <ledger>
Glossary · 词汇表 <glossary>
For teachers <teaching>
About the course <about>
Where everything comes from <sources>
```
"""


def mathjax() -> Path:
    """The folder of MathJax's scripts, from npm."""
    return node_modules(HERE / "package.json", "site") / "mathjax" / "es5"


def stage(source: Path, pictures: Path) -> None:
    """Write the pages into the folder `source`, and the pictures that need no Sphinx into the folder `pictures`."""
    images = source / "images"
    for folder in (images, pictures):
        folder.mkdir(parents=True)

    def copy_picture(path: str) -> str:
        shutil.copy(ROOT / path, images)
        return f"images/{Path(path).name}"

    texts = {page: (ROOT / path).read_text(encoding="utf-8") for page, path in PAGES.items()}
    terms, titles = read_terms(texts["glossary"]), read_titles(texts["chapters"])
    chapters = {path.stem: nbformat.read(path, 4) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    found = [(stem, row) for stem, chapter in chapters.items() for row in rows(chapter)]
    found.sort(key=lambda pair: IDS.index(pair[1]["id"]))  # stable: within an id, in the order of the chapters

    for stem, chapter in chapters.items():
        if f"{stem}.ipynb" not in titles:
            raise ValueError(f"{PAGES['chapters']} has no title of {stem}.ipynb, in the form of the others")
        for cell in chapter.cells:
            if cell.cell_type == "markdown":
                cell.source = relink(cell.source, f"notebooks/{stem}.ipynb", terms, copy_picture)
        anchors = {row["cell"] for at, row in found if at == stem}
        staged = stage_chapter(chapter, stem, titles[f"{stem}.ipynb"], anchors, pictures)
        nbformat.write(staged, source / f"{stem}.ipynb")
    words, table = texts["glossary"].split("\n| term |")
    texts["glossary"] = f'{words}\n<div class="glossary">\n\n| term |{table}\n</div>\n'
    # Chinese has no italics.
    texts["chapters"] = re.sub(r"(?m)^\*([^*\n]*[一-鿿][^*\n]*)\*$", r'<span lang="zh">\1</span>', texts["chapters"])
    texts["about"] = "# About the course\n\n" + texts["about"][texts["about"].index("\n## ") :]
    for page, text in texts.items():
        (source / f"{page}.md").write_text(relink(text, PAGES[page], terms, copy_picture), encoding="utf-8")
    (source / "ledger.md").write_text(ledger_page(found), encoding="utf-8")
    front = front_page(chapters, titles, counts([row for _, row in found]), pictures)
    (source / "index.md").write_text(FRONT.format(front=front, chapters=entries(titles)), encoding="utf-8")


def entries(titles: dict[str, Title]) -> str:
    """The lines of the table of contents: "04 What neurons see <04_what_neurons_see>"."""
    short = {file: title.title.replace(" · ", " ").split(":")[0] for file, title in titles.items()}
    return "\n".join(f"{title} <{file.removesuffix('.ipynb')}>" for file, title in short.items())


def build(target: Path) -> None:
    """Stage the pages and build the site into the folder `target`; a site that is there is replaced at the end."""
    try:
        from sphinx.cmd.build import build_main
    except ImportError:
        sys.exit(
            'The site needs Sphinx: install it by `make site`, or by `pip install -c constraints.txt -e ".[site]"`'
        )
    scripts = mathjax()
    work = target.with_name(f"{target.name}-src")
    shutil.rmtree(work, ignore_errors=True)
    source, extra, fresh = work / "pages", work / "extra", work / "html"
    stage(source, extra / "pictures")
    static, fonts = extra / "_static" / "mathjax", Path("output", "chtml", "fonts", "woff-v2")
    shutil.copytree(scripts / fonts, static / fonts)
    shutil.copy(scripts / "tex-chtml-full.js", static)
    folders = ["-c", str(HERE), "-D", f"html_extra_path={extra}", "-d", str(work / "doctrees")]
    if build_main(["-q", "-W", "--keep-going", "-j", "auto", "-b", "html", *folders, str(source), str(fresh)]):
        sys.exit("The site was not built: mend what Sphinx says above")
    shutil.copytree(SHIPPED, fresh / "microscope")  # pages of their own, which a link opens
    make_site(fresh / "microscope")
    (fresh / ".nojekyll").touch()  # GitHub Pages would leave out the folders whose names begin with "_"
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def weights(site: Path) -> dict[str, int]:
    """The bytes of each page with its pictures; the scripts and styles that all pages share are not counted."""
    result = {}
    for page in sorted(site.glob("*.html")):
        names = set(re.findall(r'<img[^>]* src="([^":]+)"', page.read_text(encoding="utf-8")))
        result[page.name] = page.stat().st_size + sum((site / name).stat().st_size for name in names)
    return result


def main() -> None:
    """Build the site in build/site, and say what it weighs."""
    start, target = time.perf_counter(), BUILD / "site"
    build(target)
    total = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    by_page = weights(target)
    heaviest = max(by_page, key=lambda page: by_page[page])
    print(f"{len(by_page)} pages, {total / 1e6:.1f} MB, in {time.perf_counter() - start:.0f} s.")
    print(f"The heaviest page is {heaviest} with {by_page[heaviest] / 1e6:.2f} MB.")
    if total > SITE_LIMIT or by_page[heaviest] > PAGE_LIMIT:
        sys.exit(f"That is too much: at most {SITE_LIMIT / 1e6:.0f} MB in all and {PAGE_LIMIT / 1e6:.0f} MB a page")
    print(f"Open {target / 'index.html'}")


if __name__ == "__main__":
    main()
