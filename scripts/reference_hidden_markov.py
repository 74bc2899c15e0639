"""Reference values of the hidden Markov models, written to ppl-core/tests/references/hidden_markov.json.

    python3 scripts/reference_hidden_markov.py

Needs Python 3 with numpy and mpmath. With finitely many states: sums over all paths, with 50 digits.
Linear and normal: the joint normal density of all observations, and its conditional, with 50 digits.
All parameters are multiples of 1/64, so that single precision holds them exactly.
"""

import itertools
import json
from pathlib import Path

import mpmath
import numpy as np
from mpmath import mp, mpf

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-core/tests/references/hidden_markov.json"
mp.dps = 50
FAR = -np.inf


def texts(values):
    """Numbers as the shortest texts that read back as the same doubles, row-major."""
    flat = [values] if np.ndim(values) == 0 else np.asarray(values, dtype=object).flatten()
    return [repr(float(v)) for v in flat]


def numbers(rng, *shape):
    return np.round(rng.normal(size=shape) * 64) / 64


# Finitely many states.


def normalised(row):
    row = [mpf(float(v)) for v in row]
    total = mpmath.log(mpmath.fsum(mpmath.exp(v) for v in row))
    return [v - total for v in row]


def normal_log_prob(x, loc, scale):
    x, loc, scale = mpf(float(x)), mpf(float(loc)), mpf(float(scale))
    return -((x - loc) / scale) ** 2 / 2 - mpmath.log(scale) - mpmath.log(2 * mp.pi) / 2


def discrete(initial, transitions, loc, scale, x):
    """One sequence: the log-density, the log-probabilities of the final state, the most probable path; and
    mean and variance of what is seen at each step, before anything is."""
    steps, states = loc.shape
    first = normalised(initial)
    moves = [[normalised(row) for row in matrix] for matrix in np.broadcast_to(transitions, (steps, states, states))]
    seen = [[normal_log_prob(x[t], loc[t, k], scale[t, k]) for k in range(states)] for t in range(steps)]
    total, finals, paths = mpf(0), [mpf(0)] * states, {}
    means, squares = [mpf(0)] * steps, [mpf(0)] * steps
    for path in itertools.product(range(states), repeat=steps + 1):
        prior = mpmath.exp(first[path[0]] + mpmath.fsum(moves[t][path[t]][path[t + 1]] for t in range(steps)))
        for t in range(steps):
            m, s = mpf(float(loc[t, path[t + 1]])), mpf(float(scale[t, path[t + 1]]))
            means[t] += prior * m
            squares[t] += prior * (m * m + s * s)
        log = first[path[0]] + mpmath.fsum(moves[t][path[t]][path[t + 1]] + seen[t][path[t + 1]] for t in range(steps))
        p = mpmath.exp(log)
        total += p
        finals[path[-1]] += p
        paths[path[1:]] = paths.get(path[1:], 0) + p
    return {
        "states": states,
        "steps": steps,
        "initial_logits": texts(initial),
        "transition_logits": texts(transitions),
        "loc": texts(loc),
        "scale": texts(scale),
        "x": texts(x),
        "log_prob": texts(mpmath.log(total)),
        "final": texts([p / total for p in finals]),
        "path": list(max(paths, key=paths.get)),
        "mean": texts(means),
        "variance": texts([square - mean**2 for mean, square in zip(means, squares)]),
    }


def ordinary(seed, steps, states, per_step=False):
    rng = np.random.default_rng(seed)
    shape = (steps, states, states) if per_step else (states, states)
    scale = np.round(np.exp(rng.normal(size=(steps, states))) * 64 + 8) / 64
    return discrete(numbers(rng, states), 2 * numbers(rng, *shape), 2 * numbers(rng, steps, states), scale, 2 * numbers(rng, steps))


def left_to_right():
    """States that are left once: impossible ones at the start and in every row."""
    loc = np.array([[0.0, 1.0, -2.0]] * 5)
    moves = np.array([[1.0, 0.5, FAR], [FAR, 0.25, -1.0], [FAR, FAR, 0.0]])
    return discrete(np.array([0.0, FAR, FAR]), moves, loc, np.full((5, 3), 0.5), np.array([0.125, 1.5, 0.75, -2.25, -1.5]))


def far_apart():
    """Transitions of probability e^−900 that sharp observations make certain."""
    loc = np.array([[0.0, 1.0, 2.0]] * 4)
    moves = np.array([[0.0, -900.0, -2000.0], [-900.0, 0.0, -900.0], [-3000.0, -900.0, 0.0]])
    return discrete(np.array([0.0, -1200.0, -500.0]), moves, loc, np.full((4, 3), 0.015625), np.array([0.0, 1.0, 2.0, 2.0]))


