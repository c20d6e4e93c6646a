"""How llama-server reads the answers of a model: its chat formats, and the analysis of templates that have none of their own."""
