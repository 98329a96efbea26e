from __future__ import annotations

import numpy as np
import pytest
import torch

import kerasish
from kerasish.legacy import backend as K

X = torch.arange(24.0).reshape(2, 3, 4)
ROWS = torch.tensor([[3.0, -4.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("argmax", (ROWS,), [0, 1]),
        ("argmin", (ROWS, 0), [1, 0]),
        ("batch_flatten", (X,), X.reshape(2, 12)),
        ("cast_to_floatx", (torch.tensor([1, 2]),), [1.0, 2.0]),
        ("concatenate", ([ROWS, ROWS],), [[3.0, -4, 3, -4], [0, 1, 0, 1]]),
        ("cumprod", (ROWS,), [[3.0, -4], [0, -4]]),
        ("cumsum", (ROWS,), [[3.0, -4], [3, -3]]),
        ("expand_dims", (ROWS,), [[[3.0], [-4]], [[0], [1]]]),
        ("flatten", (ROWS,), [3.0, -4, 0, 1]),
        ("gather", (ROWS, [1, 1]), [[0.0, 1], [0, 1]]),
        ("hard_sigmoid", (torch.tensor([-3.0, 0, 1, 3]),), [0.0, 0.5, 0.7, 1.0]),
        ("identity", (ROWS,), ROWS),
        ("in_top_k", (torch.tensor([[1.0, 3, 2], [1, 3, 2]]), torch.tensor([2, 0]), 2), [True, False]),
        ("l2_normalize", (ROWS, -1), [[0.6, -0.8], [0, 1]]),
        ("l2_normalize", (torch.zeros(2),), [0.0, 0.0]),
        ("one_hot", (torch.tensor([1, 0]), 2), [[0.0, 1], [1, 0]]),
        ("repeat", (ROWS, 2), [[[3.0, -4], [3, -4]], [[0, 1], [0, 1]]]),
        ("switch", (torch.tensor([True, False]), ROWS, torch.zeros(2, 2)), [[3.0, -4], [0, 0]]),
        ("switch", (True, lambda: ROWS, lambda: ROWS + 1), ROWS),
        ("temporal_padding", (torch.ones(1, 1, 2), (1, 0)), [[[0.0, 0], [1, 1]]]),
    ],
)
def test_values(name, arguments, expected):
    torch.testing.assert_close(getattr(K, name)(*arguments), torch.as_tensor(expected))


@pytest.mark.parametrize(
    ("x_shape", "y_shape", "axes", "formula"),
    [
        ((2, 3), (2, 3), 1, "ai,ai->a"),
        ((2, 3), (2, 3), None, "ai,ai->a"),
        ((2, 3, 4), (2, 4, 5), None, "abi,aic->abc"),
        ((2, 3, 4), (2, 5, 4), (2, 2), "abi,aci->abc"),
        ((2, 3, 4), (2, 3, 5), 1, "aib,aic->abc"),
        ((2, 3, 4), (2, 4), (-1, -1), "abi,ai->ab"),
    ],
)
def test_batch_dot(x_shape, y_shape, axes, formula):
    x, y = torch.rand(x_shape), torch.rand(y_shape)
    expected = torch.einsum(formula, x, y)
    torch.testing.assert_close(
        K.batch_dot(x, y, axes), expected.reshape(*expected.shape, *(1,) * (expected.ndim == 1))
    )


def test_batch_dot_keeps_the_batch_axis():
    with pytest.raises(ValueError, match="batch axis"):
        K.batch_dot(X, X, 0)


def test_spatial_padding_follows_the_data_format():
    x = torch.ones(1, 2, 2, 3)
    assert K.spatial_2d_padding(x, ((1, 0), (0, 2))).shape == (1, 3, 4, 3)
    assert K.spatial_2d_padding(x, ((1, 0), (0, 2)), "channels_first").shape == (1, 2, 3, 5)


def test_variables():
    v = kerasish.Variable([1.0, 2.0])
    assert K.update(v, [3.0, 4.0]) is v and K.update_add(v, 1.0) is v and K.update_sub(v, [0.0, 1.0]) is v
    assert v.numpy().tolist() == [4.0, 4.0]
    K.moving_average_update(v, 0.0, 0.5)
    K.batch_set_value([(v, v.numpy() + 1)])
    np.testing.assert_array_equal(K.batch_get_value([v])[0], [3.0, 3.0])
    K.set_value(v, [0.0, 0.0])
    assert v.numpy().tolist() == [0.0, 0.0]
    assert K.is_variable(v) and not K.is_variable(X) and not K.is_sparse(X) and K.is_sparse(X.to_sparse())
    assert K.count_params(v) == 2 and K.int_shape(v) == (2,) and K.dtype(v) == "float32"


def test_random_draws():
    assert K.random_normal_variable((200, 50), 3.0, 0.1, seed=1).mean().item() == pytest.approx(3, abs=0.01)
    uniform = K.random_uniform_variable((500,), 1.0, 2.0, dtype="float64", seed=1)
    assert uniform.dtype == torch.float64 and 1 <= uniform.min() < uniform.max() < 2
    binomial = K.random_binomial((1000,), 0.3, seed=1)
    assert set(binomial.tolist()) == {0.0, 1.0} and binomial.mean().item() == pytest.approx(0.3, abs=0.05)


def test_print_tensor_prints_and_passes_on(capsys):
    assert K.print_tensor(ROWS, "rows:") is ROWS
    assert capsys.readouterr().out.startswith("rows: [[")


def test_symbolic_tensors():
    x = kerasish.Input((3,))
    assert K.int_shape(K.concatenate([x, x])) == (None, 6)
    assert K.int_shape(K.expand_dims(x)) == (None, 3, 1)
    assert K.int_shape(K.batch_dot(x, x, 1)) == (None, 1)
    assert K.int_shape(K.l2_normalize(x, -1)) == (None, 3)


SEQUENCES = torch.arange(12.0).reshape(2, 3, 2)
MASK = torch.tensor([[True, False, True], [False, True, True]])


def add(inputs, states):
    return inputs + states[0], [inputs + states[0]]


# The values in the tests from here on are those of tf_keras 2.21.
@pytest.mark.parametrize(
    ("settings", "last", "outputs"),
    [
        ({}, [[6, 9], [24, 27]], [[[0, 1], [2, 4], [6, 9]], [[6, 7], [14, 16], [24, 27]]]),
        (
            {"go_backwards": True},
            [[6, 9], [24, 27]],
            [[[4, 5], [6, 8], [6, 9]], [[10, 11], [18, 20], [24, 27]]],
        ),
        ({"mask": MASK}, [[4, 6], [18, 20]], [[[0, 1], [0, 1], [4, 6]], [[0, 0], [8, 9], [18, 20]]]),
        (
            {"mask": MASK, "zero_output_for_mask": True},
            [[4, 6], [18, 20]],
            [[[0, 1], [0, 0], [4, 6]], [[0, 0], [8, 9], [18, 20]]],
        ),
        (
            {"mask": MASK, "go_backwards": True},
            [[4, 6], [18, 20]],
            [[[4, 5], [4, 5], [4, 6]], [[10, 11], [18, 20], [18, 20]]],
        ),
        ({"return_all_outputs": False}, [[6, 9], [24, 27]], [[[6, 9]], [[24, 27]]]),
    ],
)
def test_rnn(settings, last, outputs):
    final, sequence, states = K.rnn(add, SEQUENCES, [torch.zeros(2, 2)], **settings)
    assert (final.tolist(), sequence.tolist(), states[0].tolist()) == (last, outputs, last)


def test_rnn_with_constants_and_time_first():
    def step(inputs, states):
        return inputs + states[0] + states[1], [inputs]

    constants = [torch.tensor([10.0, 20.0])]
    _, sequence, states = K.rnn(step, SEQUENCES, [torch.zeros(2, 2)], constants=constants)
    assert sequence[0].tolist() == [[10, 21], [12, 24], [16, 28]] and states[0].tolist() == [[4, 5], [10, 11]]
    by_time = K.rnn(
        step, SEQUENCES.transpose(0, 1), [torch.zeros(2, 2)], constants=constants, time_major=True
    )
    assert torch.equal(by_time[1].transpose(0, 1), sequence)


IMAGE = torch.arange(16.0).reshape(1, 4, 4, 1)
KERNEL = torch.arange(4.0).reshape(2, 2, 1, 1)
CONVOLVED = [24, 30, 36, 48, 54, 60, 72, 78, 84]
SMALL = torch.arange(4.0).reshape(1, 2, 2, 1)
TWO_CHANNELS = torch.arange(32.0)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (
            lambda: K.conv1d(SMALL.reshape(1, 4, 1), torch.tensor([[[0.0]], [[1.0]]]), padding="causal"),
            [0, 1, 2, 3],
        ),
        (lambda: K.conv2d(IMAGE, KERNEL), CONVOLVED),
        (lambda: K.conv2d(IMAGE.reshape(1, 1, 4, 4), KERNEL, data_format="channels_first"), CONVOLVED),
        (
            lambda: K.conv2d_transpose(SMALL, KERNEL, (1, 4, 4, 1), (2, 2)),
            [0, 0, 0, 1, 0, 0, 2, 3, 0, 2, 0, 3, 4, 6, 6, 9],
        ),
        (
            lambda: K.conv2d_transpose(SMALL, KERNEL, (1, 3, 3, 1), (2, 2), "same"),
            [0, 0, 0, 0, 0, 2, 0, 2, 0],
        ),
        (
            lambda: K.conv2d_transpose(SMALL, KERNEL, (1, 2, 2, 1), padding="same", dilation_rate=(2, 2)),
            [0, 2, 2, 0],
        ),
        (lambda: K.depthwise_conv2d(IMAGE, KERNEL), CONVOLVED),
        (
            lambda: K.separable_conv2d(IMAGE, KERNEL, torch.full((1, 1, 1, 1), 2.0)),
            [2 * value for value in CONVOLVED],
        ),
        (lambda: K.pool2d(IMAGE, (3, 3), (2, 2), "same"), [10, 11, 14, 15]),
        (lambda: K.pool2d(IMAGE, (3, 3), (2, 2), "same", pool_mode="avg"), [5, 6.5, 11, 12.5]),
        (lambda: K.pool2d(IMAGE, (3, 3), (2, 2), pool_mode="avg"), [5]),
        (
            lambda: K.local_conv1d(
                torch.arange(8.0).reshape(1, 4, 2), torch.arange(12.0).reshape(3, 4, 1), (2,), (1,)
            ),
            [14, 82, 214],
        ),
        (
            lambda: K.local_conv2d(
                TWO_CHANNELS.reshape(1, 2, 4, 4),
                torch.arange(72.0).reshape(9, 8, 1),
                (2, 2),
                (1, 1),
                (3, 3),
                "channels_first",
            ),
            [440, 1204, 2096, 3336, 4548, 5888, 7768, 9428, 11216],
        ),
        (
            lambda: K.local_conv2d(
                TWO_CHANNELS.reshape(1, 4, 4, 2), torch.arange(72.0).reshape(9, 8, 1), (2, 2), (1, 1), (3, 3)
            ),
            [228, 764, 1556, 3044, 4476, 6164, 8932, 11260, 13844],
        ),
        (lambda: K.resize_images(SMALL, 2, 1, "channels_last"), [0, 1, 0, 1, 2, 3, 2, 3]),
        (lambda: K.foldl(lambda a, b: a - b, torch.tensor([1.0, 2, 3])), [-4]),
        (lambda: K.foldr(lambda a, b: a - b, torch.tensor([1.0, 2, 3])), [0]),
        (lambda: K.foldl(lambda a, b: a - b, torch.tensor([1.0, 2, 3]), initializer=torch.tensor(0.0)), [-6]),
        (lambda: K.relu(torch.tensor([1.0, -2, 4]), alpha=0.1, max_value=3.5, threshold=1.0), [0, -0.3, 3.5]),
        (lambda: K.sqrt([4.0, -1.0]), [2, 0]),
        (lambda: K.clip([0.0, 5.0], 2, 1), [2, 2]),
        (lambda: K.binary_crossentropy([0.0, 1.0], [0.3, 1.0]), [0.35667479, 0]),
        (lambda: K.binary_focal_crossentropy([0.0, 1.0], [0.3, 0.9]), [0.03210073, 0.00105360]),
        (lambda: K.categorical_focal_crossentropy([[0.0, 1.0]], [[0.3, 0.7]]), [0.00802519]),
        (
            lambda: K.sparse_categorical_crossentropy(
                [1.0, 0], [[0.2, 0.5, 0.3], [0.2, 0.2, 0.2]], ignore_class=0
            ),
            [0.69314718, 0],
        ),
    ],
)
def test_operations_of_networks(result, expected):
    torch.testing.assert_close(
        result().flatten().detach(), torch.tensor(expected, dtype=torch.float32).flatten()
    )


