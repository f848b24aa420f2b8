"""Tests of the project itself: its imports, its packaging, its documents."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
