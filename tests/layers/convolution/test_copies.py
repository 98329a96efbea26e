"""Images are not copied from one layout to the other on their way through a network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.profiler import ProfilerActivity, profile

from kerasish import layers
from kerasish.models import Sequential

BATCH = 16
COPIES = ("aten::copy_", "aten::contiguous", "aten::clone")


def kerasish_net():
    net = Sequential(
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    net.build((None, 28, 28, 1))
    return net


def torch_net():
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 10),
    )  # fmt: skip
    return net.to(memory_format=torch.channels_last)


def copies_of_activations(net, x):
    """The copies of the batch's images that a training step makes."""

    def step():
        F.cross_entropy(net(x), torch.zeros(BATCH, dtype=torch.int64)).backward()

    step()
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as measured:
        step()
    return copies_of_images(measured)


def copies_of_images(measured):
    events = [event for event in measured.events() if event.name in COPIES and event.input_shapes]
    return [e.name for e in events if len(e.input_shapes[0]) > 2 and e.input_shapes[0][0] == BATCH]


@pytest.mark.filterwarnings("ignore:.*Profiler clears events")  # of torch 2.11
def test_a_small_convnet_copies_no_activation():
    x = torch.from_numpy(np.random.default_rng(0).random((BATCH, 28, 28, 1), dtype="float32"))
    by_hand = copies_of_activations(
        torch_net(), x.movedim(-1, 1).contiguous(memory_format=torch.channels_last)
    )
    assert len(copies_of_activations(kerasish_net(), x)) == 0 < len(by_hand)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv1D(8, 3, padding="same"), (12, 8)),
        (layers.Conv2D(8, 3, strides=2), (9, 9, 8)),
        (layers.Conv3D(8, 3), (5, 5, 5, 8)),
        (layers.Conv2DTranspose(8, 3, strides=2), (5, 5, 8)),
        (layers.DepthwiseConv2D(3), (5, 5, 8)),
        (layers.SeparableConv1D(8, 3), (9, 8)),
        (layers.MaxPooling1D(2, padding="same"), (9, 8)),
        (layers.MaxPooling3D(2), (4, 4, 4, 8)),
        (layers.AveragePooling2D(3, 2, padding="same"), (8, 8, 8)),
        (layers.AveragePooling3D(2), (4, 4, 4, 8)),
        (layers.GlobalAveragePooling2D(), (4, 4, 8)),
        (layers.AdaptiveAveragePooling2D(2), (5, 5, 8)),
        (layers.UpSampling2D(2, interpolation="bilinear"), (5, 5, 8)),
        (layers.UpSampling1D(2), (5, 8)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_layers_copy_no_activation(layer, shape):
    x = torch.rand(BATCH, *shape, requires_grad=True)
    factors = torch.rand(layer(x).shape)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as measured:
        output = layer(x)
        (output * factors).sum().backward()
    assert output.is_contiguous()
    assert copies_of_images(measured) == []
