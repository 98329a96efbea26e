"""Symbolic inputs and functions of them, and what belonged to TensorFlow's graphs and sessions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NoReturn

import torch

from kerasish import tree
from kerasish.config import standardize_data_format
from kerasish.errors import received
from kerasish.layers import Input
from kerasish.models import Model
from kerasish.naming import reset_names
from kerasish.ops.core import convert_to_numpy, convert_to_tensor
from kerasish.symbolic import is_keras_tensor


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
    ragged: bool = False,
) -> Any:
    """A symbolic tensor for `function`, of a shape with the batch, or of `ndim` unknown sizes."""
    if shape is None:
        if ndim is None:
            raise ValueError("placeholder: give `shape` or `ndim`. Received: neither")
        shape = (None,) * ndim
    return Input(batch_shape=tuple(shape), dtype=dtype, sparse=sparse, ragged=ragged, name=name)


def is_placeholder(x: Any) -> bool:
    """Whether `x` is symbolic."""
    return is_keras_tensor(x)


class LearningPhase:
    """The answer of `learning_phase()`: an input of `function`, which then takes 0 (test) or 1 (training)."""

    def _refuse(self, *args: Any) -> NoReturn:
        raise RuntimeError(
            "There is no global learning phase: layers know it as the `training` argument of `call`. Give your layer "
            "`call(self, inputs, training=False)`, call models as `model(x, training=True)`, and write "
            "`K.in_train_phase(x, alt, training=training)`."
        )

    __bool__ = __int__ = __float__ = __index__ = __eq__ = __lt__ = __gt__ = __add__ = __mul__ = _refuse
    __hash__ = object.__hash__


_LEARNING_PHASE = LearningPhase()


def learning_phase() -> LearningPhase:
    """What stands for the mode among the inputs of `function`."""
    return _LEARNING_PHASE


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` in training, else `alt`; functions are called.

    Args:
        training: the `training` argument of the layer's `call`.
    """
    chosen = x if (_LEARNING_PHASE if training is None else training) else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`alt` in training, else `x`; functions are called."""
    return in_train_phase(alt, x, training)


class Function:
    """A function from arrays to arrays, from symbolic tensors.

    Args:
        inputs: symbolic tensors, intermediate results of a model too; `learning_phase()` may be among them.
        outputs: symbolic tensors that depend on them.
        updates: only None or an empty list.

    Example:
        >>> import kerasish
        >>> x = kerasish.Input((2,))
        >>> Function([x], [x * 2.0])([[[1.0, 2.0]]])
        [array([[2., 4.]], dtype=float32)]
    """

    def __init__(
        self, inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **session_kwargs: Any
    ) -> None:
        if updates or session_kwargs:
            raise ValueError(
                "`updates` and the arguments of sessions are not supported: assign to variables after the call, with "
                f"`variable.assign(...)`. Received: {received(updates or session_kwargs)}"
            )
        is_list = isinstance(inputs, (list, tuple))
        self._places = [not isinstance(x, LearningPhase) for x in inputs] if is_list else []
        symbols = [x for x in inputs if not isinstance(x, LearningPhase)] if is_list else inputs
        self._model = Model(symbols, outputs, name=name)

    def __call__(self, inputs: Any) -> Any:
        """Return the outputs for `inputs`, both in the structure in which they were declared."""
        training = False
        if self._places:
            if len(inputs) != len(self._places):
                raise ValueError(f"Expected {len(self._places)} inputs. Received: {len(inputs)}")
            modes = [bool(x) for x, is_tensor in zip(inputs, self._places, strict=True) if not is_tensor]
            training = modes[-1] if modes else False
            inputs = [x for x, is_tensor in zip(inputs, self._places, strict=True) if is_tensor]
        with torch.no_grad():
            values = [
                convert_to_tensor(value, symbol.dtype)
                for value, symbol in zip(
                    inputs if self._places else [inputs], tree.flatten(self._model.inputs), strict=True
                )
            ]
            outputs = self._model(values if self._places else values[0], training=training)
        return tree.map_structure(convert_to_numpy, outputs)


def function(
    inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **kwargs: Any
) -> Function:
    """A function from arrays to arrays, from symbolic tensors."""
    return Function(inputs, outputs, updates, name, **kwargs)


def eager(func: Callable) -> Callable:
    """The function itself: everything runs eagerly."""
    return func


def symbolic(func: Callable) -> Callable:
    """The function itself: symbolic tensors make what it does symbolic."""
    return func


def control_dependencies(control_inputs: Any) -> Any:
    """An empty context: lines run in the order in which they are written."""
    return contextlib.nullcontext()


def normalize_data_format(value: str | None) -> str:
    """`value` in lower case, or the default layout for None."""
    return standardize_data_format(value)


def reset_uids() -> None:
    """Start the default names again."""
    reset_names()


def _refuse(name: str, advice: str) -> NoReturn:
    raise RuntimeError(f"`keras.backend.{name}` cannot work on PyTorch, which has no static graph. {advice}")


def gradients(loss: Any, variables: Any) -> NoReturn:
    """Refused: gradients are taken of computed values."""
    _refuse("gradients", "Compute the loss of tensors, then use torch.autograd.grad(loss, variables).")


def set_learning_phase(value: Any) -> NoReturn:
    """Refused: there is no global mode."""
    _refuse(
        "set_learning_phase",
        "Leave the line out if it sets 0: models are called in test mode. Else call model(x, training=True).",
    )


def learning_phase_scope(value: Any) -> NoReturn:
    """Refused: there is no global mode."""
    _refuse("learning_phase_scope", "Call model(x, training=True) or model(x, training=False).")


def manual_variable_initialization(value: bool) -> NoReturn:
    """Refused: variables have their values when they are made."""
    _refuse(
        "manual_variable_initialization", "Leave the line out: variables are initialized when they are made."
    )
