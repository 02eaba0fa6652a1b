"""The history of the schema, and the commands that walk it."""
