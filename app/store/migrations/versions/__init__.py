"""Numbered, reversible steps; each module's docstring says what it changes."""
