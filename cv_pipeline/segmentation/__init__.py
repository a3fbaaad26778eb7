"""The network, tiled prediction into a raster file, and finding and loading models."""
