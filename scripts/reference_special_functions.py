"""Reference values of the special functions, written to
ppl-core/tests/references/special_functions.json.

Needs Python 3 with mpmath, which computes them with 50 digits or more, and scipy, which says where
the tails are:

    python3 scripts/reference_special_functions.py [GROUP ..]

Groups are logarithms, bessel, gamma_function, incomplete_gamma and incomplete_beta; the tables of the
others stay as they are. Without a group all are written, which takes some ten minutes, nearly all of
them for incomplete_beta.

The file maps the name of a function to rows of its arguments, then its value; every number is the
shortest text that reads back as the same double.
"""

import json
import sys
from pathlib import Path

import mpmath
from mpmath import mp, mpf
from scipy import special

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


def precise(digits, f):
    """f with more digits, where its formula cancels."""

    def inner(*args):
        with mp.workdps(digits):
            return +f(*args)

    return inner


# Logarithms of sums, differences and products.


def logarithms():
    log1mexp = precise(400, lambda x: mpmath.log(1 - mpmath.exp(-x)))
    xlog1py = precise(400, lambda x, y: x * mpmath.log(1 + y))
    logaddexp = precise(800, lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)))
    share = precise(800, lambda a, b: 1 / (1 + mpmath.exp(b - a)))
    pairs = product([-700.0, -3.5, -1e-9, 0.0, 0.3, 40.0], [-690.0, -3.4, 0.0, 1e-3, 41.0, 700.0])
    return {
        "log1mexp": table(log1mexp, 1e-300, 1e-20, 1e-5, 0.1, 0.69, 0.6931471805599453, 0.7, 1.0, 3.0, 20.0, 36.0, 40.0, 200.0, 700.0),
        "xlogy": table(lambda x, y: x * mpmath.log(y), *product([-2.5, 1e-200, 0.7, 1e5], [1e-300, 0.3, 0.999999, 1.0, 5.0, 1e300])),
        "xlog1py": table(xlog1py, *product([-2.5, 1e-200, 0.7, 1e5], [-0.9999999, -0.3, -1e-20, 0.0, 1e-300, 1e-9, 5.0, 1e300])),
        "logaddexp": table(logaddexp, *pairs),
        "logaddexp_share": table(share, *pairs),
    }


# The modified Bessel functions of orders 0 and 1.


def bessel():
    i = precise(100, lambda order, x: mpmath.besseli(order, x) * mpmath.exp(-x))
    ratio = precise(100, lambda x: mpmath.besseli(1, x) / mpmath.besseli(0, x))
    ratio_slope = precise(100, lambda x: 1 - ratio(x) / x - ratio(x) ** 2)
    points = [1e-300, 1e-20, 1e-8, 1e-3, 0.1, 0.5, 0.99, 1.0, 1.5, 1.545, 2.0, 3.7, 5.0, 8.0, 12.5, 20.0, 24.99, 25.0, 25.01, 30.0, 50.0,
              100.0, 300.0, 1e3, 1e5, 2e5, 1e8, 1e15, 1e100, 1e300]
    some = [x for x in points if 1e-9 < x < 1e30]
    return {
        "i0e": table(lambda x: i(0, x), *points),
        "i1e": table(lambda x: i(1, x), *points),
        "i0e_slope": table(precise(100, lambda x: i(1, x) - i(0, x)), *some),
        "i1e_slope": table(precise(100, lambda x: i(0, x) - i(1, x) * (1 + 1 / x)), *some),
        "log_i0e": table(precise(400, lambda x: mpmath.log(mpmath.besseli(0, x)) - x), *[x for x in points if x < 1e10]),
        "bessel_ratio": table(ratio, *points),
        "bessel_shortfall": table(precise(100, lambda x: 1 - ratio(x)), *some),
        "bessel_ratio_slope": table(ratio_slope, *some),
    }


# The gamma function and its relatives.

POSITIVE = [1e-300, 1e-100, 1e-20, 1e-9, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.9999, 1 - 2**-50, 1 + 2**-50, 1.0001, 1.25, 1.4616, 1.4616321449683623,
            1.47, 1.7, 1.99, 2 - 2**-50, 2 + 2**-50, 2.01, 2.5, 3.0, 3.7, 5.0, 7.99, 8.01, 9.99, 10.0, 10.01, 15.0, 33.3, 100.0, 171.5,
            1234.5, 1e5, 1e8, 1e12, 1e17]
