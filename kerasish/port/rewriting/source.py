"""A script of Keras or tf.keras as a script of kerasish."""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import NamedTuple

import libcst as cst

from kerasish.port.rewriting.edits import Finding, apply, line_numbers
from kerasish.port.rewriting.imports import Imports
from kerasish.port.rewriting.methods import Models
from kerasish.port.rewriting.script import Script
from kerasish.port.rewriting.uses import Uses

PASSES = 10
# A text without any of these has nothing to port, and need not be analysed.
_SIGNS = re.compile(
    "keras|tensorflow|_generator|nb_epoch|to_yaml|save_weights|metrics_names|optimizer.lr|compile"
)


class Ported(NamedTuple):
    """The new text, and the lines of the old one that need a person."""

    source: str
    findings: list[Finding]


def port_source(source: str) -> Ported:
    """Rewrite a script until nothing is left to rewrite.

    Formatting and comments stay. What computes the same under another name is renamed; what has no equal stays as it
    is and is reported.

    Example:
        >>> port_source("from tensorflow.keras.optimizers import Adam\\nAdam(lr=0.1)\\n").source
        'from kerasish.optimizers import Adam\\nAdam(learning_rate=0.1)\\n'

    Raises:
        SyntaxError: the source is no Python 3.
    """
    current, findings = source, list[Finding]()
    known: Counter[str] = Counter()
    if not _SIGNS.search(source):
        return Ported(source, [])
    for _ in range(PASSES):
        after, found = _port_once(current)
        numbers = line_numbers(source, current)
        count: Counter[str] = Counter()
        for finding in found:  # what an earlier pass has said stands in the text still
            count[finding.reason] += 1
            if count[finding.reason] > known[finding.reason]:
                findings.append(Finding(numbers.get(finding.line, finding.line), finding.reason))
        known |= count
        if after == current:
            return Ported(current, sorted(set(findings)))
        current = after
    raise AssertionError("the rewriting does not come to rest")


def _explain(source: str, error: cst.ParserSyntaxError) -> str:
    """Python's own words for a syntax error, which are better than the parser's."""
    try:
        ast.parse(source)
    except SyntaxError as own:
        is_python_2 = "print" in own.msg or "exec" in own.msg or "except" in (own.text or "")
        advice = " For Python 2, run `2to3 -w` first." if is_python_2 else ""
        return f"line {own.lineno}: {own.msg}{advice}"
    return f"line {error.raw_line}: {error.message}"


def _port_once(source: str) -> tuple[str, list[Finding]]:
    try:
        script = Script(source)
    except cst.ParserSyntaxError as error:
        raise SyntaxError(_explain(source, error)) from error
    imports = Imports(script)
    Models(script)
    script.module.visit(Uses(script))
    imports.rewrite()
    if script.is_old:
        for node, reason in script.defaults:
            script.report(node, reason)
    return apply(source, script.edits), script.findings
