"""LoRA adapters: what is in them, turned from PEFT's folders into GGUFs, and merged into the model that they were made for."""
