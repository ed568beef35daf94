"""The panels of the chapters as pages without code, served by Voilà: `python -m tools.make_apps [05 12] [-- OPTIONS]`.

The notebooks behind them are derived from the chapters (`tools.panel_notebooks`) and lie in build/apps with the page
that lists them. The options go to Voilà: `-- --no-browser --port=9000`.
"""

import html
import os
import re
import shutil
import sys
from pathlib import Path
from string import Template

import nbformat
from nbformat import NotebookNode

from tools.kept_nets import with_kept_nets
from tools.panel_notebooks import panel_notebook
from tools.run_notebooks import chosen
from tools.site.front import TILES, cut

FOLDER = Path("build/apps")
PAGES = Path(__file__).parent / "apps"  # how the pages look
TEMPLATE = "course"  # what Voilà calls it
# All that a page needs of Lab.
WIDGETS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget"]
SETTINGS = [
    "--Voila.ip=127.0.0.1",  # only this computer
    f"--VoilaConfiguration.template={TEMPLATE}",
    f"--VoilaConfiguration.extension_allowlist={WIDGETS}",
    # A page that is closed asks for the end of its kernel, without the token against requests of other pages. These do
    # not know the kernel's id. If a page could not ask, the kernel ends after half an hour.
    "--Voila.tornado_settings={'disable_check_xsrf': True}",
    "--MappingKernelManager.cull_idle_timeout=1800",
    "--MappingKernelManager.cull_interval=60",
]


def card(notebook: NotebookNode, name: str) -> str:
    """A chapter on the page that lists all: its picture, title and question."""
    heading = notebook.cells[0].source.removeprefix("# ")
    title, _, question = (html.escape(part, quote=False) for part in heading.partition("\n\n"))
    question = re.sub(r"\*\*(.+?)\*\*|\*(.+?)\*", r"<em>\1\2</em>", question)
    image = f'<img src="voila/files/pictures/{name}.jpg" alt="{html.escape(TILES[name[:2]].alt)}" loading="lazy">'
    return (
        f'<a href="voila/render/{name}.ipynb">{image}'
        f"<h2>{title}</h2><p>{question}</p><small>opens in a few seconds</small></a>"
    )


def notebook_of(chapter: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook of a chapter's panels; what it would train is trained here, once, and kept in the folder."""
    notebook = panel_notebook(chapter)
    changed = with_kept_nets(notebook, folder)
    return panel_notebook(changed) if changed is not notebook else notebook  # without the data for the training


def build(paths: list[Path], folder: Path) -> None:
    """Write the notebooks, the pictures, and the page that lists them, for Voilà."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("*.ipynb"), *(folder / "pictures").iterdir()]:
        old.unlink()
    cards = []
    for path in paths:
        print(path.stem, flush=True)
        chapter = nbformat.read(path, as_version=4)
        notebook = notebook_of(chapter, folder)
        nbformat.write(notebook, folder / path.name)
        cut(chapter, TILES[path.name[:2]]).save(folder / "pictures" / f"{path.stem}.jpg", quality=85)
        cards.append(card(notebook, path.stem))
    template = folder / "jupyter" / "voila" / "templates" / TEMPLATE
    shutil.copytree(PAGES, template, dirs_exist_ok=True)
    page = Template((PAGES / "gallery.html").read_text(encoding="utf-8")).substitute(cards="\n".join(cards))
    # Voilà asks for this name to show what is in a folder.
    (template / "tree-lab.html").write_text(f"{{% raw %}}{page}{{% endraw %}}", encoding="utf-8")


def main() -> None:
    """Derive the notebooks of the chapters that the command line names, or of all, and serve them."""
    names, options = sys.argv[1:], list[str]()
    if "--" in names:
        names, options = names[: names.index("--")], names[names.index("--") + 1 :]
    try:
        from voila.app import Voila
    except ImportError:
        raise SystemExit('make apps needs Voilà: .venv/bin/python -m pip install -e ".[apps]"') from None
    build(chosen(names), FOLDER)
    folders = [str(FOLDER.resolve() / "jupyter"), os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, folders))
    Voila.launch_instance([*SETTINGS, *options, str(FOLDER)])


if __name__ == "__main__":
    main()
