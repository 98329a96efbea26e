"""Layers that let every position look at others."""
