"""The text of a PyTorch module while it is written: statements on values whose names are chosen at the end."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from kerasish.layers import Layer

PLAIN, FIRST, FLAT = "plain", "channels first", "flat, channels first"
WIDTH = 88
TOKEN = re.compile("«([0-9]+)»")
LETTERS = "xyzuvwabcdefghjkmnpqrst"


class Refusal(ValueError):
    """Something that has no form in plain PyTorch."""


class Weight(NamedTuple):
    """One entry of the emitted module's `state_dict`.

    Args:
        key: its name there.
        sources: the weights that `make` computes it from.
        make: moves elements of its arguments around, and adds constants.
        is_summand: torch has a second array whose sum with the first is the weight; it is written as zeros.
    """

    key: str
    sources: Sequence[Tensor]
    make: Callable[..., Tensor]
    is_summand: bool = False

    def value(self) -> Tensor:
        """What is written."""
        with torch.no_grad():
            value = self.make(*(source.detach().cpu() for source in self.sources))
            return torch.zeros_like(value) if self.is_summand else value.contiguous()


class Value:
    """A tensor in `forward`.

    Args:
        shape: as Keras has it, None for unknown sizes.
        forms: layout → text of the tensor in that layout.
    """

    def __init__(self, shape: Any, dtype: str, forms: dict[str, str], mask: Value | None = None) -> None:
        self.shape = tuple(shape)
        self.dtype = dtype
        self.forms = forms
        self.mask = mask
        self.image: Value | None = None
        self.logits: tuple[Value, str] | None = None

    @property
    def form(self) -> str:
        """The layout in which it is at hand."""
        return PLAIN if PLAIN in self.forms else next(iter(self.forms))


class Lines:
    """Statements of one function."""

    def __init__(self) -> None:
        self.statements: list[tuple[list[str], str]] = []
        self.count = 0

    def token(self) -> str:
        """The place of a name."""
        self.count += 1
        return f"«{self.count}»"

    def set(self, expression: str) -> str:
        """Write `name = expression`; return the name's token."""
        token = self.token()
        self.statements.append(([token], expression))
        return token

    def unpack(self, expression: str, count: int) -> list[str]:
        """Write `a, b, … = expression`."""
        tokens = [self.token() for _ in range(count)]
        self.statements.append((tokens, expression))
        return tokens

    def do(self, statement: str) -> None:
        """Write a statement without a result."""
        self.statements.append(([], statement))

    def text(self, given: dict[str, str], result: str, taken: Sequence[str] = ()) -> list[str]:
        """The lines with names in place of tokens, a name being used again when its value is not needed any more.

        Args:
            given: tokens that have their names already.
            result: the expression returned.
            taken: names that must not be used.
        """
        rows = _folded([*self.statements, ([], f"return {result}")])
        last = {token: i for i, (_, text) in enumerate(rows) for token in TOKEN.findall(text)}
        names = {token.strip("«»"): name for token, name in given.items()}
        pool = [name for name in [*LETTERS, *(f"x{i}" for i in range(1, 1000))] if name not in taken]
        lines = []
        for i, (targets, text) in enumerate(rows):
            statement = TOKEN.sub(lambda match: names[match[1]], text)
            for token in set(TOKEN.findall(text)):
                if last[token] == i and (names[token] == "x" or names[token] not in taken):
                    pool.insert(0, names[token])
            assigned = []
            for target in (target.strip("«»") for target in targets):
                if target not in last:
                    assigned.append("_")
                    continue
                names[target] = pool.pop(0)
                assigned.append(names[target])
            lines.append(f"{', '.join(assigned)} = {statement}" if targets else statement)
        return lines


def _needed(rows: list[tuple[list[str], str]]) -> list[tuple[list[str], str]]:
    used: set[str] = set()
    kept = []
    for targets, text in reversed(rows):
        if not targets or any(target.strip("«»") in used for target in targets):
            used.update(TOKEN.findall(text))
            kept.append((targets, text))
    return kept[::-1]


