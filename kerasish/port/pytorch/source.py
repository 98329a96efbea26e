"""The text of a PyTorch module while it is written: statements on values whose names are chosen at the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from kerasish.layers import Layer
from kerasish.port.pytorch.formatting import COMMENT, WIDTH, identifier, wrapped

PLAIN, FIRST, FLAT = "plain", "channels first", "flat, channels first"
MODULES = ("F", "Tensor", "math", "nn", "torch", "self")
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

    Attributes:
        order: of a flat value, the place in Keras of each of its columns.
        image: what was flattened.
        steps: the same with time and batch as one axis.
        logits: the value before the last activation, and its name.
    """

    def __init__(
        self,
        shape: Any,
        dtype: str,
        forms: dict[str, str],
        mask: Value | None = None,
    ) -> None:
        self.shape = tuple(shape)
        self.dtype = dtype
        self.forms = forms
        self.mask = mask
        self.order: Tensor | None = None
        self.image: Value | None = None
        self.steps: Value | None = None
        self.logits: tuple[Value, str] | None = None

    @property
    def form(self) -> str:
        """The layout in which it is at hand."""
        return PLAIN if PLAIN in self.forms else next(iter(self.forms))

    def label(self, form: str) -> str:
        """The shape as a comment says it, in a layout."""
        sizes = list(self.shape)
        spatial = {3: "L", 4: "HW", 5: "DHW"}.get(len(sizes), "L")
        for axis, letter in enumerate(spatial, start=1):
            if axis < len(sizes) and sizes[axis] is None:
                sizes[axis] = letter
        if form == FIRST:
            sizes.insert(1, sizes.pop())
        letters = (
            ["B" if sizes[:1] == [None] else sizes[0], *(size or "?" for size in sizes[1:])] if sizes else []
        )
        return f"({', '.join(map(str, letters))}{',' if len(letters) == 1 else ''})" if letters else ""


class Row(NamedTuple):
    """A statement: the names that it sets, its text, and the token of the value at its end."""

    targets: list[str]
    text: str
    made: str = ""


class Lines:
    """Statements of one function."""

    def __init__(self) -> None:
        self.statements: list[Row] = []
        self.labels: dict[str, str] = {}
        self.wished: dict[str, str] = {}
        self.count = 0

    def token(self) -> str:
        """The place of a name."""
        self.count += 1
        return f"«{self.count}»"

    def set(self, expression: str, name: str = "") -> str:
        """Write `name = expression`; return the name's token."""
        token = self.token()
        if name:
            self.wished[token.strip("«»")] = name
        self.statements.append(Row([token], expression, token))
        return token

    def unpack(self, expression: str, count: int) -> list[str]:
        """Write `a, b, … = expression`."""
        tokens = [self.token() for _ in range(count)]
        self.statements.append(Row(tokens, expression, tokens[0]))
        return tokens

    def spoken_for(self) -> frozenset[str]:
        """Names that a variable must not have."""
        return frozenset(MODULES)

    def do(self, statement: str) -> None:
        """Write a statement without a result."""
        self.statements.append(Row([], statement))

    def text(self, given: dict[str, str], result: str, taken: Sequence[str] = ()) -> list[str]:
        """The lines with names in place of tokens, a name being used again when its value is not needed any more.

        A line that makes a value of another shape than the line before says its shape.

        Args:
            given: tokens that have their names already.
            result: the expression returned.
            taken: names that must not be used.
        """
        rows = _folded([*self.statements, Row([], f"return {result}", result)])
        last = {token: i for i, row in enumerate(rows) for token in TOKEN.findall(row.text)}
        names = {token.strip("«»"): name for token, name in given.items()}
        pool = [name for name in [*LETTERS, *(f"x{i}" for i in range(1, 1000))] if name not in taken]
        live = {*taken, *self.spoken_for()}
        lines = []
        label = ""
        for i, (targets, text, made) in enumerate(rows):
            statement = TOKEN.sub(lambda match: names[match[1]], text)
            for token in set(TOKEN.findall(text)):
                if last[token] != i:
                    continue
                live.discard(names[token])
                if names[token] not in (*taken, *self.wished.values()) or names[token] == "x":
                    pool.insert(0, names[token])
            assigned = []
            for target in (target.strip("«»") for target in targets):
                if target not in last:
                    assigned.append("_")
                    continue
                wished = self.wished.get(target)
                names[target] = pool.pop(0) if wished is None or wished in live else wished
                live.add(names[target])
                assigned.append(names[target])
            line = f"{', '.join(assigned)} = {statement}" if targets else statement
            is_new = made in self.labels and self.labels[made] != label and text != f"return {made}"
            label = self.labels.get(made, label)
            lines.append(f"{line}{COMMENT}{label}" if is_new else line)
        return lines


