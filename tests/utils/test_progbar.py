from __future__ import annotations

import functools
import io
import logging
import re
import sys
import time
import types

import pytest

from kerasish import config
from kerasish.utils import progbar
from kerasish.utils.progbar import Progbar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "time", clock.time)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("PYCHARM_HOSTED", raising=False)
    return clock


@pytest.fixture
def terminal(monkeypatch, clock):
    # Not by sys.stdout: pytest puts its own there between this fixture and the test.
    stream = Terminal()
    monkeypatch.setattr(progbar, "sys", types.SimpleNamespace(stdout=stream))
    monkeypatch.setattr(progbar, "print", functools.partial(print, file=stream), raising=False)
    return stream


def screen(text: str) -> list[str]:
    """What a terminal shows in the end: carriage returns obeyed, colours taken away."""
    lines = re.sub(r"\x1b\[\d+m", "", text).split("\n")
    shown = []
    for line in lines:
        cells = ""
        for part in line.split("\r"):
            cells = part + cells[len(part) :]
        shown.append(cells.rstrip())
    return shown


def run(bar: Progbar, clock: Clock, steps: int, seconds: float = 0.1, **values: list[float]) -> None:
    for step in range(steps):
        clock.advance(seconds)
        bar.update(step + 1, [(name, column[step]) for name, column in values.items()])


def test_terminal_bar_is_redrawn_in_place_in_keras_colours(terminal, clock):
    run(Progbar(3), clock, 3, loss=[1.0, 0.5, 0.25])
    first, second, third = terminal.getvalue().split("\r")[1:]
    assert first.startswith(
        "\x1b[1m1/3\x1b[0m \x1b[32m━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━\x1b[0m \x1b[1m0s\x1b[0m "
    )
    assert first.endswith("100ms/step - loss: 1.0000")
    assert second.endswith("loss: 0.7500")
    assert third.endswith("━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m0s\x1b[0m 100ms/step - loss: 0.2500\n")
    assert screen(terminal.getvalue()) == ["3/3 ━━━━━━━━━━━━━━━━━━━━ 0s 100ms/step - loss: 0.2500", ""]


def test_shorter_line_wipes_out_the_longer_one_before(terminal, clock):
    run(Progbar(2), clock, 2, loss=[1e-5, 1.0])
    assert screen(terminal.getvalue())[0].endswith("100ms/step - loss: 1.0000")


def test_file_or_pipe_gets_one_plain_line(monkeypatch, capsys, clock):
    run(Progbar(3), clock, 3, loss=[1.0, 0.5, 0.25])
    assert capsys.readouterr().out == "3/3 ━━━━━━━━━━━━━━━━━━━━ 0s 100ms/step - loss: 0.2500\n"


def test_notebook_gets_carriage_returns(monkeypatch, clock):
    stream = types.new_class("OutStream", (io.StringIO,))()
    type(stream).__module__ = "ipykernel.iostream"
    monkeypatch.setattr(sys, "stdout", stream)
    run(Progbar(3), clock, 3)
    assert stream.getvalue().count("\r") == 3
    assert "\b" not in stream.getvalue()


def test_stdout_without_unicode_gets_ascii(monkeypatch, clock):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    run(Progbar(1), clock, 1, précision=[0.5])
    assert raw.getvalue().decode("ascii") == "1/1 ==================== 0s 100ms/step - pr?cision: 0.5000\n"


def test_unknown_target(terminal, clock):
    bar = Progbar(None)
    run(bar, clock, 3, seconds=25.2)
    assert screen(terminal.getvalue()) == ["      3/Unknown 76s 25s/step"]
    bar.update(3, finalize=True)
    assert screen(terminal.getvalue()) == ["      3/Unknown 76s 25s/step", ""]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (1e-5, "0s 10us/step"),
        (0.02, "0s 20ms/step"),
        (0.9996, "0s 1000ms/step"),
        (59.9, "59s 60s/step"),
        (60.5, "1:00 60s/step"),
        (3599, "59:59 3599s/step"),
        (3661, "1:01:01 3661s/step"),
    ],
)
def test_time_left_and_time_per_step(terminal, clock, seconds, shown):
    run(Progbar(2), clock, 1, seconds=seconds)
    assert screen(terminal.getvalue())[0].endswith(shown)


