"""Learns a portal: from saved or observed pages of it to a portal pack. Pure, but for the folder of pages."""
