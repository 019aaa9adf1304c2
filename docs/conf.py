"""Sphinx's configuration of the site: `bash runs.sh docs` builds it into docs/_build/html, warnings being errors.

Sphinx, because numpydoc reads the docstrings as they are written here, every cross reference is checked as it is
resolved, and MyST lets the pages stay plain Markdown that also reads well where the repository is looked at. Nothing is
loaded from elsewhere: formulas become MathML, fonts and scripts are the theme's own.
"""

import sys
from pathlib import Path
from typing import NewType

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

import numpy.typing  # noqa: E402

numpy.typing.ArrayLike = NewType("ArrayLike", object)  # shown by its name, not as the union that it is

import tinymeta.base.jit as jit_module  # noqa: E402
from tinymeta import __version__  # noqa: E402

# Nothing runs while docstrings are read; as plain functions, kernels show their arguments and documentation.
for decorator in ("jit", "jit_called", "jit_allocating"):
    setattr(jit_module, decorator, lambda function, **options: function)

project = "tinymeta"
author = "the authors of tinymeta"
copyright = "the authors of tinymeta, MIT licence"
version = release = __version__

extensions = [
    "myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.viewcode",
    "docstrings", "lab", "mathml",
]  # fmt: skip
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_templates", "_ext"]
templates_path = ["_templates"]
nitpicky = False

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

default_role = "py:obj"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
numpydoc_class_members_toctree = False

html_theme = "furo"
html_title = f"tinymeta {__version__}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"
pygments_style = "friendly"
