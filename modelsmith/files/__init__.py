"""What is common to all that reads or writes files: paths, atomic replacement, bounded reads, copies."""
