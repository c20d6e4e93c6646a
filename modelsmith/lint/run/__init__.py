"""Run the rules over a document: findings, fixes, suppressions, baselines."""
