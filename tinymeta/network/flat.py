"""All parameters as one flat vector (P,), and the arrays that the kernels see in it.

One vector makes optimisers, clipping and checkpoints one loop each. The policy and the value share one matrix: its
first A rows are the policy's, the last one is the value's. What not every network has comes behind them, see
`tinymeta.network.parameters`.
"""

from tinymeta.base.jit import jit


@jit
def split(theta, layout):
    """Views into a flat vector: weight_x (D, 4H), weight_h (H, 4H), bias (4H,), head_weight (A+1, H), head_bias
    (A+1,), and the rest, empty for the network of the papers.
    """
    D = layout.lstm_inputs
    H = layout.hidden_size
    outputs = layout.num_actions + 1
    a = D * 4 * H
    b = a + H * 4 * H
    c = b + 4 * H
    d = c + outputs * H
    return (
        theta[:a].reshape((D, 4 * H)),
        theta[a:b].reshape((H, 4 * H)),
        theta[b:c],
        theta[c:d].reshape((outputs, H)),
        theta[d : d + outputs],
        theta[d + outputs :],
    )