def test_first_step_is_left_out_of_the_time_per_step(terminal, clock):
    bar = Progbar(5)
    clock.advance(10)
    bar.update(1)
    assert screen(terminal.getvalue())[0].endswith(" 40s 10s/step")
    for step in (2, 3, 4, 5):
        clock.advance(0.1)
        bar.update(step)
    assert screen(terminal.getvalue())[0].endswith(" 10s 100ms/step")


def test_redrawn_at_most_every_interval(terminal, clock):
    run(Progbar(100, interval=0.05), clock, 50, seconds=0.01)
    assert terminal.getvalue().count("\r") == pytest.approx(50 * 0.01 / 0.05, abs=2)


def test_long_line_is_cut_to_the_terminal_while_running(monkeypatch, terminal, clock):
    monkeypatch.setenv("COLUMNS", "60")
    bar = Progbar(2)
    run(bar, clock, 1, a_very_long_metric_name=[1.0], another=[2.0])
    assert len(screen(terminal.getvalue())[0]) == 59
    bar.update(2, finalize=True)
    assert screen(terminal.getvalue())[0].endswith("another: 2.0000")


def test_averages_weigh_steps_and_the_last_line_shows_the_values_given(terminal, clock):
    bar = Progbar(10, stateful_metrics=["last"])
    clock.advance(0.1)
    bar.add(2, [("mean", 1.0), ("last", 1.0)])
    clock.advance(0.1)
    bar.add(4, [("mean", 4.0), ("last", 4.0)])
    assert screen(terminal.getvalue())[0].endswith("mean: 3.0000 - last: 4.0000")
    bar.add(4, [("mean", 9.0), ("new", -5e-4)])
    assert screen(terminal.getvalue())[0].endswith("mean: 9.0000 - last: 4.0000 - new: -5.0000e-04")


def test_stateless_metrics_are_the_only_ones_averaged(terminal, clock):
    run(Progbar(10, stateless_metrics=["mean"]), clock, 2, mean=[1.0, 3.0], last=[1.0, 3.0])
    assert screen(terminal.getvalue())[0].endswith("mean: 2.0000 - last: 3.0000")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_values_are_read_only_when_the_line_is_drawn(monkeypatch, clock, is_terminal):
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    reads = []

    def values(step):
        reads.append(step)
        yield "loss", 1.0

    bar = Progbar(1000, stateless_metrics=[])
    for step in range(1, 1001):
        clock.advance(0.001)
        bar.update(step, values(step))
    assert len(reads) == (pytest.approx(20, abs=3) if is_terminal else 1)
    assert reads[-1] == 1000


def test_verbose_2_writes_one_line_when_done(terminal, clock):
    run(Progbar(3, verbose=2), clock, 3, loss=[1.0, 0.5, 0.25])
    assert terminal.getvalue() == "3/3 - 0s - 100ms/step - loss: 0.2500\n"


def test_verbose_0_writes_nothing(terminal, clock):
    run(Progbar(3, verbose=0), clock, 3, loss=[1.0, 0.5, 0.25])
    assert terminal.getvalue() == ""


def test_goes_to_the_logger_when_interactive_logging_is_off(terminal, clock, caplog):
    config.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, logger="kerasish"):
            run(Progbar(3), clock, 3, loss=[1.0, 0.5, 0.25])
    finally:
        config.enable_interactive_logging()
    assert terminal.getvalue() == ""
    assert caplog.messages == ["3/3 ━━━━━━━━━━━━━━━━━━━━ 0s 100ms/step - loss: 0.2500"]


def test_width_and_unit_name(terminal, clock):
    run(Progbar(2, width=4, unit_name="record"), clock, 1)
    assert screen(terminal.getvalue()) == ["1/2 ━━━━ 0s 100ms/record"]


def test_only_one_kind_of_metrics_may_be_named():
    with pytest.raises(ValueError, match="Only one of `stateful_metrics` and `stateless_metrics`"):
        Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])
