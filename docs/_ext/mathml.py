"""Formulas as MathML, which browsers draw on their own: no script, no font and nothing loaded from elsewhere.

docutils translates LaTeX. What it does not know and our pages use is put into words that it knows (`SYNONYMS`); an
equation's tag becomes its number at the right margin and an anchor `#eq-7`. A formula that cannot be translated is a
warning, and so an error of the build.
"""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)
TAG = re.compile(r"\\tag\{(\w+)\}")
SYNONYMS = (
    (re.compile(r"\\[bB]ig(?![a-z])"), ""),  # brackets grow on their own
    (re.compile(r"\\mathrel\{\+\}="), r"\\mathrel{+=}"),
    (re.compile(r"\\mathrel\{(.*?)\}"), r"\1"),
    (re.compile(r"\\lt(?![a-z])"), "<"),
    (re.compile(r"\\gt(?![a-z])"), ">"),
    (re.compile(r"\\cr(?![a-z])"), r"\\\\"),
    (re.compile(r"\\dots(?![a-z])"), r"\\ldots"),
)


def translate(latex, as_block):
    """MathML of one formula.

    Examples
    --------
    >>> translate("a \\\\lt b", False).count("<mo>&lt;</mo>")
    1
    """
    for pattern, replacement in SYNONYMS:
        latex = pattern.sub(replacement, latex)
    return tex2mathml(latex, as_block=as_block)


def _mathml(translator, node, latex, as_block):
    try:
        return translate(latex, as_block)
    except MathError as error:
        logger.warning("formula %r: %s", latex, error, location=node)
        return translator.encode(latex)


def visit_inline(translator, node):
    translator.body.append(f'<span class="math">{_mathml(translator, node, node.astext(), False)}</span>')
    raise nodes.SkipNode


def visit_block(translator, node):
    latex = node.astext()
    tag = TAG.search(latex)
    formula = _mathml(translator, node, TAG.sub("", latex), True)
    number = ""
    anchor = ""
    if tag:
        anchor = f' id="eq-{tag.group(1)}"'
        number = f'<a class="eqno" href="#eq-{tag.group(1)}">({tag.group(1)})</a>'
    translator.body.append(f'<div class="math"{anchor}>{formula}{number}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