def _folded(rows: list[tuple[list[str], str]]) -> list[tuple[list[str], str]]:
    """The statements that are needed, with a module's result put straight into the function after it."""
    rows = _needed(rows)
    uses = Counter(token for _, text in rows for token in TOKEN.findall(text))
    folded = rows[:1]
    for targets, text in rows[1:]:
        (before, expression) = folded[-1]
        token = before[0] if len(before) == 1 else ""
        is_once = token and uses[token.strip("«»")] == 1
        takes = text == f"return {token}" or (
            expression.startswith("self.") and re.match(rf"(F|torch)\.\w+\({token}[,)]", text)
        )
        if is_once and takes and len(text) + len(expression) < WIDTH - 16:
            folded[-1] = (targets, text.replace(token, expression))
        else:
            folded.append((targets, text))
    return folded


class Body(Lines):
    """One class of the emitted file.

    Args:
        name: of the class.
        file: what the classes of a file share.
    """

    def __init__(self, name: str, file: File) -> None:
        super().__init__()
        self.name = name
        self.file = file
        self.members: list[str] = []
        self.weights: list[Weight] = []
        self.attributes: dict[Any, str] = {}
        self.layouts: dict[int, Any] = {}

    def get(self, value: Value, form: str = PLAIN) -> str:
        """The tensor in a layout; it is brought there where it is not yet."""
        if form not in value.forms:
            if PLAIN in value.forms and form == FIRST:
                value.forms[form] = self.set(f"{value.forms[PLAIN]}.movedim(-1, 1)")
            elif FIRST in value.forms and form == PLAIN:
                value.forms[form] = self.set(f"{value.forms[FIRST]}.movedim(1, -1)")
            elif form == PLAIN and value.image is not None:
                last, *spatial = value.image.shape[:0:-1]
                sizes = (last, *reversed(spatial))
                value.forms[form] = self.set(
                    f"{value.forms[FLAT]}.unflatten(1, {sizes}).movedim(1, -1).flatten(1)"
                )
            else:
                raise Refusal(f"A value of shape {value.shape} has no layout {form!r}.")
        return value.forms[form]

    def attribute(self, name: str) -> str:
        """A free attribute name like `name`."""
        name = identifier(name)
        if hasattr(torch.nn.Module, name) or name in ("from_pretrained", "logits", "training"):
            name += "_layer"
        taken = set(self.attributes.values())
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        return unique

    def module(self, key: Any, name: str, constructor: str, weights: dict[str, Any] | None = None) -> str:
        """Make a submodule once per `key`; return how `forward` names it.

        Args:
            weights: name in the submodule → (sources, function), or (sources, function, True) for a summand.
        """
        if key not in self.attributes:
            attribute = self.attribute(name)
            self.attributes[key] = attribute
            if self.file.owners.setdefault(key, self) is not self:
                self.file.note(
                    f"{name}: {self.name} and {self.file.owners[key].name} have copies of its weights."
                )
            self.members.append(f"self.{attribute} = {constructor}")
            for suffix, weight in (weights or {}).items():
                self.weights.append(Weight(f"{attribute}.{suffix}", *weight))
        return f"self.{self.attributes[key]}"

    def parameter(self, tensor: Tensor, name: str) -> str:
        """Keep a weight, or a constant, under its own name; return how `forward` names it."""
        key = id(tensor)
        if key not in self.attributes:
            attribute = self.attribute(name)
            self.attributes[key] = attribute
            self.file.kept.append(tensor)
            dtype = "" if tensor.dtype is torch.float32 else f", dtype={tensor.dtype}"
            shape = ", ".join(map(str, tensor.shape)) if tensor.dim() else "()"
            zeros = f"torch.zeros({shape}{dtype})"
            if tensor.requires_grad:
                self.members.append(f"self.{attribute} = nn.Parameter({zeros})")
            else:
                self.members.append(f'self.register_buffer("{attribute}", {zeros})')
            self.weights.append(Weight(attribute, [tensor], lambda x: x.clone()))
        return f"self.{self.attributes[key]}"

    def class_text(self, inputs: dict[str, str], result: str, methods: Sequence[str] = ()) -> str:
        """The class, with `forward` from its input names (token → name) to `result`."""
        arguments = ", ".join(f"{name}: Tensor" for name in inputs.values())
        lines = [
            f"class {self.name}(nn.Module):",
            "    def __init__(self) -> None:",
            "        super().__init__()",
        ]
        lines += [wrapped(f"        {member}") for member in self.members]
        lines += ["", f"    def forward(self, {arguments}):"]
        lines += [wrapped(f"        {line}") for line in self.text(inputs, result, list(inputs.values()))]
        return "\n".join([*lines, *methods])


