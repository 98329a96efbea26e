"""Arguments that do not go together are refused with what was expected and received."""

from __future__ import annotations

import pytest
import torch

from kerasish.ops import control, indexing, linalg, math, nn, rearranging

SEQUENCE, IMAGE = torch.zeros(2, 5, 3), torch.zeros(2, 6, 6, 4)
KERNEL = torch.zeros(3, 3, 4, 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.conv(torch.zeros(5, 3), KERNEL), "3, 4 or 5 dimensions"),
        (lambda: nn.conv(IMAGE, torch.zeros(3, 4, 8)), "must have 4 dimensions"),
        (
            lambda: nn.conv(IMAGE, torch.zeros(3, 3, 3, 8)),
            "4 input channels must be a multiple of the kernel's 3",
        ),
        (lambda: nn.conv(IMAGE, KERNEL, padding="causal"), "'valid' or 'same'. Received: padding='causal'"),
        (lambda: nn.conv(IMAGE, KERNEL, data_format="last"), "'channels_first' or 'channels_last'"),
        (lambda: nn.conv(IMAGE, KERNEL, strides=(1, 2, 3)), r"2 of them.*strides=\(1, 2, 3\)"),
        (lambda: nn.conv(IMAGE, KERNEL, dilation_rate=0), "at least 1"),
        (lambda: nn.conv(IMAGE[:, :2], KERNEL), "more than the spatial size"),
        (lambda: nn.conv_transpose(IMAGE, KERNEL), "number of input channels, 4"),
        (lambda: nn.depthwise_conv(IMAGE, torch.zeros(3, 3, 2, 1)), "one row per input channel, 4"),
        (lambda: nn.max_pool(SEQUENCE, 6), "more than the spatial size"),
        (lambda: nn.average_pool(SEQUENCE, (2, 2)), "pool_size"),
        (lambda: nn.adaptive_max_pool(IMAGE, (2, None)), "output_size"),
        (lambda: nn.batch_normalization(SEQUENCE, torch.zeros(3), torch.ones(3), 3), "one of the 3 axes"),
        (lambda: nn.batch_normalization(SEQUENCE, torch.zeros(3), torch.ones(2), -1), "`variance` must have"),
        (lambda: nn.moments(SEQUENCE, 0, synchronized=True), "synchronized"),
        (lambda: nn.layer_normalization(SEQUENCE, axis=5), "axis=5"),
        (lambda: nn.normalize(SEQUENCE, order=0), "order=0"),
        (lambda: nn.one_hot([0], 2, axis=3), "axis=3"),
        (lambda: nn.one_hot([0], 2, sparse=True), "sparse"),
        (lambda: nn.multi_hot([0]), "num_classes"),
        (lambda: nn.binary_crossentropy([0.0], [[0.0]]), "the same shape"),
        (lambda: nn.categorical_crossentropy([[0.0]], [[0.0]], axis=2), "axis=2"),
        (
            lambda: nn.sparse_categorical_crossentropy([0, 1], [[0.5, 0.5]]),
            r"\(1,\).*Received: target of shape \(2,\)",
        ),
        (lambda: nn.ctc_loss([1], SEQUENCE, [1], [1]), "batch, length"),
        (lambda: nn.ctc_decode(SEQUENCE, [5, 5], strategy="best"), "strategy='best'"),
        (lambda: nn.ctc_decode(SEQUENCE, [5, 5], "beam_search", 2, 3), "top_paths=3"),
        (lambda: nn.dot_product_attention(SEQUENCE, SEQUENCE, SEQUENCE), "4 dimensions"),
        (lambda: nn.dot_product_attention(IMAGE, IMAGE, IMAGE, bias=0.0, mask=True), "not both"),
        (lambda: nn.dot_product_attention(IMAGE, IMAGE[:, :, :4], IMAGE[:, :, :4]), "a multiple of them"),
        (lambda: nn.depth_to_space(IMAGE, 3), "a multiple of block_size² = 9"),
        (lambda: nn.space_to_depth(IMAGE, 4), "6 × 6"),
        (lambda: nn.psnr([1.0], [1.0, 2.0], 1.0), "same shape"),
        (lambda: nn.unfold(SEQUENCE, 2), "N, C, H, W"),
        (lambda: linalg.cholesky(-torch.eye(2)), "positive-definite"),
        (lambda: linalg.det(torch.zeros(2, 3)), "square matrices"),
        (lambda: linalg.qr(torch.zeros(2, 3), mode="r"), "mode='r'"),
        (lambda: linalg.norm(torch.zeros(2, 3), ord="max"), "ord='max'"),
        (lambda: linalg.norm(torch.zeros(2, 3, 4), ord=2), "axis=None"),
        (lambda: linalg.lstsq(torch.zeros(4, 3), torch.zeros(3)), r"\(4, 3\) and \(3,\)"),
        (lambda: math.top_k([1.0, 2.0], 3), "k=3"),
        (lambda: math.in_top_k([0], [[1.0], [2.0]], 1), "without the last axis"),
        (lambda: math.logsumexp(SEQUENCE, axis=3), "axis=3"),
        (lambda: math.segment_sum([1.0, 2.0], [0], 1), "one id per row"),
        (lambda: math.fft(torch.zeros(4)), "tuple of two tensors"),
        (lambda: math.stft(torch.zeros(64), 8, 4, 4), "fft_length=4"),
        (lambda: math.stft(torch.zeros(64), 8, 4, 8, window="kaiser"), "window='kaiser'"),
        (lambda: math.view_as_complex(torch.zeros(3)), "size 2"),
        (lambda: math.extract_sequences([1, 2], 3, 1), "sequence_length=3"),
        (lambda: indexing.scatter_update([1], [[0]], [1], "mean"), "'mean'"),
        (lambda: indexing.slice_update([1, 2], [1], [1, 2]), "do not fit"),
        (lambda: indexing.slice([1, 2], [-1], [1]), "not negative"),
        (lambda: indexing.unstack([1, 2], 3), "num=3"),
        (lambda: control.scan(lambda c, x: (c, x), 0), "Received: neither"),
        (lambda: control.scan(lambda c, x: (c, x), 0, [1], unroll=0), "unroll=0"),
        (lambda: control.map(lambda x: x, (torch.zeros(2), torch.zeros(3))), r"sizes \[2, 3\]"),
        (lambda: rearranging.rearrange(SEQUENCE, "a b -> b a"), "has 2 axes before the arrow, the tensor 3"),
        (lambda: rearranging.rearrange(SEQUENCE, "a (b d) c -> a b d c"), "Give all their lengths but one"),
        (lambda: rearranging.rearrange(SEQUENCE, "a b c -> a b"), "the same axes"),
        (lambda: rearranging.rearrange(SEQUENCE, "a (b c -> a b c"), "unpaired|must name|axes before"),
    ],
)
def test_values(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: control.cond(True, 1, 2), "`true_fn` must be callable. Received: 1"),
        (lambda: control.associative_scan(1, [1]), "`f` must be callable"),
        (lambda: control.switch(0, [1]), "`branches` must be callable"),
        (lambda: nn.multi_hot([0], 2, classes=3), "'classes'"),
        (lambda: nn.layer_normalization(SEQUENCE, rms_scaling=True), "rms_normalization"),
    ],
)
def test_kinds(call, message):
    with pytest.raises(TypeError, match=message):
        call()
