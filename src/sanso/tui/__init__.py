"""The live dashboard in a terminal."""
