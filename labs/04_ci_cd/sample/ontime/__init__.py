"""The daily on-time report of New York's airports."""
