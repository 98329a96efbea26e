"""`RemoteMonitor`: send the logs of every epoch to a server."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
import warnings
from typing import Any

import numpy as np

from kerasish.callbacks.callback import Callback

TIMEOUT = 10.0  # seconds


class RemoteMonitor(Callback):
    """Posts `{"epoch": epoch, **logs}` as JSON to `root + path` after every epoch; warns where that fails.

    Args:
        root: address of the server.
        path: path on the server.
        field: form field that holds the JSON; not used with `send_as_json`.
        headers: further HTTP headers.
        send_as_json: send `application/json` instead of a form.

    Example:
        >>> monitor = RemoteMonitor("http://localhost:9000", send_as_json=True)
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        event = json.dumps({"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}})
        if self.send_as_json:
            body, kind = event, "application/json"
        else:
            body, kind = urllib.parse.urlencode({self.field: event}), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **(self.headers or {})}
        request = urllib.request.Request(self.root + self.path, body.encode(), headers, method="POST")
        try:
            urllib.request.urlopen(request, timeout=TIMEOUT).close()
        except OSError as error:
            warnings.warn(f"Could not reach RemoteMonitor root server at {self.root}: {error}", stacklevel=2)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
