"""Reference values of the distributions, written to ppl-core/tests/references/<group>.json.

Needs Python 3 with numpy, scipy and mpmath. Of all groups, or of those named:

    python3 scripts/reference_values.py [group ...]

Each group is a module of scripts/references/ with a dictionary FAMILIES; how a family is described
is in scripts/references/core.py.
"""

import importlib
import sys

from references import core

GROUPS = ["normal_like", "gamma_like", "location_scale", "counts", "categories", "vectors", "matrices"]


def main():
    for group in sys.argv[1:] or GROUPS:
        assert group in GROUPS, f"no group {group}; there are {', '.join(GROUPS)}"
        core.write(group, importlib.import_module(f"references.{group}").FAMILIES)


if __name__ == "__main__":
    main()
