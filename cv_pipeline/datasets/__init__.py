"""Data sets of others and one's own, read into one form: an adapter per format, found by :mod:`.formats`."""
