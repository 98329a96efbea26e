"""`Loss` and `LossFunctionWrapper`: from a value per sample to one number, with sample weights and masks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from kerasish import dtype_policies, tree
from kerasish.config import floatx, get_device
from kerasish.dtypes import torch_dtype
from kerasish.errors import did_you_mean, format_shape
from kerasish.naming import unique_name
from kerasish.serialization import deserialize_keras_object, serialize_keras_object

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)
PLAIN_MEANS = ("sum_over_batch_size", "mean")

# Loss functions whose `y_true` holds class numbers: a cast of them to float would only be undone.
LABEL_FUNCTIONS: set[Callable] = set()
# Loss function → the same loss averaged over all samples by one fused kernel, or None where none fits.
FUSED_MEANS: dict[Callable, Callable[..., torch.Tensor | None]] = {}


def takes_labels(function: Callable) -> Callable:
    """Decorator: `y_true` of this loss function holds class numbers."""
    LABEL_FUNCTIONS.add(function)
    return function


def fused_mean_of(function: Callable) -> Callable[[Callable], Callable]:
    """Decorator: what it decorates gives the mean of `function` over all samples in fewer torch calls."""

    def register(fused_mean: Callable) -> Callable:
        FUSED_MEANS[function] = fused_mean
        return fused_mean

    return register


def is_tensor(x: Any) -> bool:
    """Whether torch computes with it as it is: a tensor, or a symbolic one."""
    return hasattr(x, "__torch_function__")


def with_logits(y_pred: torch.Tensor, transform: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Apply `transform` to a prediction and to the logits that its activation left on it."""
    out = transform(y_pred)
    logits = getattr(y_pred, "_keras_logits", None)
    if logits is not None:
        out._keras_logits = transform(logits)  # type: ignore[attr-defined]
        out._keras_logits_of = getattr(y_pred, "_keras_logits_of", None)  # type: ignore[attr-defined]
    return out


def to_tensor(x: Any, dtype: torch.dtype | None = None, device: torch.device | None = None) -> Any:
    """Return `x` as a tensor of that type on that device; Python floats become `floatx()` by default."""
    if not isinstance(x, torch.Tensor):
        if is_tensor(x):
            return x
        is_python_value = not isinstance(x, (np.ndarray, np.generic))
        x = torch.as_tensor(x, device=device or get_device())
        if dtype is None and is_python_value and x.is_floating_point():
            dtype = torch_dtype(floatx())
    if (dtype is None or x.dtype is dtype) and (device is None or x.device == device):
        return x
    return with_logits(x, lambda tensor: tensor.to(device=device, dtype=dtype))


