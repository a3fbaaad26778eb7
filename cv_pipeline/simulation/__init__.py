"""Craters, blast patterns and whole scenes drawn onto imagery, with exact truth."""