PROBABILITIES = torch.tensor(
    [
        [[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]],
        [[0.3, 0.3, 0.4], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]],
    ]
)


def test_ctc():
    cost = K.ctc_batch_cost([[0, 1], [1, 0]], PROBABILITIES, [[4], [3]], [[2], [1]])
    torch.testing.assert_close(cost, torch.tensor([[0.87083972], [0.91879416]]))
    (paths,), scores = K.ctc_decode(PROBABILITIES, [4, 3])
    assert paths.tolist() == [[0, 1, -1, -1], [1, -1, -1, -1]]
    torch.testing.assert_close(scores, torch.tensor([[1.60146904], [1.8325808]]))
    paths, scores = K.ctc_decode(PROBABILITIES, [4, 3], greedy=False, beam_width=10, top_paths=2)
    assert paths[1].tolist() == [[1, 0, 1, -1], [0, -1, -1, -1]]
    torch.testing.assert_close(scores, torch.tensor([[-0.87083977, -1.93240178], [-0.91879416, -1.56064761]]))
    sparse = K.ctc_label_dense_to_sparse([[3, 1, 0], [2, 0, 0]], [2, 1])
    assert K.is_sparse(sparse) and K.to_dense(sparse).tolist() == [[3, 1, 0], [2, 0, 0]]


