from __future__ import annotations

import builtins
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from kerasish.callbacks import TensorBoard, tensorboard


class FakeWriter:
    """Stands in for `torch.utils.tensorboard.SummaryWriter`."""

    written: list[tuple] = []

    def __init__(self, directory: str) -> None:
        self.name = Path(directory).name
        self.is_open = True

    def add_scalar(self, tag, value, step) -> None:
        self.written.append((self.name, tag, value, step))

    def add_histogram(self, tag, values, step) -> None:
        self.written.append((self.name, tag, tuple(values.shape), step))

    def add_images(self, tag, images, step) -> None:
        assert 0 <= images.min() <= images.max() <= 1
        self.written.append((self.name, tag, tuple(images.shape), step))

    def add_embedding(self, matrix, metadata, global_step, tag) -> None:
        self.written.append((self.name, tag, tuple(matrix.shape), metadata, global_step))

    def flush(self) -> None:
        assert self.is_open

    def close(self) -> None:
        self.is_open = False


@pytest.fixture
def written(monkeypatch):
    monkeypatch.setattr(FakeWriter, "written", [])
    monkeypatch.setattr(tensorboard, "_summary_writer_class", lambda: FakeWriter)
    return FakeWriter.written


@pytest.fixture
def board_model(model):
    kernel, bias = torch.nn.Parameter(torch.randn(3, 2)), torch.nn.Parameter(torch.randn(2))
    kernel.path, bias.path = "dense/kernel", "dense/bias"
    table = torch.nn.Parameter(torch.randn(5, 2))
    table.path = "embedding/embeddings"
    model.layers = [
        SimpleNamespace(name="dense", weights=[kernel, bias]),
        SimpleNamespace(name="embedding", weights=[table], embeddings=table),
    ]
    return model


def run(callback, model, epochs=2, batches=3):
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            callback.on_train_batch_begin(batch)
            model.optimizer.iterations += 1
            callback.on_train_batch_end(batch, {"loss": 2.0})
        callback.on_test_end({"loss": 3.0})
        callback.on_epoch_end(epoch, {"loss": 2.0, "val_loss": 3.0})
    callback.on_train_end()


def test_curves_of_epochs_and_evaluations(written, board_model, tmp_path):
    run(TensorBoard(tmp_path), board_model, epochs=1)
    assert written == [
        ("validation", "evaluation_loss_vs_iterations", 3.0, 3),
        ("train", "epoch_loss", 2.0, 0),
        ("validation", "epoch_loss", 3.0, 0),
        ("train", "epoch_learning_rate", 0.5, 0),
    ]


@pytest.mark.parametrize(
    ("update_freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6]), (2, [2, 4, 6]), ("epoch", [])]
)
def test_curves_of_batches(written, board_model, tmp_path, update_freq, steps):
    run(TensorBoard(tmp_path, update_freq=update_freq), board_model)
    assert [step for _, tag, _, step in written if tag == "batch_loss"] == steps


def test_second_fit_goes_on_with_the_batches(written, board_model, tmp_path):
    callback = TensorBoard(tmp_path, update_freq=3)
    for _ in range(2):
        run(callback, board_model, epochs=1)
    assert [step for _, tag, _, step in written if tag == "batch_loss"] == [3, 6]


@pytest.mark.parametrize(("update_freq", "tag", "count"), [("epoch", "epoch", 2), (1, "batch", 6)])
def test_steps_per_second(written, board_model, tmp_path, update_freq, tag, count):
    run(TensorBoard(tmp_path, update_freq=update_freq, write_steps_per_second=True), board_model)
    speeds = [value for _, name, value, _ in written if name == f"{tag}_steps_per_second"]
    assert len(speeds) == count
    assert min(speeds) > 0


def test_histograms_and_images(written, board_model, tmp_path):
    run(TensorBoard(tmp_path, histogram_freq=2, write_images=True), board_model, epochs=3)
    weights = [entry for entry in written if entry[1].startswith("dense/")]
    assert weights[:4] == [
        ("train", "dense/kernel/histogram", (3, 2), 0),
        ("train", "dense/kernel/image", (1, 1, 3, 2), 0),
        ("train", "dense/bias/histogram", (2,), 0),
        ("train", "dense/bias/image", (1, 1, 1, 2), 0),
    ]
    assert {entry[3] for entry in weights} == {0, 2}


@pytest.mark.parametrize("as_dictionary", [True, False])
def test_embeddings(written, board_model, tmp_path, as_dictionary):
    labels = tmp_path / "labels.tsv"
    labels.write_text("a\nb\nc\nd\ne\n")
    metadata = {"embedding": str(labels)} if as_dictionary else str(labels)
    run(TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata=metadata), board_model, epochs=1)
    assert ("train", "embedding", (5, 2), ["a", "b", "c", "d", "e"], 0) in written


