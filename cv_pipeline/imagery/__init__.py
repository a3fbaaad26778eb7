"""Opening, checking and pairing rasters, and reading them by window on any grid."""
