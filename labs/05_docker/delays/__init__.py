"""How likely a flight is to arrive late: a small model, and two services that answer with it."""
