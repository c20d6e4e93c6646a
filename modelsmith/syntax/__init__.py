"""Text to nodes with spans: Modelfiles and Go templates. The only place that knows lark."""
