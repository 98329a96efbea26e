"""`Config`: settings by name."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from kerasish.errors import did_you_mean


class Config:
    """Settings, read and written as attributes or as items; `freeze()` protects them from changes.

    Args:
        **kwargs: the first settings.

    Example:
        >>> config = Config(learning_rate=0.1)
        >>> config.momentum = 0.9
        >>> config["momentum"], config.as_dict()
        (0.9, {'learning_rate': 0.1, 'momentum': 0.9})
    """

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_config", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    def freeze(self) -> None:
        """Refuse changes from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allow changes again."""
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether changes are refused."""
        return self._frozen

    def _settings(self) -> dict[str, Any]:
        """The settings, to change them."""
        if self._frozen:
            raise ValueError("The config is frozen: call `unfreeze()` before changing it.")
        return self._config

    def as_dict(self) -> dict[str, Any]:
        """The settings as a new dictionary."""
        return dict(self._config)

    def to_json(self) -> str:
        """The settings as a JSON text."""
        return json.dumps(self._config)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._config.keys()

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self._config.values()

    def items(self) -> ItemsView[str, Any]:
        """The pairs of name and value."""
        return self._config.items()

    def pop(self, *args: Any) -> Any:
        """Take a setting out and return it: `pop(name)` or `pop(name, default)`."""
        return self._settings().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Change several settings, given as to `dict.update`."""
        self._settings().update(*args, **kwargs)

    def get(self, keyname: str, value: Any = None) -> Any:
        """A setting, or `value` where there is none of that name."""
        return self._config.get(keyname, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._config:
            return self._config[name]
        raise AttributeError(f"The config has no setting {name!r}.{did_you_mean(name, self._config)}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._settings()[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._config:
            raise AttributeError(f"The config has no setting {name!r}.")
        del self._settings()[name]

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __setitem__(self, key: str, item: Any) -> None:
        self._settings()[key] = item

    def __delitem__(self, key: str) -> None:
        del self._settings()[key]

    def __contains__(self, item: object) -> bool:
        return item in self._config

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"

    def __reduce__(self) -> tuple:
        return _restore, (self._config, self._frozen)


def _restore(settings: dict[str, Any], frozen: bool) -> Config:
    config = Config(**settings)
    if frozen:
        config.freeze()
    return config
