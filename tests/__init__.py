"""Tests of playlog."""
