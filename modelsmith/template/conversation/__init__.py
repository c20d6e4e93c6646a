"""Conversations: messages, tools and whether to think."""
