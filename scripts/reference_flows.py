"""Writes ppl-core/tests/references/flows.json: Pyro's normalising flows with random weights.

Each case has the tensors of a flow by our names (weights of linear layers transposed, since ours are
(inputs, outputs)), rows x, their images y and Pyro's ln |det J|, all in double precision. The cases of
networks have the outputs of Pyro's AutoRegressiveNN. Run with

    python3 scripts/reference_flows.py

in an environment with torch and pyro-ppl; the file says which versions made it.
"""

import json
import pathlib

import pyro
import torch
import torch.nn.functional as F
from pyro.distributions import transforms
from pyro.distributions.transforms.spline import _monotonic_rational_spline
from pyro.nn import AutoRegressiveNN, DenseNN

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "ppl-core/tests/references/flows.json"
torch.set_default_dtype(torch.float64)
torch.manual_seed(20240611)

# Rows of four numbers: of ordinary size, near and beyond the splines' bound (at the bound itself, as within
# 1e-6 of a knot, Pyro takes the wrong bin), and large.
X = torch.cat(
    [
        torch.randn(5, 4),
        torch.tensor([[0.0, 0.0, 0.0, 0.0], [2.999, -2.999, 2.75, -2.75], [1e-9, -1e-9, 2.5, -2.5], [40.0, -7.5, 0.5, 100.0]]),
    ]
)


def tensor(t):
    return {"dims": list(t.shape), "values": t.detach().reshape(-1).tolist()}


def linear(prefix, layers):
    out = {}
    for i, layer in enumerate(layers):
        out[f"{prefix}.{i}.weight"] = tensor(layer.weight.T)
        out[f"{prefix}.{i}.bias"] = tensor(layer.bias)
    return out


def case(flow, pyro_flow, tensors, x=X, **sizes):
    y = pyro_flow(x)
    log_det = pyro_flow.log_abs_det_jacobian(x, y)
    # Element-wise transforms of Pyro give a number an element.
    if log_det.dim() == 2:
        log_det = log_det.sum(-1)
    return {
        "flow": flow,
        **sizes,
        "tensors": tensors,
        "x": x.reshape(-1).tolist(),
        "y": y.detach().reshape(-1).tolist(),
        "log_abs_det": log_det.detach().reshape(-1).tolist(),
    }


def network(order, hidden, outputs):
    net = AutoRegressiveNN(4, hidden, param_dims=outputs, permutation=torch.tensor(order))
    return net, linear("network.layers", net.layers)


def networks():
    for order, hidden, outputs in [([0, 1, 2, 3], [7], [1]), ([2, 0, 3, 1], [9, 5], [1, 1]), ([3, 2, 1, 0], [6, 6, 6], [3])]:
        net, tensors = network(order, hidden, outputs)
        y = net(X)
        # Several parameters come apart; ours stand one behind the other in a row.
        parts = list(y) if isinstance(y, tuple) else [y]
        rows = torch.cat([part.reshape(len(X), -1, 4).reshape(len(X), -1) for part in parts], -1)
        tensors = {name.removeprefix("network."): t for name, t in tensors.items()}
        yield {
            "flow": "AutoregressiveNetwork",
            "order": order,
            "hidden": hidden,
            "outputs": sum(outputs),
            "tensors": tensors,
            "x": X.reshape(-1).tolist(),
            "y": rows.detach().reshape(-1).tolist(),
            "log_abs_det": [],
        }


def autoregressive():
    for order, hidden, gain in [([0, 1, 2, 3], [8], 1.0), ([2, 0, 3, 1], [9, 5], 1.0), ([1, 3, 0, 2], [16], 12.0)]:
        net, _ = network(order, hidden, [1, 1])
        # The last case has log-scales beyond their bounds.
        net.layers[-1].weight.data.mul_(gain)
        tensors = linear("network.layers", net.layers)
        flow = transforms.AffineAutoregressive(net)
        yield case("AffineAutoregressive", flow, tensors, order=order, hidden=hidden)


