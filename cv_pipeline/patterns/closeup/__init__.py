"""A closer look at each candidate: a small network on pictures of its surroundings, finer and wider than the maps."""
