"""One registry: names, classes, objects, functions and configs, each to the same thing."""

from __future__ import annotations

import pytest

from kerasish.registry import Registry
from kerasish.serialization import CustomObjectScope


class RedRoof:
    def __init__(self, tiles=3):
        self.tiles = tiles

    def get_config(self):
        return {"tiles": self.tiles}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def blue_door(x):
    return x


@pytest.fixture
def registry():
    return Registry("house", "keras.layers", [RedRoof], [blue_door], aliases={"door": blue_door})


@pytest.mark.parametrize("name", ["RedRoof", "red_roof", "REDROOF", RedRoof, RedRoof()])
def test_ways_to_a_class(registry, name):
    found = registry.get(name)
    assert isinstance(found, RedRoof) and found.tiles == 3


@pytest.mark.parametrize("name", ["blue_door", "door", "Blue_Door", blue_door])
def test_ways_to_a_function(registry, name):
    assert registry.get(name) is blue_door


def test_none_stays_none(registry):
    assert registry.get(None) is None


def test_unknown_name(registry):
    with pytest.raises(ValueError, match=r"Unknown house: 'red_rooof'\. Did you mean 'red_roof'\?"):
        registry.get("red_rooof")
    with pytest.raises(ValueError, match=r"Unknown house: 'zzz'\.$"):
        registry.get("zzz")


def test_something_else(registry):
    with pytest.raises(ValueError, match=r"Could not interpret the house: expected a name.*Received: 3"):
        registry.get(3)


def test_custom_objects_come_first(registry):
    def other(x):
        return x

    with CustomObjectScope({"door": other}):
        assert registry.get("door") is other
    assert registry.get("door") is blue_door


def test_function_is_written_as_its_name(registry):
    assert registry.serialize(blue_door) == "blue_door"
    assert registry.deserialize("blue_door") is blue_door


def test_directory(registry):
    assert {"RedRoof", "red_roof", "blue_door", "door"} <= set(dir(registry))
