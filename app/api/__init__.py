"""The HTTP API: parse, one service call, dump."""