# Linear and normal.


def matrix(values):
    return mpmath.matrix([[mpf(float(v)) for v in row] for row in np.atleast_2d(values)])


def covariance(rng, n):
    root = numbers(rng, n, n)
    return np.round((root @ root.T + 0.5 * np.eye(n)) * 64) / 64


def gaussian(seed, steps, hidden, seen, per_step=False):
    """One sequence: the joint density of all observations with its moments, and the final state given them."""
    rng = np.random.default_rng(seed)
    many = (steps,) if per_step else ()
    move, look = numbers(rng, *many, hidden, hidden), numbers(rng, *many, hidden, seen)
    each = lambda n: np.array([covariance(rng, n) for _ in range(steps)]) if per_step else covariance(rng, n)
    p = {
        "initial_loc": numbers(rng, hidden),
        "initial_covariance": covariance(rng, hidden),
        "transition_matrix": move,
        "transition_loc": numbers(rng, *many, hidden),
        "transition_covariance": each(hidden),
        "observation_matrix": look,
        "observation_loc": numbers(rng, *many, seen),
        "observation_covariance": each(seen),
        "x": 2 * numbers(rng, steps, seen),
    }
    at = lambda name, t: matrix(p[name][t] if per_step else p[name])
    # Means and covariances of z_t, and of z_t with every observation before.
    mean, cov = matrix(p["initial_loc"]).T, matrix(p["initial_covariance"])
    size = steps * seen
    total_mean, total_cov = mpmath.zeros(size, 1), mpmath.zeros(size, size)
    with_seen = mpmath.zeros(hidden, size)
    for t in range(steps):
        # Columns: z ↦ Fᵀ z, as rows times matrices.
        move, look = at("transition_matrix", t).T, at("observation_matrix", t).T
        mean = move * mean + at("transition_loc", t).T
        cov = move * cov * move.T + at("transition_covariance", t)
        with_seen = move * with_seen
        here = slice(t * seen, (t + 1) * seen)
        for i, v in enumerate(look * mean + at("observation_loc", t).T):
            total_mean[t * seen + i] = v
        across = cov * look.T
        for i in range(hidden):
            for j in range(seen):
                with_seen[i, here.start + j] = across[i, j]
        own, before = look * cov * look.T + at("observation_covariance", t), look * with_seen
        for i in range(seen):
            for j in range(here.start):
                total_cov[here.start + i, j] = total_cov[j, here.start + i] = before[i, j]
            for j in range(seen):
                total_cov[here.start + i, here.start + j] = own[i, j]
    gap = mpmath.matrix([mpf(float(v)) for v in p["x"].flatten()]) - total_mean
    solved = mpmath.lu_solve(total_cov, gap)
    log_prob = -((gap.T * solved)[0] + mpmath.log(mpmath.det(total_cov)) + size * mpmath.log(2 * mp.pi)) / 2
    gain = with_seen * total_cov**-1
    rows = lambda m: [[m[i, j] for j in range(m.cols)] for i in range(m.rows)]
    return {
        "hidden": hidden,
        "seen": seen,
        "steps": steps,
        **{name: texts(value) for name, value in p.items()},
        "log_prob": texts(log_prob),
        "mean": texts(rows(total_mean)),
        "variance": texts([total_cov[i, i] for i in range(size)]),
        "final_loc": texts(rows(mean + gain * gap)),
        "final_covariance": texts(rows(cov - gain * with_seen.T)),
    }


def main():
    tables = {
        "discrete": [ordinary(1, 3, 2), ordinary(2, 5, 3), ordinary(3, 4, 3, per_step=True), ordinary(4, 1, 1), ordinary(5, 1, 4),
                     ordinary(6, 9, 2, per_step=True), left_to_right(), far_apart()],
        "gaussian": [gaussian(1, 1, 1, 1), gaussian(2, 4, 2, 1), gaussian(3, 5, 2, 3), gaussian(4, 4, 3, 2, per_step=True),
                     gaussian(5, 12, 4, 2)],
    }
    cases = lambda rows: ",\n".join("  " + json.dumps(row) for row in rows)
    OUTPUT.write_text("{\n" + ",\n".join(f" {json.dumps(name)}: [\n{cases(rows)}\n ]" for name, rows in tables.items()) + "\n}\n")


if __name__ == "__main__":
    main()
