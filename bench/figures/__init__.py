"""The figures of a bench as tables, pages and drawings."""
