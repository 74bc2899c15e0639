"""Reference values, one module a group of families."""
