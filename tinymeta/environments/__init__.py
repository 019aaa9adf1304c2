"""What can be played: task sets as arrays (`table.py`), their registry, and one builder a file."""
