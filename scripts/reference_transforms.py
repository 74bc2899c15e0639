"""Reference values of the transforms, written to ppl-core/tests/references/transforms.json.

Needs Python 3 with mpmath, torch and numpyro:

    python3 scripts/reference_transforms.py

Element-wise maps are computed by mpmath with 60 digits, at arguments far into both tails. Maps of rows
come from torch.distributions.transforms and numpyro.distributions.transforms in double precision, with
the Jacobian that those libraries state; the positive ordered vector, the positive-definite and the
correlation matrix come from the formulas of the Stan Reference Manual, in mpmath. Every argument is
exact in single precision.
"""

import json
from pathlib import Path

import jax
import mpmath as mp
import numpy as np
import torch

jax.config.update("jax_enable_x64", True)
from numpyro.distributions import transforms as numpyro_transforms  # noqa: E402

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-core/tests/references/transforms.json"
mp.mp.dps = 60

REAL = [-1e4, -700.0, -88.5, -40.0, -5.5, -0.75, -2.0**-20, 0.0, 2.0**-30, 0.25, 3.0, 17.0, 40.0, 88.5, 700.0, 1e4]
POSITIVE = [2.0**-100, 2.0**-20, 0.375, 1.0, 2.5, 1024.0, 2.0**60]
UNIT = [2.0**-100, 2.0**-20, 0.25, 0.5, 0.875, 1.0 - 2.0**-20]


def single(values):
    """The nearest numbers that are exact in both precisions."""
    return [float(np.float32(v)) for v in values]


def number(x):
    """A float; what overflows is an infinity as text."""
    x = float(x)
    return x if abs(x) != float("inf") else ("inf" if x > 0 else "-inf")


def softplus(x):
    return mp.log1p(mp.exp(x))


ELEMENTS = {
    "Identity": (REAL, lambda x: x, lambda x: mp.mpf(0)),
    "Exp": (REAL, mp.exp, lambda x: x),
    "Log": (POSITIVE, mp.log, lambda x: -mp.log(x)),
    "Sigmoid": (REAL, lambda x: 1 / (1 + mp.exp(-x)), lambda x: -softplus(x) - softplus(-x)),
    "Logit": (UNIT, lambda x: mp.log(x / (1 - x)), lambda x: -mp.log(x * (1 - x))),
    "Tanh": (REAL, mp.tanh, lambda x: -2 * mp.log(mp.cosh(x))),
    "Softplus": (REAL, softplus, lambda x: -softplus(-x)),
    "Affine": (REAL, lambda x: mp.mpf(1.5) - 2.5 * x, lambda x: mp.log(2.5)),
    "Power": (POSITIVE, lambda x: mp.mpf(x) ** -1.5, lambda x: mp.log(1.5) - 2.5 * mp.log(x)),
    "IntoInterval": (
        REAL,
        lambda x: -2 + 7 / (1 + mp.exp(-x)),
        lambda x: mp.log(7) - softplus(x) - softplus(-x),
    ),
    "IntoHalfLine": (REAL, lambda x: 3 + mp.exp(x), lambda x: x),
}


def elements():
    mp.mp.dps = 10000  # Enough for 1 − tanh 1e4.
    for name, (points, value, log_slope) in ELEMENTS.items():
        x = single(points)
        exact = [mp.mpf(v) for v in x]
        yield {
            "transform": name,
            "x": x,
            "y": [number(value(v)) for v in exact],
            "log_abs_det": [number(log_slope(v)) for v in exact],
        }
    mp.mp.dps = 60


def torch_rows(transform, x):
    x = torch.tensor(x, dtype=torch.float64)
    y = transform(x)
    return y.flatten().tolist(), transform.log_abs_det_jacobian(x, y).item()


def numpyro_rows(transform, x):
    x = jax.numpy.asarray(x)
    y = transform(x)
    return np.asarray(y).flatten().tolist(), float(transform.log_abs_det_jacobian(x, y))


def lower_cholesky(x):
    """NumPyro packs the strict triangle first and the diagonal last; ours is row by row."""
    n = int((np.sqrt(8 * len(x) + 1) - 1) / 2)
    strict = [x[i * (i + 1) // 2 + j] for i in range(n) for j in range(i)]
    diagonal = [x[i * (i + 1) // 2 + i] for i in range(n)]
    return numpyro_rows(numpyro_transforms.LowerCholeskyTransform(), strict + diagonal)


def positive_ordered(x):
    sums, total = [], mp.mpf(0)
    for v in x:
        total += mp.exp(v)
        sums.append(float(total))
    return sums, float(mp.fsum(x))


def positive_definite(x):
    factor, _ = lower_cholesky(x)
    n = int(np.sqrt(len(factor)))
    l = mp.matrix(np.reshape(factor, (n, n)).tolist())
    # 2^n Π Lᵢᵢ^(n−i+1) for L ↦ L Lᵀ, and Lᵢᵢ for the exponential.
    log_det = n * mp.log(2) + mp.fsum((n - i + 1) * mp.log(l[i, i]) for i in range(n))
    product = l * l.T
    return [float(product[i, j]) for i in range(n) for j in range(n)], float(log_det)


def corr_matrix(x):
    factor, log_det = torch_rows(torch.distributions.transforms.CorrCholeskyTransform(), x)
    n = int(np.sqrt(len(factor)))
    l = np.reshape(factor, (n, n))
    return (l @ l.T).flatten().tolist(), log_det + sum((n - 1 - i) * np.log(l[i, i]) for i in range(1, n))


def lower_cholesky_affine(x):
    n = len(x)
    loc = np.arange(n) - 1.0
    tril = [[0.5 + 0.25 * i if i == j else 0.25 * (i - 2 * j) if j < i else 0.0 for j in range(n)] for i in range(n)]
    return numpyro_rows(numpyro_transforms.LowerCholeskyAffine(loc, np.array(tril)), x)


ROWS = {
    "StickBreaking": lambda x: torch_rows(torch.distributions.transforms.StickBreakingTransform(), x),
    "Softmax": lambda x: (torch.softmax(torch.tensor(x, dtype=torch.float64), -1).tolist(), float("-inf")),
    "Ordered": lambda x: numpyro_rows(numpyro_transforms.OrderedTransform(), x),
    "PositiveOrdered": positive_ordered,
    "LowerCholesky": lower_cholesky,
    "PositiveDefinite": positive_definite,
    "CorrCholesky": lambda x: torch_rows(torch.distributions.transforms.CorrCholeskyTransform(), x),
    "CorrMatrix": corr_matrix,
    "LowerCholeskyAffine": lower_cholesky_affine,
}
ROW_POINTS = [[-1.5, 0.25, 0.75], [2.0, -0.5, 0.125], [0.0, 0.0, 0.0], [4.5, -3.0, 1.25, 0.5, -2.0, 0.375]]


def rows():
    for name, f in ROWS.items():
        for x in ROW_POINTS:
            y, log_abs_det = f(x)
            yield {"transform": name, "x": x, "y": y, "log_abs_det": [number(log_abs_det)]}


def main():
    table = list(elements()) + list(rows())
    OUTPUT.write_text("[\n" + ",\n".join(json.dumps(row) for row in table) + "\n]\n")
    print(f"{len(table)} cases in {OUTPUT}")


if __name__ == "__main__":
    main()
