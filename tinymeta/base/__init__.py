"""What everything stands on: errors, compilation, randomness, files, locks, memory, intervals, processes. No science."""