class File:
    """What the classes of an emitted file share."""

    def __init__(self) -> None:
        self.classes: dict[str, str] = {}
        self.functions: dict[str, str] = {}
        self.bodies: dict[int, Any] = {}
        self.notes: list[str] = []
        self.kept: list[Any] = []
        self.uses: dict[int, int] = {}
        self.claimed: set[str] = set()
        self.owners: dict[Any, Body] = {}

    def class_name(self, name: str) -> str:
        """A free class name for a model."""
        wanted = "".join(part[:1].upper() + part[1:] for part in identifier(name).split("_")) or "Net"
        wanted = f"{wanted}Module" if hasattr(torch.nn, wanted) or wanted in ("F", "Tensor") else wanted
        unique, number = wanted, 1
        while unique in self.classes or unique in self.claimed:
            number += 1
            unique = f"{wanted}{number}"
        self.claimed.add(unique)
        return unique

    def note(self, text: str) -> None:
        """Say something in the head of the file, once."""
        if text not in self.notes:
            self.notes.append(text)

    def function(self, name: str, make: Callable[[str], str]) -> str:
        """Add a function, or find the same one; return its name."""
        name = identifier(name)
        number = 1
        while True:
            unique = name if number == 1 else f"{name}_{number}"
            text = make(unique)
            if self.functions.setdefault(unique, text) == text:
                return unique
            number += 1


def identifier(name: str) -> str:
    """The name as Python can have it."""
    name = re.sub(r"\W", "_", name)
    name = f"_{name}" if not name or name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name


def wrapped(line: str, width: int = WIDTH) -> str:
    """The statement over several lines where it is too long, as ruff and black break it."""
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    opened = _last_bracket(line)
    if opened is None:
        return line
    start, end = opened
    head, inner, tail = line[: start + 1], line[start + 1 : end], line[end:]
    if len(indent) + 4 + len(inner) <= width and ("for " in inner or len(_parts(inner)) > 0):
        return f"{head}\n{indent}    {inner}\n{indent}{tail}"
    pieces = _parts(inner)
    comma = "," if len(pieces) > 1 else ""
    parts = [wrapped(f"{indent}    {part}{comma}") for part in pieces]
    return "\n".join([head, *parts, f"{indent}{tail}"])


def _last_bracket(line: str) -> tuple[int, int] | None:
    """Where the last outermost brackets open and close."""
    depth, start, found = 0, 0, None
    quoted = ""
    for i, character in enumerate(line):
        if quoted:
            quoted = "" if character == quoted else quoted
        elif character in "\"'":
            quoted = character
        elif character in "([{":
            start = i if depth == 0 else start
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0 and i > start + 1:
                found = start, i
    return found


def _parts(text: str) -> list[str]:
    """The text at its outermost commas."""
    parts, depth, current, quoted = [], 0, "", ""
    for character in text:
        if quoted:
            quoted = "" if character == quoted else quoted
        elif character in "\"'":
            quoted = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        if character == "," and depth == 0 and not quoted:
            parts.append(current.strip())
            current = ""
        else:
            current += character
    return [part for part in [*parts, current.strip()] if part]


def layers_of(model: torch.nn.Module) -> list[Any]:
    """The model and all layers in it."""
    return [module for module in model.modules() if isinstance(module, Layer)]
