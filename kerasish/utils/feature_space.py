"""`FeatureSpace`: columns of a table, each preprocessed in its way, as one vector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerasish import saving
from kerasish.arrays import is_array, to_tensor
from kerasish.config import get_device
from kerasish.dtypes import is_int_dtype, standardize_dtype
from kerasish.errors import did_you_mean, received
from kerasish.layers import (
    CategoryEncoding,
    Concatenate,
    Discretization,
    HashedCrossing,
    Hashing,
    Input,
    IntegerLookup,
    Layer,
    Normalization,
    Rescaling,
    StringLookup,
    TextVectorization,
)
from kerasish.layers.preprocessing.text import as_text, is_textual
from kerasish.naming import unique_name
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.symbolic import KerasTensor

TYPES = (
    "float", "float_rescaled", "float_normalized", "float_discretized", "integer_categorical", "integer_hashed",
    "string_categorical", "string_hashed",
)  # fmt: skip


class Cross:
    """Features that are crossed: hashed together into `crossing_dim` bins, by a `HashedCrossing`.

    Args:
        feature_names: names of the features.
        crossing_dim: number of bins.
        output_mode: "one_hot" or "int".
    """

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> None:
        if output_mode not in ("int", "one_hot"):
            raise ValueError(
                f"`output_mode` of a cross must be 'int' or 'one_hot'. Received: {output_mode!r}"
            )
        if isinstance(feature_names, str) or len(feature_names) < 2:
            raise ValueError(f"A cross joins two features or more. Received: feature_names={feature_names!r}")
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = output_mode

    @property
    def name(self) -> str:
        """The names of the features, joined by `_X_`."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal cross."""
        return {
            "feature_names": self.feature_names,
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cross:
        """Make a cross from `get_config()`."""
        return cls(**config)


class Feature:
    """A column: its dtype, the layer that preprocesses it, and whether the result is encoded.

    Args:
        dtype: dtype of the column; "string" for text.
        preprocessor: layer, or its config.
        output_mode: "float" or "int" for the layer's output as it is, "one_hot" for its encoding.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        if output_mode not in ("int", "one_hot", "float"):
            raise ValueError(
                f"`output_mode` of a feature must be 'int', 'one_hot' or 'float'. Received: {output_mode!r}"
            )
        self.dtype = standardize_dtype(dtype)
        self.preprocessor = (
            deserialize_keras_object(preprocessor) if isinstance(preprocessor, dict) else preprocessor
        )
        self.output_mode = output_mode

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal feature."""
        return {
            "dtype": self.dtype,
            "preprocessor": serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Feature:
        """Make a feature from `get_config()`."""
        return cls(**config)


class TFDIdentity(Layer):
    """Return the input: the preprocessor of plain floats, under the name that it has in Keras's files."""

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class FeatureSpace(Layer):
    """Preprocess the columns of a table, cross some of them, and join everything to one vector for each record.

    Args:
        features: dictionary name → type ("float", "float_rescaled", "float_normalized", "float_discretized",
            "integer_categorical", "integer_hashed", "string_categorical", "string_hashed") or what the class methods
            of these names return, or `FeatureSpace.feature(…)` with a layer of your own.
        output_mode: "concat" for one vector, its parts in the order of the names and the crosses last; "dict" for a
            dictionary of them.
        crosses: list of tuples of names, or of what `FeatureSpace.cross(…)` returns.
        crossing_dim, hashing_dim, num_discretization_bins: numbers of bins where they are not given otherwise.

    `adapt(data)` comes first. Then a call takes a dictionary of lists or arrays (B,) or (B, 1), or one record; and
    `get_inputs()`, `get_encoded_features()` begin a functional model.

    Example:
        >>> import kerasish
        >>> space = kerasish.utils.FeatureSpace({"size": "float", "kind": "string_categorical"})
        >>> data = {"size": [1.0, 2.0], "kind": ["cat", "dog"]}
        >>> space.adapt(data)
        >>> space(data)
        tensor([[0., 0., 1., 1.],
                [0., 1., 0., 2.]])
    """

    takes_text = True

    def __init__(
        self,
        features: dict[str, Any],
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ValueError("`features` must name at least one feature. Received: no feature")
        if output_mode not in ("concat", "dict"):
            raise ValueError(
                f"`output_mode` must be 'concat' or 'dict'. Received: output_mode={output_mode!r}"
            )
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = output_mode
        put = self.__dict__.__setitem__
        put("features", {name: self._standardized_feature(name, value) for name, value in features.items()})
        put("crosses", [self._standardized_cross(cross) for cross in crosses or ()])
        put("_is_adapted", False)
        put("inputs", {name: self._input(name, feature.dtype) for name, feature in self.features.items()})
        put("encoded_features", None)
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {
            cross.name: HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, CategoryEncoding] = {}
        self.concat = Concatenate(axis=-1)

    # Kinds of features ----------------------------------------------------------------------------------------

    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Features hashed together into `crossing_dim` bins."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A feature with a preprocessing layer of your own."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:  # type: ignore[override]
        """Floats as they are."""
        return Feature("float32", TFDIdentity(name=_name(name, "float")), "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Floats x as `x · scale + offset`: a `Rescaling`."""
        return Feature("float32", Rescaling(scale, offset, name=_name(name, "float_rescaled")), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Floats with mean 0 and variance 1: a `Normalization`."""
        return Feature("float32", Normalization(axis=-1, name=_name(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(
        cls, num_bins: int, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Floats in bins: a `Discretization` with boundaries, or with quantiles as boundaries."""
        layer = Discretization(
            bin_boundaries,
            None if bin_boundaries is not None else num_bins,
            name=_name(name, "float_discretized"),
        )
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Integers that stand for categories: an `IntegerLookup`."""
        layer = IntegerLookup(max_tokens, num_oov_indices, name=_name(name, "integer_categorical"))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Strings that stand for categories: a `StringLookup`."""
        layer = StringLookup(max_tokens, num_oov_indices, name=_name(name, "string_categorical"))
        return Feature("string", layer, output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Integers in bins by their hash: a `Hashing`."""
        return Feature("int32", Hashing(num_bins, name=_name(name, "integer_hashed")), output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Strings in bins by their hash: a `Hashing`."""
        return Feature("string", Hashing(num_bins, name=_name(name, "string_hashed")), output_mode)

    def _standardized_feature(self, name: str, feature: Any) -> Feature:
        if isinstance(feature, Feature):
            return feature
        if isinstance(feature, dict):
            return deserialize_keras_object(feature)
        if feature not in TYPES:
            raise ValueError(
                f"The type of feature {name!r} must be one of {TYPES}, or what `FeatureSpace.feature(…)` returns."
                f"{did_you_mean(feature, TYPES)} Received: {feature!r}"
            )
        bins = {"float_discretized": self.num_discretization_bins}
        bins |= dict.fromkeys(("integer_hashed", "string_hashed"), self.hashing_dim)
        make = getattr(self, feature)
        return make(bins[feature], name=name) if feature in bins else make(name=name)

    def _standardized_cross(self, cross: Any) -> Cross:
        if isinstance(cross, dict):
            cross = deserialize_keras_object(cross)
        if not isinstance(cross, Cross):
            cross = Cross(cross, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            raise ValueError(
                f"The features of a cross must be among `features`, {sorted(self.features)}."
                f"{did_you_mean(unknown[0], self.features)} Received: {cross.feature_names}"
            )
        return cross

    @staticmethod
    def _input(name: str, dtype: str) -> KerasTensor:
        return Input((1,), dtype=dtype, name=name)

    # Adapting -------------------------------------------------------------------------------------------------

    def adapt(self, dataset: Any) -> None:
        """Let every preprocessor learn from its column.

        Args:
            dataset: dictionary of columns, data frame, or a DataLoader, Dataset or other iterable of dictionaries (of
                batches or single records), also as the first of tuples `(x, y)`.
        """
        if iter(dataset) is dataset:
            dataset = list(dataset)
        for name, preprocessor in self.preprocessors.items():
            if _learns(preprocessor):
                preprocessor.adapt(self._column(dataset, name))
        self.__dict__["_is_adapted"] = True
        self.get_encoded_features()
        self.__dict__["built"] = True

    def _column(self, dataset: Any, name: str) -> Any:
        """The column as one array, or as an iterator over its batches."""
        if _is_table(dataset):
            return self._values(dataset, name)
        return (self._values(record, name) for record in _records(dataset))

    def _values(self, table: Any, name: str) -> Any:
        if name not in table:
            raise ValueError(
                f"{self.name!r} needs the feature {name!r}.{did_you_mean(name, list(table))} Received: {list(table)}"
            )
        values = _as_array(table[name], self.features[name].dtype, name)
        return values.reshape(-1, 1) if values.ndim < 2 else values

    # Computation ----------------------------------------------------------------------------------------------

    def get_inputs(self) -> dict[str, KerasTensor]:
        """Symbolic inputs by name, for a functional model."""
        self._require_adapted()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """The symbolic encoding of `get_inputs()`, for a functional model."""
        self._require_adapted()
        if self.encoded_features is None:
            self.__dict__["encoded_features"] = self._encode(self.inputs)
        return self.encoded_features

    def _require_adapted(self) -> None:
        if not self._is_adapted:
            raise ValueError(
                f"{self.name!r} must learn from data before it is used: call `adapt(dataset)` first."
            )

    def __call__(self, data: Any) -> Any:
        """Encode a dictionary of columns, or one record."""
        self._require_adapted()
        if not _is_table(data):
            raise TypeError(f"{self.name!r} takes a dictionary of features. Received: {received(data)}")
        unknown = [name for name in data if name not in self.features]
        if unknown:
            raise ValueError(
                f"{self.name!r} has no feature {unknown[0]!r}.{did_you_mean(unknown[0], self.features)} Its features "
                f"are {list(self.features)}."
            )
        if any(isinstance(data[name], KerasTensor) for name in data):
            return self._encode(data)
        is_record = all(np.ndim(data[name]) == 0 for name in data)
        with torch.no_grad():
            encoded = self._encode({name: self._values(data, name) for name in self.features})
        if not is_record:
            return encoded
        return (
            encoded.squeeze(0)
            if isinstance(encoded, Tensor)
            else {k: v.squeeze(0) for k, v in encoded.items()}
        )

    def _encode(self, data: Any) -> Any:
        modes = {name: feature.output_mode for name, feature in self.features.items()}
        modes |= {cross.name: cross.output_mode for cross in self.crosses}
        values = {name: self.preprocessors[name](data[name]) for name in sorted(self.features)}
        for cross in sorted(self.crosses, key=lambda cross: cross.name):
            values[cross.name] = self.crossers[cross.name]([values[name] for name in cross.feature_names])
        encoded = {
            name: self._one_hot(name, x) if modes[name] == "one_hot" else x for name, x in values.items()
        }
        return encoded if self.output_mode == "dict" else self._joined(encoded)

    def _one_hot(self, name: str, x: Any) -> Any:
        if not is_int_dtype(x.dtype):
            raise ValueError(
                f"Feature {name!r} has `output_mode='one_hot'`: its preprocessor must return integers. "
                f"Received: {x.dtype}"
            )
        if name not in self.one_hot_encoders:
            layer = self.crossers[name] if name in self.crossers else self.preprocessors[name]
            self.one_hot_encoders[name] = CategoryEncoding(_cardinality(name, layer), output_mode="multi_hot")
        return self.one_hot_encoders[name](x)

    def _joined(self, encoded: dict[str, Any]) -> Any:
        for name, x in encoded.items():
            if x.dtype == "string" or is_int_dtype(x.dtype):
                raise ValueError(
                    f"Feature {name!r} is not encoded (it has dtype {x.dtype}), so it cannot be joined to the others: "
                    "give it `output_mode='one_hot'`, or the space `output_mode='dict'`."
                )
        return self.concat(list(encoded.values())) if len(encoded) > 1 else next(iter(encoded.values()))

    # Files ----------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        return {
            "features": serialize_keras_object(self.features),
            "output_mode": self.output_mode,
            "crosses": serialize_keras_object(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FeatureSpace:
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        """What each preprocessor was built with."""
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the preprocessors; what they learned comes from the file."""
        for name, layer in self.preprocessors.items():
            layer.build_from_config(config.get(name) or {})
        self.__dict__["_is_adapted"] = True
        self.__dict__["built"] = True

    def save(self, filepath: Any) -> None:
        """Write everything to a `.keras` file, which `models.load_model` reads."""
        saving.save_model(self, filepath)


def _name(name: str | None, kind: str) -> str:
    return f"{name or unique_name(kind)}_preprocessor"


def _learns(layer: Any) -> bool:
    """Whether a preprocessor has to be adapted."""
    if isinstance(layer, Normalization):
        return layer.input_mean is None
    if isinstance(layer, Discretization):
        return layer.input_bin_boundaries is None
    if isinstance(layer, TextVectorization):
        return not layer._lookup_layer._is_static
    if isinstance(layer, (IntegerLookup, StringLookup)):
        return not layer._is_static
    return hasattr(layer, "adapt")


def _cardinality(name: str, layer: Any) -> int:
    """The number of values that a layer's output can have."""
    if hasattr(layer, "vocabulary_size"):
        return layer.vocabulary_size()
    if isinstance(layer, Discretization):
        return layer._depth
    for attribute in ("num_bins", "num_tokens"):
        if isinstance(getattr(layer, attribute, None), int):
            return getattr(layer, attribute)
    raise ValueError(
        f"It is not known how many values the preprocessor of feature {name!r}, {layer!r}, can return: give the "
        "feature `output_mode='int'` or 'float', and encode its values in the layer."
    )


def _is_table(data: Any) -> bool:
    return hasattr(data, "keys") and hasattr(data, "__getitem__")


def _records(dataset: Any) -> Iterator[Any]:
    """The dictionaries of a data set."""
    for item in dataset:
        yield item[0] if isinstance(item, (tuple, list)) else item


def _as_array(values: Any, dtype: str, name: str) -> Any:
    if dtype == "string":
        return as_text(values, name)
    if is_textual(values):
        raise TypeError(f"Feature {name!r} takes numbers ({dtype}). Received: {received(values)}")
    tensor = to_tensor(values if is_array(values) else np.asarray(values), name).to(get_device())
    return tensor.to(getattr(torch, dtype))
