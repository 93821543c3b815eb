"""Catalogs: what a `track_id` means, and who is paid. Reads, drafts and checks them.

Who may import this package: `commands`, `reporting`, `layouts`, `statements`, `web`.
What it may import: `loading`, `tabular`, `stacks`, `lookalikes`, `errors`, `playlog`.
"""
