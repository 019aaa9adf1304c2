"""Dense tanh layers, forward and backward: what may stand before the LSTM (docs/math.md, Eqs. 39-43).

    y_0 = tanh(x W_0 + b_0),        y_l = tanh(y_{l-1} W_l + b_l)

The first layer reads the sparse input as the LSTM does (`tinymeta.network.lstm.input_forward`), so these kernels begin
from pre-activations and know nothing of it.
"""

from tinymeta.base.jit import jit
from tinymeta.network.activations import tanh
from tinymeta.network.products import add_outer, add_product, add_product_transposed


@jit
def affine_forward(x, weight, bias, start, stop, a):
    """a = x W + b on rows start…stop, Eq. 39. Overwrites those rows of a (N, J); x (N, I), weight (I, J), bias (J,)."""
    J = bias.shape[0]
    for n in range(start, stop):
        for j in range(J):
            a[n, j] = bias[j]
    add_product(x, weight, a, start, stop)


@jit
def affine_backward(x, weight, da, steps, dx, dweight, dbias):
    """The mirror of `affine_forward` on the first `steps` rows, Eqs. 41-43: overwrites dx (N, I), adds to the rest."""
    J = dbias.shape[0]
    zero = weight.dtype.type(0)
    for n in range(steps):
        for i in range(weight.shape[0]):
            dx[n, i] = zero
        for j in range(J):
            dbias[j] += da[n, j]
    add_product_transposed(da, weight, dx, 0, steps)
    add_outer(x, da, dweight, 0, steps)


@jit
def tanh_forward(a, start, stop):
    """Overwrites rows start…stop of a (N, J) with tanh a."""
    for n in range(start, stop):
        for j in range(a.shape[1]):
            a[n, j] = tanh(a[n, j])


@jit
def tanh_backward(y, steps, dy):
    """Turns the gradient with respect to y = tanh a, first `steps` rows of dy (N, J), into that for a, Eq. 40."""
    one = y.dtype.type(1)
    for n in range(steps):
        for j in range(y.shape[1]):
            dy[n, j] *= one - y[n, j] * y[n, j]
