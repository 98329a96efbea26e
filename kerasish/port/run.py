"""Running a script or module, unmodified, with `keras` and `tensorflow.keras` being kerasish."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from types import TracebackType

import kerasish
from kerasish.port.aliases import install_aliases

_OUR_FILES = (__file__, os.path.join(os.path.dirname(kerasish.__file__), "__main__.py"))


def run_script(path: str, args: Sequence[str] = ()) -> None:
    """Run a script as `python path args…` would.

    Raises:
        SystemExit: 2, where there is no such file, as Python does.
    """
    if not os.path.exists(path):
        sys.stderr.write(f"kerasish: can't open file {os.path.abspath(path)!r}: no such file\n")
        raise SystemExit(2)
    _prepare(os.path.dirname(os.path.realpath(path)), path, args)
    runpy.run_path(path, run_name="__main__")


def run_module(name: str, args: Sequence[str] = ()) -> None:
    """Run a module as `python -m name args…` would."""
    _prepare(os.getcwd(), name, args)
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _prepare(directory: str, name: str, args: Sequence[str]) -> None:
    install_aliases(subprocesses=True)
    sys.argv = [name, *args]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = directory
    sys.excepthook = _print_exception


def _print_exception(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Print a traceback that begins with the script's own lines."""
    while traceback is not None and _is_ours(traceback.tb_frame.f_code.co_filename):
        traceback = traceback.tb_next
    sys.__excepthook__(kind, error.with_traceback(traceback), traceback)


def _is_ours(filename: str) -> bool:
    return filename in _OUR_FILES or os.path.basename(filename) in ("runpy.py", "<frozen runpy>")
