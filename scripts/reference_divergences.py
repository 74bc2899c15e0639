#!/usr/bin/env python3
"""Kullback-Leibler divergences of the pairs that torch registers, as torch computes them in double precision.

Writes ppl-core/tests/references/divergences.json: for each pair the parameters of both, those of the first first, and
the divergence. Needs Python 3 with torch:

    python3 scripts/reference_divergences.py
"""

import json
import math
import pathlib

import torch
from torch import distributions as d
from torch.distributions import kl_divergence

torch.set_default_dtype(torch.float64)

# Parameters that are ordinary, small, large, and such that some pairs of families leave one another's support.
PARAMETERS = {
    "Bernoulli": [(0.3,), (0.999,), (1e-4,)],
    "Beta": [(2.0, 3.0), (0.4, 0.7), (30.0, 12.0)],
    "Binomial": [(7.0, 0.3), (7.0, 0.9)],
    "Cauchy": [(0.5, 1.2), (-3.0, 0.1), (4.0, 20.0)],
    "ContinuousBernoulli": [(0.3,), (0.95,), (0.001,)],
    "Exponential": [(0.7,), (12.0,), (0.02,)],
    "Gamma": [(2.0, 1.5), (0.3, 4.0), (40.0, 9.0)],
    "Geometric": [(0.3,), (0.9,), (0.01,)],
    "Gumbel": [(0.5, 1.2), (-2.0, 3.0), (1.0, 0.4)],
    "HalfNormal": [(0.7,), (3.0,), (0.01,)],
    "Laplace": [(0.5, 1.2), (-2.0, 3.0), (1.0, 0.4)],
    "LogNormal": [(0.5, 1.2), (-2.0, 0.3)],
    "Normal": [(0.5, 1.2), (-2.0, 3.0), (1.0, 0.4)],
    "Pareto": [(1.0, 3.5), (0.2, 0.8), (2.0, 12.0)],
    "Poisson": [(0.7,), (12.0,), (300.0,)],
    "Uniform": [(0.1, 0.8), (-1.0, 2.5), (0.0, 1.0), (0.5, 3.0)],
}

# Each family with those it has a divergence from.
PAIRS = {
    "Bernoulli": ["Bernoulli", "Poisson"],
    "Beta": ["Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Normal", "Pareto", "Uniform"],
    "Binomial": ["Binomial"],
    "Cauchy": ["Cauchy"],
    "ContinuousBernoulli": ["ContinuousBernoulli", "Exponential", "Normal", "Pareto", "Uniform"],
    "Exponential": ["Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Gumbel", "Normal", "Pareto", "Uniform"],
    "Gamma": ["Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Gumbel", "Normal", "Pareto", "Uniform"],
    "Geometric": ["Geometric"],
    "Gumbel": ["Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Gumbel", "Normal", "Pareto", "Uniform"],
    "HalfNormal": ["HalfNormal"],
    "Laplace": ["Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Laplace", "Normal", "Pareto", "Uniform"],
    "LogNormal": ["LogNormal"],
    "Normal": ["Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Gumbel", "Laplace", "Normal", "Pareto", "Uniform"],
    "Pareto": ["Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Normal", "Pareto", "Uniform"],
    "Poisson": ["Bernoulli", "Binomial", "Poisson"],
    "Uniform": ["Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Gumbel", "Normal", "Pareto", "Uniform"],
}


def rows(p, q):
    for a in PARAMETERS[p]:
        for b in PARAMETERS[q]:
            first, second = (getattr(d, name)(*map(torch.tensor, values)) for name, values in [(p, a), (q, b)])
            value = kl_divergence(first, second).item()
            assert not math.isnan(value), (p, a, q, b)
            # torch says infinity where the two supports are equal, whose divergence is finite.
            if "ContinuousBernoulli" in (p, q) and (0.0, 1.0) in (a, b):
                continue
            yield {"parameters": [*a, *b], "divergence": repr(value)}


def vectors():
    """Pairs over vectors, by tensors written row after row."""
    torch.manual_seed(1)
    logits = [torch.tensor([[0.3, -1.0, 2.0], [0.0, 5.0, -700.0]]), torch.tensor([[1.3, 0.5, -2.0], [0.5, 0.5, 0.1]])]
    concentration = [torch.tensor([[0.3, 1.0, 2.0], [40.0, 5.0, 0.01]]), torch.tensor([[1.3, 0.5, 2.5], [0.5, 90.0, 0.1]])]
    locs = [torch.tensor([[0.3, -1.0, 2.0], [0.0, 5.0, -7.0]]), torch.tensor([[1.3, 0.5, -2.0], [0.5, 0.5, 0.1]])]
    trils = [torch.randn(2, 3, 3).tril(-1) + torch.diag_embed(torch.rand(2, 3) + 0.2) for _ in range(2)]
    factors = [torch.randn(2, 3, 2) for _ in range(2)]
    diagonals = [torch.rand(2, 3) + 0.2 for _ in range(2)]

    def case(parameters, make):
        value = kl_divergence(make[0](*parameters[0]), make[1](*parameters[1]))
        flat = [[x.flatten().tolist() for x in side] for side in parameters]
        return {"parameters": flat, "divergence": [repr(v) for v in value.tolist()]}

    one_hot = lambda logits: d.OneHotCategorical(logits=logits)
    categorical = lambda logits: d.Categorical(logits=logits)
    full = lambda loc, tril: d.MultivariateNormal(loc, scale_tril=tril)
    low = d.LowRankMultivariateNormal
    full_sides, low_sides = [list(zip(locs, trils)), list(zip(locs, factors, diagonals))]
    return {
        "Categorical|Categorical": case([(logits[0],), (logits[1],)], [categorical] * 2),
        "OneHotCategorical|OneHotCategorical": case([(logits[0],), (logits[1],)], [one_hot] * 2),
        "Dirichlet|Dirichlet": case([(concentration[0],), (concentration[1],)], [d.Dirichlet] * 2),
        "MultivariateNormal|MultivariateNormal": case(full_sides, [full] * 2),
        "LowRankMultivariateNormal|LowRankMultivariateNormal": case(low_sides, [low] * 2),
        "LowRankMultivariateNormal|MultivariateNormal": case([low_sides[0], full_sides[1]], [low, full]),
        "MultivariateNormal|LowRankMultivariateNormal": case([full_sides[0], low_sides[1]], [full, low]),
    }


def main():
    table = {f"{p}|{q}": list(rows(p, q)) for p, others in PAIRS.items() for q in others}
    path = pathlib.Path(__file__).parent.parent / "ppl-core/tests/references/divergences.json"
    lines = [f"  {json.dumps(name)}: {json.dumps(rows)}" for name, rows in {**table, **vectors()}.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
