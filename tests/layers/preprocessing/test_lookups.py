from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from kerasish import layers
from kerasish.layers import IntegerLookup, StringLookup

TABLE = np.array([["a", "b", "a"], ["c", "a", "b"]])


class Pairs(torch.utils.data.Dataset):
    """Records `(words, label)`."""

    def __len__(self):
        return len(TABLE)

    def __getitem__(self, index):
        if index >= len(TABLE):
            raise IndexError(index)
        return list(TABLE[index]), index


class Batches:
    """A sequence of batches, as a `PyDataset` is."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return TABLE[index : index + 1], np.zeros(1)


@pytest.mark.parametrize(
    "data",
    [
        TABLE, TABLE.astype(object), TABLE.tolist(), np.char.encode(TABLE), [TABLE[0], TABLE[1]],
        [(TABLE[:1], 0), (TABLE[1:], 1)], iter([TABLE[:1], TABLE[1:]]), Batches(), tuple(TABLE.reshape(-1).tolist()),
        DataLoader(TABLE.reshape(-1).tolist(), batch_size=4),
    ],
)  # fmt: skip
def test_string_lookup_adapts_to_all_kinds_of_data(data):
    layer = StringLookup()
    layer.adapt(data)
    assert layer.get_vocabulary() == ["[UNK]", "a", "b", "c"]


@pytest.mark.parametrize(
    "data",
    [
        np.array([[3, 5], [5, -2]]), [3, 5, 5, -2], torch.tensor([3, 5, 5, -2]), np.array([3.0, 5.0, 5.0, -2.0]),
        DataLoader(TensorDataset(torch.tensor([3, 5, 5, -2]), torch.zeros(4)), batch_size=3),
        TensorDataset(torch.tensor([[3], [5], [5], [-2]]), torch.zeros(4)),
    ],
)  # fmt: skip
def test_integer_lookup_adapts_to_all_kinds_of_data(data):
    layer = IntegerLookup()
    layer.adapt(data)
    assert layer.get_vocabulary() == [-1, 5, 3, -2]


def test_words_of_a_dataset_of_pairs():
    layer = StringLookup()
    layer.adapt(DataLoader(Pairs(), batch_size=2, collate_fn=lambda rows: ([r[0] for r in rows], 0)))
    assert layer.get_vocabulary() == ["[UNK]", "a", "b", "c"]


def test_adapt_forgets_what_it_learned_before_and_counts_steps():
    layer = StringLookup()
    layer.adapt(["x", "y"])
    layer.adapt(iter([["a"], ["b"], ["c"]]), steps=2)
    assert layer.get_vocabulary() == ["[UNK]", "b", "a"]


def test_document_frequencies_of_batches():
    whole, in_batches = IntegerLookup(output_mode="tf_idf"), IntegerLookup(output_mode="tf_idf")
    data = np.array([[4, 9, 4], [3, 4, 1], [9, 9, 9]])
    whole.adapt(data)
    in_batches.adapt(iter([data[:2], data[2:]]))
    expected = np.log(1 + 3 / (1 + np.array([2, 2, 1, 1])))
    torch.testing.assert_close(
        in_batches(np.array([[9, 4, 3, 1]]))[0, 1:], torch.tensor(expected, dtype=torch.float32)
    )
    torch.testing.assert_close(in_batches(data), whole(data))


def test_strings_come_in_many_forms():
    layer = StringLookup(vocabulary=["a", "é"])
    expected = torch.tensor([1, 0, 2])
    for x in (["a", "q", "é"], ("a", "q", "é"), np.array(["a", "q", "é"]), np.array(["a", "q", "é"], object)):
        assert torch.equal(layer(x), expected)
    assert torch.equal(layer([text.encode() for text in ("a", "q", "é")]), expected)
    assert layer("é").shape == ()
    latin = StringLookup(vocabulary=[b"\xe9"], encoding="latin-1")
    assert latin.get_vocabulary() == ["[UNK]", "é"] and latin([b"\xe9"]).item() == 1


def test_there_and_back():
    forward, back = StringLookup(vocabulary=["a", "b"]), StringLookup(vocabulary=["a", "b"], invert=True)
    assert back(forward(np.array([["a", "z"], ["b", "a"]]))).tolist() == [["a", "[UNK]"], ["b", "a"]]
    numbers, back = IntegerLookup(vocabulary=[7, 5]), IntegerLookup(vocabulary=[7, 5], invert=True)
    assert back(numbers([5, 9, 7])).tolist() == [5, -1, 7]


def test_vocabulary_of_a_file(tmp_path):
    words, numbers = tmp_path / "words.txt", tmp_path / "numbers.txt"
    words.write_bytes("a\nb \r\nc\td\né".encode())
    numbers.write_text("7\n-8\n")
    assert StringLookup(vocabulary=words).get_vocabulary() == ["[UNK]", "a", "b ", "c\td", "é"]
    assert IntegerLookup(vocabulary=str(numbers)).get_vocabulary() == [-1, 7, -8]
    assert StringLookup(vocabulary=str(words)).get_config()["vocabulary"] is None
    layer = StringLookup()
    layer.set_vocabulary(str(words))
    assert layer(["é"]).item() == 4


def test_special_tokens():
    layer = StringLookup(vocabulary=["a"], mask_token="", num_oov_indices=2)
    assert layer.get_vocabulary() == ["", "[UNK]", "[UNK]", "a"] and layer.vocabulary_size() == 4
    assert layer.get_vocabulary(include_special_tokens=False) == ["a"]
    again = StringLookup(vocabulary=layer.get_vocabulary(), mask_token="", num_oov_indices=2)
    assert again.get_vocabulary() == layer.get_vocabulary()


def test_assets(tmp_path):
    layer = StringLookup(mask_token="", output_mode="int")
    layer.adapt(["é", "b", "b"])
    layer.save_assets(str(tmp_path))
    assert (tmp_path / "vocabulary.txt").read_bytes() == "\n[UNK]\nb\né".encode()
    twin = StringLookup.from_config(layer.get_config())
    twin.load_assets(str(tmp_path))
    assert twin.get_vocabulary() == layer.get_vocabulary()
    given = IntegerLookup(vocabulary=[3])
    (tmp_path / "vocabulary.txt").unlink()
    given.save_assets(str(tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: StringLookup()(["a"]), RuntimeError, r"has no vocabulary yet: pass `vocabulary=…`, or call `adapt"),
        (lambda: IntegerLookup(output_mode="count")([1]), RuntimeError, r"has no vocabulary yet"),
        (lambda: StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "b"]), ValueError, r"'b' is not in the voc"),
        (lambda: IntegerLookup(vocabulary=[1], num_oov_indices=0)([1, 2]), ValueError, r"is not in the vocabulary"),
        (lambda: StringLookup(vocabulary=["a", "a"]), ValueError, r"occur several times: \['a'\]"),
        (lambda: IntegerLookup(vocabulary=[]), ValueError, r"at least one token"),
        (lambda: StringLookup(vocabulary=["a"], output_mode="binary"), ValueError, r"must be one of \('int', 'one"),
        (lambda: StringLookup(vocabulary=["a", ""], mask_token=""), ValueError, r"`mask_token` '' stands in the voc"),
        (lambda: StringLookup(vocabulary=["a", "[UNK]"], invert=True), ValueError, r"`oov_token` '\[UNK\]' stands"),
        (lambda: StringLookup(vocabulary=["a", "b"], max_tokens=2), ValueError, r"`max_tokens`=2 tokens. Received: 3"),
        (lambda: StringLookup(max_tokens=1), ValueError, r"greater than 1"),
        (lambda: StringLookup(num_oov_indices=-1), ValueError, r"must not be negative"),
        (lambda: StringLookup(pad_to_max_tokens=True), ValueError, r"needs `max_tokens`"),
        (lambda: StringLookup(invert=True, output_mode="count"), ValueError, r"goes with `output_mode='int'`"),
        (lambda: StringLookup(sparse=True, output_mode="count"), ValueError, r"sparse tensors are not supported"),
        (lambda: StringLookup(salt="x"), ValueError, r"`salt` must be an integer, or a list or tuple of two"),
        (lambda: IntegerLookup(salt=3), ValueError, r"`salt` goes with `oov_method='farmhash'`"),
        (lambda: IntegerLookup(oov_method="md5"), ValueError, r"`oov_method` must be one of"),
        (lambda: IntegerLookup(vocabulary_dtype="int32"), ValueError, r"must be 'int64'"),
        (lambda: IntegerLookup(mask_token="a"), TypeError, r"`mask_token` of an IntegerLookup must be an integer"),
        (lambda: IntegerLookup(vocabulary=["a"]), TypeError, r"takes a vocabulary of integers"),
        (lambda: IntegerLookup(vocabulary=[1])(["a"]), TypeError, r"for strings take `StringLookup`"),
        (lambda: IntegerLookup().adapt(["a"]), TypeError, r"for strings take `StringLookup`"),
        (lambda: StringLookup(vocabulary=["a"])([1]), TypeError, r"takes strings: a list or a NumPy array of them"),
        (lambda: StringLookup(vocabulary=["a"])(torch.ones(2)), TypeError, r"For numbers take `IntegerLookup`"),
        (lambda: StringLookup(vocabulary=["a"])([["a"], ["a", "b"]]), ValueError, r"equal lengths; pad them"),
        (lambda: StringLookup(vocabulary=["a"]).adapt(["b"]), ValueError, r"was given its vocabulary"),
        (lambda: StringLookup().adapt(["b"], steps=1), ValueError, r"`steps` counts batches"),
        (lambda: StringLookup().adapt(3), TypeError, r"`adapt` takes an array, a list, a DataLoader"),
        (lambda: StringLookup(vocabulary=["a"], idf_weights=[1.0]), ValueError, r"`idf_weights` go with"),
        (lambda: StringLookup(vocabulary=["a"], output_mode="tf_idf"), ValueError, r"`idf_weights` must be given"),
        (
            lambda: StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=[1.0, 2.0]),
            ValueError,
            r"as many as the tokens, 1. Received: an array of shape \(2,\)",
        ),
        (lambda: StringLookup(vocabulary="no/such/file.txt"), ValueError, r"there is no vocabulary file"),
    ],
)  # fmt: skip
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_files_that_cannot_be_read_or_written(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("a\n\nb\n")
    with pytest.raises(ValueError, match=r"line 2 of the vocabulary file .* is empty"):
        StringLookup(vocabulary=path)
    with pytest.raises(ValueError, match=r"read the file and pass a list"):
        StringLookup(vocabulary=path, output_mode="tf_idf", idf_weights=[1.0])
    layer = StringLookup()
    layer.adapt(["two\nlines"])
    with pytest.raises(ValueError, match=r"which has a line break"):
        layer.save_assets(str(tmp_path))


def test_index_lookups_have_no_weights():
    layer = layers.IntegerLookup(vocabulary=[1, 2])
    assert layer.weights == [] and not layer.state_dict()
