"""Final device classes: those of the papers and the standard ones of the field."""
