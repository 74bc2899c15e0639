"""Distributions with a location and a scale, and those on an interval or a circle."""

import mpmath
from mpmath import mp
from scipy import stats

from .core import Continuous, Reference, root, single

inf = mpmath.inf


def exact(*parameters):
    return [mpmath.mpf(p) for p in parameters]


def cauchy(loc, scale):
    m, s = exact(loc, scale)
    z = lambda x: (x - m) / s
    return Reference(
        lambda x: -mpmath.log(mp.pi * s * (1 + z(x) ** 2)),
        cdf=lambda x: mpmath.atan2(1, -z(x)) / mp.pi,
        icdf=lambda q: m - s * mpmath.cospi(q) / mpmath.sinpi(q),
        mean=mpmath.nan,
        variance=mpmath.nan,
        entropy=mpmath.log(4 * mp.pi * s),
    )


def laplace(loc, scale):
    return asymmetric_laplace(loc, scale, 1)


def asymmetric_laplace(loc, scale, asymmetry):
    m, s, k = exact(loc, scale, asymmetry)
    left, right = s * k, s / k
    below = left / (left + right)
    return Reference(
        lambda x: -abs(x - m) / (left if x < m else right) - mpmath.log(left + right),
        cdf=lambda x: below * mpmath.exp((x - m) / left) if x < m else 1 - (1 - below) * mpmath.exp((m - x) / right),
        icdf=lambda q: m + left * mpmath.log(q / below) if q < below else m - right * mpmath.log((1 - q) / (1 - below)),
        mean=m + right - left,
        variance=left**2 + right**2,
        entropy=1 + mpmath.log(left + right),
    )


def logistic(loc, scale):
    m, s = exact(loc, scale)
    z = lambda x: (x - m) / s
    return Reference(
        lambda x: -z(x) - mpmath.log(s) - 2 * mpmath.log(1 + mpmath.exp(-z(x))),
        cdf=lambda x: 1 / (1 + mpmath.exp(-z(x))),
        icdf=lambda q: m + s * mpmath.log(q / (1 - q)),
        mean=m,
        variance=(s * mp.pi) ** 2 / 3,
        entropy=mpmath.log(s) + 2,
    )


def gumbel(loc, scale):
    m, s = exact(loc, scale)
    z = lambda x: (x - m) / s
    return Reference(
        lambda x: -z(x) - mpmath.exp(-z(x)) - mpmath.log(s),
        cdf=lambda x: mpmath.exp(-mpmath.exp(-z(x))),
        icdf=lambda q: m - s * mpmath.log(-mpmath.log(q)),
        mean=m + mp.euler * s,
        variance=(s * mp.pi) ** 2 / 6,
        entropy=mpmath.log(s) + mp.euler + 1,
    )


def weibull(scale, concentration):
    s, k = exact(scale, concentration)

    def log_prob(x):
        if x < 0:
            return -inf
        if x == 0:
            return -mpmath.log(s) if k == 1 else (inf if k < 1 else -inf)
        return mpmath.log(k / s) + (k - 1) * mpmath.log(x / s) - (x / s) ** k

    g = lambda n: mpmath.gamma(1 + n / k)
    return Reference(
        log_prob,
        cdf=lambda x: -mpmath.expm1(-((x / s) ** k)) if x > 0 else 0,
        icdf=lambda q: s * (-mpmath.log1p(-q)) ** (1 / k),
        mean=s * g(1),
        variance=s**2 * (g(2) - g(1) ** 2),
        entropy=mp.euler * (1 - 1 / k) + mpmath.log(s / k) + 1,
    )


def pareto(scale, alpha):
    s, a = exact(scale, alpha)
    return Reference(
        lambda x: mpmath.log(a / x) + a * mpmath.log(s / x) if x >= s else -inf,
        cdf=lambda x: 1 - (s / x) ** a if x > s else 0,
        icdf=lambda q: s * (1 - q) ** (-1 / a),
        mean=a * s / (a - 1) if a > 1 else inf,
        variance=s**2 * a / ((a - 1) ** 2 * (a - 2)) if a > 2 else inf,
        entropy=mpmath.log(s / a) + 1 / a + 1,
    )


