"""Several optimizers in one, each for its own variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

import torch
from torch import Tensor

from kerasish.errors import received
from kerasish.optimizers.optimizer import Optimizer
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.variable import Variable


class OptimizerMap(MutableMapping):
    """Variable path → optimizer: an exact path first, else the one regular expression that matches it fully.

    Args:
        default_optimizer: for the variables that no key matches.
        optimizer_map: dictionary key → optimizer.

    Raises:
        TypeError: `default_optimizer` is no optimizer.
        ValueError: a value that is no optimizer, a key twice, or, on look-up, two expressions that match.

    Example:
        >>> from kerasish.optimizers import SGD, Adam
        >>> optimizers = OptimizerMap(SGD(name="slow"))
        >>> optimizers["encoder/.*"] = Adam(name="fast")
        >>> optimizers["encoder/dense/kernel"].name, optimizers["head/kernel"].name
        ('fast', 'slow')
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                f"`default_optimizer` must be an Optimizer. Received: {received(default_optimizer)}"
            )
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of the variables that no key matches."""
        return self._default_optimizer

    def __call__(self, variable: Any) -> Optimizer:
        """The optimizer of a variable, by its `path`."""
        return self[getattr(variable, "path", "")]

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        matching = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"Multiple optimizers assigned to variable {key!r}: the keys {matching} all match it."
            )
        return self._optimizer_map[matching[0]] if matching else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"The key must be a string, a path or a regular expression. Received: {key!r}")
        if key in self._optimizer_map:
            raise ValueError(f"{key!r} already exists in the OptimizerMap: delete it first.")
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"The value must be an Optimizer. Received: {received(optimizer)}")
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal map."""
        return {
            "default_optimizer": serialize_keras_object(self._default_optimizer),
            "optimizer_map": serialize_keras_object(self._optimizer_map),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> OptimizerMap:
        """Make a map from `get_config()`."""
        return cls(
            deserialize_keras_object(config["default_optimizer"], custom_objects=custom_objects),
            deserialize_keras_object(config["optimizer_map"], custom_objects=custom_objects),
        )


class MultiOptimizer(Optimizer):
    """Gives each variable to one of several optimizers.

    Args:
        optimizer_map: an `OptimizerMap`, or a callable variable → optimizer, called once per variable.
        loss_scale_factor: set on all optimizers.
        name: name of the optimizer.

    The learning rates are those of `optimizers`: reading or setting `learning_rate` here raises.

    Raises:
        TypeError: `optimizer_map` is not callable.
        ValueError: on `build`, the callable returned something else than an optimizer.

    Example:
        >>> from kerasish.optimizers import SGD
        >>> weight, bias = (torch.nn.Parameter(torch.ones(n)) for n in (2, 1))
        >>> fast, slow = SGD(0.5), SGD(0.1)
        >>> optimizer = MultiOptimizer(lambda variable: fast if variable.numel() == 1 else slow)
        >>> optimizer.apply([torch.ones(2), torch.ones(1)], [weight, bias])
        >>> weight.detach(), bias.detach()
        (tensor([0.9000, 0.9000]), tensor([0.5000]))
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(optimizer_map):
            raise TypeError(
                "`optimizer_map` must be an OptimizerMap or a callable variable → optimizer. "
                f"Received: {received(optimizer_map)}"
            )
        self._optimizer_map = optimizer_map
        self._optimizers: list[Optimizer] = []
        self._loss_scale_factor: float | None = None
        super().__init__(learning_rate=0.0, name=name)
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._index_of(optimizer)
        self.loss_scale_factor = loss_scale_factor

    def _index_of(self, optimizer: Optimizer) -> int:
        for i, known in enumerate(self._optimizers):
            if known is optimizer:
                return i
        self._optimizers.append(optimizer)
        return len(self._optimizers) - 1

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers, each once."""
        return self._optimizers[:]

    @property
    def variables(self) -> list[Variable]:
        """The own iteration and learning rate, then the state of each optimizer."""
        return [*self._variables, *(v for optimizer in self._optimizers for v in optimizer.variables)]

    @property
    def iterations(self) -> Tensor:
        """The number of calls of `apply`."""
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """Not defined: each of `optimizers` has its own."""
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access that of each of its `optimizers`."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set that of each of its `optimizers`."
        )

    @property
    def loss_scale_factor(self) -> float | None:
        """The factor of the loss; setting it sets it on all optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self._optimizers:
            optimizer.loss_scale_factor = value

    @property
    def capturable(self) -> bool:
        """Whether one recording of `apply` serves all steps."""
        return all(optimizer.capturable for optimizer in self._optimizers)

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Assign each variable to its optimizer and build the optimizers."""
        if self.built:
            return
        super().build(var_list)
        self._assignment: list[int] = []
        for variable in self._trainable_variables:
            optimizer = self._optimizer_map(variable)
            if not isinstance(optimizer, Optimizer):
                raise ValueError(
                    f"The optimizer of variable {self._name_of(variable)!r} must be an Optimizer. "
                    f"Received: {received(optimizer)}"
                )
            self._assignment.append(self._index_of(optimizer))
        for i, optimizer in enumerate(self._optimizers):
            optimizer.loss_scale_factor = self._loss_scale_factor
            own = [
                v for v, owner in zip(self._trainable_variables, self._assignment, strict=True) if owner == i
            ]
            if own:
                optimizer.build(own)

    @torch.no_grad()
    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Tensor] | None = None) -> None:
        """Let each optimizer update its variables."""
        grads = list(grads)
        if not grads:
            return
        variables = self._matching_variables(grads, trainable_variables)
        gradients, variables = self._dense_gradients(grads, variables)
        owners = self._slots(self._assignment, variables)
        for i, optimizer in enumerate(self._optimizers):
            chosen = [position for position, owner in enumerate(owners) if owner == i]
            if chosen:
                optimizer.apply([gradients[j] for j in chosen], [variables[j] for j in chosen])
        self._iterations.add_(1)

    def finalize_variable_values(self, var_list: Iterable[Tensor]) -> None:
        """Call `finalize_variable_values` of each optimizer for its variables."""
        for variable in var_list:
            owner = self._assignment[self._get_variable_index(variable)]
            self._optimizers[owner].finalize_variable_values([variable])

    def exclude_from_weight_decay(
        self, var_list: Iterable[Tensor] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Exempt variables from the weight decay of the optimizers known so far."""
        var_list, var_names = list(var_list or ()), [var_names] if isinstance(var_names, str) else var_names
        for optimizer in self._optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`, in their order."""
        super().set_weights(weights)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self._loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make an optimizer from `get_config()`."""
        optimizer_map = deserialize_keras_object(config["optimizer_map"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer_map": optimizer_map})