def _needed(rows: list[Row]) -> list[Row]:
    used: set[str] = set()
    kept = []
    for row in reversed(rows):
        if not row.targets or any(target.strip("«»") in used for target in row.targets):
            used.update(TOKEN.findall(row.text))
            kept.append(row)
    return kept[::-1]


def _folded(rows: list[Row]) -> list[Row]:
    """The statements that are needed, a result that is used at once being put straight into the call after it."""
    rows = _needed(rows)
    uses = Counter(token for row in rows for token in TOKEN.findall(row.text))
    folded = rows[:1]
    for row in rows[1:]:
        before, expression = folded[-1].targets, folded[-1].text
        token = before[0] if len(before) == 1 else ""
        is_once = token and uses[token.strip("«»")] == 1
        if is_once and _takes(row.text, token, expression) and len(row.text) + len(expression) < WIDTH - 20:
            folded[-1] = row._replace(text=row.text.replace(token, expression))
        else:
            folded.append(row)
    return folded


def _takes(text: str, token: str, expression: str) -> bool:
    """Whether a statement reads well with an expression in the place of its first argument."""
    if text == f"return {token}":
        return True
    if not re.match(rf"(return )?((F|torch)\.\w+|self\.\w+)\({token}[,)]", text):
        return False
    if expression.startswith("self."):
        return expression.count("(") < (2 if text.removeprefix("return ").startswith("self.") else 3)
    return re.fullmatch("«[0-9]+» [-+*] «[0-9]+»", expression) is not None


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
        self.names: dict[int, str] = {}
        self.owned: set[int] = set()
        self.tokens_of_inputs: list[str] = []

    def spoken_for(self) -> frozenset[str]:
        return frozenset({*MODULES, *self.file.functions})

    def get(self, value: Value, form: str = PLAIN) -> str:
        """The tensor in a layout; it is brought there where it is not yet."""
        if form not in value.forms:
            if PLAIN in value.forms and form == FIRST:
                value.forms[form] = self.set(f"{value.forms[PLAIN]}.movedim(-1, 1)")
            elif FIRST in value.forms and form == PLAIN:
                value.forms[form] = self.set(f"{value.forms[FIRST]}.movedim(1, -1)")
            elif form == PLAIN and value.image is not None:
                sizes = (value.image.shape[-1], *value.image.shape[1:-1])
                value.forms[form] = self.set(
                    f"{value.forms[FLAT]}.unflatten(1, {sizes}).movedim(1, -1).flatten(1)"
                )
            elif form == PLAIN and value.order is not None:
                places = self.parameter(value.order.argsort(), "column_order")
                value.forms[form] = self.set(f"{value.forms[FLAT]}[:, {places}]")
            else:
                raise Refusal(f"A value of shape {value.shape} has no layout {form!r}.")
        self.label(value)
        return value.forms[form]

    def label(self, value: Value) -> None:
        """Let comments say the value's shape."""
        self.labels.update({text: value.label(form) for form, text in value.forms.items()})

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
            owner = key[0] if isinstance(key, tuple) else key
            given = self.names.get(id(owner))
            attribute = self.attribute(name if given is None else name.replace(owner.name, given, 1))
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
            if tensor.requires_grad and tensor.is_leaf:
                self.members.append(f"self.{attribute} = nn.Parameter({zeros})")
            else:
                self.members.append(f'self.register_buffer("{attribute}", {zeros})')
            self.weights.append(Weight(attribute, [tensor], lambda x: x.clone()))
        return f"self.{self.attributes[key]}"

    def class_text(
        self, inputs: dict[str, str], result: str, returned: str, methods: Sequence[str] = ()
    ) -> str:
        """The class, with `forward` from its input names (token → name) to `result` of the type `returned`."""
        arguments = ", ".join(f"{name}: Tensor" for name in inputs.values())
        lines = [
            f"class {self.name}(nn.Module):",
            "    def __init__(self) -> None:",
            "        super().__init__()",
        ]
        lines += [wrapped(f"        {member}") for member in self.members]
        lines += ["", wrapped(f"    def forward(self, {arguments}) -> {returned}:")]
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
        while unique in self.classes or unique in self.claimed or unique in self.functions:
            number += 1
            unique = f"{wanted}{number}"
        self.claimed.add(unique)
        return unique

    def add_class(self, body: Body, text: str) -> None:
        """Add the class of a model, or find the same one under another number."""
        stem = re.sub(r"[0-9]+$", "", body.name)
        for name, known in self.classes.items():
            if re.sub(r"[0-9]+$", "", name) == stem and text.replace(body.name, name, 1) == known:
                body.name = name
                return
        self.classes[body.name] = text

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


def layers_of(model: torch.nn.Module) -> list[Any]:
    """The model and all layers in it."""
    return [module for module in model.modules() if isinstance(module, Layer)]
