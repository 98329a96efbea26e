"""What a layer accepts: `InputSpec`, and the check of shapes against it."""

from __future__ import annotations

from typing import Any

from kerasish import tree
from kerasish.errors import format_shape


class InputSpec:
    """The dtype, rank, shape and sizes of particular axes that a layer's input must have.

    Args:
        dtype: expected data type.
        shape: expected shape, None for any size.
        ndim: expected rank.
        max_ndim: largest rank.
        min_ndim: smallest rank.
        axes: dictionary axis → expected size.
        allow_last_axis_squeeze: accept inputs that lack, or have in excess, a last axis of size 1.
        name: name of the input, for inputs given as dictionaries.
        optional: whether the input may be None.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else str(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def expected_shape(self, rank: int) -> str:
        """The expected shape in words, e.g. `(None, 784)`."""
        if self.shape is not None:
            return format_shape(self.shape)
        sizes: list[Any] = [None] * (self.ndim or max(rank, self.min_ndim or 0))
        for axis, size in self.axes.items():
            if -len(sizes) <= axis < len(sizes):
                sizes[axis] = size
        return format_shape(sizes)

    def accepts(self, shape: tuple) -> bool:
        """Whether a shape fits."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            squeezed = self.allow_last_axis_squeeze and self.shape is not None
            if squeezed and rank == self.ndim + 1 and shape[-1] == 1:
                return InputSpec(shape=self.shape).accepts(shape[:-1])
            if squeezed and rank == self.ndim - 1 and self.shape is not None and self.shape[-1] == 1:
                return InputSpec(shape=self.shape[:-1]).accepts(shape)
            return False
        if self.max_ndim is not None and rank > self.max_ndim:
            return False
        if self.min_ndim is not None and rank < self.min_ndim:
            return False
        expected = list(self.axes.items()) + list(enumerate(self.shape or ()))
        return all(
            size is None or (-rank <= axis < rank and shape[axis] in (size, None)) for axis, size in expected
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal spec."""
        return {
            "dtype": self.dtype, "shape": self.shape, "ndim": self.ndim, "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim, "axes": self.axes,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Make a spec from `get_config()`."""
        return cls(**config)

    def __repr__(self) -> str:
        fields = {name: value for name, value in self.get_config().items() if value}
        return f"InputSpec({', '.join(f'{name}={value}' for name, value in fields.items())})"


def incompatibility(input_spec: Any, inputs: Any, name: str) -> str | None:
    """Say what is wrong with the shapes of `inputs`, or return None."""
    if isinstance(input_spec, dict):
        values = [inputs.get(key) for key in input_spec] if isinstance(inputs, dict) else tree.flatten(inputs)
        specs = list(input_spec.values())
    else:
        specs, values = tree.flatten(input_spec), tree.flatten(inputs)
    if len(specs) != len(values):
        return f"Layer {name!r} expects {len(specs)} input(s). Received: {len(values)}"
    for i, (spec, value) in enumerate(zip(specs, values, strict=True)):
        if spec is None or (value is None and spec.optional):
            continue
        shape = tuple(getattr(value, "shape", ()) or ())
        if not spec.accepts(shape):
            what = f"input {i} of layer {name!r}" if len(specs) > 1 else f"the input of layer {name!r}"
            return (
                f"The shape of {what} does not fit: expected {spec.expected_shape(len(shape))}. "
                f"Received: {format_shape(shape)}{_feature_hint(spec, shape)}"
            )
    return None


def _feature_hint(spec: InputSpec, shape: tuple) -> str:
    size = spec.axes.get(-1) if spec.axes else (spec.shape[-1] if spec.shape else None)
    if size is not None and shape and shape[-1] != size:
        return f". Give it {size} features (it was built for {size}), not {shape[-1]}."
    if spec.min_ndim is not None and len(shape) < spec.min_ndim:
        return f". It needs at least {spec.min_ndim} dimensions: reshape with `x.reshape(-1, features)`."
    return ""
