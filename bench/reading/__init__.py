"""Measures reading: reports and audits of exports of any size, and the export itself."""
