"""`Layer`: a `torch.nn.Module` with Keras's life cycle of build, call, masks, dtype policy and configuration."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish import constraints, dtype_policies, initializers, regularizers, tree
from kerasish.changes import structure
from kerasish.config import device as device_scope
from kerasish.config import get_device
from kerasish.dtypes import NAMES, torch_dtype
from kerasish.errors import did_you_mean, format_shape, received
from kerasish.layers.input_spec import incompatibility
from kerasish.layers.tracking import track
from kerasish.legacy import arguments as legacy_arguments
from kerasish.metrics import Metric
from kerasish.naming import current_path, name_scope, unique_name
from kerasish.random import SeedGenerator
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.symbolic import (
    KerasTensor,
    Node,
    Operation,
    ShapeInference,
    any_symbolic,
    infer_output,
    real_tensors,
)
from kerasish.variable import Variable

LEGACY_ARGUMENTS = ("input_shape", "batch_input_shape", "input_dim", "batch_size", "input_length", "weights")
COMPILED = ("_loss_tracker", "_compiled_metrics", "_compiled_loss", "_compile_config")
ADVICE_ON_INIT = (
    "{cls}.__init__ must call `super().__init__()` before it assigns layers, variables or other attributes."
)


class _Calls:
    """The outermost call that is running: losses added during one call belong together.

    `loops` counts the loops (`fit`, `predict`, …) that are running; `is_told` says whether the outermost call was
    told which mode it is in, by `training=` or by a loop.
    """

    depth = 0
    number = 0
    loops = 0
    is_told = False

    def are_told(self, training: Any) -> bool:
        """Whether a call given this `training` knows its mode, which layers that augment by themselves ask."""
        return training is not None or (self.is_told if self.depth else self.loops > 0)


calls = _Calls()


class Layer(torch.nn.Module, Operation):
    """The base of all layers and models: state (`add_weight` in `build`) and computation (`call`).

    Args:
        activity_regularizer: regularizer of the output; its value, over the batch size, is added to the loss.
        trainable: whether the weights may be trained.
        dtype: dtype, dtype name or `DTypePolicy` of computation and weights.
        autocast: whether floating-point inputs are cast to the compute dtype.
        name: name of the layer; by default its class in snake case, counted up.

    Subclasses write `__init__`, `build(self, input_shape)` and `call(self, inputs)`, with `training` and `mask`
    arguments where they need them. `nn.Module.training` is the one truth for the mode: False until `fit`.
    """

    _accepts_training: bool = False
    _accepts_mask: bool = False
    _takes_masks: bool = False
    _makes_mask: bool = False
    _call_parameters: tuple[str, ...] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        is_described = _is_of_kerasish(cls) or any_symbolic((args, kwargs))
        self.__dict__["_init_arguments"] = ((), {}) if is_described else (args, kwargs)
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__ and not hasattr(cls.build, "_marks_built"):
            cls.build = _mark_built(cls.build)  # type: ignore[method-assign]
        if cls.__name__ in legacy_arguments.OLD and _is_of_kerasish(cls):
            cls.__init__ = legacy_arguments.taking_old_ones(cls.__name__, cls.__init__)  # type: ignore[method-assign]
        if "call" in cls.__dict__:
            cls.forward = cls.call  # type: ignore[method-assign]
        function = cls.call if "forward" not in cls.__dict__ or "call" in cls.__dict__ else cls.forward
        parameters = inspect.signature(function).parameters
        cls._call_parameters = tuple(parameters)[1:]
        cls._accepts_training = "training" in parameters
        cls._accepts_mask = "mask" in parameters
        cls._takes_masks = any(name == "mask" or name.endswith("_mask") for name in parameters)
        cls._makes_mask = cls.compute_mask is not Layer.compute_mask

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"`name` must be a string without '/'. Received: name={name!r}")
        put = self.__dict__.__setitem__
        put("training", False)
        put("name", name or unique_name(type(self).__name__))
        put("autocast", bool(autocast))
        put("built", False)
        put("activity_regularizer", regularizers.get(activity_regularizer))
        put("input_spec", None)
        put("supports_jit", True)
        put("_supports_masking", self._makes_mask)
        put("_trainable", bool(trainable))
        put("_losses", [])
        put("_losses_call", -1)
        put("_call_number", -1)
        put("_build_shapes", None)
        put("_path", None)
        self._take_legacy_arguments(kwargs)
        self.dtype_policy = dtype_policies.get(dtype)

    def _take_legacy_arguments(self, kwargs: dict[str, Any]) -> None:
        _, kwargs = legacy_arguments.modernize("", (), kwargs)
        unknown = sorted(set(kwargs) - set(LEGACY_ARGUMENTS))
        if unknown:
            known = inspect.signature(type(self).__init__).parameters
            raise TypeError(
                f"Layer {self.name!r} ({type(self).__name__}) got unknown arguments {unknown}."
                + did_you_mean(unknown[0], [*known, "name", "dtype", "trainable"])
            )
        shape = kwargs.get("batch_input_shape")
        if shape is None and kwargs.get("input_shape") is not None:
            given = kwargs["input_shape"]
            given = (given,) if isinstance(given, int) else tuple(given)
            shape = (kwargs.get("batch_size"), *given)
        if shape is None and kwargs.get("input_dim") is not None:
            length = (kwargs["input_length"],) if kwargs.get("input_length") is not None else ()
            shape = (kwargs.get("batch_size"), *length, kwargs["input_dim"])
        self.__dict__["_batch_input_shape"] = None if shape is None else tuple(shape)
        self.__dict__["_initial_weights"] = kwargs.get("weights")

    # Life cycle -----------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape; layers with weights override it."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output from the inputs: the method that every layer writes."""
        raise NotImplementedError(
            f"Layer {self.name!r} ({type(self).__name__}) must define `call(self, inputs)`."
        )

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The same as `call`, by torch's name."""
        return self.call(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Build if needed, then compute; symbolic inputs give symbolic outputs."""
        if calls.depth:
            return self._call(args, kwargs)
        calls.is_told = calls.loops > 0 or kwargs.get("training") is not None
        calls.depth = 1
        calls.number += 1
        self.__dict__["_call_number"] = calls.number
        try:
            return self._call(args, kwargs)
        finally:
            calls.depth = 0

    def _call(self, args: tuple, kwargs: dict) -> Any:
        if self._is_plain and not kwargs and len(args) == 1 and type(args[0]) is Tensor:
            x = args[0]
            if x.dtype is not self._torch_dtype and self.autocast and x.is_floating_point():
                x = x.to(self._torch_dtype)
            if not hasattr(x, "_keras_mask"):
                try:
                    call = self._compiled_call_impl or self._call_impl
                    return call(x, training=self.training) if self._accepts_training else call(x)
                except Exception as error:
                    self._explain(error, args, kwargs)
                    raise
        return self._call_general(args, kwargs)

    def _call_general(self, args: tuple, kwargs: dict) -> Any:
        if "name" not in self.__dict__:
            raise RuntimeError(ADVICE_ON_INIT.format(cls=type(self).__name__))
        args, kwargs = tree.map_structure(self._convert_input, (args, kwargs))
        leaves = tree.flatten((args, kwargs))
        if any(isinstance(leaf, KerasTensor) for leaf in leaves):
            return self.symbolic_call(*args, **kwargs)
        scope = self._scope_of_first_call()
        if not self.built:
            self._build_for(args, kwargs)
        training = kwargs.get("training")
        previous_masks = _masks(args[0]) if args else None
        has_mask = any(mask is not None for mask in tree.flatten(previous_masks))
        if self._takes_masks:
            kwargs = self._with_masks(args, kwargs)
        if not self._accepts_training:
            kwargs = {key: value for key, value in kwargs.items() if key != "training"}
        elif training is None:
            kwargs = {**kwargs, "training": self.training}
        try:
            with scope, self._mode(training), self._autocast_scope():
                outputs = (self._compiled_call_impl or self._call_impl)(*args, **kwargs)
        except Exception as error:
            self._explain(error, args, kwargs)
            raise
        if self._mixed_dtype is not None:
            outputs = tree.map_structure(self._cast_output, outputs)
        if self.activity_regularizer is not None:
            for output in tree.flatten(outputs):
                self.add_loss(self.activity_regularizer(output) / output.shape[0])
        if self._supports_masking and (has_mask or self._makes_mask):
            self._set_masks(args[0], outputs, previous_masks)
        return outputs

    def _scope_of_first_call(self) -> Any:
        """The layers that are built during a layer's first call have its name in their paths."""
        return contextlib.nullcontext() if self.built else name_scope(self.name)

    def _with_masks(self, args: tuple, kwargs: dict) -> dict:
        """The keyword arguments and the masks of the tensors: `mask` for a single argument, else `<argument>_mask`."""
        given = dict(zip(self._call_parameters, args, strict=False)) | kwargs
        tensors = {
            name: x for name, x in given.items() if any(isinstance(leaf, Tensor) for leaf in tree.flatten(x))
        }
        for name, value in tensors.items():
            parameter = "mask" if len(tensors) == 1 else f"{name}_mask"
            if parameter in self._call_parameters and given.get(parameter) is None:
                masks = _masks(value)
                if any(mask is not None for mask in tree.flatten(masks)):
                    kwargs = {**kwargs, parameter: masks}
        return kwargs

    def _convert_input(self, x: Any) -> Any:
        if isinstance(x, (np.ndarray, np.generic)):
            if x.dtype.kind in "USO":
                return x
            x = torch.as_tensor(x, device=self._own_device())
        if (
            isinstance(x, Tensor)
            and self.autocast
            and x.is_floating_point()
            and x.dtype is not self._torch_dtype
        ):
            mask = getattr(x, "_keras_mask", None)
            x = x.to(self._torch_dtype)
            if mask is not None:
                x._keras_mask = mask
        return x

    def _own_device(self) -> torch.device:
        first = next(self.parameters(), None)
        return get_device() if first is None else first.device

    def _cast_output(self, x: Any) -> Any:
        return x.to(self._mixed_dtype) if isinstance(x, Tensor) and x.is_floating_point() else x

    def _set_masks(self, inputs: Any, outputs: Any, previous_masks: Any) -> None:
        flat = tree.flatten(outputs)
        if all(getattr(output, "_keras_mask", None) is not None for output in flat):
            return
        masks = self.compute_mask(inputs, previous_masks)
        masks = tree.flatten(masks)  # a single mask is that of the first output
        for output, mask in zip(flat, masks, strict=False):
            if mask is not None and isinstance(output, Tensor):
                output._keras_mask = mask  # type: ignore[attr-defined]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output; by default the mask of the input."""
        return previous_mask

    @contextlib.contextmanager
    def _mode(self, training: Any) -> Iterator[None]:
        if training is None or bool(training) == self.training:
            yield
            return
        before = {module: module.training for module in self.modules()}
        self.train(bool(training))
        try:
            yield
        finally:
            for module, mode in before.items():
                module.training = mode

    def _autocast_scope(self) -> Any:
        if self._mixed_dtype is not None:
            return torch.autocast(self._own_device().type, dtype=self._mixed_dtype)
        device_type = self._own_device().type
        if device_type != "meta" and torch.is_autocast_enabled(device_type) and not self._composite:
            return torch.autocast(device_type, enabled=False)
        return contextlib.nullcontext()

    @property
    def _composite(self) -> bool:
        return any(isinstance(module, Layer) for module in self.children())

    def _explain(self, error: Exception, args: tuple, kwargs: dict) -> None:
        """Raise a message naming the layer, or add the layer and the shapes to the error on its way out."""
        if getattr(error, "_kerasish_explained", False):
            return
        inputs = args[0] if args else None
        is_checked = self.input_spec is not None and _has_shape(inputs)
        wrong = incompatibility(self.input_spec, inputs, self.name) if is_checked else None
        if wrong is not None:
            explained = ValueError(wrong)
            explained._kerasish_explained = True  # type: ignore[attr-defined]
            raise explained from error
        texts = [leaf for leaf in tree.flatten((args, kwargs)) if isinstance(leaf, np.ndarray)]
        if texts and not self._composite and isinstance(error, (AttributeError, TypeError)):
            raise TypeError(
                f"Layer {self.name!r} ({type(self).__name__}) takes numbers. Received: {received(texts[0])}. Turn text "
                "into numbers first: StringLookup for words and categories, TextVectorization for sentences."
            ) from error
        error._kerasish_explained = True  # type: ignore[attr-defined]
        shapes = [received(x) for x in tree.flatten((args, kwargs)) if isinstance(x, Tensor)]
        context = f"\nIn layer {self.name!r} ({type(self).__name__}), called with {'; '.join(shapes) or 'no tensor'}."
        if error.args and isinstance(error.args[0], str) and type(error).__str__ is not KeyError.__str__:
            error.args = (error.args[0] + context, *error.args[1:])

    # Building -------------------------------------------------------------------------------------------------

    def _build_for(self, args: tuple, kwargs: dict) -> None:
        """Call `build` with the shapes of the arguments that its signature asks for."""
        bound = dict(zip(self._call_parameters, args, strict=False)) | kwargs
        self._check_arguments(bound)
        if self.input_spec is not None and args:
            wrong = incompatibility(self.input_spec, args[0], self.name)
            if wrong is not None:
                raise ValueError(wrong)
        names = [name for name in inspect.signature(self.build).parameters if name != "self"]
        shapes = {f"{name}_shape": _shapes(value) for name, value in bound.items() if _has_shape(value)}
        if len(names) == 1 or not set(names) & set(shapes):
            arguments = {names[0]: _shapes(args[0])} if names and args else {}
        else:
            arguments = {name: shapes[name] for name in names if name in shapes}
        device = next((x.device for x in tree.flatten((args, kwargs)) if isinstance(x, Tensor)), None)
        self._build_now(arguments, device)

    def _check_arguments(self, bound: dict[str, Any]) -> None:
        where = f"Layer {self.name!r} ({type(self).__name__})"
        parameters = list(inspect.signature(type(self).forward).parameters.values())[1:]
        positional = [
            p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty
        ]
        missing = [name for name in positional if name not in bound and name not in ("training", "mask")]
        if missing:
            raise TypeError(
                f"{where} must be called with {positional}. Received: {list(bound)}, without {missing}"
            )
        for name, value in bound.items():
            for leaf in tree.flatten(value):
                if isinstance(leaf, torch.nn.Module):
                    raise TypeError(
                        f"{where} takes tensors. Received as `{name}`: a layer ({type(leaf).__name__}). Call that "
                        "layer on its own input first, and give its output."
                    )

    def _build_now(self, arguments: dict[str, Any], device: torch.device | None = None) -> None:
        own_device = device is not None and device.type != "meta" and device != get_device()
        scope = device_scope(device) if own_device else contextlib.nullcontext()
        with real_tensors(), scope:
            self.build(**arguments)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes with which `build` was called, for files."""
        shapes = self._build_shapes
        if shapes is None:
            return None
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": dict(shapes)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes of `get_build_config()`."""
        if self.built or not config:
            return
        names = [name for name in inspect.signature(self.build).parameters if name != "self"]
        shapes = {key: _as_shape(value) for key, value in config.get("shapes_dict", config).items()}
        if "input_shape" in shapes and len(names) == 1:
            shapes = {names[0]: shapes["input_shape"]}
        self._build_now(shapes)

    def add_weight(
        self,
        *args: Any,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a weight of this layer: a `Variable`, which is a `torch.nn.Parameter`.

        Args:
            shape: shape of the weight; `()` by default. A first positional argument is the shape, too, or the
                name if it is a string (Keras 2).
            initializer: name, object or function; by default Glorot uniform for floats, zeros for others.
            dtype: dtype; the layer's variable dtype by default.
            trainable: False for state that training does not touch by gradients.
            regularizer: penalty that is added to the loss.
            constraint: projection that is applied after each update.
            name: name of the weight.
        """
        for value in args:
            if isinstance(value, str):
                name = value
            else:
                shape = value
        if not hasattr(self, "_parameters"):
            raise RuntimeError(ADVICE_ON_INIT.format(cls=type(self).__name__))
        dtype = dtype or self.variable_dtype
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        if initializer is None:
            initializer = "glorot_uniform" if torch_dtype(dtype).is_floating_point else "zeros"
        with real_tensors():
            variable = Variable(
                initializers.get(initializer), shape, dtype, trainable, autocast, aggregation, name=name
            )
        if not current_path():
            variable._path = f"{self.path}/{variable.name}"
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        key = variable.name.replace(".", "_")
        while key in self._parameters:
            key += "_"
        self._parameters[key] = variable
        structure.version += 1
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """The same as `add_weight`, with the shape first."""
        return self.add_weight(
            shape=shape, initializer=initializer, dtype=dtype, trainable=trainable, autocast=autocast,
            regularizer=regularizer, constraint=constraint, name=name,
        )  # fmt: skip

    def __setattr__(self, name: str, value: Any) -> None:
        descriptor = getattr(type(self), name, None)
        if isinstance(descriptor, property):
            descriptor.__set__(self, value)
            return
        if "_parameters" not in self.__dict__:
            if isinstance(value, (torch.nn.Module, torch.nn.Parameter)):
                raise RuntimeError(ADVICE_ON_INIT.format(cls=type(self).__name__))
            self.__dict__[name] = value
            return
        value = track(value)
        if name in self._modules and not isinstance(value, torch.nn.Module):
            del self._modules[name]
        if isinstance(value, torch.nn.Parameter):
            self._rename_parameter(name, value)
            structure.version += 1
        elif isinstance(value, torch.nn.Module):
            if "name" not in self.__dict__:
                raise RuntimeError(ADVICE_ON_INIT.format(cls=type(self).__name__))
            if value.training != self.training:
                value.train(self.training)
            structure.version += 1
        elif isinstance(value, Metric) or tree.is_nested(value):
            structure.version += 1
        elif isinstance(value, SeedGenerator):
            self.__dict__.setdefault("_seed_generators", []).append(value)
        elif name in self.__dict__ and name != "training" and _is_ours(self):
            structure.version += 1
        super().__setattr__(name, value)
        if name in ("activity_regularizer", "autocast"):
            self._refresh_call_path()

    def _rename_parameter(self, name: str, value: torch.nn.Parameter) -> None:
        """Let a weight made by `add_weight` be known under the attribute that it is assigned to."""
        keys = [key for key, parameter in self._parameters.items() if parameter is value and key != name]
        if keys and name not in self._parameters:
            renamed = {name if key == keys[0] else key: p for key, p in self._parameters.items()}
            self._parameters.clear()
            self._parameters.update(renamed)

    # Dtype and the fast path ----------------------------------------------------------------------------------

    @property
    def dtype_policy(self) -> Any:
        """The dtypes of computation and weights."""
        if "_dtype_policy" not in self.__dict__:
            raise RuntimeError(ADVICE_ON_INIT.format(cls=type(self).__name__))
        return self.__dict__["_dtype_policy"]

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy = dtype_policies.get(value)
        if isinstance(policy, dtype_policies.DTypePolicyMap):
            policy = policy[self.path]
        self.__dict__["_dtype_policy"] = policy
        self.__dict__["_torch_dtype"] = torch_dtype(policy.compute_dtype)
        is_mixed = policy.compute_dtype != policy.variable_dtype
        self.__dict__["_mixed_dtype"] = self._torch_dtype if is_mixed else None
        self._refresh_call_path()

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """torch's `.to()`, `.double()`, `.cuda()`: where it changes the dtype of the weights, the policy follows."""
        result = super()._apply(fn, recurse)
        before = torch_dtype(self.variable_dtype)
        after = fn(torch.empty(0, dtype=before, device=self._own_device())).dtype
        if after is not before:
            self.dtype_policy = NAMES[after]
        structure.version += 1
        return result

    def _refresh_call_path(self) -> None:
        self.__dict__["_is_plain"] = (
            self.built
            and self.activity_regularizer is None
            and self._mixed_dtype is None
            and not self._makes_mask
        )

    @property
    def compute_dtype(self) -> str:
        """The dtype in which the layer computes."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype to which floating-point inputs are cast."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> None:
        """Always None: kerasish has no quantized layers."""
        return

    @property
    def supports_masking(self) -> bool:
        """Whether the layer passes masks on."""
        return self._supports_masking

    @supports_masking.setter
    def supports_masking(self, value: bool) -> None:
        self.__dict__["_supports_masking"] = bool(value)

    # Symbolic calls -------------------------------------------------------------------------------------------

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Build if needed, infer the output's shape, and record the call in the graph."""
        scope = self._scope_of_first_call()
        if not self.built:
            self._build_for(args, kwargs)
        elif self.input_spec is not None and args:
            wrong = incompatibility(self.input_spec, args[0], self.name)
            if wrong is not None:
                raise ValueError(wrong)
        try:
            with scope:
                outputs = self.compute_output_spec(*args, **kwargs)
        except Exception as error:
            self._explain(error, (), {})
            raise
        if outputs is None:
            raise TypeError(
                f"`call` of layer {self.name!r} ({type(self).__name__}) gave None, not a tensor: does it end with "
                "`return`?"
            )
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic output for symbolic inputs."""
        overridden = type(self).compute_output_shape is not Layer.compute_output_shape
        if overridden and len([x for x in tree.flatten((args, kwargs)) if isinstance(x, KerasTensor)]) >= 1:
            shape = self.compute_output_shape(_shapes(args[0]))
            return tree.map_shape_structure(lambda s: KerasTensor(s, dtype=self.compute_dtype), shape)
        return infer_output(self._call_on_meta, args, kwargs, self.name)

    def _call_on_meta(self, *args: Any, **kwargs: Any) -> Any:
        if self._accepts_training and kwargs.get("training") is None:
            kwargs = {**kwargs, "training": self.training}
        kwargs = kwargs if self._accepts_training else {k: v for k, v in kwargs.items() if k != "training"}
        args, kwargs = tree.map_structure(self._convert_input, (args, kwargs))
        outputs = self.forward(*args, **kwargs)
        return outputs if self._mixed_dtype is None else tree.map_structure(self._cast_output, outputs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The output's shape for an input's shape, None being an unknown size."""
        shape = args[0] if args else next(iter(kwargs.values()))
        inputs = tree.map_shape_structure(lambda s: KerasTensor(s, dtype=self.compute_dtype), shape)
        if not self.built:
            self._build_for((inputs,), {})
        outputs = infer_output(self._call_on_meta, (inputs,), {}, self.name)
        return tree.map_structure(lambda tensor: tensor.shape, outputs)

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Compute with the given values in place of the weights; return `(outputs, non_trainable_variables)`."""
        names = {id(parameter): name for name, parameter in self.named_parameters()}
        names |= {id(buffer): name for name, buffer in self.named_buffers()}
        state = [
            (names[id(v)], value)
            for v, value in zip(self.trainable_variables, trainable_variables, strict=True)
        ]
        frozen = [
            (names[id(v)], Variable(torch.as_tensor(value), trainable=False))
            for v, value in zip(self.non_trainable_variables, non_trainable_variables, strict=True)
        ]
        if not self.built:
            raise ValueError(
                f"Layer {self.name!r} must be built before `stateless_call`: call it once on data."
            )
        outputs = torch.func.functional_call(self, dict(state + frozen), args, kwargs)
        result = (outputs, [value for _, value in frozen])
        return (*result, self.losses) if return_losses else result

    # Weights --------------------------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """The name of the layer after those of the scopes in which it was built."""
        return self.name

    @property
    def weights(self) -> list[Any]:
        """All weights: each layer's trainable ones, then its state, in the order of creation."""
        found: dict[int, Any] = {}
        for module in self.modules():
            own = [p for p in module._parameters.values() if p is not None]
            own.sort(key=lambda p: not _is_trainable_by_design(p))
            state = [b for key, b in module._buffers.items() if b is not None and _is_persistent(module, key)]
            for tensor in own + state:
                found.setdefault(id(tensor), tensor)
        return list(found.values())

    @property
    def trainable_weights(self) -> list[Any]:
        """The weights to which gradients flow."""
        return [w for w in self.weights if isinstance(w, torch.nn.Parameter) and w.requires_grad]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """State and frozen weights."""
        return [w for w in self.weights if not (isinstance(w, torch.nn.Parameter) and w.requires_grad)]

    variables = property(lambda self: self.weights)
    trainable_variables = property(lambda self: self.trainable_weights)
    non_trainable_variables = property(lambda self: self.non_trainable_weights)

    @property
    def metrics(self) -> list[Any]:
        """The metrics that the layer keeps as attributes, those of its sublayers included."""
        found = [
            value
            for module in self.modules()
            for attribute, held in module.__dict__.items()
            if attribute not in COMPILED
            for value in tree.flatten(held)
            if isinstance(value, Metric)
        ]
        return list({id(metric): metric for metric in found}.values())

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of `metrics`."""
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether the weights may be trained; setting it sets all sublayers too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self.__dict__["_trainable"] = value
        for parameter in self._parameters.values():
            _set_trainable(parameter, value)
        for child in self.children():
            if isinstance(child, Layer):
                child.trainable = value
            else:
                for module in child.modules():
                    if isinstance(module, Layer):
                        module.trainable = value
                for parameter in child.parameters():
                    _set_trainable(parameter, value)
        structure.version += 1

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights as NumPy arrays."""
        return [to_numpy(weight) for weight in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Overwrite all weights, given in the order of `get_weights()`.

        Raises:
            ValueError: number or shapes differ; nothing is changed then.
        """
        own = self.weights
        weights = [_readable(value) for value in weights]
        if len(own) != len(weights):
            raise ValueError(
                f"Layer {self.name!r} has {len(own)} weights, `set_weights` was given {len(weights)}."
                + (
                    ""
                    if self.built
                    else " The layer is not built yet: call it on data, or `build` it, first."
                )
            )
        for weight, value in zip(own, weights, strict=True):
            if tuple(weight.shape) != tuple(np.shape(value)):
                raise ValueError(
                    f"Weight {getattr(weight, 'path', self.name)!r} of layer {self.name!r} has shape "
                    f"{format_shape(weight.shape)}. Received: {format_shape(np.shape(value))}"
                )
        with torch.no_grad():
            for weight, value in zip(own, weights, strict=True):
                weight.copy_(torch.as_tensor(value))

    def count_params(self) -> int:
        """The number of values in the weights."""
        if not self.built:
            raise ValueError(
                f"Layer {self.name!r} has no weights before it is built: call it on data, or `build(input_shape)`."
            )
        return sum(weight.numel() for weight in self.weights)

    def save_own_variables(self, store: Any) -> None:
        """Write this layer's own weights (not its sublayers') as `store["0"]`, `store["1"]`, …"""
        for i, variable in enumerate(self._own_variables()):
            store[str(i)] = variable.detach()

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote."""
        own = self._own_variables()
        if len(store.keys()) != len(own):
            raise ValueError(
                f"Layer {self.name!r} has {len(own)} weights of its own, the file has {len(store.keys())} for it."
            )
        for i, variable in enumerate(own):
            variable.assign(np.asarray(store[str(i)]))

    def _own_variables(self) -> list[Any]:
        own = [p for p in self._parameters.values() if isinstance(p, Variable)]
        return sorted(own, key=lambda v: not _is_trainable_by_design(v))

    # Losses ---------------------------------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, computed in `call`, to the loss of the model."""
        if ShapeInference.active is not None:
            return
        if self._losses_call != calls.number:
            self._losses.clear()
            self.__dict__["_losses_call"] = calls.number
        for value in tree.flatten(loss):
            if callable(value) and not isinstance(value, Tensor):
                raise TypeError(
                    "`add_loss` takes a tensor: call the function inside `call` and pass its value. For a penalty "
                    "of weights, give `add_weight` a regularizer."
                )
            self._losses.append(torch.as_tensor(value))

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Raise: Keras 3 removed it; keep a metric as attribute and call `update_state` on it in `call`."""
        raise NotImplementedError(
            "`add_metric` was removed in Keras 3: make the metric in `__init__` (`self.m = metrics.Mean(name=…)`) and "
            "call `self.m.update_state(value)` in `call`."
        )

    @property
    def losses(self) -> list[Tensor]:
        """The losses added in the last call, then the penalties of the weights' regularizers."""
        return self._added_losses() + self._weight_penalties()

    def _added_losses(self) -> list[Tensor]:
        holders = [module for module in self.modules() if isinstance(module, Layer) and module._losses]
        if not holders:
            return []
        number = self._call_number if self._call_number >= 0 else max(h._losses_call for h in holders)
        return [loss for holder in holders if holder._losses_call >= number for loss in holder._losses]

    def _weight_penalties(self) -> list[Tensor]:
        return [
            w.regularizer(w) for w in self.trainable_weights if getattr(w, "regularizer", None) is not None
        ]

    # Configuration --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON-ready values."""
        policy = self.dtype_policy
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(policy),
        }
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if _is_of_kerasish(type(self)) or not _is_of_kerasish(type(self).get_config):
            return config
        parameters = inspect.signature(type(self).__init__).parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            config = {key: value for key, value in config.items() if key in parameters}
        return {**config, **self._constructor_config()}

    def _constructor_config(self) -> dict[str, Any]:
        """The arguments given to a constructor of the user's, where each of them can be written as JSON."""
        args, kwargs = self._init_arguments
        parameters = inspect.signature(type(self).__init__).parameters
        names = [name for name in parameters if name != "self"]
        given = dict(zip(names, args, strict=False)) | kwargs
        try:
            return {key: serialize_keras_object(value) for key, value in given.items()}
        except (TypeError, ValueError) as error:
            raise NotImplementedError(
                f"{type(self).__name__} needs a `get_config()` method, since one of its arguments cannot be written as "
                f"JSON: {error}"
            ) from error

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from `get_config()`."""
        config = dict(config)
        dtype = config.get("dtype")
        if isinstance(dtype, dict):
            config["dtype"] = dtype_policies.deserialize(dtype)
        if not _is_of_kerasish(cls):
            config = {
                key: value if key == "dtype" else deserialize_keras_object(value)
                for key, value in config.items()
            }
        try:
            return cls(**config)
        except TypeError as error:
            raise TypeError(
                f"{cls.__name__} could not be made from its config: {error}. Its `__init__` must take what its "
                f"`get_config()` returns. Received: {config}"
            ) from error

    def extra_repr(self) -> str:
        """What torch prints in the parentheses: the layer's name."""
        return f"name={self.name!r}" if "name" in self.__dict__ else ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.__dict__.get('name')}, built={self.__dict__.get('built')}>"

    def __dir__(self) -> list[str]:
        return sorted(set(super().__dir__()))

    def __getattr__(self, name: str) -> Any:
        parameters = self.__dict__.get("_parameters")
        if parameters is None:
            raise AttributeError(
                ADVICE_ON_INIT.format(cls=type(self).__name__) + f" (attribute {name!r} is missing)"
            )
        if name in parameters:
            return parameters[name]
        descriptor = getattr(type(self), name, None)
        if isinstance(descriptor, property) and descriptor.fget is not None:
            return descriptor.fget(self)  # raises again what it said, which Python drops on its way here
        return super().__getattr__(name)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the graph, which belongs to the functional models that the layer is part of, and the last
        call's losses.
        """
        return {key: value for key, value in self.__dict__.items() if key != "_node_refs"} | {"_losses": []}


def _mark_built(build: Any) -> Any:
    """Wrap a `build` method: remember its shapes, and that the layer is built."""

    @functools.wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> Any:
        if self._build_shapes is None:
            names = [name for name in inspect.signature(build).parameters if name != "self"]
            self.__dict__["_build_shapes"] = dict(zip(names, args, strict=False)) | kwargs
        if self.__dict__.get("_is_building"):  # called by a subclass's `build`
            return build(self, *args, **kwargs)
        self.__dict__["_is_building"] = True
        try:
            with name_scope(self.name):
                result = build(self, *args, **kwargs)
        finally:
            del self.__dict__["_is_building"]
        self.__dict__["built"] = True
        self._refresh_call_path()
        if not self._trainable:
            self.trainable = False
        return result

    wrapped._marks_built = True  # type: ignore[attr-defined]
    return wrapped


Layer.build = _mark_built(Layer.build)  # type: ignore[method-assign]


def _is_of_kerasish(thing: Any) -> bool:
    """Whether a class or function is this package's."""
    return thing.__module__.partition(".")[0] == "kerasish"


