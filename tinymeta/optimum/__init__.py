"""What an ideal agent knows and what it earns: the exact belief, every belief within reach, and the optimum over them.

Nothing is sampled here; what is out of reach is reported. Read belief, then belief_graph, planning, belief_policies
and exact_values.
"""
