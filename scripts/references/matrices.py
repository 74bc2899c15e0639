"""Distributions over matrices."""

FAMILIES = {}
