"""The entry of a model: `Input` and the layer that stands for it."""

from __future__ import annotations

import weakref
from typing import Any

from kerasish.dtypes import standardize_dtype
from kerasish.layers.layer import Layer
from kerasish.symbolic import KerasTensor, Node


class InputLayer(Layer):
    """The layer behind a symbolic input: passes its input on.

    Args:
        shape: shape of one record, without the batch size.
        batch_size: fixed batch size, unknown by default.
        dtype: data type of the input, `floatx()` by default.
        batch_shape: shape with the batch size, in place of the two above.
        input_tensor: a symbolic tensor whose shape and dtype are taken.
        optional: whether the input may be None.
        name: name of the input.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        shape = kwargs.pop("input_shape", shape)
        super().__init__(name=name, **kwargs)
        if sparse or ragged:
            raise ValueError("Sparse and ragged inputs are not supported: pass dense, padded arrays.")
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(f"`input_tensor` must be a KerasTensor. Received: {input_tensor!r}")
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        if shape is not None and batch_shape is not None:
            raise ValueError("Give `shape` or `batch_shape`, not both.")
        if shape is None and batch_shape is None:
            raise ValueError("`shape` must be given: the shape of one record, without the batch size.")
        if batch_shape is None:
            if isinstance(shape, int):
                raise ValueError(f"`shape` must be a tuple such as ({shape},). Received: shape={shape}")
            batch_shape = (batch_size, *shape)
        self.batch_shape = tuple(batch_shape)
        self._input_dtype = standardize_dtype(dtype)
        self.optional = optional
        self.sparse = False
        self.ragged = False
        self.built = True
        self._refresh_call_path()

    @property
    def _tensor(self) -> KerasTensor:
        """The symbolic input, which keeps this layer, not the reverse; made anew where nobody holds it."""
        reference = self.__dict__.get("_tensor_ref")
        tensor = None if reference is None else reference()
        if tensor is None:
            tensor = KerasTensor(self.batch_shape, dtype=self._input_dtype, name=self.name)
            Node(self, (), {}, tensor)
            self.__dict__["_tensor_ref"] = weakref.ref(tensor)
        return tensor

    @property
    def output(self) -> KerasTensor:
        """The symbolic input that the layer stands for."""
        return self._tensor

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in super().__getstate__().items() if key != "_tensor_ref"}

    @property
    def dtype(self) -> str:
        """The data type of the input."""
        return self._input_dtype

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
    **kwargs: Any,
) -> KerasTensor:
    """Return the symbolic tensor with which a functional model begins.

    Args: as for `InputLayer`.

    Example:
        >>> import kerasish
        >>> kerasish.Input((784,)).shape
        (None, 784)
    """
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        name=name,
        input_tensor=tensor,
        optional=optional,
        **kwargs,
    )
    return layer._tensor
