"""The simulated benchmark ``strikebench``: its specification, its scenes, what is scored on it, and the leaderboard."""
