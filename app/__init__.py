"""The service: rules, storage, use cases, and the ways in (HTTP, console, command line)."""
