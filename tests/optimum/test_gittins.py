"""The Gittins index against the literature (oracle) and its own properties."""

import pytest

from tinymeta.optimum.gittins import gittins, gittins_table


@pytest.mark.parametrize(("gamma", "index"), [(0.9, 0.7029), (0.99, 0.8699)])
def test_gittins_index_from_the_literature(gamma, index):
    """Oracle: the tabulated indices of a uniform prior (Gittins 1989)."""
    assert gittins(1, 1, gamma) == pytest.approx(index, abs=5e-5)


def test_gittins_properties():
    """Property: without a future the index is the mean; it falls with losses, rises with γ; the table agrees."""
    assert gittins(3, 5, 0) == pytest.approx(3 / 8, abs=1e-7)
    assert gittins(1, 1, 0.9) > gittins(1, 2, 0.9)
    assert gittins(2, 2, 0.5) < gittins(2, 2, 0.9)
    grid = gittins_table(6, 0.9)
    for wins in range(6):
        for losses in range(6 - wins):
            assert abs(grid[wins, losses] - gittins(1 + wins, 1 + losses, 0.9)) <= 1.001e-3
    with pytest.raises(ValueError, match="gamma = 0.999"):
        gittins(1, 1, 0.999)
