"""The values of a chat template, and what operators make of them."""
