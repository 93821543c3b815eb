"""Why a file or a row cannot be what it seems: another kind of file, too large a workbook, a quote that swallowed rows.

Who may import this package: `loading.files`.
What it may import: nothing of this project.
"""