def truncated_normal(loc, scale, low, high):
    m, s, l, h = exact(loc, scale, low, high)
    upper = lambda z: mpmath.erfc(z / mpmath.sqrt(2)) / 2
    phi = mpmath.npdf
    a, b = (l - m) / s, (h - m) / s

    def mass(p, q):
        # In the lower tail by symmetry: erfc is exact only where it is small.
        return upper(p) - upper(q) if p > 0 else upper(-q) - upper(-p)

    z = mass(a, b)
    at = lambda x: (x - m) / s
    shift = (phi(a) - phi(b)) / z
    edge = lambda c: c * phi(c) if mpmath.isfinite(c) else 0
    slope = (edge(a) - edge(b)) / z
    # All but 1e-700 of the mass lies between.
    first = l if l > -inf else min(m, h) - 60 * s
    last = h if h < inf else max(m, l) + 60 * s
    log_prob = lambda x: -(at(x) ** 2) / 2 - mpmath.log(s * z * mpmath.sqrt(2 * mp.pi)) if l <= x <= h else -inf
    cdf = lambda x: 0 if x <= l else (1 if x >= h else mass(a, at(x)) / z)
    return Reference(
        log_prob,
        cdf=cdf,
        icdf=lambda q: root(lambda x: cdf(x) - q, first, last),
        mean=m + s * shift,
        variance=s**2 * (1 + slope - shift**2),
        entropy=mpmath.log(mpmath.sqrt(2 * mp.pi) * s * z) + (1 + slope) / 2,
    )


def truncated_edges(loc, scale, low, high):
    """Beyond the bounds, at them and between; deep in the tail where there is no bound."""
    tails = [loc - 30 * scale] if low == -inf else []
    tails += [loc + 30 * scale] if high == inf else []
    return [low - 1, high + 1, low, high, low + (high - low) / 3] + [x for x in tails if low <= x <= high]


def von_mises(loc, concentration):
    m, k = exact(loc, concentration)
    bessel = mpmath.besseli(0, k) * mpmath.exp(-k)
    resultant = mpmath.besseli(1, k) / mpmath.besseli(0, k)
    density = lambda x: mpmath.exp(k * (mpmath.cos(x - m) - 1)) / (2 * mp.pi * bessel)
    width = 1 / mpmath.sqrt(1 + k)
    breaks = [m + j * width * 2 + 2 * n * mp.pi for j in range(-6, 7) for n in (-1, 0, 1)]

    def cdf(x):
        if x <= -mp.pi or x >= mp.pi:
            return 0 if x < 0 else 1
        inside = sorted(p for p in breaks if -mp.pi < p < x)
        return mpmath.quad(density, [-mp.pi, *inside, x])

    def quantile(q):
        x, low, high = m, -mp.pi, +mp.pi
        for _ in range(300):
            off = cdf(x) - q
            low, high = (low, x) if off >= 0 else (x, high)
            moved = x - off / density(x)
            if abs(moved - x) < mpmath.mpf(10) ** -30:
                break
            x = moved if low < moved < high else (low + high) / 2
        return moved

    def log_prob(x):
        # The lowest angle of single precision is below -pi.
        inside = single(-mp.pi) <= x < mp.pi
        return mpmath.log(density(x)) if inside else -inf

    return Reference(
        log_prob,
        cdf=cdf,
        icdf=quantile,
        mean=m,
        variance=1 - resultant,
        entropy=mpmath.log(2 * mp.pi * bessel) + k * (1 - resultant),
    )


def continuous_bernoulli(t):
    """By log-odds."""
    if t == 0:
        return Continuous(stats.uniform())
    ratio = lambda x: mpmath.expm1(t * x) / mpmath.expm1(t)
    mean = 1 / (1 - mpmath.exp(-t)) - 1 / t
    log_prob = lambda x: mpmath.log(t / mpmath.expm1(t)) + t * x
    return Reference(
        lambda x: log_prob(x) if 0 <= x <= 1 else -inf,
        cdf=lambda x: ratio(min(max(x, 0), 1)),
        icdf=lambda q: mpmath.log1p(q * mpmath.expm1(t)) / t,
        mean=mean,
        variance=1 / t**2 - 1 / (4 * mpmath.sinh(t / 2) ** 2),
        entropy=-log_prob(mean),
    )


def kumaraswamy(concentration1, concentration0):
    a, b = exact(concentration1, concentration0)

    def end(exponent):
        return 0 if exponent == 1 else (inf if exponent < 1 else -inf)

    def log_prob(x):
        if not 0 <= x <= 1:
            return -inf
        if x == 0 or x == 1:
            return end(a if x == 0 else b) + mpmath.log(a * b)
        return mpmath.log(a * b) + (a - 1) * mpmath.log(x) + (b - 1) * mpmath.log1p(-(x**a))

    moment = lambda n: b * mpmath.beta(1 + n / a, b)
    return Reference(
        log_prob,
        cdf=lambda x: 0 if x <= 0 else (1 if x >= 1 else -mpmath.expm1(b * mpmath.log1p(-(x**a)))),
        icdf=lambda q: (1 - (1 - q) ** (1 / b)) ** (1 / a),
        mean=moment(1),
        variance=moment(2) - moment(1) ** 2,
        entropy=(1 - 1 / b) + (1 - 1 / a) * mpmath.harmonic(b) - mpmath.log(a * b),
    )


