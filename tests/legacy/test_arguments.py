from __future__ import annotations

import inspect

import pytest

import kerasish
from kerasish import layers
from kerasish.legacy.arguments import COMPILE, KERNEL_SIZES, RENAMED, modernize

# Class, old call, today's call; the two give layers of one config.
CALLS = [
    ("AveragePooling1D", ((), {"pool_length": 3, "stride": 2}), ((3, 2), {})),
    ("AveragePooling2D", ((), {}), ((2,), {})),
    ("AveragePooling3D", ((), {"dim_ordering": "th"}), ((2,), {"data_format": "channels_first"})),
    ("BatchNormalization", ((), {"beta_init": "one", "mode": 0}), ((), {"beta_initializer": "one"})),
    ("Conv1D", ((8,), {"filter_length": 3, "subsample_length": 2}), ((8, 3, 2), {})),
    ("Conv2D", ((8, 3, 5), {"border_mode": "same"}), ((8, (3, 5)), {"padding": "same"})),
    ("Conv2D", ((8, 3, 5), {}), ((8, (3, 3), (5, 5)), {})),
    ("Conv2D", ((), {"nb_filter": 8, "nb_row": 3, "nb_col": 5}), ((8, (3, 5)), {})),
    ("Conv2D", ((8, 3), {"subsample": (2, 2), "dim_ordering": "default"}), ((8, 3, 2), {})),
    (
        "Conv3D",
        ((8, 3, 4, 5), {"W_regularizer": "l2"}),
        ((8, (3, 4, 5)), {"kernel_regularizer": "l2"}),
    ),
    ("Conv2DTranspose", ((8, 3), {"output_shape": None}), ((8, 3), {})),
    ("Dense", ((), {"output_dim": 3, "init": "uniform"}), ((3,), {"kernel_initializer": "uniform"})),
    (
        "Dense",
        ((3,), {"bias": False, "b_constraint": "max_norm"}),
        ((3,), {"use_bias": False, "bias_constraint": "max_norm"}),
    ),
    ("Dropout", ((), {"p": 0.3}), ((0.3,), {})),
    ("Embedding", ((9, 3), {"init": "one", "sparse": False}), ((9, 3), {"embeddings_initializer": "one"})),
    ("GaussianNoise", ((), {"sigma": 0.3}), ((0.3,), {})),
    ("LeakyReLU", ((), {"alpha": 0.1}), ((0.1,), {})),
    (
        "LSTM",
        ((), {"output_dim": 3, "inner_activation": "tanh", "dropout_U": 0.1, "consume_less": "gpu"}),
        ((3,), {"recurrent_activation": "tanh", "recurrent_dropout": 0.1}),
    ),
    ("GRU", ((3,), {"inner_init": "zeros", "time_major": False}), ((3,), {"recurrent_initializer": "zeros"})),
    ("MaxPooling2D", ((2,), {"border_mode": "same"}), ((2,), {"padding": "same"})),
    (
        "SimpleRNN",
        ((3,), {"consume_less": "mem", "implementation": 2, "inner_init": "one"}),
        ((3,), {"recurrent_initializer": "one"}),
    ),
    ("UpSampling1D", ((), {"length": 3}), ((3,), {})),
    ("ZeroPadding2D", ((1,), {"dim_ordering": "tf"}), ((1,), {"data_format": "channels_last"})),
]


@pytest.mark.parametrize(("name", "old", "new"), CALLS)
def test_old_arguments_are_honoured(name, old, new):
    cls = getattr(layers, name)
    configs = [cls(*args, **kwargs, name="x").get_config() for args, kwargs in (old, new)]
    assert configs[0] == configs[1]


REFUSED = [
    (lambda: layers.Dense(3, dynamic=True), TypeError, "leave it out"),
    (lambda: layers.Dense(units=3, output_dim=3), TypeError, "its old name `output_dim`"),
    (lambda: layers.Dense(3, out_dim=3), TypeError, "unknown arguments"),
    (lambda: layers.Conv2D(8, 3, border_mode="full"), ValueError, "ZeroPadding"),
    (lambda: layers.Conv2D(8, 3, dim_ordering="xy"), ValueError, "'tf', 'th' or 'default'"),
    (lambda: layers.Conv2D(8, nb_row=3), TypeError, "nb_row, nb_col together"),
    (lambda: layers.Conv2DTranspose(8, 3, output_shape=(1, 2)), TypeError, "output_padding"),
    (lambda: layers.LSTM(3, time_major=True), TypeError, "swapaxes"),
    (lambda: layers.LSTM(3, consume_less="disk"), ValueError, "'cpu', 'mem' or 'gpu'"),
    (lambda: layers.BatchNormalization(mode=2), TypeError, "mode=0"),
    (lambda: layers.Embedding(9, 3, dropout=0.2), TypeError, "SpatialDropout1D"),
    (lambda: kerasish.Sequential().compile(target_tensors=[1]), TypeError, "`fit` as `y`"),
    (lambda: kerasish.Sequential().compile(optimiser="sgd"), TypeError, "unknown argument 'optimiser'"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_cannot_be_honoured_is_refused_with_advice(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_every_new_name_is_an_argument_of_its_class():
    spaces = (layers, kerasish.models, kerasish.optimizers, kerasish.callbacks, kerasish.regularizers)
    for name, renamed in RENAMED.items():
        cls = next(getattr(space, name) for space in spaces if hasattr(space, name))
        parameters = set(inspect.signature(cls.__init__).parameters) | {"inputs", "outputs", "implementation"}
        assert set(renamed.values()) <= parameters, name
    assert all("kernel_size" in inspect.signature(getattr(layers, name)).parameters for name in KERNEL_SIZES)


def test_harmless_arguments_of_compile_change_nothing():
    model = kerasish.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", **{name: harmless[0] for name, (harmless, _) in COMPILE.items()})
    assert model.compiled


def test_metrics_may_stand_third_in_compile_as_in_keras_2():
    model = kerasish.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", ["mae"])
    assert set(model.evaluate([[1.0, 2.0]], [[1.0]], verbose=0, return_dict=True)) == {"loss", "mae"}
    model.compile("sgd", "mse", ["mae"], [2.0])
    doubled = model.evaluate([[1.0, 2.0]], [[1.0]], verbose=0, return_dict=True)
    model.compile("sgd", "mse", [2.0])
    assert model.evaluate([[1.0, 2.0]], [[1.0]], verbose=0) == doubled["loss"]


def test_functional_models_take_input_and_output():
    x = kerasish.Input((2,))
    model = kerasish.Model(input=x, output=layers.Dense(3)(x))
    assert model.output_shape == (None, 3)


def test_subclasses_of_users_are_left_alone():
    class Dense(layers.Layer):
        def __init__(self, output_dim):
            super().__init__()
            self.output_dim = output_dim

    assert Dense(output_dim=3).output_dim == 3


def test_other_classes_keep_their_arguments():
    assert modernize("Rescaling", (1,), {"bias": 2}) == ((1,), {"bias": 2})