def test_batch_normalization():
    x = torch.tensor([[1.0, -2, 3], [4, 5, -6]])
    y, mean, variance = K.normalize_batch_in_training(x, None, None, [0])
    assert mean.tolist() == [2.5, 1.5, -1.5] and variance.tolist() == [2.25, 12.25, 20.25]
    torch.testing.assert_close(y[0], torch.tensor([-0.99977791, -0.99995917, 0.99997532]))
    y = K.batch_normalization(x, [1.0, 1, 1], [2.0, 2, 2], [0.0, 0, 1], [1.0, 2, 3])
    torch.testing.assert_close(y[0], torch.tensor([0, -4.24158049, 5.24158001]))


def test_functions_of_symbolic_tensors():
    x = kerasish.Input((3,))
    hidden = kerasish.layers.Dense(2)(x)
    double = K.function([x], [hidden, K.sum(hidden, axis=-1)])
    values, sums = double([np.ones((4, 3))])
    assert isinstance(values, np.ndarray) and values.shape == (4, 2)
    np.testing.assert_allclose(values.sum(-1), sums, rtol=1e-6)
    assert K.function(hidden, hidden * 2.0)(np.ones((1, 2))).tolist() == [[2, 2]]
    placeholder = K.placeholder(ndim=2)
    assert K.is_placeholder(placeholder) and K.int_shape(placeholder) == (None, None)


