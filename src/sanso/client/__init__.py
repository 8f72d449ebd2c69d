"""The questions a front end may ask, answered in this process or by a server."""