def coupling():
    for hidden, gain in [([6], 1.0), ([6, 5], 1.0), ([8], 12.0)]:
        net = DenseNN(2, hidden, [2, 2])
        net.layers[-1].weight.data.mul_(gain)
        tensors = linear("network.layers", net.layers)
        yield case("AffineCoupling", transforms.AffineCoupling(2, net), tensors, hidden=hidden)


def planar():
    for scale in [0.5, 3.0]:
        flow = transforms.Planar(4)
        for t in (flow.w, flow.u, flow.bias):
            t.data = scale * torch.randn(t.shape)
        yield case("Planar", flow, {"w": tensor(flow.w), "u": tensor(flow.u), "bias": tensor(flow.bias)})


def radial():
    for scale in [0.5, 3.0]:
        flow = transforms.Radial(4)
        for t in (flow.x0, flow.alpha_prime, flow.beta_prime):
            t.data = scale * torch.randn(t.shape)
        tensors = {"center": tensor(flow.x0), "alpha": tensor(flow.alpha_prime), "beta": tensor(flow.beta_prime)}
        yield case("Radial", flow, tensors)


class RationalQuadratic:
    """Pyro's spline with slope 1 at its ends, as in the paper and where the identity goes on.

    Its `Spline` has 0.999 there. Free parameters are (variables, bins) or (rows, variables, bins)."""

    def __init__(self, bound, free):
        self.bound, self.free = bound, free

    def both(self, x):
        widths, heights, slopes = self.free(x)
        slopes = 1e-3 + F.softplus(slopes)
        return _monotonic_rational_spline(
            x, F.softmax(widths, -1), F.softmax(heights, -1), slopes, bound=self.bound, min_derivative=0.0
        )

    def __call__(self, x):
        return self.both(x)[0]

    def log_abs_det_jacobian(self, x, y):
        return self.both(x)[1]


def spline():
    for bins, bound, scale in [(8, 3.0, 1.0), (2, 1.5, 1.0), (5, 3.0, 4.0)]:
        parts = [scale * torch.randn(4, n) for n in (bins, bins, bins - 1)]
        tensors = dict(zip(("widths", "heights", "slopes"), map(tensor, parts)))
        yield case("Spline", RationalQuadratic(bound, lambda _: parts), tensors, bins=bins, bound=bound)


def spline_autoregressive():
    for order, hidden, bins in [([0, 1, 2, 3], [8], 8), ([2, 0, 3, 1], [9, 5], 4)]:
        net, tensors = network(order, hidden, [bins, bins, bins - 1])
        flow = RationalQuadratic(3.0, lambda x: [t.transpose(-1, -2) for t in net(x)])
        yield case("SplineAutoregressive", flow, tensors, order=order, hidden=hidden, bins=bins, bound=3.0)


def batch_norm():
    flow = transforms.BatchNorm(4)
    flow.gamma.data, flow.beta.data = 0.5 + torch.rand(4), torch.randn(4)
    flow.moving_mean, flow.moving_variance = torch.randn(4), 0.1 + torch.rand(4)
    flow.eval()
    tensors = {
        "beta": tensor(flow.beta),
        "log_gamma": tensor(flow.constrained_gamma.log()),
        "mean": tensor(flow.moving_mean),
        "variance": tensor(flow.moving_variance),
    }
    # Pyro states one number a column, whatever the rows.
    out = case("BatchNorm", flow, tensors)
    total = flow.log_abs_det_jacobian(X, flow(X)).detach().sum().item()
    out["log_abs_det"] = [total] * len(X)
    yield out


GROUPS = [networks, autoregressive, coupling, planar, radial, spline, spline_autoregressive, batch_norm]

if __name__ == "__main__":
    cases = [c for group in GROUPS for c in group()]
    made_by = f"torch {torch.__version__}, pyro-ppl {pyro.__version__}"
    lines = ",\n".join(json.dumps(c) for c in cases)
    OUTPUT.write_text(f'{{"made_by": {json.dumps(made_by)}, "cases": [\n{lines}\n]}}\n')
    print(len(cases), "cases by", made_by)