@pytest.mark.parametrize(("profile_batch", "calls"), [((2, 3), 2), (2, 2), (6, 2), (7, 0), (0, 0)])
def test_profile(written, board_model, tmp_path, monkeypatch, profile_batch, calls):
    seen = []

    def profile(on_trace_ready):
        def note():
            seen.append(board_model.optimizer.iterations)

        return SimpleNamespace(start=note, stop=note)

    monkeypatch.setattr(torch.profiler, "profile", profile)
    run(TensorBoard(tmp_path, profile_batch=profile_batch), board_model)
    first, last = profile_batch if isinstance(profile_batch, tuple) else (profile_batch, profile_batch)
    assert seen == [first - 1, last][:calls]


def test_own_summaries(written, board_model, tmp_path):
    TensorBoard(tmp_path).summary.add_scalar("mine", 1.0, 5)
    assert written == [("train", "mine", 1.0, 5)]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"update_freq": "week"}, "`update_freq` must be 'epoch', 'batch' or a positive"),
        ({"update_freq": 0}, "Received: update_freq=0"),
        ({"profile_batch": (3, 2)}, r"`profile_batch` must be.*Received: profile_batch=\(3, 2\)"),
        ({"profile_batch": -1}, "Received: profile_batch=-1"),
    ],
)
def test_errors(kwargs, message):
    with pytest.raises(ValueError, match=message):
        TensorBoard(**kwargs)


def test_missing_package_is_named(model, monkeypatch):
    def without_tensorboard(name, *args, **kwargs):
        if name.startswith("tensorboard") or name == "torch.utils.tensorboard":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    original = builtins.__import__
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_tensorboard)
    with pytest.raises(ImportError, match=r"pip install 'kerasish\[tensorboard\]'"):
        TensorBoard().set_model(model)


def test_files_are_what_tensorboard_reads(board_model, tmp_path):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board_model.get_config = lambda: {"layers": []}
    layer = {"class_name": "Dense", "config": {"name": "dense", "dtype": "float32"}}
    board_model.to_json = lambda: json.dumps(
        {"class_name": "Sequential", "config": {"name": "net", "layers": [layer]}}
    )
    run(TensorBoard(tmp_path, histogram_freq=1, write_images=True, embeddings_freq=1), board_model)
    events = accumulators.EventAccumulator(str(tmp_path / "train"))
    events.Reload()
    assert [point.value for point in events.Scalars("epoch_loss")] == [2.0, 2.0]
    graph = events.summary_metadata["keras"].plugin_data
    assert graph.plugin_name == "graph_keras_model"
    assert graph.content == b"1"  # the version without which TensorBoard's page leaves the graph out
    assert [node.name for node in events.Graph().node] == ["net/dense"]
    assert "dense/kernel/histogram" in events.Tags()["histograms"]
    assert "dense/kernel/image" in events.Tags()["images"]


def test_graph_that_tensorboard_cannot_draw_is_left_out(written, board_model, tmp_path):
    pytest.importorskip("tensorboard")
    board_model.name = "net"
    board_model.get_config = lambda: {"layers": []}
    board_model.to_json = lambda: '{"class_name": "Functional", "config": {"layers": [{}]}}'
    with pytest.warns(UserWarning, match=r"cannot draw the graph of model 'net'.*write_graph=False"):
        run(TensorBoard(tmp_path), board_model, epochs=1)
    assert ("train", "epoch_loss", 2.0, 0) in written
