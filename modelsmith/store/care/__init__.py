"""Care of a store's folder: what is wrong with it, what nobody needs, what is there twice, who uses it."""
