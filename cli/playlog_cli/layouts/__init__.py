"""Layouts: how a society wants its file of plays. Reads layouts from TOML, checks plays against them, writes files.

Who may import this package: `commands`.
What it may import: `catalog`, `loading`, `reporting`, `tabular`, `errors`.
"""
