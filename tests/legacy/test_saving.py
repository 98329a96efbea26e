from __future__ import annotations

import pytest

import kerasish
from kerasish.legacy.saving import deserialize_keras_object, serialize_keras_object


class Plain:
    def __init__(self, a=1):
        self.a = a

    def get_config(self):
        return {"a": self.a}


class WithObjects(Plain):
    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls((config["a"], custom_objects))


def double(x):
    return 2 * x


KNOWN = {"Plain": Plain, "double": double, "WithObjects": WithObjects}


def test_serialize():
    assert serialize_keras_object(None) is None
    assert serialize_keras_object(double) == "double"
    assert serialize_keras_object(Plain(2)) == {"class_name": "Plain", "config": {"a": 2}}
    assert serialize_keras_object(kerasish.optimizers.SGD(0.5))["class_name"] == "SGD"
    with pytest.raises(ValueError, match=r"`get_config\(\)` can be written. Received: 3"):
        serialize_keras_object(3)


def test_deserialize():
    assert deserialize_keras_object(None) is None
    assert deserialize_keras_object(double) is double
    assert deserialize_keras_object("double", KNOWN) is double
    assert deserialize_keras_object("Plain", KNOWN).a == 1
    assert deserialize_keras_object(serialize_keras_object(Plain(4)), KNOWN).a == 4
    assert deserialize_keras_object("x", KNOWN, {"x": Plain}).a == 1
    config = {"class_name": "WithObjects", "config": {"a": 2}}
    assert deserialize_keras_object(config, KNOWN).a == (2, None)
    assert deserialize_keras_object(config, KNOWN, {"b": 1}).a == (2, {"b": 1})
    with kerasish.utils.custom_object_scope({"scoped": double}):
        assert deserialize_keras_object("scoped") is double


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("dubble", r"Unknown thing: 'dubble'. Did you mean 'double'\? Give it in `custom_objects`"),
        ({"class_name": "Nope", "config": {}}, r"Unknown thing: 'Nope'"),
        ({"config": {}}, r"Could not interpret the thing: .*'class_name' and 'config'"),
        (3, r"Could not interpret the thing"),
    ],
)
def test_deserialize_refuses(identifier, message):
    with pytest.raises(ValueError, match=message):
        deserialize_keras_object(identifier, KNOWN, printable_module_name="thing")
