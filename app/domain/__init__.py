"""Pure rules of redemption codes: no input, no output; time and randomness come in as arguments."""
