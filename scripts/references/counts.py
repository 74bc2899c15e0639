"""Distributions over counts."""

FAMILIES = {}
