"""Bringing the before image onto the after image, measuring what is left, and refusing a bad fit."""
