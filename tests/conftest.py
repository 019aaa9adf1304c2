"""Files that compare with PyTorch are collected only where PyTorch is installed; nothing else is ever left out."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["*_pytorch.py"]
