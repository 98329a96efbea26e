"""How calls of torch functions and methods are written."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F

from kerasish.port.pytorch.source import Refusal

INFIX = {
    "add": "+", "sub": "-", "subtract": "-", "mul": "*", "multiply": "*", "div": "/", "true_divide": "/",
    "divide": "/", "matmul": "@", "pow": "**", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "floor_divide": "//", "remainder": "%", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
    "lshift": "<<", "rshift": ">>", "bitwise_left_shift": "<<", "bitwise_right_shift": ">>",
    "truediv": "/", "floordiv": "//", "mod": "%", "and": "&", "or": "|", "xor": "^",
}  # fmt: skip
PREFIX = {"neg": "-", "invert": "~", "bitwise_not": "~"}
FUNCTIONS = {
    id(function): f"{prefix}.{name}"
    for prefix, namespace in (
        ("torch.special", torch.special), ("torch.linalg", torch.linalg), ("torch.fft", torch.fft), ("F", F),
        ("torch", torch),
    )
    for name, function in reversed(vars(namespace).items())
    if callable(function) and not name.startswith("_")
}  # fmt: skip
METHODS = {id(getattr(torch.Tensor, name)): name for name in reversed(dir(torch.Tensor))}


def method_text(name: str, args: list[str], kwargs: list[str]) -> str:
    own, *others = args
    plain = name.strip("_")
    is_operator = name.startswith("__") or not name.endswith("_")
    if name == "__getitem__":
        return f"{own}[{_index(others[0])}]"
    if name == "__setitem__":
        return f"{own}[{_index(others[0])}] = {others[1]}"
    if is_operator and not kwargs:
        if plain in INFIX and len(others) == 1:
            return infix(INFIX[plain], own, others[0])
        if plain in PREFIX and not others:
            return f"{PREFIX[plain]}{own}"
        if plain[:1] == "r" and plain[1:] in INFIX and len(others) == 1:
            return infix(INFIX[plain[1:]], others[0], own)
    if name == "__abs__":
        return f"{own}.abs()"
    if name.startswith("__"):
        raise Refusal(f"`Tensor.{name}` has no form as an expression")
    name = {"view": "reshape", "_to": "to"}.get(name, name)
    return f"{own}.{name}({', '.join([*others, *kwargs])})"


def _index(text: str) -> str:
    return (
        text[1:-1].rstrip(",")
        if text.startswith("(") and text.endswith(")") and "(" not in text[1:-1]
        else text
    )


def infix(operator: str, left: str, right: str) -> str:
    left, right = (f"({x})" if re.search(" [-+*/] |^-", x) else x for x in (left, right))
    return f"{left}{operator}{right}" if operator == "**" else f"{left} {operator} {right}"
