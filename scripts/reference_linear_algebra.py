"""Reference values and gradients of linear algebra, written to
ppl-core/tests/references/linear_algebra.json.

Needs Python 3 with numpy, scipy, torch and mpmath:

    python3 scripts/reference_linear_algebra.py

Values and gradients of ordinary matrices are torch's, in double precision; the gradient is that of
the sum of the result with the weights 1.5 + cos(i). Every input is rounded to single precision
first, so that it is the same number for f32 and f64. The ill-conditioned matrices are those of
doubles as they are; their values are mpmath's with 60 digits, and beside them stand the errors of
LAPACK.
"""

import json
from pathlib import Path

import mpmath
import numpy as np
import torch
from scipy.linalg import lapack

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-core/tests/references/linear_algebra.json"
torch.set_default_dtype(torch.float64)
mpmath.mp.dps = 60
rng = np.random.default_rng(20)


def single(x):
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def general(*batch, n):
    return single(rng.normal(size=(*batch, n, n)) + 0.5 * np.eye(n))


def positive_definite(*batch, n):
    a = rng.normal(size=(*batch, n, n + 2))
    return single(a @ np.swapaxes(a, -1, -2) / n + 0.3 * np.eye(n))


def triangular(*batch, n):
    # Both triangles are filled: the other one must not be read.
    return single(rng.normal(size=(*batch, n, n)) * 0.5 + np.eye(n) * rng.choice([-2.0, 2.0], size=n))


def vectors(*shape):
    return single(rng.normal(size=shape))


def lower(l):
    return torch.tril(l)


def solve(t, b, triangle):
    upper = triangle.startswith("upper")
    if triangle.endswith("transposed"):
        t, upper = t.mT, not upper
    return torch.linalg.solve_triangular(t, b, upper=upper)


def mahalanobis(l, x, loc):
    return solve(l, (x - loc)[..., None], "lower")[..., 0].square().sum(-1)


OPERATIONS = {
    "cholesky": torch.linalg.cholesky,
    **{f"solve_{t}": (lambda a, b, t=t: solve(a, b, t)) for t in ["lower", "lower_transposed", "upper", "upper_transposed"]},
    "cholesky_solve": lambda l, b: torch.cholesky_solve(b, lower(l)),
    "cholesky_inverse": lambda l: torch.cholesky_inverse(lower(l)),
    "log_abs_det_triangular": lambda t: t.diagonal(dim1=-2, dim2=-1).abs().log().sum(-1),
    "logdet": lambda a: 2 * torch.linalg.cholesky(a).diagonal(dim1=-2, dim2=-1).log().sum(-1),
    "matrix_inverse": torch.linalg.inv,
    "slogdet": lambda a: torch.linalg.slogdet(a)[1],
    "mahalanobis": mahalanobis,
}


def case(operation, *inputs):
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    out = OPERATIONS[operation](*tensors)
    weights = 1.5 + torch.cos(torch.arange(out.numel(), dtype=torch.float64))
    (out.flatten() * weights).sum().backward()
    flat = lambda t: t.detach().flatten().tolist()
    record = {
        "operation": operation,
        "shapes": [list(x.shape) for x in inputs],
        "inputs": [x.flatten().tolist() for x in inputs],
        "value": flat(out),
        "gradients": [flat(t.grad) for t in tensors],
    }
    if operation == "slogdet":
        record["sign"] = flat(torch.linalg.slogdet(tensors[0])[0])
    return record


def ordinary():
    for batch, n in [((), 1), ((), 2), ((3,), 3), ((2, 2), 2), ((), 10)]:
        for operation in ["cholesky", "logdet"]:
            yield case(operation, positive_definite(*batch, n=n))
        for operation in ["matrix_inverse", "slogdet"]:
            yield case(operation, general(*batch, n=n))
        for operation in ["cholesky_inverse", "log_abs_det_triangular"]:
            yield case(operation, triangular(*batch, n=n))
        for triangle in ["lower", "lower_transposed", "upper", "upper_transposed"]:
            for m in [1, 3]:
                yield case(f"solve_{triangle}", triangular(*batch, n=n), vectors(*batch, n, m))
        yield case("cholesky_solve", triangular(*batch, n=n), vectors(*batch, n, 2))
        yield case("mahalanobis", triangular(*batch, n=n), vectors(*batch, n), vectors(*batch, n))
    # A matrix for many vectors, and a batch of matrices for batches of vectors.
    yield case("mahalanobis", triangular(n=3), vectors(5, 3), vectors(3))
    yield case("mahalanobis", triangular(2, n=3), vectors(4, 2, 3), vectors(2, 3))
    yield case("solve_lower", triangular(n=3), vectors(4, 3, 2))
    yield case("solve_upper_transposed", triangular(2, n=3), vectors(3, 2, 3, 1))
    # Scales far apart: exact powers of two, about 1e-10 and 1e10.
    scales = 2.0 ** np.array([-33, 33, 0, 17])
    a = positive_definite(n=4) * np.outer(scales, scales)
    for operation in ["cholesky", "logdet", "slogdet", "matrix_inverse"]:
        yield case(operation, a)
    yield case("mahalanobis", triangular(n=4) * scales[:, None], vectors(4) * scales, vectors(4) * scales)


def numbers(matrix):
    return [float(x) for x in matrix]


def relative(found, exact):
    return float(max(abs(mpmath.mpf(float(f)) - e) / abs(e) for f, e in zip(found, exact) if e != 0))


def ill_conditioned():
    n = 8
    hilbert = np.array([[1.0 / (i + j + 1) for j in range(n)] for i in range(n)])
    exponents = np.linspace(-10, 10, n)
    spread = hilbert * np.outer(10.0**exponents, 10.0**exponents)
    for name, a in [("hilbert", hilbert), ("hilbert times 1e-10 to 1e10", spread)]:
        exact = mpmath.matrix(a.tolist())
        factor, inverse = mpmath.cholesky(exact), exact**-1
        logdet = 2 * sum(mpmath.log(factor[i, i]) for i in range(n))
        found = np.linalg.cholesky(a)
        by_cholesky = np.tril(lapack.dpotri(found, lower=True)[0])
        by_cholesky += np.tril(by_cholesky, -1).T
        yield {
            "name": name,
            "n": n,
            # The condition of the matrix with its rows and columns brought to one scale, times the
            # unit of rounding: to first order no algorithm promises more.
            "bound": float(np.linalg.cond(hilbert)) * np.finfo(float).eps,
            "matrix": a.flatten().tolist(),
            "cholesky": numbers(factor),
            "cholesky_error": relative(found.flatten(), list(factor)),
            "inverse": numbers(inverse),
            "inverse_error": relative(np.linalg.inv(a).flatten(), list(inverse)),
            "inverse_by_cholesky_error": relative(by_cholesky.flatten(), list(inverse)),
            "logdet": float(logdet),
            "logdet_error": relative([2 * np.log(np.diag(found)).sum()], [logdet]),
            "logdet_by_lu_error": relative([np.linalg.slogdet(a)[1]], [logdet]),
        }


if __name__ == "__main__":
    table = {"ordinary": list(ordinary()), "ill_conditioned": list(ill_conditioned())}
    OUTPUT.write_text(json.dumps(table) + "\n")
    print(f"{OUTPUT}: {len(table['ordinary'])} cases")
    for row in table["ill_conditioned"]:
        print({key: value for key, value in row.items() if key.endswith("error")})