NEGATIVE = [-1e-300, -1e-12, -1e-3, -0.3, -0.5, -0.77, -1.5, -2.2, -3.25, -7.5, -12.1, -33.7, -100.25]


def ln_gamma(x):
    return mpmath.log(abs(mpmath.gamma(x))) if x < 1e5 else mpmath.loggamma(x)


ln_beta = precise(400, lambda a, b: mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b))
ln_gamma_ratio = precise(400, lambda a, x: mpmath.loggamma(a + x) - mpmath.loggamma(a))
digamma_difference = precise(100, lambda a, x: mpmath.digamma(a + x) - mpmath.digamma(a))
ln_choose = precise(400, lambda n, k: mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1))

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
    }


# The incomplete gamma functions.


def incomplete_gamma_at(a, x):
    """P, Q, the density and the derivative of P in a, from the power series of P with digits for both tails."""
    digits = 360 if a < 1e3 else 100
    with mp.workdps(digits):
        a, x = mpf(a), mpf(x)
        term = total = mpf(1)
        harmonic = weighted = mpf(0)
        n = 0
        while term * (1 + harmonic) > total * mpf(10) ** (5 - digits):
            n += 1
            term *= x / (a + n)
            harmonic += 1 / (a + n)
            total += term
            weighted += term * harmonic
        kernel = mpmath.exp(a * mpmath.log(x) - x - mpmath.loggamma(a + 1))
        p = kernel * total
        slope = kernel * ((mpmath.log(x) - mpmath.digamma(a + 1)) * total - weighted)
        return p, 1 - p, kernel * a / x, slope


def incomplete_gamma():
    names = ["gamma_inc", "gamma_inc_upper", "gamma_density", "gamma_inc_slope", "gamma_pathwise", "gamma_pathwise_log",
             "gamma_quantile", "gamma_quantile_upper"]
    tables = {name: [] for name in names}
    for a in [1e-6, 1e-3, 0.05, 0.3, 0.5, 0.95, 1.0, 1.3, 3.0, 8.5, 20.0, 29.9, 30.1, 40.0, 75.0, 200.0, 3e3, 1e5, 1e6, 1e8]:
        tails = [1e-20, 1e-8, 0.1] if a > 1e3 else [1e-280, 1e-100, 1e-20, 1e-8, 1e-3, 0.1, 0.4]
        points = {float(special.gammaincinv(a, p)) for p in tails + [0.5]} | {float(special.gammainccinv(a, q)) for q in tails}
        points |= {1e-300, 1e-10, 0.2, 0.9, 1.1, 2.5} if a < 2 else {0.25 * a, 0.33 * a, 0.6 * a, a, a + 1.5, 1.3 * a, 2.3 * a, 2.5 * a} if a < 1e3 else {a}
        for x in sorted(x for x in points if x > 1e-305):
            p, q, density, slope = incomplete_gamma_at(a, x)
            pathwise = -slope / density
            values = dict(zip(names, [p, q, density, slope]))
            rows = {name: ((a, x), value) for name, value in values.items() if abs(value) > 1e-290}
            rows["gamma_pathwise"] = ((x, a), pathwise)
            # At the logarithm that the function is given.
            u = float(mpmath.log(x))
            if a < 2:
                _, _, moved_density, moved_slope = incomplete_gamma_at(a, mpmath.exp(mpf(u)))
                rows["gamma_pathwise_log"] = ((u, a), -moved_slope / moved_density / mpmath.exp(mpf(u)))
            # The quantile of the rounded probability, by one step of Newton's method.
            for name, prob, sign in [("gamma_quantile", p, 1), ("gamma_quantile_upper", q, -1)]:
                if 1e-290 < prob < 0.9:
                    rows[name] = ((a, float(prob)), mpf(x) + sign * (mpf(float(prob)) - prob) / density)
            for name, (args, value) in rows.items():
                if abs(value) > 1e-290:
                    tables[name].append([repr(float(v)) for v in (*args, value)])
    return tables


# The incomplete beta function.


