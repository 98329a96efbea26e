from __future__ import annotations

import copy
import pickle

import pytest

from kerasish.utils import Config


def test_attributes_and_items():
    config = Config(rate=0.1)
    config.units = 3
    config["name"] = "a"
    assert config.units == config["units"] == config.get("units") == 3
    assert config.as_dict() == {"rate": 0.1, "units": 3, "name": "a"}
    assert len(config) == 3 and "rate" in config and list(config) == ["name", "rate", "units"]
    assert config.to_json() == '{"rate": 0.1, "units": 3, "name": "a"}'
    assert config.pop("name") == "a" and config.pop("name", None) is None
    config.update({"x": 1}, y=2)
    del config["x"], config.y
    assert list(config.items()) == [("rate", 0.1), ("units", 3)]
    assert repr(config) == "<Config {'rate': 0.1, 'units': 3}>"


def test_unknown_names():
    with pytest.raises(AttributeError, match=r"no setting 'learning_rat'. Did you mean 'learning_rate'"):
        _ = Config(learning_rate=1).learning_rat
    with pytest.raises(KeyError):
        _ = Config()["x"]
    with pytest.raises(AttributeError, match="no setting 'x'"):
        del Config().x


@pytest.mark.parametrize(
    "change",
    [
        lambda c: setattr(c, "a", 2),
        lambda c: c.update(b=1),
        lambda c: c.pop("a"),
        lambda c: c.__delitem__("a"),
        lambda c: delattr(c, "a"),
        lambda c: c.__setitem__("a", 2),
    ],
)
def test_frozen(change):
    config = Config(a=1)
    config.freeze()
    with pytest.raises(ValueError, match=r"The config is frozen: call `unfreeze\(\)`"):
        change(config)
    assert config.frozen and config.a == 1
    config.unfreeze()
    change(config)
    assert not config.frozen


@pytest.mark.parametrize("again", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies(again):
    config = Config(a=[1])
    config.freeze()
    other = again(config)
    assert other.as_dict() == {"a": [1]} and other.frozen and other.a is not config.a
