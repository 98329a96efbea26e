"""A layer applied to every time step."""

# B batch, T time

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish import tree
from kerasish.errors import format_shape, received
from kerasish.layers.core.wrapper import Wrapper, build_inner
from kerasish.layers.layer import Layer


class TimeDistributed(Wrapper):
    """Apply a layer to every time step: `output[:, t] = layer(inputs[:, t])`.

    Args:
        layer: the layer or model.

    Call arguments: `inputs` (B, T, …), `mask` (B, T), which goes to layers that take one, `training`.

    Shapes: (B, T, …) → (B, T, …), the layer's shape of output after B and T.

    Raises:
        ValueError: the input has fewer than three dimensions, or the mask does not fit it.

    Example:
        >>> import torch, kerasish
        >>> frames = kerasish.layers.TimeDistributed(kerasish.layers.Flatten())
        >>> frames(torch.ones(2, 5, 3, 4)).shape
        torch.Size([2, 5, 12])
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def _step_shape(self, input_shape: Any) -> tuple:
        if (
            not isinstance(input_shape, (list, tuple))
            or len(input_shape) < 3
            or tree.is_nested(input_shape[0])
        ):
            raise ValueError(
                f"`TimeDistributed` layer {self.name!r} needs inputs of shape (batch, time, features, …). "
                f"Received: {format_shape(input_shape)}"
            )
        return (input_shape[0], *input_shape[2:])

    def build(self, input_shape: Any = None) -> None:
        build_inner(self.layer, self._step_shape(input_shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The layer's shape of output for one time step, with the time axis put in."""
        shape = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (shape[0], input_shape[1], *shape[1:])

    def call(self, inputs: Tensor, training: Any = None, mask: Tensor | None = None) -> Tensor:
        self._step_shape(tuple(inputs.shape))
        if mask is not None and mask.shape[:2] != inputs.shape[:2]:
            raise ValueError(
                f"The mask of layer {self.name!r} must begin with the shape {format_shape(inputs.shape[:2])}. "
                f"Received: {received(mask)}"
            )
        if self._sees_records_alone(bool(training)):
            given = {} if mask is None or not self.layer._accepts_mask else {"mask": mask.flatten(0, 1)}
            outputs = self.layer(inputs.flatten(0, 1), training=training, **given)
            return outputs.unflatten(0, inputs.shape[:2])
        steps = []
        for t, x in enumerate(inputs.unbind(1)):
            given = {} if mask is None or not self.layer._accepts_mask else {"mask": mask[:, t]}
            steps.append(self.layer(x, training=training, **given))
        return torch.stack(steps, dim=1)

    def _sees_records_alone(self, training: bool) -> bool:
        """Whether all time steps may go through the layer as one batch: not if it may look at the batch as a whole."""
        if any(
            not type(module).__module__.startswith(("kerasish.", "torch.")) for module in self.layer.modules()
        ):
            return False
        return not (training and self._updates_state())

    def _updates_state(self) -> bool:
        layers = [module for module in self.layer.modules() if isinstance(module, Layer)]
        return any(not variable._trainable for layer in layers for variable in layer._own_variables()) or any(
            True for _ in self.layer.buffers()
        )
