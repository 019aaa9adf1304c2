"""The examples in docstrings do what they say (contract)."""

import doctest
import importlib
import pkgutil

import pytest

import tinymeta.base
import tinymeta.runs

MODULES = [
    module.name
    for package in (tinymeta.base, tinymeta.runs)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("name", [*MODULES, "tinymeta.cli"])
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
