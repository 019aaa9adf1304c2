"""The network, by hand: LSTM, heads, losses, optimisers, and the register tiles under them. Plain arrays in every
signature.
"""
