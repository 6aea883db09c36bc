"""Results out: summaries, tables, JSON, ArviZ's DataTree and NetCDF, HTML reports. xarray and ArviZ are imported
late."""
