"""Writes ppl-infer/tests/references/optimizers.json: trajectories of torch's and Pyro's optimisers.

Four numbers follow gradients that depend on them and on the step:
    g_i(x, t) = a_i * (x_i - b_i) + c_i * sin(t + i),    t = 1, 2, ...
with the first gradient of the last number larger than ClippedAdam's bound. Run with
    python scripts/reference_optimizers.py
in an environment with torch and pyro-ppl; the file says which versions made it. AdaBound, which torch lacks, is written
out here from its paper. `schedules` are the learning rates of torch's schedulers over a base rate of 1, update by update.
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


def adam_w(params, **options):
    return torch.optim.AdamW(params, **options)


def rms_prop(params, **options):
    return torch.optim.RMSprop(params, **options)


def ada_grad(params, **options):
    return torch.optim.Adagrad(params, **options)


class AdaBound(torch.optim.Optimizer):
    """Algorithm 2 of Luo et al. (2019) with Adam's corrections of bias, and the bounds of section 4."""

    def __init__(self, params, lr, betas=(0.9, 0.999), final_lr=0.1, gamma=1e-3, eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, final_lr=final_lr, gamma=gamma, eps=eps))
        self.t = 0

    def step(self):
        self.t += 1
        (group,) = self.param_groups
        (x,) = group["params"]
        b1, b2 = group["betas"]
        state = self.state[x]
        m = state.get("m", torch.zeros_like(x)) * b1 + (1 - b1) * x.grad
        v = state.get("v", torch.zeros_like(x)) * b2 + (1 - b2) * x.grad**2
        state["m"], state["v"] = m.detach(), v.detach()
        low = group["final_lr"] * (1 - 1 / (group["gamma"] * self.t + 1))
        high = group["final_lr"] * (1 + 1 / (group["gamma"] * self.t))
        size = group["lr"] * math.sqrt(1 - b2**self.t) / (1 - b1**self.t)
        rate = torch.clamp(size / (v.sqrt() + group["eps"]), low, high)
        with torch.no_grad():
            x -= rate * m


CASES = [
    ("adam w", adam_w, dict(lr=0.05)),
    ("adam w all", adam_w, dict(lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.3)),
    ("ams grad", adam, dict(lr=0.2, betas=(0.6, 0.5), amsgrad=True)),
    ("rms prop", rms_prop, dict(lr=0.02)),
    ("rms prop all", rms_prop, dict(lr=0.02, alpha=0.9, eps=1e-3, momentum=0.7, centered=True, weight_decay=0.1)),
    ("ada grad", ada_grad, dict(lr=0.5)),
    ("ada grad all", ada_grad, dict(lr=0.5, lr_decay=0.1, initial_accumulator_value=0.3, eps=1e-3, weight_decay=0.1)),
    ("ada bound", AdaBound, dict(lr=0.05, final_lr=5.0)),
    ("ada bound all", AdaBound, dict(lr=0.05, betas=(0.8, 0.95), final_lr=0.1, gamma=0.2, eps=1e-3)),
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


def schedules():
    """Factors of 30 updates."""
    kinds = torch.optim.lr_scheduler
    makers = {
        "exponential": lambda o: kinds.ExponentialLR(o, 0.9),
        "multi step": lambda o: kinds.MultiStepLR(o, [3, 10, 11], 0.5),
        "cosine": lambda o: kinds.CosineAnnealingLR(o, 20, 0.1),
        "cosine restarts": lambda o: kinds.CosineAnnealingWarmRestarts(o, 4, 2, 0.1),
        "one cycle": lambda o: kinds.OneCycleLR(o, 1.0, 30, cycle_momentum=False),
        "plateau": lambda o: kinds.ReduceLROnPlateau(o, factor=0.5, patience=2, threshold=0.01, cooldown=1),
    }
    rows = {}
    for name, make in makers.items():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler = make(optimizer)
        rates = []
        for t in range(30 if name != "cosine" else 21):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step(*([LOSSES[t]] if name == "plateau" else []))
        rows[name] = rates
    return rows


# Losses that fall, stay, fall by too little, rise and fall again; positive ones, since a relative threshold of torch below 0
# asks for less than nothing.
LOSSES = [5, 4, 4, 4, 4, 4, 4, 4, 3, 2.99, 2.98, 2.975, 3, 3, 2.9, 3, 3, 3, 3, 3, 3, 3, 1, 0.995, 0.995, 2, 2, 2, 2, 2]


def main():
    head = {
        "made_by": "scripts/reference_optimizers.py",
        "torch": torch.__version__,
        "pyro": pyro.__version__,
        "start": START,
        "a": A,
        "b": B,
        "c": C,
        "losses": LOSSES,
        "schedules": schedules(),
    }
    cases = [f"  {json.dumps(name)}: {json.dumps(trajectory(make, options))}" for name, make, options in CASES]
    text = json.dumps(head, indent=1)[:-2] + ',\n "cases": {\n' + ",\n".join(cases) + "\n }\n}\n"
    json.loads(text)
    path = pathlib.Path(__file__).parent.parent / "ppl-infer/tests/references/optimizers.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main()
