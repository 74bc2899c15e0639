"""Reference values of the special functions, written to
ppl-core/tests/references/special_functions.json.

Needs Python 3 with mpmath, which computes them with 50 digits or more:

    python3 scripts/reference_special_functions.py

The file maps the name of a function to rows of its arguments, then its value; every number is the
shortest text that reads back as the same double.
"""

import json
from pathlib import Path

import mpmath
from mpmath import mp, mpf

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-core/tests/references/special_functions.json"
mp.dps = 50


def table(f, *rows):
    """Rows of arguments, each followed by the value of f there."""
    rows = [row if isinstance(row, tuple) else (row,) for row in rows]
    return [[repr(float(x)) for x in row] + [repr(float(f(*map(mpf, row))))] for row in rows]


def product(*axes):
    rows = [()]
    for axis in axes:
        rows = [row + (x,) for row in rows for x in axis]
    return rows


# The gamma function and its relatives.

POSITIVE = [1e-300, 1e-100, 1e-20, 1e-9, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.9999, 1 - 2**-50, 1 + 2**-50, 1.0001, 1.25, 1.4616, 1.4616321449683623,
            1.47, 1.7, 1.99, 2 - 2**-50, 2 + 2**-50, 2.01, 2.5, 3.0, 3.7, 5.0, 7.99, 8.01, 9.99, 10.0, 10.01, 15.0, 33.3, 100.0, 171.5,
            1234.5, 1e5, 1e8, 1e12, 1e17]
NEGATIVE = [-1e-300, -1e-12, -1e-3, -0.3, -0.5, -0.77, -1.5, -2.2, -3.25, -7.5, -12.1, -33.7, -100.25]


def ln_gamma(x):
    return mpmath.log(abs(mpmath.gamma(x))) if x < 1e5 else mpmath.loggamma(x)


def precise(digits, f):
    """f with more digits, where its formula cancels."""

    def inner(*args):
        with mp.workdps(digits):
            return +f(*args)

    return inner


ln_beta = precise(400, lambda a, b: mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b))
ln_gamma_ratio = precise(400, lambda a, x: mpmath.loggamma(a + x) - mpmath.loggamma(a))
digamma_difference = precise(100, lambda a, x: mpmath.digamma(a + x) - mpmath.digamma(a))
ln_choose = precise(400, lambda n, k: mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1))
ln_multigamma = lambda a, p: p * (p - 1) / 4 * mpmath.log(mp.pi) + mpmath.fsum(
    mpmath.loggamma(a - mpf(j) / 2) for j in range(int(p))
)
multidigamma = lambda a, p: mpmath.fsum(mpmath.digamma(a - mpf(j) / 2) for j in range(int(p)))

SHAPES = [1e-300, 1e-10, 1e-3, 0.3, 0.5, 1.0, 1.7, 4.0, 9.5, 12.0, 150.0, 1e4, 1e8, 1e10, 1e15]


def gamma_function():
    return {
        "ln_gamma": table(ln_gamma, *POSITIVE, 1e100, 1e300, *NEGATIVE),
        "ln_gamma_1p": table(precise(400, lambda x: ln_gamma(1 + x)), 1e-300, 1e-17, 1e-8, 1e-3, 0.1, 0.4, 0.5, 0.77, 0.99, 1 - 2**-53),
        "digamma": table(mpmath.digamma, *POSITIVE, 1e100, *NEGATIVE),
        "ln_minus_digamma": table(precise(300, lambda x: mpmath.log(x) - mpmath.digamma(x)), *POSITIVE[1:], 1e100),
        "trigamma": table(lambda x: mpmath.polygamma(1, x), *POSITIVE[1:], 1e100, *NEGATIVE[1:]),
        "tetragamma": table(lambda x: mpmath.polygamma(2, x), *POSITIVE[1:], 1e100, *NEGATIVE[1:]),
        "ln_beta": table(ln_beta, *product(SHAPES, SHAPES)),
        "ln_gamma_ratio": table(ln_gamma_ratio, *product(SHAPES, SHAPES)),
        "digamma_difference": table(digamma_difference, *product(SHAPES[1:], SHAPES[1:])),
        "ln_choose": table(ln_choose, *((n, k) for n in [1, 2, 7, 20, 52, 1e3, 1e6, 1e10] for k in [0, 1, 2, 5, 9, 13, 26, 400, 5e5, 5e9]
                                         if k <= n), (2.5, 0.5), (3.5, 3.25)),
        "ln_multigamma": table(ln_multigamma, *product([3.1, 7.5, 40.0, 1e5], [1, 2, 3, 7])),
        "multidigamma": table(multidigamma, *product([3.1, 7.5, 40.0, 1e5], [1, 2, 3, 7])),
    }


def main():
    groups = {**gamma_function()}
    # One row a line, so that a change shows as such.
    tables = ",\n".join(
        f" {json.dumps(name)}: [\n" + ",\n".join("  " + json.dumps(row) for row in rows) + "\n ]" for name, rows in groups.items()
    )
    OUTPUT.write_text("{\n" + tables + "\n}\n")


if __name__ == "__main__":
    main()
