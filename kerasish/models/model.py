"""`Model`: a layer with `compile`, `fit`, `evaluate`, `predict`."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from kerasish import saving, tree
from kerasish.changes import structure
from kerasish.config import get_device
from kerasish.errors import did_you_mean
from kerasish.layers.core.torch_module_wrapper import TorchModuleWrapper, as_layer
from kerasish.layers.layer import Layer, _shapes
from kerasish.layers.tracking import TrackedDict, TrackedList, TrackedTuple
from kerasish.legacy.arguments import are_metrics, refuse_compile
from kerasish.metrics import Mean, Metric
from kerasish.models.legacy_methods import LegacyMethods, reading
from kerasish.optimizers import LossScaleOptimizer, Optimizer
from kerasish.saving.configs import model_of_config
from kerasish.saving.export import export_model
from kerasish.serialization import CustomObjectScope, deserialize_keras_object, serialize_keras_object
from kerasish.symbolic import KerasTensor
from kerasish.training import loop
from kerasish.training.data.arrays import weights_of_classes
from kerasish.training.data.iterables import to_batch
from kerasish.training.data.packing import unpack_x_y_sample_weight, without_missing
from kerasish.training.logs import Logs
from kerasish.training.objectives import CompiledLoss, CompiledMetrics, resolve_optimizer, track
from kerasish.training.step import Step

JIT_COMPILE = ("auto", True, False)


class Model(LegacyMethods, Layer):
    """Layers grouped into something that trains, in one of two ways.

    `Model(inputs, outputs)` makes a functional model of the layers between symbolic tensors. A subclass assigns
    layers in `__init__` and uses them in `call(self, inputs)`; overriding `train_step`, `test_step`,
    `predict_step`, `compute_loss` or `compute_metrics` changes a part of the training.

    Example:
        >>> import kerasish
        >>> x = kerasish.Input((4,))
        >>> model = kerasish.Model(x, kerasish.layers.Dense(2)(x))
        >>> model.count_params()
        10
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            from kerasish.models.functional import Functional

            return Functional.__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from kerasish.models.functional import Graph

        graph = None
        if _is_functional(args, kwargs):
            inputs = kwargs.pop("inputs", args[0] if args else None)
            outputs = kwargs.pop("outputs", args[1] if len(args) > 1 else None)
            name = kwargs.pop("name", args[2] if len(args) > 2 else None)
            graph = Graph(inputs, outputs)
            super().__init__(name=name, **kwargs)
        elif args:
            raise TypeError(f"{type(self).__name__} takes no positional arguments. Received: {args}")
        else:
            super().__init__(**kwargs)
        put = self.__dict__.__setitem__
        put("stop_training", False)
        put("stop_evaluating", False)
        put("stop_predicting", False)
        put("compiled", False)
        put("optimizer", None)
        put("loss", None)
        put("_history", None)
        put("_initial_epoch", None)
        put("run_eagerly", False)
        put("jit_compile", False)
        put("steps_per_execution", 1)
        put("_compiled_loss", None)
        put("_compiled_metrics", None)
        put("_loss_tracker", None)
        put("_steps", {})
        put("_take_over_steps", None)
        put("_ready_to_train", False)
        put("_graph", None)
        if graph is not None:
            self._use_graph(graph)

    def _use_graph(self, graph: Any) -> None:
        self.__dict__["_graph"] = graph
        for i, layer in enumerate(graph.layers):
            self._modules[str(i)] = getattr(layer, "module", layer) if _is_wrapper(layer) else layer
        self.__dict__["built"] = True
        self._refresh_call_path()

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        before = self._torch_dtype
        result = super()._apply(fn, recurse)
        if self._graph is not None and self._torch_dtype is not before:
            dtypes = self._graph.input_dtypes
            self._graph.input_dtypes = [self._torch_dtype if x is before else x for x in dtypes]
        return result

    # Layers ---------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Any]:
        """The layers directly below this model."""
        if self._graph is not None:
            return list(self._graph.layers)
        found: list[Any] = []
        for child in self._modules.values():
            found += _direct_layers(child)
        return list({id(layer): layer for layer in found}.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """The layer of that name, or at that index."""
        if (name is None) == (index is None):
            raise ValueError(f"Give `name` or `index`, one of them. Received: name={name!r}, index={index!r}")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"The model has {len(layers)} layers: there is no layer {index}.")
            return layers[index]
        for layer in layers:
            if getattr(layer, "name", None) == name:
                return layer
        names = [getattr(layer, "name", type(layer).__name__) for layer in layers]
        raise ValueError(
            f"There is no layer {name!r} in model {self.name!r}: it has {names}.{did_you_mean(name, names)}"
        )

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return self._need_graph("inputs").inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return self._need_graph("outputs").outputs

    @property
    def input(self) -> Any:
        """The symbolic inputs, in the structure in which they were given."""
        return self._need_graph("input").input_structure

    @property
    def output(self) -> Any:
        """The symbolic outputs, in the structure in which they were given."""
        return self._need_graph("output").output_structure

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or a list of those of several, None for unknown sizes."""
        return _plain([tensor.shape for tensor in self.inputs])

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or a list of those of several, None for unknown sizes."""
        return _plain([tensor.shape for tensor in self.outputs])

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [tensor._keras_history.operation.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of the layers that give them."""
        return self._graph.output_names if self._graph is not None else []

    def _need_graph(self, what: str) -> Any:
        if self._graph is None:
            raise AttributeError(
                f"`{what}` of model {self.name!r} is not known: it is a subclassed model, or not built yet. Give it an "
                "`Input`, or call it on data first."
            )
        return self._graph

    def call(self, inputs: Any) -> Any:
        """Compute the outputs; a subclass writes it."""
        if self._graph is None:
            raise NotImplementedError(f"Model {type(self).__name__} must define `call(self, inputs)`.")
        return self._graph.run(inputs, self.name)

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape, which includes the batch size (None)."""
        if self._graph is not None:
            return
        inputs = tree.map_shape_structure(
            lambda s: KerasTensor(s, dtype=self.compute_dtype), _as_tuples(input_shape)
        )
        self.__dict__["built"] = True
        try:
            self.compute_output_spec(inputs)
        except Exception:
            self.__dict__["built"] = False
            raise

    def _build_for(self, args: tuple, kwargs: dict) -> None:
        if type(self).build is Model.build:
            self.__dict__["built"] = True
            if len(args) == 1:
                self.__dict__["_build_shapes"] = {"input_shape": _shapes(args[0])}
            self._refresh_call_path()
            if not self._trainable:
                self.trainable = False
            return
        super()._build_for(args, kwargs)

    # Compilation ----------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Choose what the model is trained with.

        Args:
            optimizer: name, Keras optimizer, torch optimizer of this model's parameters, or a class (or partial)
                of `torch.optim`.
            loss: name, Keras loss, function `(y_true, y_pred)`, or `torch.nn` loss; a list or dictionary of them for
                several outputs.
            loss_weights: factors of the losses, in the same structure.
            metrics: names, Keras metrics, functions or torchmetrics; a list or dictionary of lists for several outputs.
            weighted_metrics: metrics to which `sample_weight` and `class_weight` apply.
            run_eagerly: run every step as plain Python, for debugging.
            steps_per_execution: number of steps between calls of the callbacks' batch hooks.
            jit_compile: True compiles the model by `torch.compile`.
            auto_scale_loss: with a `mixed_float16` policy, scale the loss dynamically.
            **kwargs: arguments of Keras 2 that changed nothing, or are refused with what to do instead.
        """
        refuse_compile(kwargs)
        if loss_weights is not None and are_metrics(loss_weights):  # Keras 2's order
            loss_weights, metrics = metrics, loss_weights
        if jit_compile not in JIT_COMPILE:
            raise ValueError(
                f"`jit_compile` must be True, False or 'auto'. Received: jit_compile={jit_compile!r}"
            )
        if jit_compile is True and run_eagerly:
            raise ValueError("`jit_compile=True` and `run_eagerly=True` exclude each other: choose one.")
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(
                f"`steps_per_execution` must be a positive integer. Received: {steps_per_execution!r}"
            )
        resolved = resolve_optimizer(optimizer)
        if (
            auto_scale_loss
            and self.dtype_policy.name == "mixed_float16"
            and hasattr(resolved, "loss_scale_factor")
        ) and not isinstance(resolved, LossScaleOptimizer):
            resolved = LossScaleOptimizer(resolved)
        names = self.output_names
        compiled_loss = CompiledLoss(loss, loss_weights, names) if loss is not None else None
        if compiled_loss is not None:
            compiled_loss.check()
        compiled_metrics = CompiledMetrics(metrics, weighted_metrics, names)
        compiled_metrics.check()
        put = self.__dict__.__setitem__
        put("optimizer", resolved)
        put("loss", loss)
        put("run_eagerly", bool(run_eagerly))
        put("steps_per_execution", steps_per_execution)
        put("jit_compile", jit_compile is True)
        put("_compiled_call_impl", None)
        put("_compiled_loss", compiled_loss)
        put("_compiled_metrics", compiled_metrics)
        put("_loss_tracker", Mean(name="loss"))
        put("_compile_config", (optimizer, loss, loss_weights, metrics, weighted_metrics, run_eagerly,
                                steps_per_execution, jit_compile))  # fmt: skip
        put("_steps", {})
        put("_ready_to_train", False)
        put("compiled", True)
        put("stop_training", False)

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile` as JSON-ready values; None where one of them is a torch object or a lambda."""
        if not self.compiled:
            return None
        names = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly",
                 "steps_per_execution", "jit_compile")  # fmt: skip
        values = dict(zip(names, self._compile_config, strict=True))
        values["optimizer"] = self.optimizer
        values["jit_compile"] = values["jit_compile"] is True
        try:
            return {name: serialize_keras_object(value) for name, value in values.items()}
        except (TypeError, ValueError, NotImplementedError):
            return None

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the arguments of `get_compile_config()`."""
        self.compile(**deserialize_keras_object(config))
        if self.built and hasattr(self.optimizer, "build"):
            self.optimizer.build(self.trainable_variables)

    def _compile_like(self, model: Model) -> None:
        """Compile with what another model was compiled with: the same loss, an optimizer and metrics without state."""
        names = ("loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution",
                 "jit_compile")  # fmt: skip
        optimizer, *others = model._compile_config
        given = dict(zip(names, others, strict=True))
        for name in ("metrics", "weighted_metrics"):
            given[name] = tree.map_structure(_without_state, given[name])
        self.compile(_without_state(optimizer), **given)

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"Model {self.name!r} must be compiled before `{method}`: call `model.compile(optimizer=…, loss=…)`."
            )

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker, the metrics given to `compile`, and those kept as attributes."""
        found = [self._loss_tracker] if self.compiled else []
        found += self._cached("_cached_metrics", lambda: super(Model, self).metrics)
        if self.compiled and (self._compiled_metrics.given or self._compiled_metrics.weighted_given):
            found.append(self._compiled_metrics)
        if self._compiled_loss is not None:
            found += [tracker for tracker in self._compiled_loss.trackers if tracker is not None]
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Start all metrics again."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The values of all metrics, as tensors or, where a metric has several, dictionaries of them."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    # Steps: the override points -------------------------------------------------------------------------------

    def train_step(self, data: Any) -> Any:
        """Train on one batch, `(x, y, sample_weight)`, `(x, y)` or `x`, and return the logs."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x) if self.training else self(x, training=True)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
        if self._loss_tracker is not None:
            track(self._loss_tracker, loss, _records(x))
        if loss.requires_grad:
            weights = self._trained_weights()
            gradients = torch.autograd.grad(self.optimizer.scale_loss(loss), weights, allow_unused=True)
            self.optimizer.apply(list(gradients), weights)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> Any:
        """Evaluate one batch `(x, y, sample_weight)` and return the logs."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x) if not self.training else self(x, training=False)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False)
        if self._loss_tracker is not None:
            track(self._loss_tracker, loss, _records(x))
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Compute the outputs of one batch, `x` or a tuple that begins with it."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x) if not self.training else self(x, training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """The compiled loss plus the penalties and the losses added in `call`."""
        loss = None
        if self._compiled_loss is not None and y is not None:
            loss = self._compiled_loss(y, y_pred, sample_weight)
        for extra in self._extra_losses():
            extra = extra if extra.dim() == 0 else extra.sum()
            loss = extra if loss is None else loss + extra
        if loss is None:
            if y is None and self._compiled_loss is not None:
                raise ValueError(
                    f"Model {self.name!r} was compiled with a loss, but no targets were given: pass `y`, or batches "
                    "(x, y)."
                )
            return torch.zeros((), device=self._device())
        return loss

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update the compiled metrics and return the values of all, computed when they are read."""
        if self._compiled_metrics is not None and y is not None:
            self._compiled_metrics.update_state(y, y_pred, sample_weight=sample_weight)
        return Logs(self.get_metrics_result)

    def _extra_losses(self) -> list[Tensor]:
        return self._added_losses() + [weight.regularizer(weight) for weight in self._penalized_weights()]

    def _cached(self, name: str, collect: Any) -> Any:
        """What is collected from all layers, collected again only after a layer or weight came or went."""
        entry = self.__dict__.get(name)
        if entry is None or entry[0] != structure.version:
            entry = self.__dict__[name] = (structure.version, collect())
        return entry[1]

    def _sublayers(self) -> list[Layer]:
        return [module for module in self.modules() if isinstance(module, Layer) and module is not self]

    def _trained_weights(self) -> list[Any]:
        weights = self._cached("_cached_weights", lambda: self.trainable_weights)
        if False in [weight.requires_grad for weight in weights]:  # frozen the torch way
            weights = self.trainable_weights
        return weights

    def _penalized_weights(self) -> list[Any]:
        return self._cached(
            "_cached_penalized",
            lambda: [w for w in self.trainable_weights if getattr(w, "regularizer", None) is not None],
        )

    def _added_losses(self) -> list[Tensor]:
        layers = self._cached("_cached_layers", self._sublayers)
        number = self._call_number
        return [
            loss
            for layer in (self, *layers)
            if layer._losses and layer._losses_call >= number
            for loss in layer._losses
        ]

    # Training -------------------------------------------------------------------------------------------------

    @property
    def history(self) -> Any:
        """The `History` of the last `fit`: the model keeps its records, and gives it back to whoever asks."""
        if self._history is None:
            return None
        history = copy.copy(self._history)
        history.set_model(self)
        return history

    @history.setter
    def history(self, value: Any) -> None:
        kept = copy.copy(value)
        if kept is not None:
            kept.set_model(None)
        self.__dict__["_history"] = kept

    @loop.filtered_traceback
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        **kwargs: Any,
    ) -> Any:
        """Train for `epochs` passes over the data and return the `History`.

        Args:
            x: arrays, tensors, data frames, lists, or lists and dictionaries of them for several inputs; or a
                DataLoader, torch Dataset, `PyDataset`, or generator of batches `(x, y)` or `(x, y, sample_weight)`.
            y: targets, in the same forms.
            batch_size: records per update, 32 by default; 0 updates after every record, as 1 does (Keras 3
                takes 0 for the default, tf.keras raises).
            epochs: number of the last epoch.
            verbose: 0 silent, 1 progress bar, 2 one line per epoch.
            callbacks: list of callbacks.
            validation_split: share of the last records that is set aside for validation.
            validation_data: `(x, y)`, `(x, y, sample_weight)`, or batches.
            shuffle: whether records are shuffled before each epoch; `"batch"` shuffles blocks.
            class_weight: dictionary class → weight of its records in the loss.
            sample_weight: weight of each record in the loss.
            initial_epoch: number of the first epoch, to continue a training.
            steps_per_epoch, validation_steps: batches that make up an epoch, a validation.
            validation_batch_size: batch size of the validation.
            validation_freq: validate every so many epochs, or in the listed ones.
            **kwargs: Keras 2's `workers`, `use_multiprocessing` and `max_queue_size`, which apply to a `PyDataset`
                for this call, and Keras 1's `nb_epoch`.

        Raises:
            ValueError: the model is not compiled, or data and arguments do not fit.
        """
        epochs = kwargs.pop("nb_epoch", epochs)
        with reading("fit", (x, validation_data), kwargs):
            return loop.fit(
                self, x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
                class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps,
                validation_batch_size, validation_freq,
            )  # fmt: skip

    @loop.filtered_traceback
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Compute loss and metrics on data, in inference mode.

        Args: as for `fit`, `kwargs`, too; `steps` limits the batches, `return_dict` gives a dictionary by name.

        Returns:
            The loss, or a list of loss and metrics, or the dictionary.
        """
        with reading("evaluate", (x,), kwargs):
            return loop.evaluate(
                self, x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict
            )

    @loop.filtered_traceback
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Compute the outputs of data as NumPy arrays, in inference mode.

        Args: as for `fit`, `kwargs`, too; `steps` limits the batches.
        """
        with reading("predict", (x,), kwargs):
            return loop.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch; return the loss, or a list of loss and metrics, of this batch."""
        self._require_compiled("train_on_batch")
        batch = self._one_batch(x, y, sample_weight, class_weight)
        if not self._ready_to_train:
            self._build_on(batch)
        self.reset_metrics()
        step = self._make_train_step()
        with loop.training_mode(self, True), step.epoch():
            logs = step(without_missing(*batch))
        logs = self._epoch_logs(logs)
        return logs if return_dict else self._flat_results(logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Evaluate one batch; return the loss, or a list of loss and metrics, of this batch."""
        self._require_compiled("test_on_batch")
        batch = self._one_batch(x, y, sample_weight, None)
        if not self._ready_to_train:
            self._build_on(batch)
        self.reset_metrics()
        step = self._make_test_step()
        with loop.training_mode(self, False), torch.no_grad(), step.epoch():
            logs = step(without_missing(*batch))
        logs = self._epoch_logs(logs)
        return logs if return_dict else self._flat_results(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs of one batch as NumPy arrays."""
        batch = self._one_batch(x, None, None, None)
        with loop.training_mode(self, False), torch.no_grad():
            outputs = self.predict_step((batch[0],))
        return tree.map_structure(lambda t: t.detach().cpu().numpy() if isinstance(t, Tensor) else t, outputs)

    def _one_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> tuple:
        device = self._device()
        x = to_batch((x,), device, self._takes_text())[0]
        y, sample_weight = (to_batch((part,), device)[0] for part in (y, sample_weight))
        if class_weight is not None:
            sample_weight = weights_of_classes(class_weight, y, sample_weight)
        return x, y, sample_weight

    def _make_train_step(self) -> Any:
        return self._make_step("train")

    def _make_test_step(self) -> Any:
        return self._make_step("test")

    def _make_step(self, kind: str) -> Step:
        step = self._steps.get(kind)
        if step is None:
            if self.jit_compile:
                torch.nn.Module.compile(self)
            replayable = getattr(self.optimizer, "capturable", True)
            allowed = not self.run_eagerly and not self.jit_compile and replayable
            step = self._steps[kind] = Step(self, f"{kind}_step", allowed)
        return step

    def _device(self) -> torch.device:
        first = next(self.parameters(), None)
        return get_device() if first is None else first.device

    def _takes_text(self) -> bool:
        """Whether strings, which torch does not have, come in as NumPy arrays."""
        graph = self._graph
        return (graph is not None and any(tensor.dtype == "string" for tensor in graph.inputs)) or any(
            getattr(module, "takes_text", False) for module in self.modules()
        )

    @contextlib.contextmanager
    def _states_kept(self) -> Iterator[None]:
        """Context after which recurrent layers that carry their state over have the state of before."""
        layers = [layer for layer in self._sublayers() if getattr(layer, "stateful", False)]
        before = [
            [w.clone() for w in layer.non_trainable_weights] if layer.built else None for layer in layers
        ]
        yield
        for layer, states in zip(layers, before, strict=True):
            if states is None:
                layer.reset_state()
            else:
                for weight, state in zip(layer.non_trainable_weights, states, strict=True):
                    weight.copy_(state)

    @property
    def _has_call(self) -> bool:
        cls = type(self)
        has_own_step = cls.train_step is not Model.train_step or cls.test_step is not Model.test_step
        return cls.call is not Model.call or cls.forward is not Model.forward or not has_own_step

    def _build_on(self, batch: tuple) -> None:
        """Make weights, losses, metrics and optimizer state for batches like this one, without training."""
        x, y, _ = batch
        with loop.training_mode(self, False), torch.no_grad(), self._states_kept():
            y_pred = (
                self(x) if self._has_call else None
            )  # a GAN has parts that are called in its own `train_step`
            if self._compiled_loss is not None and y is not None and y_pred is not None:
                self._compiled_loss.build(y_pred)
            if self._compiled_metrics is not None and y is not None and y_pred is not None:
                self._compiled_metrics.build(y, y_pred)
        device = self._device()
        for metric in self.metrics:
            metric.to(device)
        if self.optimizer is not None and self.trainable_weights:
            self.optimizer.build(self.trainable_weights)
        self.__dict__["_ready_to_train"] = True

    def _epoch_logs(self, logs: Any) -> dict[str, Any]:
        """What an epoch reports: the metrics' values, or the last step's logs where it returned others."""
        logs = logs if isinstance(logs, Logs) else Logs(logs or {})
        results = Logs(self.get_metrics_result)
        same = set(results.keys()) == set(logs.keys())
        return (results if same else logs).copy()

    def _flat_results(self, results: dict[str, Any]) -> Any:
        """The results as a list: the metrics as compiled, then, in the order of their names, those not named so."""
        names: list[str] = []
        for metric in self.metrics:
            names += [m.name for m in (metric.metrics if metric is self._compiled_metrics else [metric])]
        ordered = [name for name in dict.fromkeys(names) if name in results]
        ordered += sorted(set(results) - set(ordered))
        return results[ordered[0]] if len(ordered) == 1 else [results[name] for name in ordered]

    def _finish_training(self) -> None:
        if hasattr(self.optimizer, "finalize_variable_values"):
            self.optimizer.finalize_variable_values(self.trainable_weights)

    # Description and configuration ----------------------------------------------------------------------------

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers with output shapes and numbers of parameters.

        Args:
            line_length: width of the table in characters.
            positions: positions of the column ends, as parts of the width or in characters.
            print_fn: what to call with the text instead of `print`.
            expand_nested: show the layers of nested models.
            show_trainable: add a column that says which layers are trained.
            layer_range: names (or patterns) of the first and last layer to show.
        """
        from kerasish.models.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def count_params(self) -> int:
        if not self.built:
            raise ValueError(
                f"Model {self.name!r} has no weights before it is built: give it an `Input`, call it on data, or "
                "`build(input_shape)`."
            )
        return super().count_params()

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write structure, weights and compilation to a `.keras` file: `saving.save_model`."""
        saving.save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
    ) -> None:
        """Write the weights and the optimizer's state to a `.weights.h5` file: `saving.save_weights`.

        `.safetensors` and, as in Keras 2, `.h5` files hold the weights alone.
        """
        saving.save_weights(self, filepath, overwrite, max_shard_size, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read the weights and the optimizer's state from a file: `saving.load_weights`."""
        saving.load_weights(self, filepath, skip_mismatch, **kwargs)

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: Any = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write the computation as ONNX, a torch program or TorchScript: `saving.export.export_model`."""
        export_model(self, filepath, format, verbose, input_signature, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON text, without weights; further arguments go to `json.dumps`."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        if self._graph is not None:
            from kerasish.models.functional import graph_config

            return graph_config(self)
        return super().get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from kerasish.models.functional import model_from_config

        with CustomObjectScope(custom_objects or {}):
            if {"layers", "input_layers", "output_layers"} <= set(config):
                return model_from_config(cls, config)
            return super().from_config(config)

    def build_from_config(self, config: dict[str, Any]) -> None:
        if not self.built and config and config.get("input_shape") is not None:
            self.build(_as_tuples(config["input_shape"]))

    def __getstate__(self) -> dict[str, Any]:
        prepared = ("_steps", "_cached_weights", "_cached_penalized", "_cached_layers", "_cached_metrics",
                    "_compiled_call_impl")  # fmt: skip
        state = {key: value for key, value in super().__getstate__().items() if key not in prepared}
        return {**state, "_steps": {}}


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a model, with new weights, from what `model.to_json()` gave, in this or an older Keras."""
    try:
        config = json.loads(json_string)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"`json_string` cannot be read as JSON: {error}") from error
    return model_of_config(config, custom_objects, compile=True, safe_mode=True, where="json_string")


