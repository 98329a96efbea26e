"""Any `torch.nn.Module` as a layer."""

from __future__ import annotations

import itertools
from typing import Any

import torch

from kerasish.config import get_device
from kerasish.layers.layer import Layer
from kerasish.naming import unique_name
from kerasish.symbolic import KerasTensor, ShapeInference


class TorchModuleWrapper(Layer):
    """Give a torch module a layer's face: a name, shapes, `weights`, `trainable`.

    Models wrap modules by themselves, and keep the module's own names in `state_dict()`.

    Args:
        module: the module.
        output_shape: shape of the output without the batch size, where it cannot be inferred.
    """

    def __init__(
        self, module: torch.nn.Module, name: str | None = None, output_shape: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name or _name_of(module), **kwargs)
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"`module` must be a torch.nn.Module. Received: {module!r}")
        if isinstance(module, Layer):
            raise TypeError(f"{module!r} is a layer already: use it as it is.")
        self.module = module
        self.module.train(self.training)
        self._given_output_shape = output_shape

    def build(self, input_shape: Any) -> None:
        """Move the module to where weights are made: the device that models of this session use."""
        if any(parameter.device.type == "meta" for parameter in self.module.parameters()):
            raise ValueError(
                f"The torch module in layer {self.name!r} is on the meta device: give it real weights."
            )
        self.module.to(get_device())

    def call(self, *args: Any, **kwargs: Any) -> Any:
        if (
            ShapeInference.active is not None
        ):  # some modules, `nn.LSTM` among them, look at the device of their weights
            state = itertools.chain(self.module.named_parameters(), self.module.named_buffers())
            weights = {name: tensor.to("meta") for name, tensor in state}
            return torch.func.functional_call(self.module, weights, args, kwargs)
        return self.module(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self._given_output_shape is None:
            return super().compute_output_spec(*args, **kwargs)
        return KerasTensor((args[0].shape[0], *self._given_output_shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"Layer {self.name!r} holds a {type(self.module).__name__}, whose structure Keras's JSON cannot describe: "
            "save the weights (`save_weights`, `state_dict`) or the whole model with `torch.save`."
        )


def _name_of(module: torch.nn.Module) -> str:
    return unique_name(type(module).__name__)


def as_layer(module: Any) -> Layer:
    """Return a layer as it is and a torch module, or a function of tensors, as a layer."""
    if isinstance(module, Layer):
        return module
    if isinstance(module, torch.nn.Module):
        return TorchModuleWrapper(module)
    raise TypeError(
        f"Expected a layer or a torch.nn.Module. Received: {module!r} (of type {type(module)})."
        + (" For a plain function use `layers.Lambda(function)`." if callable(module) else "")
    )
