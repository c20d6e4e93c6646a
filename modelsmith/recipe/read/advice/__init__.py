"""The ways out of mistakes in recipes: what people meant who wrote something else."""