def test_functions_take_the_learning_phase():
    x = kerasish.Input((1000,))
    drop = K.function([x, K.learning_phase()], [kerasish.layers.Dropout(0.5)(x)])
    ones = np.ones((1, 1000), "float32")
    assert (drop([ones, 0])[0] == 1).all() and (drop([ones, 1])[0] == 0).any()
    with pytest.raises(ValueError, match="2 inputs"):
        drop([ones])


def test_phases():
    assert (
        K.in_train_phase("x", "alt", training=True) == "x"
        and K.in_test_phase("x", "alt", training=1) == "alt"
    )
    assert K.in_train_phase(lambda: "x", lambda: "alt", training=0) == "alt"
    for use in (
        lambda: K.in_train_phase(1, 2),
        lambda: bool(K.learning_phase()),
        lambda: K.learning_phase() == 1,
    ):
        with pytest.raises(RuntimeError, match="training` argument of `call`"):
            use()


@pytest.mark.parametrize(
    ("name", "arguments", "advice"),
    [
        ("gradients", (1, 2), "torch.autograd.grad"),
        ("set_learning_phase", (0,), "test mode"),
        ("learning_phase_scope", (0,), "training=True"),
        ("manual_variable_initialization", (True,), "Leave the line out"),
    ],
)
def test_what_cannot_work_says_what_to_write(name, arguments, advice):
    with pytest.raises(RuntimeError, match=advice):
        getattr(K, name)(*arguments)


def test_functions_refuse_updates():
    x = kerasish.Input((3,))
    with pytest.raises(ValueError, match="updates"):
        K.function([x], [x], updates=[1])


def test_constants_and_variables_have_the_default_type():
    assert K.constant([1, 2]).dtype == K.variable([1, 2]).dtype == torch.float32
    assert K.constant(3, shape=(2, 2)).tolist() == [[3, 3], [3, 3]]
    for made in (K.zeros((2,)), K.ones((2,)), K.eye(2)):
        assert K.is_variable(made)
    assert K.arange(3).tolist() == [0, 1, 2] and K.arange(3).dtype == torch.int32


def test_the_backend_shows_the_old_names():
    from kerasish import backend

    assert set(K.__all__) <= set(dir(backend)) and "epsilon" in dir(backend) and "torch" not in dir(backend)
    assert backend.rnn is K.rnn
    with pytest.raises(AttributeError, match="Did you mean 'conv2d'"):
        backend.__getattr__("convv2d")
