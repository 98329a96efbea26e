"""Looking into a file of weights, and editing it by hand."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasish.errors import did_you_mean, format_shape, received
from kerasish.saving.archive_members import CONFIG, METADATA, open_archive, open_weights, read_json
from kerasish.saving.hdf5 import Store, Writer, as_array, follow, h5py, opened_file, writing
from kerasish.saving.state import write_state

VARS = "vars"


class KerasFileEditor:
    """The weights in a `.keras` or `.weights.h5` file as nested dictionaries, to look at, compare and change.

    Objects are named by their path (`"layers/dense_2"`) or, where it occurs once, by its last part.

    Args:
        filepath: the file; it stays as it is, `save` writes another.

    Attributes:
        weights_dict: object → its objects and arrays, in the order of the file.
        object_metadata: path → attributes that the file holds for the object.
        config, metadata: contents of `config.json` and `metadata.json`, of `.keras` files.

    Raises:
        ValueError: the file has another ending or is damaged.

    Example:
        >>> import tempfile, kerasish
        >>> model = kerasish.Sequential([kerasish.Input((3,)), kerasish.layers.Dense(2)])
        >>> path = tempfile.mkdtemp() + "/m.weights.h5"
        >>> model.save_weights(path)
        >>> editor = KerasFileEditor(path)  # doctest: +ELLIPSIS
        Keras model file '...m.weights.h5'
        >>> editor.rename_object("dense", "dense_1")
        >>> editor.summary()
        Weights structure
        └─ layers
           └─ dense_1
              ├─ 0: shape=(3, 2), dtype=float32
              └─ 1: shape=(2,), dtype=float32
    """

    def __init__(self, filepath: Any) -> None:
        filepath = str(filepath)
        if not filepath.endswith((".keras", ".weights.h5")):
            raise ValueError(
                f"`filepath` must end in '.keras' or '.weights.h5'. Received: filepath={filepath!r}"
            )
        self.filepath = filepath
        self.metadata: Any = None
        self.config: Any = None
        self.model = None
        self.object_metadata: dict[str, dict[str, Any]] = {}
        with contextlib.ExitStack() as opened:
            source: Any = filepath
            if filepath.endswith(".keras"):
                archive = opened.enter_context(open_archive(filepath))
                self.config, self.metadata = read_json(archive, CONFIG), read_json(archive, METADATA)
                source = opened.enter_context(open_weights(archive))
            self.weights_dict: dict[str, Any] = self._read(opened.enter_context(opened_file(source)), "")
        print(f"Keras model file {filepath!r}")
        if isinstance(self.metadata, dict):
            print(
                f"Saved with Keras {self.metadata.get('keras_version')} - date: {self.metadata.get('date_saved')}"
            )

    def _read(self, group: Any, path: str) -> dict[str, Any]:
        if group.attrs:
            self.object_metadata[path] = dict(group.attrs)
        contents: dict[str, Any] = {}
        for key in group:
            item = follow(group, key)
            place = posixpath.join(path, key)
            if isinstance(item, h5py().Group):
                inner = self._read(item, path if key == VARS else place)
                if key == VARS:
                    contents.update(inner)
                elif inner:
                    contents[key] = inner
            elif isinstance(item, h5py().Dataset):
                contents[key] = Store(place, [group])[key]
        return contents

    def summary(self) -> None:
        """Print the objects and the shapes of their weights as a tree."""
        print("Weights structure")
        for line in _tree(self.weights_dict, self.object_metadata, ""):
            print(line)

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Compare objects and shapes with those of a model, and print what differs.

        Returns:
            `{"status": "success" or "error", "error_count": …, "match_count": …}`.
        """
        reference = _Shapes()
        write_state(reference_model, reference)
        found, expected = dict(_leaves(self.weights_dict)), reference.shapes
        print("Running comparison")
        problems = []
        for path, shape in expected.items():
            if path not in found:
                problems.append(f"Weight {path} of the model is missing from the file")
            elif found[path].shape != shape:
                problems.append(
                    f"Weight {path} has the shape {format_shape(shape)} in the model and "
                    f"{format_shape(found[path].shape)} in the file"
                )
        problems += [
            f"Weight {path} of the file is missing from the model" for path in found if path not in expected
        ]
        for problem in problems:
            print(f"...{problem}")
        matches = sum(path in found and found[path].shape == shape for path, shape in expected.items())
        print(f"{len(problems)} difference(s), {matches} matching weight(s)")
        return {
            "status": "error" if problems else "success",
            "error_count": len(problems),
            "match_count": matches,
        }

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Rename an object; `new_name` is the last part of its path."""
        if "/" in new_name:
            raise ValueError(f"`new_name` must be a name, without '/'. Received: new_name={new_name!r}")

        def rename(parent: dict[str, Any], name: str) -> None:
            parent[new_name] = parent.pop(name)

        self._edit(object_name, rename)

    def delete_object(self, object_name: str) -> None:
        """Remove an object with all that is below it."""
        self._edit(object_name, lambda parent, name: parent.pop(name))

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Add an object at a path whose parent exists, with weights `{"0": array, "1": array, …}`."""
        _check_weights(weights)
        above, _, name = object_path.rpartition("/")
        self._at(above)[name] = dict(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove a weight of an object."""

        def delete(parent: dict[str, Any], name: str) -> None:
            if weight_name not in parent[name]:
                raise ValueError(
                    f"Object {object_name!r} has no weight {weight_name!r}: it has {list(parent[name])}."
                )
            del parent[name][weight_name]

        self._edit(object_name, delete)

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Add weights `{"2": array, …}` to an object, or replace those that it has."""
        _check_weights(weights)
        self._edit(object_name, lambda parent, name: parent[name].update(weights))

    def save(self, filepath: Any) -> None:
        """Write the weights as they are now to a `.weights.h5` file."""
        path = str(filepath)
        if not path.endswith(".weights.h5"):
            raise ValueError(f"`filepath` must end in '.weights.h5'. Received: filepath={path!r}")
        with writing(path) as writer:
            for place, value in _leaves(self.weights_dict):
                above, _, key = place.rpartition("/")
                name = self.object_metadata.get(above, {}).get("name")
                writer.entry(above, name)[key] = value

    def resave_weights(self, filepath: Any) -> None:
        """The same as `save`."""
        self.save(filepath)

    def _at(self, path: str) -> dict[str, Any]:
        place = self.weights_dict
        for part in path.split("/") if path else ():
            if not isinstance(place.get(part), dict):
                raise ValueError(f"The file has no object {path!r}.{did_you_mean(part, place)}")
            place = place[part]
        return place

    def _edit(self, name: str, change: Callable[[dict[str, Any], str], Any]) -> None:
        """Apply `change(parent, last part of the path)` to the object of that name or path."""
        above, _, last = name.rpartition("/")
        parents = [self._at(above)] if above else list(_parents_of(last, self.weights_dict))
        if len(parents) > 1:
            raise ValueError(f"The file has {len(parents)} objects {name!r}: give the whole path.")
        if not parents or not isinstance(parents[0].get(last), dict):
            known = [path.rpartition("/")[0] for path, _ in _leaves(self.weights_dict)]
            raise ValueError(
                f"The file has no object {name!r}.{did_you_mean(name, known)} `summary()` lists all."
            )
        change(parents[0], last)


class _Shapes(Writer):
    """Stands for a file into which a model writes its state, and notes the shapes only."""

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}

    def entry(self, path: str, name: str | None = None) -> Any:
        """The place of the object at `path`."""
        shapes = self.shapes

        class Place:
            def __setitem__(self, key: str, value: Any) -> None:
                shapes[posixpath.join(path, str(key))] = tuple(np.shape(as_array(value)))

        return Place()


