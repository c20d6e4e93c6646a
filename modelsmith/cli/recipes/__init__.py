"""Plan, apply and list recipes."""
