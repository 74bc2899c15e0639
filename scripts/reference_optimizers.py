"""Writes ppl-infer/tests/references/optimizers.json: trajectories of torch's and Pyro's optimisers.

Four numbers follow gradients that depend on them and on the step:
    g_i(x, t) = a_i * (x_i - b_i) + c_i * sin(t + i),    t = 1, 2, ...
with the first gradient of the last number larger than ClippedAdam's bound. Run with
    python scripts/reference_optimizers.py
in an environment with torch and pyro-ppl; the file says which versions made it.
"""

import json
import math
import pathlib

import pyro
import pyro.optim.clipped_adam
import torch

START = [0.5, -1.25, 3.0, 40.0]
A = [1.0, 0.3, 2.5, 0.7]
B = [0.0, 2.0, 1.0, -3.0]
C = [0.4, 1.5, -0.2, 0.1]
STEPS = 25


def adam(params, **options):
    return torch.optim.Adam(params, **options)


def clipped_adam(params, **options):
    return pyro.optim.clipped_adam.ClippedAdam(params, **options)


def sgd(params, **options):
    return torch.optim.SGD(params, **options)


CASES = [
    ("adam", adam, dict(lr=0.05)),
    ("adam betas", adam, dict(lr=0.1, betas=(0.8, 0.95), eps=1e-3)),
    ("adam weight decay", adam, dict(lr=0.05, weight_decay=0.2)),
    ("clipped adam", clipped_adam, dict(lr=0.05)),
    ("clipped adam clip", clipped_adam, dict(lr=0.05, clip_norm=0.75)),
    ("clipped adam rate decay", clipped_adam, dict(lr=0.2, lrd=0.9)),
    ("clipped adam all", clipped_adam,
     dict(lr=0.2, betas=(0.85, 0.97), eps=1e-2, weight_decay=0.1, clip_norm=2.0, lrd=0.97)),
    ("sgd", sgd, dict(lr=0.1)),
    ("sgd momentum", sgd, dict(lr=0.05, momentum=0.9)),
    ("sgd nesterov", sgd, dict(lr=0.05, momentum=0.9, nesterov=True)),
    ("sgd weight decay", sgd, dict(lr=0.1, weight_decay=0.3)),
    ("sgd all", sgd, dict(lr=0.03, momentum=0.8, nesterov=True, weight_decay=0.05)),
]


def trajectory(make, options):
    """The numbers after each step, in double precision."""
    a, b, c = (torch.tensor(v, dtype=torch.float64) for v in (A, B, C))
    phase = torch.arange(len(START), dtype=torch.float64)
    x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer = make([x], **options)
    rows = []
    for t in range(1, STEPS + 1):
        x.grad = (a * (x.detach() - b) + c * torch.sin(t + phase)).clone()
        optimizer.step()
        rows.append(x.detach().tolist())
    assert all(math.isfinite(v) for row in rows for v in row)
    return rows


def main():
    head = {
        "made_by": "scripts/reference_optimizers.py",
        "torch": torch.__version__,
        "pyro": pyro.__version__,
        "start": START,
        "a": A,
        "b": B,
        "c": C,
    }
    cases = [f"  {json.dumps(name)}: {json.dumps(trajectory(make, options))}" for name, make, options in CASES]
    text = json.dumps(head, indent=1)[:-2] + ',\n "cases": {\n' + ",\n".join(cases) + "\n }\n}\n"
    json.loads(text)
    path = pathlib.Path(__file__).parent.parent / "ppl-infer/tests/references/optimizers.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main()
