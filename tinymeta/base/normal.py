"""Normal numbers from uniform ones, so that counter-based randomness makes them, too."""

import math

from tinymeta.base.jit import jit


@jit
def normal_quantile(u):
    """The standard normal's inverse distribution function at u in [0, 1), so that a uniform number makes a normal one.

    Acklam's rational approximation (2003), relative error below 1.2e-9; u is kept away from 0 and 1 by 2⁻⁵⁴.
    """
    tiny = 2.0**-54
    p = min(max(u, tiny), 1.0 - tiny)
    low = 0.02425
    if low <= p <= 1.0 - low:
        q = p - 0.5
        r = q * q
        above = ((((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r
                  + 1.383577518672690e02) * r - 3.066479806614716e01) * r + 2.506628277459239e00  # fmt: skip
        below = ((((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r
                  + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0  # fmt: skip
        return q * above / below
    tail = p if p < 0.5 else 1.0 - p
    q = math.sqrt(-2.0 * math.log(tail))
    above = ((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e00) * q
              - 2.549732539343734e00) * q + 4.374664141464968e00) * q + 2.938163982698783e00  # fmt: skip
    below = (((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e00) * q
             + 3.754408661907416e00) * q + 1.0  # fmt: skip
    return above / below if p < 0.5 else -above / below
