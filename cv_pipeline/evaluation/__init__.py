"""Scores against labels and against simulated truth."""
