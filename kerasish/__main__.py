"""The command line: `python -m kerasish run script.py`, `python -m kerasish datasets`."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Sequence

import torch

import kerasish

DATASETS = sorted(name for name, module in vars(kerasish.datasets).items() if hasattr(module, "load_data"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    return arguments.command(parser, arguments)


def make_parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = argparse.ArgumentParser(prog="kerasish", description="The Keras API on PyTorch.")
    versions = (
        f"kerasish {kerasish.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    )
    parser.add_argument("--version", action="version", version=versions)
    commands = parser.add_subparsers(required=True, metavar="command")

    run = commands.add_parser(
        "run",
        help="run a Keras or tf.keras script as it is",
        usage="kerasish run script.py [args …]\n       kerasish run -m module [args …]",
        description="Run a script or module, unmodified, with `import keras` and `import tensorflow` giving "
        "kerasish. Everything after its name is passed on to it.",
    )
    run.add_argument("-m", dest="module", nargs=argparse.REMAINDER, metavar="module [args …]")
    run.add_argument("script", nargs=argparse.REMAINDER, metavar="script.py [args …]")
    run.set_defaults(command=run_command)

    to_pytorch = commands.add_parser(
        "to-pytorch",
        help="write a saved model as the source of a PyTorch module",
        description="Write a `.keras` model as a Python file with a plain `torch.nn.Module`, and its weights beside it "
        "as safetensors.",
    )
    to_pytorch.add_argument("model", metavar="model.keras")
    to_pytorch.add_argument("-o", dest="output", required=True, metavar="net.py")
    to_pytorch.add_argument("--weights", metavar="net.safetensors", help="by default beside the source")
    to_pytorch.set_defaults(command=to_pytorch_command)

    port = commands.add_parser(
        "port",
        help="rewrite Keras and tf.keras code for kerasish",
        description="Rewrite imports and old spellings in scripts, notebooks and directories of them. Without "
        "--write, show the changes. What has no equal stays as it is and is listed with what to do instead; the exit "
        "status is 1 then.",
    )
    port.add_argument("paths", nargs="+", metavar="script.py|notebook.ipynb|directory")
    port.add_argument("--write", action="store_true", help="change the files")
    port.set_defaults(command=port_command)

    datasets = commands.add_parser(
        "datasets",
        help="say where the data sets lie and what they hold",
        description="Without a name, list the data sets and say which are here. With a name, load it (which "
        "downloads it if need be), and say where it lies and what its shapes are.",
    )
    datasets.add_argument("name", nargs="?", choices=DATASETS)
    datasets.set_defaults(command=datasets_command)
    return parser


def run_command(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """`run script.py args…` or `run -m module args…`."""
    from kerasish.port.run import run_module, run_script

    if arguments.module:
        run_module(arguments.module[0], arguments.module[1:])
    elif arguments.script:
        run_script(arguments.script[0], arguments.script[1:])
    else:
        parser.error("run needs a script, or -m and a module")
    return 0


def to_pytorch_command(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """`to-pytorch model.keras -o net.py`."""
    from kerasish.port.pytorch import to_pytorch

    try:
        to_pytorch(kerasish.saving.load_model(arguments.model), arguments.output, arguments.weights)
    except (ImportError, OSError, TypeError, ValueError) as error:
        print(error, file=sys.stderr)
        if "custom_objects" in str(error):
            print(
                "This command knows no classes of yours: call `kerasish.port.to_pytorch(model, path)` where they are.",
                file=sys.stderr,
            )
        return 1
    print(arguments.output)
    return 0


def port_command(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """`port paths… [--write]`."""
    if importlib.util.find_spec("libcst") is None:
        parser.error('porting needs libcst: pip install "kerasish[port]"')
    from kerasish.port.rewriting.files import port_paths

    try:
        return port_paths(arguments.paths, arguments.write)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def datasets_command(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """`datasets` or `datasets name`."""
    from kerasish.datasets.locate import present

    if arguments.name is None:
        for name in DATASETS:
            paths = present(importlib.import_module(f"kerasish.datasets.{name}"))
            print(f"{name:20}{paths[0].parent if paths else 'not here'}")
        return 0
    module = importlib.import_module(f"kerasish.datasets.{arguments.name}")
    try:
        (x_train, y_train), (x_test, y_test) = module.load_data()
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    for path in present(module):
        print(path)
    for label, array in (("x_train", x_train), ("y_train", y_train), ("x_test", x_test), ("y_test", y_test)):
        print(f"{label:8} {array.shape!s:20} {array.dtype}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
