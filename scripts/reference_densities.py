"""Kernel densities of SciPy and ArviZ, written to ppl-infer/tests/references/densities.json.

    python3 scripts/reference_densities.py

Needs Python 3 with numpy, scipy and arviz 0.23. SciPy has no reflection: the density of the draws, and of the draws
reflected at the least and at the greatest of them, added up. ArviZ's own, with the same bandwidth and reflection, is of
draws counted in bins, and interpolated here.
"""

import json
import pathlib
import warnings

import numpy as np
import scipy
from scipy.stats import gaussian_kde

warnings.simplefilter("ignore")
import arviz as az


def silverman(x):
    quartiles = np.quantile(x, [0.25, 0.75])
    return 0.9 * min(x.std(ddof=1), (quartiles[1] - quartiles[0]) / 1.34) * len(x) ** -0.2


def reflected(x, at):
    kernels = gaussian_kde(x, bw_method=silverman(x) / x.std(ddof=1))
    period = 2 * (x.max() - x.min())
    return sum(kernels(k * period + at) + kernels(k * period + 2 * x.min() - at) for k in (-1, 0, 1))


def case(name, x):
    at = np.linspace(x.min(), x.max(), 9)
    grid, density = az.kde(x, bw=silverman(x), bound_correction=True)
    return {
        "name": name,
        "draws": x.tolist(),
        "bandwidth": silverman(x),
        "at": at.tolist(),
        "scipy": reflected(x, at).tolist(),
        "arviz": np.interp(at, grid, density).tolist(),
    }


rng = np.random.default_rng(5)
cases = [
    case("normal", rng.normal(3.0, 2.0, size=200)),
    case("exponential", rng.exponential(0.01, size=300)),
    case("two heaps", np.concatenate([rng.normal(-4.0, 0.5, size=80), rng.normal(4.0, 1.0, size=120)])),
]
to = pathlib.Path(__file__).parent.parent / "ppl-infer/tests/references/densities.json"
to.write_text(json.dumps({"scipy": scipy.__version__, "arviz": az.__version__, "cases": cases}, indent=1) + "\n")
