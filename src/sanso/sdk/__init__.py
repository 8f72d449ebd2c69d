"""What an application imports to measure itself."""
