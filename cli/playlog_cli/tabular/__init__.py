"""Files of rows and columns: reads small ones that people keep, and writes large ones in bounded memory.

Who may import this package: `catalog`, `reporting`, `layouts`, `statements`, `commands`.
What it may import: `loading`, `errors`.
"""
