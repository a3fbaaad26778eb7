"""Training the network on simulated pairs, and writing model folders."""
