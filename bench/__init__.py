"""The benchmark: how long a search takes on many orders, as ratios of two things measured in turn."""
