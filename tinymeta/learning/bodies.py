"""What a deep network keeps of each of its bodies: dense layers and an LSTM, one for both heads or one for each."""

from typing import Any, NamedTuple

import numpy as np

from tinymeta.learning.networks import Deep
from tinymeta.learning.wirings import Layout
from tinymeta.network.products import zeros

LSTM_ARRAYS = ("h_prev", "c_prev", "gates", "c", "tanh_c", "h", "dgates", "dh", "dc", "dh_prev")


class Body(NamedTuple):
    """Dense layers and an LSTM; arrays of the LSTM as in `tinymeta.learning.rows.Activations`."""

    h_prev: np.ndarray
    c_prev: np.ndarray
    gates: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray
    h: np.ndarray
    dgates: np.ndarray
    dh: np.ndarray
    dc: np.ndarray
    dh_prev: np.ndarray
    layers: np.ndarray  # (N·ΣE,), the dense layers' activations, one layer (N, E) after the other
    dlayers: np.ndarray  # (N·ΣE,), first with respect to them, then to the pre-activations


def make_bodies(layout: Layout, act: Any) -> tuple[Body, ...]:
    """The bodies of a deep network: the first one's LSTM is `act`'s own. Empty for the network of the papers."""
    if not isinstance(layout.network, Deep):
        return ()
    N = len(act.h)
    own = {name: getattr(act, name) for name in LSTM_ARRAYS}
    other = {name: zeros(array.shape, array.dtype) for name, array in own.items()}
    size = N * sum(layout.network.widths)
    lstms = [own, other] if layout.network.separate else [own]
    return tuple(Body(**lstm, layers=zeros(size, act.h.dtype), dlayers=zeros(size, act.h.dtype)) for lstm in lstms)
