"""Batches: many pairs from a manifest, on many processes or machines, with a record that survives a crash."""
