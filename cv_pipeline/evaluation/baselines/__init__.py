"""Networks of others, trained by us on the simulated pairs of our models: what the leaderboard compares ours with."""
