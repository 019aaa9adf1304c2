"""What everything stands on: errors, compilation, randomness, files, memory, intervals, processes. No science."""
