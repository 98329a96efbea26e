from __future__ import annotations

import http.server
import json
import threading
import urllib.parse

import numpy as np
import pytest

from kerasish.callbacks import RemoteMonitor


@pytest.fixture
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.server.received = (self.path, dict(self.headers), body)  # type: ignore[attr-defined]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield server
        thread.join(timeout=5)


@pytest.mark.parametrize("send_as_json", [False, True])
def test_posts_the_logs(server, send_as_json):
    root = f"http://127.0.0.1:{server.server_port}"
    monitor = RemoteMonitor(root, path="/here/", headers={"X-Run": "7"}, send_as_json=send_as_json)
    monitor.on_epoch_end(3, {"loss": np.float32(0.5), "matrix": np.eye(2)})
    path, headers, body = server.received
    text = body if send_as_json else urllib.parse.parse_qs(body)["data"][0]
    assert json.loads(text) == {"epoch": 3, "loss": 0.5, "matrix": [[1.0, 0.0], [0.0, 1.0]]}
    assert (path, headers["X-Run"]) == ("/here/", "7")
    assert headers["Content-Type"] == (
        "application/json" if send_as_json else "application/x-www-form-urlencoded"
    )


def test_warns_when_nobody_listens():
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server at http://127.0.0.1:9"):
        RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {"loss": 1.0})
