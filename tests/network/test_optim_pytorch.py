"""Oracle: clipping and both optimisers against PyTorch's."""

import numpy as np
import pytest
import torch

from tinymeta.network.optim import adam, clip_factor, global_norm, rmsprop


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_optimisers_agree_with_pytorch(name):
    rng = np.random.default_rng(1)
    theta = rng.normal(size=30)
    parameter = torch.nn.Parameter(torch.from_numpy(theta.copy()))
    other = (torch.optim.Adam if name == "adam" else torch.optim.RMSprop)([parameter], lr=1e-3)
    first, second = np.zeros(30), np.zeros(30)
    for step, g in enumerate(rng.normal(size=(20, 30)), 1):
        factor = clip_factor(global_norm(g), 2.0)
        parameter.grad = torch.from_numpy(g.copy())
        torch.nn.utils.clip_grad_norm_([parameter], 2.0)
        other.step()
        if name == "adam":
            adam(theta, g, factor, first, second, 1e-3, step)
        else:
            rmsprop(theta, g, factor, second, 1e-3)
    np.testing.assert_allclose(theta, parameter.detach().numpy(), rtol=1e-6)  # torch adds 1e-6 to the norm
