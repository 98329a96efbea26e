from __future__ import annotations

import pytest
import torch

import kerasish
from kerasish.layers import EinsumDense


@pytest.mark.parametrize(
    ("equation", "output_shape", "bias_axes", "shape"),
    [
        ("ab,bc->ac", 4, "c", (2, 3)),
        ("abc,cd->abd", (None, 4), "d", (2, 5, 3)),
        ("...x,xy->...y", 4, "y", (2, 5, 6, 3)),
        ("abc,cde->abde", (None, 4, 2), "de", (2, 5, 3)),
        ("abcd,cde->abe", (None, 7), "e", (2, 5, 3, 4)),
        ("ab...,bc->ac...", 4, "c", (2, 3, 5, 6)),
        ("abc,bd->adc", (4, 3), None, (2, 5, 3)),
        ("ab,b->ab", 3, None, (2, 3)),
    ],
)
def test_einsum_and_the_inferred_shape(equation, output_shape, bias_axes, shape):
    layer = EinsumDense(equation, output_shape, bias_axes=bias_axes, bias_initializer="random_normal")
    x = torch.randn(shape)
    outputs = layer(x)
    expected = torch.einsum(equation, x, layer.kernel)
    torch.testing.assert_close(outputs, expected if layer.bias is None else expected + layer.bias)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *outputs.shape[1:])
    assert layer(kerasish.Input(shape[1:])).shape == (None, *outputs.shape[1:])


def test_unknown_lengths():
    layer = EinsumDense("abc,cd->abd", (None, 4), bias_axes="d")
    assert layer(kerasish.Input((None, 3))).shape == (None, None, 4)
    assert layer(torch.ones(2, 7, 3)).shape == (2, 7, 4)


def test_integers_become_floats():
    assert EinsumDense("ab,bc->ac", 2)(torch.ones(2, 3, dtype=torch.int32)).dtype is torch.float32


@pytest.mark.parametrize(
    ("arguments", "shape", "message"),
    [
        (("ab,bc", 4), (2, 3), r"`equation` of layer 'looks' must read"),
        (("ab->ac", 4), (2, 3), "must read"),
        (("a...b,bc->a...c", 4), (2, 3), "must read"),
        (("...ab,bc->ac...", 4), (2, 3), "must read"),
        (("aab,bc->ac", 4), (2, 3), "must read"),
        (("ab,bc->ad", 4), (2, 3), r"Axis 'd' of the output stands neither in the inputs nor in the kernel"),
        (("ab,bcd->ac", 4), (2, 3), r"Axis 'd' of the kernel stands neither"),
        (
            ("ab,bc->ac", (4, 5)),
            (2, 3),
            r"`output_shape` of layer 'looks' .* Received: output_shape=\(4, 5\)",
        ),
        (("ab,bc->ac", 4), (2, 3, 4), r"needs inputs of 2 dimensions. Received: input shape \(None, 3, 4\)"),
        (("abc,cd->abd", (6, 4)), (2, 5, 3), r"Axis 'b' .* has size 5 in the input and 6 in `output_shape`"),
        (("abc,cd->abd", (None, None)), (2, 5, 3), r"must know the sizes of the kernel's axes 'cd'"),
        (
            ("ab,bc->ac", 4, None, "d"),
            (2, 3),
            r"`bias_axes` of layer 'looks' must be letters of the output 'ac'",
        ),
    ],
)
def test_wrong_equations_and_shapes(arguments, shape, message):
    with pytest.raises(ValueError, match=message):
        EinsumDense(*arguments, name="looks")(torch.ones(shape))


def test_inputs_of_another_shape_than_built_for():
    layer = EinsumDense("ab,bc->ac", 4)
    layer(torch.ones(2, 3))
    for shape in ((2, 5), (2, 3, 4)):
        with pytest.raises(
            ValueError, match=r"input of layer 'einsum_dense.* does not fit: expected \(None, 3\)"
        ):
            layer(torch.ones(shape))
    with pytest.raises(ValueError, match=r"LoRA and quantization are not supported"):
        EinsumDense("ab,bc->ac", 4, lora_rank=2)


@pytest.mark.filterwarnings("ignore")
def test_it_compiles_in_one_graph():
    layer = EinsumDense("abc,cde->abde", (None, 4, 2), bias_axes="de")
    x = torch.randn(2, 5, 3)
    expected = layer(x)
    torch.testing.assert_close(torch.compile(layer, fullgraph=True, backend="eager")(x), expected)
