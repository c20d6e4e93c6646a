"""What an editor asks of a Modelfile or a template at a place: hover, completion, symbols, folds, colours, edits.

Pure: text and offsets in, values out. ``modelsmith lsp`` carries them to the editor; places count code points, as everywhere.
"""
