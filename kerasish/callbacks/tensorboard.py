"""`TensorBoard`: write curves, histograms, images, embeddings, the graph and a profile for TensorBoard."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from kerasish.callbacks.callback import Callback


class TensorBoard(Callback):
    """Writes logs to `log_dir/train` and `log_dir/validation`, to be shown by `tensorboard --logdir=…`.

    Args:
        log_dir: directory, used by nothing else.
        histogram_freq: epochs between two histograms of the weights; 0: none.
        write_graph: write the layers of a Sequential or Functional model.
        write_images: write the weights as images too, along with the histograms.
        write_steps_per_second: write the speed, per epoch, or per batch with an integer `update_freq`.
        update_freq: `"epoch"`, or batches between two writings within an epoch; `"batch"` is 1.
        profile_batch: batch (from 1), or first and last batch, to profile with `torch.profiler`; 0: none.
        embeddings_freq: epochs between two writings of the embedding layers; 0: none.
        embeddings_metadata: file with one label per line, or a dictionary from layer names to such files.

    Curves are called `epoch_loss`, `batch_loss` and `evaluation_loss_vs_iterations`, as in Keras.

    Raises:
        ImportError: the package `tensorboard` is missing.
        ValueError: `update_freq` or `profile_batch` is none of the above.

    Example:
        >>> board = TensorBoard("logs", histogram_freq=1)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: int | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | dict[str, str] | None = None,
    ) -> None:
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        if self.update_freq != "epoch" and not (isinstance(self.update_freq, int) and self.update_freq > 0):
            raise ValueError(
                "TensorBoard: `update_freq` must be 'epoch', 'batch' or a positive number of batches. "
                f"Received: update_freq={update_freq!r}"
            )
        self._profiled = _batch_range(profile_batch)
        self._profiler: Any = None
        self._writers: dict[str, Any] = {}
        self._batches = 0
        self._batches_at_last_writing = 0
        self._time_of_last_writing = 0.0

    @property
    def summary(self) -> Any:
        """The `torch.utils.tensorboard.SummaryWriter` of the training, for summaries of one's own."""
        return self._writer("train")

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            self._writers[name] = _summary_writer_class()(str(Path(self.log_dir, name)))
        return self._writers[name]

    def set_model(self, model: Any) -> None:
        _summary_writer_class()
        super().set_model(model)

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = self._iterations()
        if self.write_graph:
            self._write_graph()

    def on_train_end(self, logs: Any = None) -> None:
        self._stop_profiler()
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._restart_clock(self._batches if self._counts_batches() else self._iterations())

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._profiled is not None and self._batches + 1 == self._profiled[0]:
            self._start_profiler()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        if self._profiled is not None and self._batches == self._profiled[1]:
            self._stop_profiler()
        if isinstance(self.update_freq, int) and self._batches % self.update_freq == 0:
            for name, value in (logs or {}).items():
                self._writer("train").add_scalar(f"batch_{name}", value, self._batches)
            if self.write_steps_per_second:
                self._write_speed("batch_steps_per_second", self._batches, self._batches)

    def _counts_batches(self) -> bool:
        return self._profiled is not None or self.update_freq != "epoch"

    def _idle_hooks(self) -> tuple[Callable, ...]:
        return (
            ()
            if self._counts_batches()
            else (TensorBoard.on_train_batch_begin, TensorBoard.on_train_batch_end)
        )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name, value in (logs or {}).items():
            writer = self._writer("validation" if name.startswith("val_") else "train")
            writer.add_scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        if "learning_rate" not in (logs or {}) and hasattr(self.model.optimizer, "learning_rate"):
            rate = float(self.model.optimizer.learning_rate)
            self._writer("train").add_scalar("epoch_learning_rate", rate, epoch)
        if self.write_steps_per_second and self.update_freq == "epoch":
            self._write_speed("epoch_steps_per_second", epoch, self._iterations())
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings(epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_test_end(self, logs: Any = None) -> None:
        iterations = self._iterations()
        for name, value in (logs or {}).items():
            self._writer("validation").add_scalar(f"evaluation_{name}_vs_iterations", value, iterations)
        if self._writers:
            self._writer("validation").flush()

    def _iterations(self) -> int:
        return int(getattr(self.model.optimizer, "iterations", 0))

    def _restart_clock(self, batches: int) -> None:
        self._batches_at_last_writing, self._time_of_last_writing = batches, time.time()

    def _write_speed(self, tag: str, step: int, batches: int) -> None:
        seconds = time.time() - self._time_of_last_writing
        self._writer("train").add_scalar(
            tag, (batches - self._batches_at_last_writing) / max(seconds, 1e-9), step
        )
        self._restart_clock(batches)

    def _write_weights(self, epoch: int) -> None:
        for layer in self.model.layers:
            for weight in layer.weights:
                values = weight.detach().float().cpu()
                self._writer("train").add_histogram(f"{weight.path}/histogram", values, epoch)
                if self.write_images:
                    self._writer("train").add_images(f"{weight.path}/image", _as_images(values), epoch)

    def _write_embeddings(self, epoch: int) -> None:
        for layer in self.model.layers:
            if not hasattr(layer, "embeddings"):
                continue
            labels = self.embeddings_metadata
            file = labels.get(layer.name) if isinstance(labels, dict) else labels
            self._writer("train").add_embedding(
                layer.embeddings.detach().float().cpu(),
                metadata=None if file is None else Path(file).read_text(encoding="utf-8").splitlines(),
                global_step=epoch,
                tag=layer.name,
            )

    def _write_graph(self) -> None:
        """Write the config where TensorBoard's graph page looks for a Keras model, and as the graph it opens with."""
        if not hasattr(self.model, "get_config") or "layers" not in self.model.get_config():
            return
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def

        config = self.model.to_json()
        try:
            graph = keras_model_to_graph_def(json.loads(config)).SerializeToString()
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            warnings.warn(
                f"TensorBoard cannot draw the graph of model {self.model.name!r} ({error!r}): it is left out. "
                "Pass `write_graph=False` to silence this.",
                stacklevel=2,
            )
            return
        text = TensorProto(dtype="DT_STRING", string_val=[config.encode()])
        metadata = SummaryMetadata(
            plugin_data=SummaryMetadata.PluginData(plugin_name="graph_keras_model", content=b"1")
        )
        summary = Summary(value=[Summary.Value(tag="keras", metadata=metadata, tensor=text)])
        writer = self._writer("train")._get_file_writer()
        writer.add_summary(summary, 0)
        writer.add_event(Event(graph_def=graph))

    def _start_profiler(self) -> None:
        from torch.profiler import profile, tensorboard_trace_handler

        self._profiler = profile(on_trace_ready=tensorboard_trace_handler(str(Path(self.log_dir, "train"))))
        self._profiler.start()

    def _stop_profiler(self) -> None:
        if self._profiler is not None:
            self._profiler.stop()
            self._profiler = None

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _summary_writer_class() -> type:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ImportError(
            "The TensorBoard callback needs the package `tensorboard`: pip install 'kerasish[tensorboard]'"
        ) from error
    return SummaryWriter


def _batch_range(profile_batch: Any) -> tuple[int, int] | None:
    first, last = (profile_batch, profile_batch) if isinstance(profile_batch, int) else tuple(profile_batch)
    if not (first == last == 0 or 1 <= first <= last):
        raise ValueError(
            "TensorBoard: `profile_batch` must be 0, a batch from 1 on, or a pair of first and last batch. "
            f"Received: profile_batch={profile_batch!r}"
        )
    return (first, last) if first else None


def _as_images(values: torch.Tensor) -> torch.Tensor:
    """Bring a weight into the form (images, 1, height, width), with values in [0, 1]."""
    if values.ndim < 2:
        values = values.reshape(1, -1)
    images = values.reshape(values.shape[0], values.shape[1], -1).permute(2, 0, 1).unsqueeze(1)
    low, high = images.min(), images.max()
    return (images - low) / (high - low).clamp(min=1e-12)
