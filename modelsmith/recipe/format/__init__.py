"""What a recipe file can say: its keys, inputs and expectations, and their JSON Schema."""
