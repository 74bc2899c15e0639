"""Derivatives of quantiles with respect to parameters, in ppl-core/tests/references/pathwise.json.

Needs Python 3 with mpmath: python3 scripts/reference_pathwise.py

Each is -(dF/dparameter) / density at one point: the integral of the density times its score over the
tail with less mass, by quadrature in 60 digits; none of the library's formulas is used.
"""

import json
import math
from pathlib import Path

import mpmath
from mpmath import mp, mpf

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-core/tests/references/pathwise.json"

mp.dps = 60


def tail(log_weight, score, start, sign):
    """The integral of weight / weight(start) times the score from start outwards, of which the weight
    falls steadily; cut where the weight has fallen by 0.1, 1, .. 160 units of its logarithm."""
    top = log_weight(start)
    fall = lambda s: top - log_weight(start + sign * s)
    breaks = [mpf(0)]
    for units in (0.1, 1, 5, 15, 40, 80, 160):
        low, high = breaks[-1], mpf(1e-10)
        while fall(high) < units:
            low, high = max(low, high), 2 * high
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if fall(middle) < units else (low, middle)
        breaks.append(high)
    inner = lambda s: mpmath.exp(-fall(s)) * score(start + sign * s)
    return sign * mpmath.quad(inner, breaks)


def gamma_slope(log_x, a):
    """d ln x / da at a point of the gamma distribution with rate 1, given by its logarithm u."""
    log_x, a = mpf(log_x), mpf(a)
    psi = mpmath.digamma(a)
    weight = lambda u: a * u - mpmath.exp(u)
    return tail(weight, lambda u: u - psi, log_x, -1 if log_x < mpmath.log(a) else 1)


def gamma_rows():
    rows = []
    for a in [1e-3, 0.01, 0.1, 0.5, 0.99, 1, 1.5, 3, 10, 30, 49, 51, 100, 1e3, 1e5, 1e8]:
        scale = 1 / math.sqrt(max(a, 1))
        for z in [-7, -3, -1, -0.1, 0, 0.3, 1, 2, 3, 5, 7]:
            log_x = math.log(a + 0.3) + z * scale * 0.9 if a >= 1 else z / a if z < 0 else math.log(0.02 + z)
            rows.append([log_x, a, float(gamma_slope(log_x, a))])
    return rows


def beta_slopes(x, a, b):
    """d logit x / da and d logit x / db, with the logit as variable."""
    x, a, b = mpf(x), mpf(a), mpf(b)
    start = mpmath.log(x / (1 - x))
    ln_x, ln_y = (lambda u: -mpmath.log1p(mpmath.exp(-u))), (lambda u: -mpmath.log1p(mpmath.exp(u)))
    weight = lambda u: a * ln_x(u) + b * ln_y(u)
    sign = -1 if start < mpmath.log(a / b) else 1
    of_sum = mpmath.digamma(a + b)
    by_a = tail(weight, lambda u: ln_x(u) - mpmath.digamma(a) + of_sum, start, sign)
    by_b = tail(weight, lambda u: ln_y(u) - mpmath.digamma(b) + of_sum, start, sign)
    return [float(by_a), float(by_b)]


def beta_rows():
    rows = []
    for a, b in [(0.01, 0.01), (0.01, 3), (0.5, 0.5), (1, 1), (2, 5), (0.3, 200), (40, 0.1), (150, 90), (1e5, 1e3), (1e5, 1e5)]:
        width = math.sqrt(1 / a + 1 / b)
        for z in [-6, -3, -1, -0.2, 0, 0.2, 1, 3, 6]:
            logit = math.log(a / b) + z * (width if min(a, b) >= 1 else 1 + 1 / a if z < 0 else min(5, 1 + 1 / b))
            x = 1 / (1 + math.exp(-logit))
            if 0 < x < 1:
                rows.append([x, a, b] + beta_slopes(x, a, b))
    return rows


def student_slope(t, df):
    """dt / d df for t > 0, with asinh t as variable."""
    t, df = mpf(t), mpf(df)
    constant = (mpmath.digamma((df + 1) / 2) - mpmath.digamma(df / 2) - 1 / df) / 2
    log_tail = lambda u: mpmath.log1p(mpmath.sinh(u) ** 2 / df)
    weight = lambda u: mpmath.log(mpmath.cosh(u)) - (df + 1) / 2 * log_tail(u)
    share = lambda u: mpmath.sinh(u) ** 2 / (df + mpmath.sinh(u) ** 2)
    score = lambda u: constant - log_tail(u) / 2 + (df + 1) / (2 * df) * share(u)
    start = mpmath.asinh(t)
    return tail(weight, score, start, 1) * mpmath.cosh(start)


def student_rows():
    rows = []
    for df in [0.01, 0.1, 0.5, 1, 2, 3.7, 10, 60, 99, 101, 300, 1e3, 1e5, 1e8, 1e12]:
        for t in [0.01, 0.3, 1, 2, 4, 8, 30, 1e6, 1e200]:
            # Beyond, the density is less than 1e-300.
            if (df + 1) / 2 * math.log1p(t / df * t) < 690 or df < 1:
                rows.append([t, df, float(student_slope(t, df))])
    return rows


def written(row):
    """A row as JSON, its numbers as text: not every reader of JSON rounds them to the last digit."""
    return json.dumps([repr(float(x)) for x in row])


def main():
    tables = {"log_standard_gamma": gamma_rows(), "beta": beta_rows(), "student_t": student_rows()}
    text = ",\n".join(f'"{name}": [\n' + ",\n".join(map(written, rows)) + "\n]" for name, rows in tables.items())
    OUTPUT.write_text(f"{{\n{text}\n}}\n")
    print({name: len(rows) for name, rows in tables.items()})


if __name__ == "__main__":
    main()
