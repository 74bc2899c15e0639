"""Distributions over matrices."""

from .vectors import independent_normal

# The library's Normal with its last two axes as an event.
FAMILIES = {
    "Normal (matrices)": (
        independent_normal,
        [([[0, 1.5], [2, -1]], [[1, 0.5], [2, 3]]), ([[3, -2, 0.25]], [[0.5, 2, 1]])],
        lambda loc, scale: [],
    ),
}
