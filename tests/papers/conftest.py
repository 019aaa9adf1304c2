"""Runs that several test modules of papers look at, trained once."""

import shutil

import pytest
from synthetic import train_runs, write_dips, write_probes, write_results


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Every run of the tiny paper as training left it. Not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    train_runs(folder)
    return folder


@pytest.fixture(scope="session")
def good(tmp_path_factory, trained):
    """The runs of the tiny paper with results and probes as the paper says. Not to be changed."""
    folder = tmp_path_factory.mktemp("good") / "runs"
    shutil.copytree(trained, folder)
    write_results(folder)
    write_probes(folder)
    write_dips(folder)
    return folder
