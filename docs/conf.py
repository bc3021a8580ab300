"""Configuration of the documentation; see docs/contributing.rst for the command that builds it. Needs no network."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "ksparse"
author = "the ksparse developers"
copyright = "the ksparse developers, BSD-3-Clause"
release = version = version_of("ksparse")

extensions = [
    "check_links",
    "mathml",
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_extensions", "examples", "figures", "auto_examples/**.py", "auto_examples/**.ipynb"]
root_doc = "index"
default_role = None

# References are checked, but for those to other projects: no inventory of theirs is fetched.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(sklearn|pandas|matplotlib|numpy|scipy|joblib|threadpoolctl)\..*")]

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say it in words
# The methods of metadata routing are scikit-learn's, whose docstrings refer to its own glossary.
_ROUTED = ("fit", "score", "predict", "predict_proba", "predict_log_proba", "decision_function")
autodoc_default_options = {
    "exclude-members": ", ".join(["get_metadata_routing", "set_output", *(f"set_{method}_request" for method in _ROUTED)])
}
toc_object_entries_show_parents = "hide"  # the menu on the right is narrow
numpydoc_show_class_members = False  # the templates list them
numpydoc_validation_checks: set[str] = set()  # tests/python/test_docs.py does that

plot_formats = [("svg", 100)]
plot_html_show_formats = False
plot_html_show_source_link = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "gallery_order.place_of",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # that page would load scripts from elsewhere
    "reference_url": {"ksparse": None},
    "backreferences_dir": None,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "ksparse"
html_theme_options = {
    "show_toc_level": 2,
    "header_links_before_dropdown": 4,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_static_path = ["_static"]
html_css_files = ["ksparse.css"]
# Pages without pages below them have nothing to show on the left.
html_sidebars: dict[str, list[str]] = {
    page: [] for page in ("installation", "quickstart", "coming_from", "cpp", "benchmarks", "faq", "contributing", "changelog")
}
html_show_sourcelink = False
html_math_renderer = "mathml"