def incomplete_beta_lower(a, b, x):
    """I, its derivatives in a and b, and the density, from the series of positive terms in x."""
    term = total = mpf(1)
    of_sum = of_next = mpf(0)  # The harmonic sums of (a + b)_n and (a + 1)_n.
    by_a = by_b = mpf(0)
    n, least = 0, mpf(10) ** (3 - mp.dps)
    while term * (1 + of_sum) > least * (total if not by_b else min(total, by_b)):
        term *= x * (a + b + n) / (a + 1 + n)
        of_sum += 1 / (a + b + n)
        of_next += 1 / (a + 1 + n)
        total += term
        by_a += term * (of_sum - of_next)
        by_b += term * of_sum
        n += 1
    kernel = mpmath.exp(a * mpmath.log(x) + b * mpmath.log(1 - x) - mpmath.loggamma(a) - mpmath.loggamma(b) + mpmath.loggamma(a + b))
    whole = mpmath.digamma(a + b)
    by_a += total * (mpmath.log(x) + whole - mpmath.digamma(a + 1))
    by_b += total * (mpmath.log(1 - x) + whole - mpmath.digamma(b))
    return kernel / a * total, kernel / a * by_a, kernel / a * by_b, kernel / x / (1 - x)


def incomplete_beta_at(a, b, x):
    with mp.workdps(360 if a + b < 1e3 else 60):
        a, b, x = mpf(a), mpf(b), mpf(x)
        if x <= (a + 1) / (a + b + 2):
            p, by_a, by_b, density = incomplete_beta_lower(a, b, x)
            return p, 1 - p, by_a, by_b, density
        q, by_b, by_a, density = incomplete_beta_lower(b, a, 1 - x)
        return 1 - q, q, -by_a, -by_b, density


def incomplete_beta():
    names = ["beta_inc", "beta_inc_upper", "beta_inc_slope_a", "beta_inc_slope_b", "beta_density", "beta_pathwise_a", "beta_pathwise_b",
             "beta_quantile", "beta_quantile_upper"]
    tables = {name: [] for name in names}
    sizes = [1e-3, 0.1, 0.7, 1.0, 2.5, 9.0, 14.0, 60.0, 500.0]
    large = [(0.1, 2e4), (2e4, 0.7), (2e4, 9.0), (60.0, 2e4), (3e4, 3e4), (2e4, 1e5)]
    for a, b in product(sizes, sizes) + large:
        tails = [1e-8] if a + b > 1e3 else [1e-250, 1e-20, 1e-8, 0.1, 0.4]
        points = {float(special.betaincinv(a, b, p)) for p in tails + [0.5]} | {float(special.betainccinv(a, b, q)) for q in tails}
        points |= {1e-200, 1e-5, 0.05, 0.3, 0.6, 0.75, 0.95} if a + b < 10 else {a / (a + b)}
        for x in sorted(x for x in points if 1e-290 < x < 1):
            p, q, by_a, by_b, density = incomplete_beta_at(a, b, x)
            values = [p, q, by_a, by_b, density, -by_a / density, -by_b / density]
            rows = [((a, b, x), value) for value in values]
            # The quantile of the rounded probability, by one step of Newton's method.
            for prob, sign in [(p, 1), (q, -1)]:
                rows.append(((a, b, float(prob)), mpf(x) + sign * (mpf(float(prob)) - prob) / density if prob < 0.9 else mpf(0)))
            for name, (args, value) in zip(names, rows):
                if abs(value) > 1e-290 and abs(args[-1]) > 1e-290:
                    tables[name].append([repr(float(v)) for v in (*args, value)])
    return tables


GROUPS = [logarithms, bessel, gamma_function, incomplete_gamma, incomplete_beta]


def main():
    wanted = sys.argv[1:]
    if unknown := set(wanted) - {group.__name__ for group in GROUPS}:
        sys.exit(f"no such group: {', '.join(sorted(unknown))}")
    found = {}
    for group in GROUPS:
        if not wanted or group.__name__ in wanted:
            found |= group()
    # Tables of other groups, read late so that another run's are not lost, after those that come first.
    kept = json.loads(OUTPUT.read_text()) if wanted and OUTPUT.exists() else {}
    new = {name: rows for name, rows in found.items() if name not in kept}
    tables = {**new, **{name: found.get(name, rows) for name, rows in kept.items()}}
    # One row a line, so that a change shows as such.
    text = ",\n".join(
        f" {json.dumps(name)}: [\n" + ",\n".join("  " + json.dumps(row) for row in rows) + "\n ]" for name, rows in tables.items()
    )
    OUTPUT.write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
