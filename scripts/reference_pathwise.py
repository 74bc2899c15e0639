"""Derivatives of quantiles with respect to parameters, in ppl-core/tests/references/pathwise.json.

Needs Python 3 with mpmath: python3 scripts/reference_pathwise.py

Each is -(dF/dparameter) / density at one point, by series and integrals in 60 digits or more; none
of the library's formulas is used.
"""

import json
import math
from pathlib import Path

import mpmath
from mpmath import mp, mpf

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-core/tests/references/pathwise.json"

mp.dps = 60


def gamma_slope(log_x, a):
    """d ln x / da at a point of the gamma distribution with rate 1, given by its logarithm.

    With t = x exp(-s) the lower integral of t^(a-1) exp(-t) is that of x^a exp(-a s - x exp(-s)) over
    s > 0, and its derivative in a has another factor ln t; likewise above x.
    """
    log_x, a = mpf(log_x), mpf(a)
    x, psi = mpmath.exp(log_x), mpmath.digamma(a)
    # Relative to x times the density; from the side with less mass.
    lower = log_x < psi
    sign = -1 if lower else 1
    weight = lambda s: mpmath.exp(sign * a * s - x * mpmath.expm1(sign * s))
    f = lambda s: weight(s) * (log_x + sign * s - psi)
    # Where the exponent's fall is 1, 2, .. 200 units: breakpoints for the quadrature.
    fall = lambda s: -(sign * a * s - x * mpmath.expm1(sign * s))
    breaks = [mpf(0)]
    for units in (0.1, 1, 5, 15, 40, 80, 160):
        high = mpf(1)
        while fall(high) < units:
            high *= 2
        low = mpf(0)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if fall(middle) < units else (low, middle)
        breaks.append(high)
    return sign * mpmath.quad(f, breaks)


def gamma_rows():
    rows = []
    for a in [1e-3, 0.01, 0.1, 0.5, 0.99, 1, 1.5, 3, 10, 30, 49, 51, 100, 1e3, 1e5, 1e8]:
        scale = 1 / math.sqrt(max(a, 1))
        for z in [-7, -3, -1, -0.1, 0, 0.3, 1, 2, 3, 5, 7]:
            log_x = math.log(a + 0.3) + z * scale * 0.9 if a >= 1 else z / a if z < 0 else math.log(0.02 + z)
            rows.append([log_x, a, float(gamma_slope(log_x, a))])
    return rows


def main():
    tables = {"log_standard_gamma": gamma_rows()}
    text = ",\n".join(f'"{name}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]" for name, rows in tables.items())
    OUTPUT.write_text(f"{{\n{text}\n}}\n")
    print({name: len(rows) for name, rows in tables.items()})


if __name__ == "__main__":
    main()
