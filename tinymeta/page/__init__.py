"""A trained network in a web page: weights, exact filter and probes of finished runs in one self-contained HTML file.

`python -m tinymeta.page` reads run folders, fits what the page needs (decoder, direction of the belief, plane of the
states), and puts numbers, style and script into one file. The network, the filter and the simulation are written again
in plain JavaScript in `assets/`, each function under the name of its Python twin, and agree with Python to 1e-5
(logits) and 1e-9 (beliefs); the page checks that itself when it is opened, and tests/page checks it in a browser.
"""
