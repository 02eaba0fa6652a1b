"""Use cases: what the service does, told to a connection whose transaction the caller owns."""
