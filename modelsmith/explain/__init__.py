"""Why a model does what it does: which template runs, who sees what, where answers end."""
