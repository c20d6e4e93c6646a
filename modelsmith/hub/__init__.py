"""The Hugging Face Hub: what is there, fetched and verified, and models published to it. The door of ``huggingface_hub``."""
