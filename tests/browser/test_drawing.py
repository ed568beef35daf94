"""The pad of dots in a real JupyterLab: clicks draw, and the net reads along."""

import pytest
from conftest import Lab
from playwright.sync_api import Page, expect
from test_panels import (
    ROOT,
    code_cells,
    open_notebook,
    panels_of,
    run_all,
    screenshot,
    source,
    status,
    wait_for_another_picture,
)  # fmt: skip

pytestmark = pytest.mark.browser


def test_a_digit_is_drawn_by_clicking_dots(page: Page, lab: Lab) -> None:
    (path,) = (ROOT / "notebooks").glob("02*.ipynb")
    derived = panels_of(lab, path)
    open_notebook(page, lab, derived.name)
    run_all(page, cells=len(code_cells(derived)))
    panel = page.locator(".cnnlab-panel").nth(1)
    panel.scroll_into_view_if_needed()
    expect(status(panel)).to_have_text("done")
    panel.get_by_role("button", name="clear").click()
    for column, row in ((1, 1), (6, 1), (3, 9)):  # a seven
        before = source(panel)
        panel.locator(f"button[title='column {column}, row {row}']").click()
        wait_for_another_picture(panel, before)
    expect(status(panel)).to_have_text("done")
    screenshot(panel, "02-drawing")