def _is_ours(layer: Layer) -> bool:
    """Whether the layer is of this package: its attributes are settings that a recorded step has taken in."""
    return type(layer).__module__.startswith("kerasish.layers.")


def _is_trainable_by_design(parameter: Any) -> bool:
    return parameter.__dict__.get("_by_design", parameter.requires_grad)


def _set_trainable(parameter: Any, value: bool) -> None:
    if parameter is None or not parameter.is_floating_point():
        return
    by_design = parameter.__dict__.setdefault("_by_design", parameter.requires_grad)
    if isinstance(parameter, Variable):
        parameter.trainable = value and by_design
    else:
        parameter.requires_grad_(value and by_design)


def _is_persistent(module: torch.nn.Module, key: str) -> bool:
    return key not in module._non_persistent_buffers_set


def _readable(value: Any) -> Any:
    """A value for `torch.as_tensor`, which cannot read NumPy's bfloat16 extension type."""
    is_bfloat16 = isinstance(value, np.ndarray) and value.dtype.name == "bfloat16"
    return value.astype(np.float32) if is_bfloat16 else value


def to_numpy(tensor: Any) -> np.ndarray:
    """A copy of a tensor's values as a NumPy array; bfloat16 becomes float32, which holds its values exactly."""
    tensor = tensor.detach()
    if tensor.dtype is torch.bfloat16:
        tensor = tensor.float()
    return tensor.cpu().numpy().copy()


def _has_shape(value: Any) -> bool:
    leaves = tree.flatten(value)
    return bool(leaves) and all(hasattr(leaf, "shape") for leaf in leaves)


def _masks(value: Any) -> Any:
    return tree.map_structure(lambda x: getattr(x, "_keras_mask", None), value)


def _shapes(value: Any) -> Any:
    def shape(x: Any) -> Any:
        if isinstance(x, Tensor):
            return (None, *x.shape[1:]) if x.dim() else ()
        return tuple(getattr(x, "shape", ()) or ())

    return tree.map_structure(shape, value)


def _as_shape(value: Any) -> Any:
    """Lists of sizes, as JSON has them, become tuples again."""
    if isinstance(value, (list, tuple)) and all(isinstance(size, int) or size is None for size in value):
        return tuple(value)
    if isinstance(value, dict):
        return {key: _as_shape(item) for key, item in value.items()}
    return [_as_shape(item) for item in value] if isinstance(value, (list, tuple)) else value
