"""Looking inside trained agents: is the LSTM's state a belief?

    recording.py           what an agent went through, beside the exact belief; its inputs relived by another network
    belief_statistics.py   what there is to know: sufficient statistics of the exact belief, and the clock
    decoding.py            can they be read off the state?
    simulation.py          do the agent and the Bayes-optimal machine simulate each other?
    history_tree.py        the exact behaviour of a network, and the beliefs at which it errs
    transplants.py         the causal test: whose task does behaviour follow when states are exchanged?
    probing.py             all of them for one agent; many.py for many runs; summary.py over seeds

A new probe is a module here, a key of the result that `probing.probe` returns, and rows of `summary.QUANTITIES`.
Where a probe is not defined, or its optimum is out of reach, it raises `InputError` and its key holds {"reason":
why}.
"""