def as_tensors(
    y_true: Any, y_pred: Any, dtype: torch.dtype | None = None, labels: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both as tensors of type `dtype` on the device of `y_pred`; class `labels` keep their own type.

    Without `dtype` the floating type of `y_pred` counts, or `floatx()` where it is an integer.
    """
    if not isinstance(y_pred, torch.Tensor):
        if is_tensor(y_pred):
            return y_true, y_pred
        y_pred = to_tensor(y_pred, device=getattr(y_true, "device", None))
    if dtype is None:
        dtype = y_pred.dtype if y_pred.is_floating_point() else torch_dtype(floatx())
    return to_tensor(y_true, None if labels else dtype, y_pred.device), to_tensor(y_pred, dtype)


def match_ranks(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Make `(B,)` and `(B, 1)`, or `(B, T)` and `(B, T, 1)`, agree in rank; leave all else as it is.

    A vector becomes a column; of higher ranks the longer one loses its last dimension.
    """
    rank_a, rank_b = len(a.shape), len(b.shape)
    if rank_a == rank_b + 1 and a.shape[-1] == 1:
        if rank_b == 1:
            return a, b.unsqueeze(-1)
        return with_logits(a, lambda x: x.squeeze(-1)), b
    if rank_b == rank_a + 1 and b.shape[-1] == 1:
        if rank_a == 1:
            return a.unsqueeze(-1), b
        return a, with_logits(b, lambda x: x.squeeze(-1))
    return a, b


def standardize_reduction(reduction: str | None) -> str | None:
    """Return a valid reduction, `"sum_over_batch_size"` for Keras 2's `"auto"`; raise on anything else."""
    if reduction == "auto":
        return "sum_over_batch_size"
    if reduction not in REDUCTIONS:
        hint = did_you_mean(reduction, [str(known) for known in REDUCTIONS])
        raise ValueError(
            f"Unknown `reduction`: expected one of {REDUCTIONS}.{hint} Received: reduction={reduction!r}"
        )
    return reduction


def reduce_weighted(
    values: torch.Tensor,
    sample_weight: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
    reduction: str | None = "sum_over_batch_size",
) -> torch.Tensor:
    """Reduce losses `v` with weights `w` and mask `m` over all their N elements.

    `"sum"` is Σ v·w·m; `"sum_over_batch_size"` and `"mean"` are Σ v·w / N, or Σ v·w·m / Σ m under a mask;
    `"mean_with_sample_weight"` is Σ v·w·m / Σ w·m. Each is 0 where its divisor is.
    """
    if mask is not None:
        mask = mask.to(values.dtype)
        if reduction in PLAIN_MEANS:
            mask = mask * (mask.numel() / mask.sum().clamp_min(1))
        if sample_weight is None:
            sample_weight = mask
        else:
            mask, sample_weight = match_ranks(mask, sample_weight)
            _check_broadcast(mask, sample_weight, "mask")
            sample_weight = sample_weight * mask
    if sample_weight is not None:
        values, sample_weight = match_ranks(values, sample_weight)
        _check_broadcast(values, sample_weight, "losses")
        values = values * sample_weight
    if reduction is None or reduction == "none" or values.shape in ((), (0,)):
        return values
    if reduction == "sum" or 0 in values.shape:
        return values.sum()
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        divisor = sample_weight.sum()
        is_zero = divisor == 0
        return (values.sum() / divisor.masked_fill(is_zero, 1)).masked_fill(is_zero, 0)
    return values.mean()


def _check_broadcast(values: torch.Tensor, sample_weight: torch.Tensor, what: str) -> None:
    if values.shape == sample_weight.shape:
        return
    try:
        torch.broadcast_shapes(values.shape, sample_weight.shape)
    except RuntimeError:
        raise ValueError(
            f"`sample_weight` does not fit the {what} of shape {format_shape(values.shape)}: give one weight "
            "per value, or sizes of 1 in the dimensions over which the weight is the same. "
            f"Received: sample_weight of shape {format_shape(sample_weight.shape)}"
        ) from None


class Loss:
    """Base of all losses: `call(y_true, y_pred)` gives a loss per sample, reduced to one number.

    Args:
        name: name in messages and logs; by default the class's in snake case, numbered.
        reduction: `"sum_over_batch_size"` or `"mean"`: divide the sum by the number of values;
            `"mean_with_sample_weight"`: divide it by the sum of the weights; `"sum"`; `"none"` or None: one
            value per sample.
        dtype: type of the computation, a name or a `DTypePolicy`; `floatx()` by default.

    `y_pred._keras_mask`, where a layer left one, takes masked values out of the sum and of its divisor.

    Example:
        >>> class Cubic(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return (y_true - y_pred).abs().pow(3).mean(-1)
        >>> float(Cubic()([[0.0], [0.0]], [[1.0], [2.0]]))
        4.5
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or unique_name(type(self).__name__)
        self.reduction = standardize_reduction(reduction)
        self._dtype = dtype_policies.get(dtype or floatx()).compute_dtype
        self._torch_dtype = torch_dtype(self._dtype)

    @property
    def dtype(self) -> str:
        """The type in which the loss is computed."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> torch.Tensor:
        """Return the reduced loss.

        Args:
            y_true: targets.
            y_pred: predictions.
            sample_weight: weights, one per sample `(B,)` or per value of the loss `(B, T)`.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        y_true, y_pred = self._convert(y_true, y_pred)
        if sample_weight is None and mask is None and self.reduction in PLAIN_MEANS:
            mean = self._fused_mean(y_true, y_pred)
            if mean is not None:
                return mean
        losses = self.call(y_true, y_pred)
        own_mask = getattr(losses, "_keras_mask", None)
        losses = to_tensor(losses, self._torch_dtype)
        if own_mask is not None:
            mask = own_mask if mask is None else mask & own_mask
        if mask is not None:
            mask = to_tensor(mask, device=losses.device)
        if sample_weight is not None:
            sample_weight = to_tensor(sample_weight, self._torch_dtype, losses.device)
        return reduce_weighted(losses, sample_weight, mask, self.reduction)

    def _convert(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Targets and predictions as tensors of the loss's type, in the structure given."""
        if not (_is_structure(y_true) or _is_structure(y_pred)):
            return as_tensors(y_true, y_pred, self._torch_dtype)
        return tree.map_structure(self._to_own_dtype, y_true), tree.map_structure(self._to_own_dtype, y_pred)

    def _to_own_dtype(self, x: Any) -> Any:
        return to_tensor(x, self._torch_dtype)

    def _fused_mean(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
        """The unweighted, unmasked mean loss by one fused kernel, or None: go by `call`."""
        return None

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each sample: the method to write in a subclass."""
        raise NotImplementedError(f"{type(self).__name__} must define `call(self, y_true, y_pred)`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Make a loss from `get_config()`."""
        return cls(**config)


def _is_structure(x: Any) -> bool:
    """Whether `x` is a dictionary, list or tuple of tensors rather than one tensor or list of numbers."""
    if isinstance(x, dict):
        return True
    return isinstance(x, (list, tuple)) and any(
        is_tensor(leaf) or isinstance(leaf, np.ndarray) for leaf in tree.flatten(x)
    )


class LossFunctionWrapper(Loss):
    """A loss function `fn(y_true, y_pred, **kwargs)`, one loss per sample, as a `Loss` object.

    Args:
        fn: the function.
        reduction, name, dtype: as for `Loss`.
        **kwargs: passed to `fn` at each call.
    """

    def __init__(
        self,
        fn: Callable,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        is_plain = inspect.isfunction(fn) and type(self).call is LossFunctionWrapper.call
        self._mean_fn = FUSED_MEANS.get(fn) if is_plain else None
        self._takes_labels = is_plain and fn in LABEL_FUNCTIONS

    def _convert(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        if self._takes_labels:
            return as_tensors(y_true, y_pred, self._torch_dtype, labels=True)
        return super()._convert(y_true, y_pred)

    def _fused_mean(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
        if self._mean_fn is None or not isinstance(y_pred, torch.Tensor) or y_pred.numel() == 0:
            return None
        y_true, y_pred = match_ranks(y_true, y_pred)
        return self._mean_fn(y_true, y_pred, **self._fn_kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The function's value, after `(B,)` and `(B, 1)` were made to agree in rank."""
        if is_tensor(y_true) and is_tensor(y_pred):
            y_true, y_pred = match_ranks(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        arguments = {"fn": self.fn, **self._fn_kwargs}
        return {**super().get_config(), **serialize_keras_object(arguments)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Make a loss from `get_config()`."""
        return cls(
            **{k: deserialize_keras_object(v) if isinstance(v, dict) else v for k, v in config.items()}
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name} reduction={self.reduction} {self._fn_kwargs}>"


class FunctionLoss(LossFunctionWrapper):
    """Parent of the loss classes here: the function's arguments are attributes and make up the config."""

    def __init__(
        self, fn: Callable, reduction: str | None, name: str | None, dtype: Any, **kwargs: Any
    ) -> None:
        super().__init__(fn, reduction=reduction, name=name, dtype=dtype, **kwargs)
        self.__dict__.update(kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return {**Loss.get_config(self), **self._fn_kwargs}
