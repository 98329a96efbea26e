"""Recurrent layers, their cells, and the wrappers that go along a time axis."""