def _is_functional(args: tuple, kwargs: dict) -> bool:
    names = set(kwargs)
    by_name = {"inputs", "outputs"} <= names or {"input", "output"} <= names
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or by_name


def _records(x: Any) -> int:
    return x.shape[0] if isinstance(x, Tensor) else len(tree.flatten(x)[0])


def _is_wrapper(layer: Any) -> bool:
    return type(layer) is TorchModuleWrapper


def _direct_layers(module: Any) -> list[Any]:
    if isinstance(module, (TrackedList, TrackedTuple, TrackedDict, torch.nn.ModuleList, torch.nn.ModuleDict)):
        return [layer for child in module.children() for layer in _direct_layers(child)]
    return [module if isinstance(module, Layer) else as_layer(module)] if module is not None else []


def _plain(shapes: Any) -> Any:
    return shapes[0] if len(shapes) == 1 else shapes


def _as_tuples(shape: Any) -> Any:
    if isinstance(shape, (list, tuple)) and all(isinstance(size, int) or size is None for size in shape):
        return tuple(shape)
    if isinstance(shape, dict):
        return {key: _as_tuples(value) for key, value in shape.items()}
    return [_as_tuples(value) for value in shape]


def _without_state(thing: Any) -> Any:
    """A new optimizer or metric of the same settings; names and functions as they are."""
    return type(thing).from_config(thing.get_config()) if isinstance(thing, (Metric, Optimizer)) else thing
