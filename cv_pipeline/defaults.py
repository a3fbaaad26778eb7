"""Figures that the command line, the settings, the stages and their plans share.

Nothing is imported here, so that the command line can state a stage's default without loading the stage.
"""

TILE_PX, OVERLAP_PX = 512, 160
"""The least overlap at which ``scripts/check_tiles.py`` finds the same craters with tiles of 512, 640 and 1024 px, and
a tile with which a whole run's memory stays below 1.5 GB at any size: with 640 px it takes 9 % fewer pixels through the
network and about a hundred megabytes more."""
GDAL_CACHE_BYTES = 64 * 2**20
"""Decoded blocks that GDAL keeps for all files together; its own default is a share of the machine's memory."""
WIDE_CACHE_BYTES = 128 * 2**20
"""The same where images are read in wide blocks and no tiles are in memory: the search for clouds, registration, closer
looks."""
