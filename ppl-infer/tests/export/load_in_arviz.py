"""Opens a run with ArviZ's own loader and prints all that it found: for ppl-infer/tests/export/arviz.rs.

    python3 load_in_arviz.py json run.json
    python3 load_in_arviz.py cmdstan chain-0.csv chain-1.csv ...

Numbers are printed as text, since JSON has neither NaN nor infinities.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")
import arviz as az


def variable(array):
    values = [repr(float(x)) for x in array.values.ravel()]
    return {"dims": array.dims, "sizes": array.shape, "kind": array.dtype.kind, "values": values}


def group(dataset):
    found = {name: variable(array) for name, array in dataset.data_vars.items()}
    coords = {name: [str(x) for x in coord.values] for name, coord in dataset.coords.items()}
    attributes = {name: str(value) for name, value in dataset.attrs.items()}
    return {"variables": found, "coords": coords, "attributes": attributes}


def summary(data, names):
    table = az.summary(data, var_names=names, round_to="none")
    return [[name, *(repr(float(x)) for x in row)] for name, row in zip(table.index, table.values)]


kind, *paths = sys.argv[1:]
data = az.from_json(paths[0]) if kind == "json" else az.from_cmdstan(paths)
finite = ["mu", "theta", "school/w", "t"]
print(json.dumps({"groups": {name: group(data[name]) for name in data.groups()}, "summary": summary(data, finite)}))
