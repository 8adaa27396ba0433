"""The benchmark: the cost of the portal over many orders, as ratios of two times measured in turn."""
