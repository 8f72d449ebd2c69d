"""Rules: inactive, pending, firing, resolved."""
