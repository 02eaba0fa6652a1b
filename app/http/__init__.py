"""What every way in over HTTP shares: identity, errors, bodies, pages."""
