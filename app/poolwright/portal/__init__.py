"""Describes a portal as data: its pack, its number rules, and the verdict on a page. Pure; reads only pack files."""
