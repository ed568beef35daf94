"""Sphinx's settings for the site; `python -m tools.site` adds the folders."""

project = "cnnlab"
author = "cnnlab contributors"
project_copyright = "the contributors to cnnlab; MIT license"
language = "en"

extensions = ["myst_nb"]
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # the site has no widgets, and asks no other host for their scripts
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# MathJax comes from npm; tools.site copies the part that the pages need.
mathjax_path = "mathjax/tex-chtml-full.js"
# The menu would load parts that are not there. A screen reader gets the formulas as MathML.
mathjax3_config = {"options": {"enableMenu": False}}

html_theme = "furo"
html_title = "cnnlab"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#a8431f",
        "color-brand-content": "#a8431f",
        "color-holds": "#1e7a38",
        "color-fails": "#c0421a",
    },
    "dark_css_variables": {
        "color-brand-primary": "#f2a17c",
        "color-brand-content": "#f2a17c",
        "color-holds": "#4fbf6c",
        "color-fails": "#f0764d",
    },
}
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
