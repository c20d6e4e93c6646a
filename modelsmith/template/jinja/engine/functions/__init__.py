"""What a template can call: functions, tests, and the filters of each type."""