def _check_weights(weights: Any) -> None:
    if not isinstance(weights, dict):
        raise ValueError(
            "`weights` must be a dictionary: names, usually '0', '1', …, → arrays. "
            f"Received: {received(weights)}"
        )


def _leaves(contents: dict[str, Any], path: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in contents.items():
        place = posixpath.join(path, key)
        found += _leaves(value, place) if isinstance(value, dict) else [(place, value)]
    return found


def _parents_of(name: str, contents: dict[str, Any]) -> list[dict[str, Any]]:
    found = [contents] if isinstance(contents.get(name), dict) else []
    for value in contents.values():
        found += _parents_of(name, value) if isinstance(value, dict) else []
    return found


def _tree(
    contents: dict[str, Any], metadata: dict[str, dict[str, Any]], path: str, indent: str = ""
) -> list[str]:
    lines = []
    for number, (key, value) in enumerate(contents.items()):
        is_last = number == len(contents) - 1
        line = f"{indent}{'└─' if is_last else '├─'} {key}"
        if isinstance(value, dict):
            place = posixpath.join(path, key)
            name = metadata.get(place, {}).get("name")
            lines.append(line + (f" ({name!r})" if name and name != key else ""))
            lines += _tree(value, metadata, place, indent + ("   " if is_last else "│  "))
        else:
            value = np.asarray(value)
            lines.append(f"{line}: shape={value.shape}, dtype={value.dtype}")
    return lines
