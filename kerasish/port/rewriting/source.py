"""A script of Keras or tf.keras as a script of kerasish."""

from __future__ import annotations

import re
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
    current, findings = source, {}
    if not _SIGNS.search(source):
        return Ported(source, [])
    for _ in range(PASSES):
        after, found = _port_once(current)
        numbers = line_numbers(source, current)
        for finding in found:
            line = numbers.get(finding.line, finding.line)
            findings[line, finding.reason] = Finding(line, finding.reason)
        if after == current:
            return Ported(current, sorted(findings.values()))
        current = after
    raise AssertionError("the rewriting does not come to rest")


def _port_once(source: str) -> tuple[str, list[Finding]]:
    try:
        script = Script(source)
    except cst.ParserSyntaxError as error:
        raise SyntaxError(f"line {error.raw_line}: {error.message}") from error
    imports = Imports(script)
    Models(script)
    script.module.visit(Uses(script))
    imports.rewrite()
    if script.is_old:
        for node, reason in script.defaults:
            script.report(node, reason)
    return apply(source, script.edits), script.findings
