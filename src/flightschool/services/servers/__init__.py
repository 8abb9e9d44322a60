"""The servers, one small class each."""
