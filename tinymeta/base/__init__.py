"""What everything stands on: errors, compilation, randomness, files, memory, intervals, processes, pictures.

No science.
"""
