"""The forms of statements: pages and CSV for payees, a summary, and the folder that holds them.

Who may import this package: `statements`, `commands`.
What it may import: `statements`, `catalog`, `reporting`, `tabular`, `errors`, `terminal`.
"""
