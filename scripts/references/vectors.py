"""Distributions over vectors."""

FAMILIES = {}
