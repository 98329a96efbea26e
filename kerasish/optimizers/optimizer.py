"""The base of every optimizer: state on the device, clipping, decay, averaging, accumulation, constraints.

`apply` runs inside the recorded or captured training step, so whatever changes from step to step is a tensor,
and what happens only at some steps is chosen by `torch.where`.
"""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from kerasish.changes import structure
from kerasish.config import device, get_device
from kerasish.dtypes import torch_dtype
from kerasish.errors import did_you_mean, format_shape, received
from kerasish.naming import name_scope, unique_name
from kerasish.optimizers._kernels import same_kind, update_where
from kerasish.optimizers.schedules import LearningRateSchedule
from kerasish.optimizers.schedules import deserialize as deserialize_schedule
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.variable import Variable

SCHEDULE_NOT_SETTABLE = (
    "This optimizer was created with a schedule or a callable as its `learning_rate`, hence that is not "
    "settable. Make the optimizer with a float `learning_rate`, or assign another schedule."
)


class Optimizer:
    """Base class: updates variables in place from their gradients, `w ← w − update(∂L/∂w)`.

    Args:
        learning_rate: float, a `LearningRateSchedule`, or a callable without arguments, called at each step.
        weight_decay: decoupled decay, `w ← (1 − weight_decay · learning_rate) · w` before each update.
        clipnorm: limit of each gradient's own L2 norm.
        clipvalue: limit of each gradient element's absolute value.
        global_clipnorm: limit of the L2 norm of all gradients together.
        use_ema: keep the moving average of the variables, `a ← ema_momentum · a + (1 − ema_momentum) · w`.
        ema_momentum: in [0, 1].
        ema_overwrite_frequency: overwrite the variables with their averages every so many steps; None: only
            in `finalize_variable_values`.
        loss_scale_factor: `scale_loss` multiplies by it, `apply` divides the gradients by it.
        gradient_accumulation_steps: update once per so many calls of `apply`, with the mean gradient.
        name: name of the optimizer, first part of its variables' paths.
        **kwargs: Keras 2's `lr` (same as `learning_rate`) and `decay` (divides the learning rate by
            `1 + decay · iterations`).

    Your own optimizer overrides `build`, to add its variables, and `update_step`.

    Raises:
        ValueError: an argument out of its range, more than one kind of clipping, or an unknown argument.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> class Descent(Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, learning_rate * gradient)
        >>> optimizer = Descent(learning_rate=0.5)
        >>> optimizer.build([w])
        >>> (w**2).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.])
    """

    _updates_by_variable: ClassVar[bool] = True
    _variables: list[Variable]
    _learning_rate: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "_update" in cls.__dict__:
            cls._updates_by_variable = False
        elif "update_step" in cls.__dict__:
            cls._updates_by_variable = True

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        learning_rate = kwargs.pop("lr", learning_rate)
        self.decay = _non_negative("decay", kwargs.pop("decay", None)) or 0.0
        if kwargs.pop("jit_compile", False):
            raise ValueError("`jit_compile` is an argument of `model.compile()`, not of the optimizer.")
        if kwargs:
            hint = did_you_mean(next(iter(kwargs)), COMMON_ARGUMENTS)
            raise ValueError(f"Argument(s) not recognized by {type(self).__name__}: {kwargs}.{hint}")
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(
                f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={ema_momentum}"
            )
        if ema_overwrite_frequency and use_ema:
            _positive_integer("ema_overwrite_frequency", ema_overwrite_frequency, least=1)
        if gradient_accumulation_steps:
            _positive_integer("gradient_accumulation_steps", gradient_accumulation_steps, least=2)
        self.name = name or unique_name(type(self).__name__)
        self.weight_decay = _non_negative("weight_decay", weight_decay)
        self.clipnorm = _non_negative("clipnorm", clipnorm)
        self.clipvalue = _non_negative("clipvalue", clipvalue)
        self.global_clipnorm = _non_negative("global_clipnorm", global_clipnorm)
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._trainable_variables: list[Tensor] = []
        self._positions: dict[int, int] = {}
        self._undecayed: list[Tensor] = []
        self._undecayed_names: list[str] = []
        self._iterations = self.add_variable(
            (), dtype="int64", aggregation="only_first_replica", name="iteration"
        )
        self._learning_rate = self._as_learning_rate(learning_rate)

    def _as_learning_rate(self, value: Any) -> Any:
        if callable(value) and not isinstance(value, Tensor):
            return value
        if not _is_number(value):
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a "
                "callable that takes no arguments and returns the learning rate. "
                f"Received: learning_rate={received(value)}"
            )
        return self.add_variable((), dtype="float32", name="learning_rate").assign(float(value))

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a 0-d Variable, or the value of the schedule or callable at this iteration.

        Assigning a number changes the Variable in place; assigning a schedule or a callable replaces it.
        """
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations)
        return rate if isinstance(rate, Tensor) else rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value) and not isinstance(value, Tensor):
            self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = value
        elif isinstance(self._learning_rate, Tensor):
            if not _is_number(value):
                raise ValueError(f"`learning_rate` must be set to a number. Received: {received(value)}")
            self.assign(self._learning_rate, value)
        else:
            raise TypeError(SCHEDULE_NOT_SETTABLE)

    @property
    def lr(self) -> Any:
        """The same as `learning_rate`, as Keras 2 called it."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    @property
    def iterations(self) -> Tensor:
        """The number of updates done: the calls of `apply`, divided by `gradient_accumulation_steps`."""
        if self.gradient_accumulation_steps:
            return self._iterations // self.gradient_accumulation_steps
        return self._iterations

    @property
    def variables(self) -> list[Variable]:
        """The state, in Keras's order: iteration, learning rate, averages, accumulators, then the slots."""
        return self._variables[:]

    @property
    def weights(self) -> list[Variable]:
        """The same as `variables`, as Keras 2 called it."""
        return self.variables

    @property
    def capturable(self) -> bool:
        """Whether one recording of `apply` serves all steps: the learning rate is computed on tensors."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return isinstance(rate(self._iterations), Tensor)
        return isinstance(rate, Tensor)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable):
            self._track(value)
        elif name[0] != "_" and not isinstance(getattr(type(self), name, None), property):
            structure.version += 1  # a setting: steps recorded with the old value are recorded again
        super().__setattr__(name, value)

    def _track(self, variable: Variable) -> None:
        tracked: list[Variable] = self.__dict__.setdefault("_variables", [])
        if all(variable is not other for other in tracked):
            tracked.append(variable)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_positions": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._positions = {id(v): i for i, v in enumerate(self._trainable_variables)}

    def build(self, variables: Iterable[Tensor]) -> None:
        """Make the state for `variables`, Variables or plain torch Parameters; a second call changes nothing.

        Raises:
            TypeError: something that is no tensor.
            ValueError: no variable, or one listed twice.
        """
        if self.built:
            return
        self._trainable_variables = list(variables)
        for variable in self._trainable_variables:
            if not isinstance(variable, Tensor):
                raise TypeError(f"Expected Variables or torch Parameters. Received: {received(variable)}")
        self._positions = {id(v): i for i, v in enumerate(self._trainable_variables)}
        if not self._positions or len(self._positions) < len(self._trainable_variables):
            count, distinct = len(self._trainable_variables), len(self._positions)
            raise ValueError(
                f"Expected at least one variable, each once. Received: {count}, {distinct} of them distinct"
            )
        exempt = {id(variable) for variable in self._undecayed}
        self._is_decayed = [
            id(v) not in exempt and not any(re.search(n, self._name_of(v)) for n in self._undecayed_names)
            for v in self._trainable_variables
        ]
        for variable in self._variables:
            variable.data = variable.data.to(self._trainable_variables[0].device)
        if self.use_ema:
            self._averages = self.add_optimizer_variables(self._trainable_variables, "average")
            self._start_averages()
        if self.gradient_accumulation_steps:
            self._accumulators = [
                self.add_variable_from_reference(v, "gradient_accumulator") for v in self._trainable_variables
            ]
        self._first_slot = len(self._variables)
        self.built = True

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Add a state variable of the given shape; `initializer` as for `Variable`, or `"zeros"`."""
        counter = self.__dict__.get("_iterations")
        place = get_device() if counter is None else counter.device
        return self._add_variable(place, tuple(shape), initializer, dtype, aggregation, layout, name)

    def _add_variable(
        self, place: torch.device, shape: tuple, initializer: Any, dtype: Any, *options: Any
    ) -> Variable:
        if isinstance(initializer, str) and initializer == "zeros":
            initializer = torch.zeros(shape, dtype=torch_dtype(dtype), device=place)
        aggregation, layout, name = options
        with device(place), name_scope(self.name):
            variable = Variable(
                initializer, shape, dtype, trainable=False, aggregation=aggregation, layout=layout, name=name
            )
        self._track(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Tensor, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Add a state variable of the shape, dtype, memory layout and device of `reference_variable`."""
        if isinstance(initializer, str) and initializer == "zeros":
            initializer = torch.zeros_like(reference_variable, requires_grad=False)
        slot_name = f"{self._name_of(reference_variable).replace('/', '_')}_{name or 'var'}"
        shape, dtype = tuple(reference_variable.shape), reference_variable.dtype
        place = reference_variable.device
        return self._add_variable(place, shape, initializer, dtype, "none", None, slot_name)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Tensor], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Add a slot per variable (None where `overwrite_with_gradient`): a list, or one list per name."""
        names = [name] if isinstance(name, str) else list(name)
        initializers = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        slots: tuple[list, ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for column, slot_name, init in zip(slots, names, initializers, strict=True):
                if getattr(variable, "overwrite_with_gradient", False):
                    column.append(None)
                else:
                    column.append(self.add_variable_from_reference(variable, slot_name, init))
        return slots[0] if isinstance(name, str) else slots

    def _name_of(self, variable: Tensor) -> str:
        position = self._positions.get(id(variable), 0)
        return getattr(variable, "path", None) or (f"parameter_{position}" if position else "parameter")

    def _slots(self, table: list, variables: Sequence[Tensor]) -> list:
        """The entries of a per-variable list that belong to `variables`."""
        if variables is self._trainable_variables:
            return table
        positions = self._positions
        return [table[positions[id(variable)]] for variable in variables]

    def _get_variable_index(self, variable: Tensor) -> int:
        self._check_known([variable])
        return self._positions[id(variable)]

    def _check_known(self, variables: Sequence[Tensor]) -> None:
        for variable in variables:
            if id(variable) not in self._positions:
                raise ValueError(
                    f"Unknown variable: {self._name_of(variable)!r} of shape {format_shape(variable.shape)}. "
                    "This optimizer was built for other variables: make a new one for a new model."
                )

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Tensor]]) -> Tensor:
        """Update from (gradient, variable) pairs; return `iterations`."""
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError(
                "`grads_and_vars` must hold at least one (gradient, variable) pair. Received: none"
            )
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def step(self) -> None:
        """Update from the `.grad` of the variables: for a PyTorch loop, after `loss.backward()`."""
        self.apply([variable.grad for variable in self._trainable_variables])

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the `.grad` of the variables."""
        gradients = [v.grad for v in self._trainable_variables if v.grad is not None]
        if set_to_none:
            for variable in self._trainable_variables:
                variable.grad = None
        elif gradients:
            torch._foreach_zero_(gradients)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Tensor] | None = None) -> None:
        """Update the variables in place from `grads`, one gradient (or None) per variable.

        Args:
            grads: tensors in the order of `trainable_variables`.
            trainable_variables: default: those that the optimizer was built with; builds on the first call.

        Raises:
            ValueError: the lists differ in length; no gradient at all; a sparse gradient; a variable that the
                optimizer was not built with; not built and no variables given.
        """
        grads = list(grads)
        if not grads:
            return
        with torch.no_grad():
            variables = self._matching_variables(grads, trainable_variables)
            gradients, variables = self._dense_gradients(grads, variables)
            if self.loss_scale_factor is not None:
                gradients = list(torch._foreach_div(gradients, self.loss_scale_factor))
            if self.gradient_accumulation_steps:
                variables = self._accumulate(gradients, variables)
            else:
                gradients, variables = self._overwrite(gradients, variables)
                self._clip_decay_update(gradients, variables)
            if self.use_ema:
                self._update_averages()
            self._iterations.add_(1)
            for variable in variables:
                constraint = getattr(variable, "constraint", None)
                if constraint is not None:
                    variable.copy_(constraint(variable))

    def _matching_variables(
        self, grads: Sequence[Any], trainable_variables: Sequence[Tensor] | None
    ) -> list[Tensor]:
        own = self._trainable_variables
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    "When passing `grads` without variables, the optimizer must already be built. Call "
                    "`optimizer.build(trainable_variables)` first."
                )
            variables = own
        else:
            variables = list(trainable_variables)
            if not self.built:
                self.build(variables)
                own = self._trainable_variables
            if len(variables) == len(own) and all(map(operator.is_, variables, own)):
                variables = own
            else:
                self._check_known(variables)
        if len(grads) != len(variables):
            raise ValueError(
                "The gradients must match the variables one to one. "
                f"Received: {len(grads)} gradients and {len(variables)} variables"
            )
        return variables

    def _dense_gradients(
        self, grads: Sequence[Any], variables: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Drop the variables without a gradient; bring the gradients to their variables' device and dtype."""
        gradients: list[Tensor] = []
        missing: list[Tensor] = []
        for gradient, variable in zip(grads, variables, strict=True):
            if gradient is None:
                missing.append(variable)
                continue
            if not isinstance(gradient, Tensor):
                gradient = torch.as_tensor(gradient)
            if gradient.layout is not torch.strided:
                raise ValueError(
                    f"Sparse gradients are not supported: that of {self._name_of(variable)!r} has layout "
                    f"{gradient.layout}. Use `torch.nn.Embedding(sparse=False)` or `gradient.to_dense()`."
                )
            if gradient.shape != variable.shape:
                raise ValueError(
                    f"The gradient of {self._name_of(variable)!r} must have the shape of the variable, "
                    f"{format_shape(variable.shape)}. Received: {format_shape(gradient.shape)}"
                )
            if gradient.dtype != variable.dtype or gradient.device != variable.device:
                gradient = gradient.to(variable.device, variable.dtype)
            gradients.append(gradient)
        if not missing:
            return gradients, variables
        if not gradients:
            raise ValueError("No gradients provided for any variable.")
        absent = {id(variable) for variable in missing}
        warnings.warn(
            f"Gradients do not exist for variables {[self._name_of(v) for v in missing]} when minimizing "
            "the loss. If using `model.compile()`, did you forget to provide a `loss` argument?",
            stacklevel=3,
        )
        return gradients, [variable for variable in variables if id(variable) not in absent]

    def _overwrite(
        self, gradients: list[Tensor], variables: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Copy the gradient into the variables marked `overwrite_with_gradient`; return the others."""
        kept: list[int] = []
        for i, variable in enumerate(variables):
            if getattr(variable, "overwrite_with_gradient", False):
                variable.copy_(gradients[i])
            else:
                kept.append(i)
        if len(kept) == len(variables):
            return gradients, variables
        return [gradients[i] for i in kept], [variables[i] for i in kept]

    def _accumulate(self, gradients: list[Tensor], variables: list[Tensor]) -> list[Tensor]:
        """Add the gradients up; at each n-th call update with their mean. Return the variables so updated."""
        steps = self.gradient_accumulation_steps or 1
        is_update = (self._iterations + 1) % steps == 0
        totals = self._slots(self._accumulators, variables)
        summed, means, updated = [], [], []
        for gradient, variable, total in zip(gradients, variables, totals, strict=True):
            if getattr(variable, "overwrite_with_gradient", False):
                torch.maximum(total, gradient, out=total)
                variable.copy_(torch.where(is_update.to(variable.device), total, variable))
            else:
                summed.append(total)
                means.append(gradient)
                updated.append(variable)
        if updated:
            torch._foreach_add_(summed, means)
            means = list(torch._foreach_div(summed, float(steps)))
            updated = variables if len(updated) == len(variables) else updated
            state = [*updated, *self._variables[self._first_slot :]]
            update_where(is_update, state, lambda: self._clip_decay_update(means, updated))
        for total in self._accumulators:
            total.masked_fill_(is_update.to(total.device), 0)
        return updated

    def _clip_decay_update(self, gradients: list[Tensor], variables: list[Tensor]) -> None:
        if not variables:
            return
        gradients = self._clip(gradients)
        rate = self._current_learning_rate()
        self._begin_update()
        for part, kin in same_kind(gradients, variables):
            learning_rate = rate.to(kin[0].device)
            self._decay_weights(kin, learning_rate)
            if self._updates_by_variable:
                for gradient, variable in zip(part, kin, strict=True):
                    self.update_step(gradient, variable, learning_rate)
            else:
                self._update(part, kin, learning_rate)

    def _begin_update(self) -> None:
        """Once per update, before the first variable: for state that the variables share."""

    def _current_learning_rate(self) -> Tensor:
        rate = self.learning_rate
        if not isinstance(rate, Tensor):
            rate = torch.full((), float(rate), device=self._iterations.device)
        return rate / (1.0 + self.decay * self.iterations) if self.decay else rate

    def _clip(self, gradients: list[Tensor]) -> list[Tensor]:
        if self.clipnorm:
            limit = float(self.clipnorm)
            scales = torch._foreach_clamp_min(torch._foreach_norm(gradients), limit)
            torch._foreach_reciprocal_(scales)
            torch._foreach_mul_(scales, limit)
            return list(torch._foreach_mul(gradients, scales))
        if self.global_clipnorm:
            limit = float(self.global_clipnorm)
            device = gradients[0].device
            norms = [norm.to(device, torch.float32) for norm in torch._foreach_norm(gradients)]
            norm = torch.linalg.vector_norm(torch.stack(norms))
            scale = limit / norm.clamp_min(limit) + (norm - norm)  # an infinite norm makes every gradient NaN
            if all(gradient.device == device and gradient.dtype == scale.dtype for gradient in gradients):
                return list(torch._foreach_mul(gradients, scale))
            return [gradient * scale.to(gradient.device, gradient.dtype) for gradient in gradients]
        if self.clipvalue:
            limit = float(self.clipvalue)
            clipped = torch._foreach_clamp_min(gradients, -limit)
            torch._foreach_clamp_max_(clipped, limit)
            return list(clipped)
        return gradients

    def _decay_weights(self, variables: Sequence[Tensor], learning_rate: Tensor) -> None:
        if not self.weight_decay:
            return
        factor = 1.0 - self.weight_decay * learning_rate
        decayed = [variable for variable in variables if self._use_weight_decay(variable)]
        if decayed:
            torch._foreach_mul_(decayed, factor)

    def _use_weight_decay(self, variable: Tensor) -> bool:
        return self._is_decayed[self._positions[id(variable)]]

    def exclude_from_weight_decay(
        self, var_list: Iterable[Tensor] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Exempt variables from `weight_decay`, before `build`.

        Args:
            var_list: the variables themselves.
            var_names: words (regular expressions); a variable whose path holds one of them is exempt:
            `["bias"]`.

        Raises:
            RuntimeError: the optimizer is built already.
        """
        if self.built:
            raise RuntimeError("`exclude_from_weight_decay()` must be called before the optimizer is built.")
        self._undecayed = list(var_list or ())
        self._undecayed_names = [var_names] if isinstance(var_names, str) else list(var_names or ())

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Update one variable in place: what your own optimizer overrides."""
        if self._updates_by_variable and type(self)._update is Optimizer._update:
            raise NotImplementedError(
                f"{type(self).__name__} must override `update_step(self, gradient, variable, learning_rate)`."
            )
        self._update([gradient], [variable], learning_rate)

    def _update(self, gradients: list[Tensor], variables: list[Tensor], learning_rate: Tensor) -> None:
        """Update variables of one device and dtype together: what the optimizers of this package override."""
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def _update_averages(self) -> None:
        pairs = [
            (a, v) for a, v in zip(self._averages, self._trainable_variables, strict=True) if a is not None
        ]
        iterations = self.iterations
        momentum = (iterations != 0) * self.ema_momentum
        for averages, variables in same_kind([a for a, _ in pairs], [v for _, v in pairs]):
            weight = momentum.to(variables[0].device)
            torch._foreach_mul_(averages, weight)
            torch._foreach_add_(averages, torch._foreach_mul(variables, 1.0 - weight))
        if self.ema_overwrite_frequency:
            is_overwrite = (iterations + 1) % self.ema_overwrite_frequency == 0
            for average, variable in pairs:
                torch.where(is_overwrite.to(variable.device), average, variable, out=variable)

    def _start_averages(self) -> None:
        with torch.no_grad():
            for average, variable in zip(self._averages, self._trainable_variables, strict=True):
                if average is not None:
                    average.copy_(variable)

    @torch.no_grad()
    def finalize_variable_values(self, var_list: Iterable[Tensor]) -> None:
        """With `use_ema`, overwrite the variables with their averages; `fit` calls it at its end."""
        if self.use_ema:
            for variable in var_list:
                average = self._averages[self._get_variable_index(variable)]
                if average is not None:
                    variable.copy_(average)

    def scale_loss(self, loss: Any) -> Any:
        """`loss · loss_scale_factor`: to call before the gradients are computed."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    @torch.no_grad()
    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return what `apply` would make of the given values: `(trainable_variables, optimizer_variables)`.

        Raises:
            ValueError: not built, or lists that do not match the optimizer's one to one.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built. Call "
                "`optimizer.build(trainable_variables)` first."
            )
        for name, given, own in (
            ("optimizer_variables", optimizer_variables, self.variables),
            ("trainable_variables", trainable_variables, self._trainable_variables),
        ):
            if len(given) != len(own):
                raise ValueError(
                    f"`{name}` must match the optimizer's one to one: expected {len(own)} tensors. "
                    f"Received: {len(given)}"
                )
        own_state = [*self._trainable_variables, *self.variables]
        before = [tensor.clone() for tensor in own_state]
        for tensor, value in zip(own_state, [*trainable_variables, *optimizer_variables], strict=True):
            tensor.copy_(torch.as_tensor(value))
        try:
            self.apply(grads)
            after = [tensor.detach().clone() for tensor in own_state]
        finally:
            for tensor, value in zip(own_state, before, strict=True):
                tensor.copy_(value)
        count = len(self._trainable_variables)
        return after[:count], after[count:]

    @torch.no_grad()
    def assign(self, variable: Tensor, value: Any) -> None:
        """`variable ← value`, in place."""
        variable.copy_(torch.as_tensor(value))

    @torch.no_grad()
    def assign_add(self, variable: Tensor, value: Any) -> None:
        """`variable ← variable + value`, in place."""
        variable.add_(torch.as_tensor(value, device=variable.device))

    @torch.no_grad()
    def assign_sub(self, variable: Tensor, value: Any) -> None:
        """`variable ← variable − value`, in place."""
        variable.sub_(torch.as_tensor(value, device=variable.device))

    def get_weights(self) -> list[np.ndarray]:
        """The values of `variables` as NumPy arrays (Keras 2's name)."""
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`, in their order.

        Raises:
            ValueError: not built, another number of values, or another shape.
        """
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. Call "
                "`optimizer.build(trainable_variables)` first."
            )
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(f"`weights` must hold {len(variables)} arrays. Received: {len(weights)}")
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    def save_own_variables(self, store: Any) -> None:
        """Put the values into `store` under "0", "1", …, as Keras's files have them."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the values from `store`; warn and take none where their number is another."""
        variables = self.variables
        if len(store.keys()) != len(variables):
            message = f"it has {len(variables)} variables whereas the saved optimizer has {len(store.keys())}"
            if not self.built:
                message += "; the optimizer is not built yet: call `build()` first"
            warnings.warn(
                f"Skipping variable loading for optimizer {self.name!r}, because {message}.", stacklevel=2
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(i)]))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer, as Keras's files have them."""
        rate = self._learning_rate
        config = {
            "name": self.name,
            "learning_rate": float(rate) if isinstance(rate, Tensor) else serialize_keras_object(rate),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }
        return {**config, "decay": self.decay} if self.decay else config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make an optimizer from `get_config()`."""
        config = dict(config)
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            load = deserialize_keras_object if rate.get("class_name") == "function" else deserialize_schedule
            config["learning_rate"] = load(rate, custom_objects=custom_objects)
        return cls(**config)


COMMON_ARGUMENTS = (
    "learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
    "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", "name", "lr", "decay",
)  # fmt: skip


def _is_number(value: Any) -> bool:
    if isinstance(value, (Tensor, np.ndarray)):
        return value.ndim == 0
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _non_negative(name: str, value: Any) -> Any:
    if value is not None and (not _is_number(value) or value < 0):
        raise ValueError(f"`{name}` must be a number >= 0 or None. Received: {name}={received(value)}")
    return value.item() if isinstance(value, np.generic) else value


def _positive_integer(name: str, value: Any, least: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"`{name}` must be an integer >= {least} or None. Received: {name}={value!r}")