LOCATIONS = [(0, 1), (-1.5, 0.5), (1000, 3), (0, 1e-10), (3, 1e10)]
FAMILIES = {
    "HalfCauchy": (
        lambda scale: Continuous(stats.halfcauchy(scale=scale)),
        [(1,), (5,), (1e-10,), (1e10,)],
        lambda scale: [-scale, 0, 1e-15 * scale, 1e20 * scale],
    ),
    "Uniform": (
        lambda low, high: Continuous(stats.uniform(low, high - low)),
        [(0, 1), (-2, 0.5), (1000, 1000.25), (0, 1e-10), (-1e10, 1e10)],
        lambda low, high: [2 * low - high, 2 * high - low, low, high],
    ),
    "Cauchy": (cauchy, LOCATIONS, lambda m, s: [m, m - 1e20 * s, m + 1e20 * s, m - 1e5 * s]),
    "Laplace": (laplace, LOCATIONS, lambda m, s: [m, m - 600 * s, m + 600 * s, m + 1e-3 * s]),
    "Logistic": (logistic, LOCATIONS, lambda m, s: [m, m - 600 * s, m + 600 * s, m + 1e-3 * s]),
    "Gumbel": (gumbel, LOCATIONS, lambda m, s: [m, m - 6 * s, m + 600 * s, m + 1e-3 * s]),
    "Weibull": (
        weibull,
        [(1, 1), (2, 0.5), (3, 1.5), (1e-10, 5), (1e10, 50), (1, 1e4), (1, 0.05), (0.3, 2.1)],
        lambda s, k: [-s, 0, s, s * 600 ** (1 / k), 1e-3 * s],
    ),
    "Pareto": (
        pareto,
        [(1, 1), (2, 3.5), (1e-10, 0.5), (1e10, 50), (1, 1e4), (3, 2)],
        lambda s, a: [0.5 * s, -s, s, 1e20 * s, s * 1.0000005],
    ),
    "AsymmetricLaplace": (
        asymmetric_laplace,
        [(0, 1, 1), (1.5, 0.5, 3), (-2, 1e-3, 0.25), (0, 1e10, 1e-3), (0, 1, 1e-5), (0, 1, 1e6)],
        lambda m, s, k: [m, m - 600 * s * k, m + 600 * s / k, m - 1e-3 * s, m + 1e-3 * s],
    ),
    "TruncatedNormal": (
        truncated_normal,
        [
            (0, 1, -1, 2),
            (0, 1, -40, 1),
            (1, 2, -6, -4),
            (0, 1, 30, 31),
            (0, 1, -10000, -9999),
            (0, 1, 0.5, 0.5 + 2**-20),
            (0, 1, -(2**-30), 2**-29),
            (5, 0.125, 0, 1),
            (0, 1e10, -1, 2),
            (0, 1, 40, 40 + 2**-6),
            (0, 1, 0, 1e4),
            (0, 1, -inf, 1),
            (0.5, 1, 2, inf),
            (1, 2, -inf, -6),
            (0, 1, 30, inf),
            (0, 1, -inf, -1e4),
            (0, 1, 0, inf),
            (-3, 0.5, 0, inf),
            (5, 0.125, 0, inf),
            (0, 1e10, -1, inf),
            (1.5, 2, -inf, inf),
        ],
        truncated_edges,
    ),
    "VonMises": (
        von_mises,
        [(0, 1), (1, 0.01), (-2, 5), (3, 50), (0.5, 1e4), (-1, 1e-6), (1.25, 24)],
        lambda m, k: [-4, 4, -3, 3, 0],
    ),
    "ContinuousBernoulli": (
        lambda p: continuous_bernoulli(mpmath.log(mpmath.mpf(p) / (1 - mpmath.mpf(p)))),
        [(0.5,), (0.1,), (0.85,), (1e-10,), (0.499999,), (0.9999,), (0.5000001,)],
        lambda p: [-0.5, 1.5, 0, 1],
    ),
    "ContinuousBernoulli (logits)": (
        lambda t: continuous_bernoulli(mpmath.mpf(t)),
        [(0,), (-1.5,), (3,), (40,), (-100,), (1e-5,), (800,), (-1e-10,)],
        lambda t: [-0.5, 1.5, 0, 1, 1e-6],
    ),
    "Kumaraswamy": (
        kumaraswamy,
        [(2, 3), (0.5, 0.5), (1, 1), (50, 0.75), (0.1, 5), (5, 1e6), (200, 200)],
        lambda a, b: [-0.5, 1.5, 0, 1, 1e-10, 0.5],
    ),
}
