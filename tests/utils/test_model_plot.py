from __future__ import annotations

import builtins
import shutil

import pytest

import kerasish
from kerasish import layers
from kerasish.utils import model_to_dot, plot_model

pytest.importorskip("pydot")
needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def edges(graph, found=None):
    """The arrows of a graph and of the frames in it, by the names of the layers."""
    titles = {}

    def collect(frame):
        for node in frame.get_nodes():
            titles[node.get_name().strip('"')] = node.get_label().split("<b>")[1].split("</b>")[0]
        for inner in frame.get_subgraphs():
            collect(inner)

    def arrows(frame):
        own = [(titles[e.get_source()], titles[e.get_destination()]) for e in frame.get_edges()]
        return own + [arrow for inner in frame.get_subgraphs() for arrow in arrows(inner)]

    collect(graph)
    return sorted(arrows(graph))


@pytest.fixture
def chain():
    return kerasish.Sequential(
        [
            kerasish.Input((784,)),
            layers.Dense(30, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="chain",
    )


@pytest.fixture
def wide_and_deep():
    wide, deep = kerasish.Input((8,), name="wide"), kerasish.Input((6,), name="deep")
    hidden = layers.Dense(4, name="hidden")(deep)
    joined = layers.concatenate([wide, hidden], name="joined")
    return kerasish.Model([wide, deep], [layers.Dense(1, name="output")(joined), hidden], name="both")


def test_sequential(chain):
    graph = model_to_dot(chain)
    assert edges(graph) == [("hidden", "output")]
    assert graph.get_rankdir() == "TB" and graph.get_dpi() == 200


def test_everything_that_a_box_can_tell(chain):
    chain.layers[0].trainable = False
    text = model_to_dot(
        chain, show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True
    ).to_string()
    for fact in (
        "<b>hidden</b> (Dense)",
        "Activation: <b>relu</b>",
        "Input shape: <b>(None, 784)</b>",
        "Output shape: <b>(None, 30)</b>",
        "Output dtype: <b>float32</b>",
        "<b>Trainable</b>",
        "<b>Non-trainable</b>",
    ):
        assert fact in text
    assert "hidden" not in model_to_dot(chain, show_layer_names=False).to_string()


def test_functional(wide_and_deep):
    assert edges(model_to_dot(wide_and_deep)) == [
        ("deep", "hidden"),
        ("hidden", "joined"),
        ("joined", "output"),
        ("wide", "joined"),
    ]
    text = model_to_dot(wide_and_deep, show_shapes=True).to_string()
    assert "Input shape: <b>(None, 8), (None, 4)</b>" in text


def test_nested_models(chain, wide_and_deep):
    a, b = kerasish.Input((784,), name="a"), kerasish.Input((6,), name="b")
    inner = layers.Dense(8, name="inner")(chain(a))
    first, second = wide_and_deep([inner, b])
    model = kerasish.Model([a, b], layers.concatenate([first, second], name="end"))
    assert edges(model_to_dot(model)) == [
        ("a", "chain"),
        ("b", "both"),
        ("both", "end"),
        ("chain", "inner"),
        ("inner", "both"),
    ]
    expanded = model_to_dot(model, expand_nested=True)
    assert {frame.get_label() for frame in expanded.get_subgraphs()} == {"chain", "both"}
    assert set(edges(expanded)) == {
        ("a", "hidden"),
        ("hidden", "output"),
        ("output", "inner"),
        ("inner", "wide"),
        ("b", "deep"),
        ("deep", "hidden"),
        ("hidden", "joined"),
        ("wide", "joined"),
        ("joined", "output"),
        ("output", "end"),
        ("hidden", "end"),
    }


def test_a_model_in_a_model_in_a_model_used_twice(chain):
    x = kerasish.Input((784,), name="x")
    middle = kerasish.Sequential([chain, layers.Dense(784, name="back")], name="middle")
    model = kerasish.Model(x, middle(middle(x)))
    found = edges(model_to_dot(model, expand_nested=True))
    assert found == [
        ("back", "hidden"),
        ("hidden", "output"),
        ("output", "back"),
        ("x", "hidden"),
    ]


def test_torch_functions_and_subclasses():
    x = kerasish.Input((3,), name="x")
    ((source, target),) = edges(model_to_dot(kerasish.Model(x, x * 2)))
    assert source == "x" and target.startswith("mul")

    class Own(kerasish.Model):
        def call(self, inputs):
            return inputs

    model = Own(name="own")
    model.built = True
    (box,) = model_to_dot(model).get_nodes()
    assert "<b>own</b> (Own)" in box.get_label()


def test_a_frame_for_another_graph(chain):
    import pydot

    assert isinstance(model_to_dot(chain, subgraph=True), pydot.Cluster)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"rankdir": "TD"}, "`rankdir` must be one of"),
        ({"splines": "orthogonal"}, "Did you mean 'ortho'"),
        ({"layer_range": ["a", "b"]}, "`layer_range` is Keras 2's"),
        ({"colour": 1}, "Unrecognized keyword arguments"),
    ],
)
def test_bad_arguments(chain, kwargs, message):
    with pytest.raises(ValueError, match=message):
        model_to_dot(chain, **kwargs)


def test_models_without_shapes():
    with pytest.raises(ValueError, match=r"is not built yet, so its graph is unknown: give it an `Input`"):
        model_to_dot(kerasish.Sequential([layers.Dense(1)]))


@needs_graphviz
@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_files(chain, tmp_path, ending, start):
    plot_model(chain, tmp_path / f"model.{ending}", dpi=50)
    assert (tmp_path / f"model.{ending}").read_bytes().startswith(start)


def test_dot_files_need_no_graphviz(chain, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert plot_model(chain, tmp_path / "model.dot") is None
    assert (tmp_path / "model.dot").read_text().startswith("digraph")
    with pytest.raises(
        ImportError, match=r"Graphviz, whose program `dot` was not found: apt install graphviz"
    ):
        plot_model(chain, tmp_path / "model.png")


@needs_graphviz
def test_unknown_formats(chain, tmp_path):
    with pytest.raises(ValueError, match=r"Graphviz cannot write .*model.xyz"):
        plot_model(chain, tmp_path / "model.xyz")


def test_without_pydot(chain, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "pydot":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"pip install 'kerasish\[plot\]'"):
        model_to_dot(chain)
