"""Dynamic loss scaling around another optimizer, for float16."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish.errors import did_you_mean, received
from kerasish.optimizers._kernels import same_kind, update_where
from kerasish.optimizers.optimizer import COMMON_ARGUMENTS, Optimizer
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.variable import Variable


class LossScaleOptimizer(Optimizer):
    """Scales the loss up, so that float16 gradients do not underflow, and the gradients down again.

    A step with an infinite or NaN gradient changes nothing but halves the scale; `dynamic_growth_steps`
    finite steps in a row double it.

    Args:
        inner_optimizer: the optimizer that gets the unscaled gradients.
        initial_scale: the scale at first.
        dynamic_growth_steps: finite steps between two doublings.
        name: name of the optimizer.

    Raises:
        TypeError: `inner_optimizer` is no optimizer.
        ValueError: an argument that belongs to the inner optimizer.

    Example:
        >>> from kerasish.optimizers import SGD
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = LossScaleOptimizer(SGD(learning_rate=0.1), initial_scale=8.0)
        >>> optimizer.build([w])
        >>> optimizer.scale_loss(w.sum()).backward()
        >>> optimizer.step()
        >>> w.detach(), optimizer.scale_loss(1.0)
        (tensor([0.9000]), tensor(8.))

    Source: Micikevicius et al., https://arxiv.org/abs/1710.03740, section 3.2.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(f"`inner_optimizer` must be an Optimizer. Received: {received(inner_optimizer)}")
        for argument in kwargs:
            if argument in COMMON_ARGUMENTS:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{argument}`. Instead, set `{argument}` on the "
                    "`inner_optimizer`."
                )
            hint = did_you_mean(
                argument, ("inner_optimizer", "initial_scale", "dynamic_growth_steps", "name")
            )
            raise ValueError(f"LossScaleOptimizer does not support arguments: `{argument}`.{hint}")
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the state for `var_list`, here and in the inner optimizer."""
        if self.built:
            return
        super().build(var_list)
        self.step_counter = self.add_variable((), dtype="int64", name="step_counter")
        self.dynamic_scale = self.add_variable((), float(self.initial_scale), "float32", name="dynamic_scale")
        self.inner_optimizer.build(self._trainable_variables)

    @property
    def variables(self) -> list[Variable]:
        """The own state (iteration, learning rate, step counter, scale), then the inner optimizer's."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Tensor:
        """The number of updates that the inner optimizer has done."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's learning rate; assigning changes it there."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def capturable(self) -> bool:
        """Whether one recording of `apply` serves all steps."""
        return self.inner_optimizer.capturable

    @torch.no_grad()
    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Tensor] | None = None) -> None:
        """Unscale the gradients, update where all are finite, adapt the scale."""
        grads = list(grads)
        if not grads:
            return
        variables = self._matching_variables(grads, trainable_variables)
        gradients, variables = self._dense_gradients(grads, variables)
        finite = self.check_finite(gradients)
        inverse = 1.0 / self.dynamic_scale
        unscaled = []
        for scaled, kin in same_kind(gradients, variables):
            unscaled.append((torch._foreach_mul(scaled, inverse.to(kin[0].device)), kin))
        gradients = [gradient for scaled, _ in unscaled for gradient in scaled]
        variables = variables if len(unscaled) == 1 else [variable for _, kin in unscaled for variable in kin]
        state = [*variables, *self.inner_optimizer.variables]
        update_where(finite, state, lambda: self.inner_optimizer.apply(gradients, variables))
        self._adapt_scale(finite)

    def _adapt_scale(self, finite: Tensor) -> None:
        is_full = self.step_counter == self.dynamic_growth_steps - 1
        self.dynamic_scale.mul_(torch.where(finite, torch.where(is_full, 2.0, 1.0), 0.5))
        self.step_counter.copy_(torch.where(finite & ~is_full, self.step_counter + 1, 0))

    def check_finite(self, grads: Sequence[Tensor]) -> Tensor:
        """Whether every element of every gradient is finite: a 0-d bool tensor."""
        device = self._iterations.device
        return torch.stack([torch.isfinite(gradient).all().to(device) for gradient in grads]).all()

    def scale_loss(self, loss: Any) -> Any:
        """`loss · scale`: to call before the gradients are computed."""
        scale = self.dynamic_scale if self.built else self.initial_scale
        return self.inner_optimizer.scale_loss(loss * scale)

    def finalize_variable_values(self, var_list: Iterable[Tensor]) -> None:
        """The inner optimizer's `finalize_variable_values`."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Tensor] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """The inner optimizer's `exclude_from_weight_decay`."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make an optimizer from `get_config()`."""
        inner = deserialize_keras_object(config["inner_optimizer"], custom_objects=custom_objects)
        return cls(inner, **{key: value for key, value in config.items() if key != "inner_optimizer"})
